"""What the doctor found, as JSON: of `weather-tool doctor --json`, and of the exporter, which the console asks."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Any

from toolkit import times
from toolkit.checks import Status
from toolkit.checks.diagnosis import Cause, Result, verdict
from toolkit.damaged import SCHEMA


def as_json(results: Sequence[Result], found: Sequence[Cause]) -> dict[str, Any]:
    """Results of checks, and what `diagnosis.causes` makes of them."""
    roots = {one.check.id: cause.result.check.id for cause in found for one in cause.explains}
    return {
        "schema": SCHEMA,
        "host": platform.node(),
        "at": times.iso(times.now()),
        "verdict": verdict(results, found).name,
        "causes": [
            {
                **_as_dict(cause.result), "status": cause.status.name,
                "explains": [one.check.id for one in cause.explains],
            }
            for cause in found
        ],
        "checks": [{**_as_dict(one), "because": roots.get(one.check.id)} for one in results],
    }  # fmt: skip


def _as_dict(one: Result) -> dict[str, Any]:
    failed = one.status in {Status.WARNING, Status.CRITICAL}
    return {
        "id": one.check.id, "area": one.check.area, "status": one.status.name, "evidence": one.finding.evidence,
        "problem": one.check.problem if failed else None, "remedy": one.command if failed else None,
    }  # fmt: skip
