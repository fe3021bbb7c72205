"""What an incident keeps as evidence: for each job that sees it, what its newest run saw.

As JSON: `{"detector": {…}, "sensors": {…}}`. Each has `symptom` (a test or a rule), `reason` (a sentence),
`started` and `ended` (the trouble as the job saw it first and last, ISO 8601 in UTC), and `clear` once the job finds
the sensor well. The detector adds `class`, `value`, `expected`, `score` and `neighbours`, as its report has them;
`sensors` adds `state`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from toolkit import times
from toolkit.detector.report import Anomaly

if TYPE_CHECKING:
    from toolkit.detector.sensors import Fault  # which takes numpy

# More than any evidence that this program writes.
_MOST = 1 << 16


def read(text: object) -> dict[str, dict[str, Any]]:
    """The evidence by job; what is none of this program is left out."""
    if not isinstance(text, str) or len(text) > _MOST:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(job): seen for job, seen in found.items() if isinstance(seen, dict)}


def written(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The evidence as an incident keeps it."""
    return json.dumps(_finite(found), ensure_ascii=False, allow_nan=False)


def reason(text: object) -> str:
    """Why there is an incident, in a sentence: of the job that saw it last. Empty if the evidence does not say."""
    seen = [one for one in read(text).values() if isinstance(one.get("reason"), str)]
    return str(max(seen, key=lambda one: str(one.get("ended")))["reason"]) if seen else ""


def of_anomaly(one: Anomaly) -> dict[str, Any]:
    """What the detector saw."""
    return {
        "symptom": one.test,
        "class": one.class_,
        "reason": one.reason,
        "value": one.value,
        "expected": one.expected,
        "score": one.score,
        "neighbours": [asdict(near) for near in one.neighbours],
    }


def of_fault(one: Fault) -> dict[str, Any]:
    """What sensor health saw."""
    return {"symptom": one.name, "state": one.state, "reason": one.reason}


def time(text: object) -> float | None:
    """A time of the evidence in seconds since the epoch; None if it is none."""
    try:
        return times.epoch_of(str(text))
    except ValueError:
        return None


def _finite(value: Any) -> Any:
    """The same without numbers that JSON has not."""
    if isinstance(value, Mapping):
        return {str(name): _finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
