"""The checks: what must be true of a healthy service, each declared once with its remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from toolkit.settings import Settings


class Status(IntEnum):
    """How it stands, with the exit codes of the monitoring-plugins guidelines."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe saw.

    Attributes:
        status: OK, or how bad it is.
        evidence: what was seen, in a few words.
        figures: performance data by label, each `value[unit];warning;critical`.
    """

    status: Status
    evidence: str
    figures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true.

    Attributes:
        id: how people and metrics name it.
        area: what it belongs to.
        guards: what it is for, in a sentence.
        probe: looks, and changes nothing; a ToolkitError that it raises is the evidence of a critical finding.
        remedy: the command that mends it, or shows why it cannot be mended by one.
    """

    id: str
    area: str
    guards: str
    probe: Callable[[Settings], Finding]
    remedy: str
