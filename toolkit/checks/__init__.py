"""The checks: what must be true of a healthy service, each declared once with its remedy.

`doctor`, `healthcheck`, the metric `weather_check_status`, the alert rules and the runbooks derive from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.checks.host import Host


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
        well: whether it is as it should be; None where it could not be seen.
        evidence: what was seen, in a few words.
        remedy: the command that mends what was seen; empty for the check's own.
        severity: how bad it is, where that depends; None for the check's own.
        figures: performance data by label, each `value[unit];warning;critical`.
    """

    well: bool | None
    evidence: str
    remedy: str = ""
    severity: Status | None = None
    figures: dict[str, str] = field(default_factory=dict)


def good(evidence: str, figures: dict[str, str] | None = None) -> Finding:
    """It is as it should be."""
    return Finding(True, evidence, figures=figures or {})


def bad(
    evidence: str, remedy: str = "", severity: Status | None = None, figures: dict[str, str] | None = None
) -> Finding:
    """It is not as it should be."""
    return Finding(False, evidence, remedy, severity, figures or {})


def unseen(evidence: str) -> Finding:
    """It could not be seen, and why."""
    return Finding(None, evidence)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true.

    Attributes:
        id: how people and metrics name it.
        area: what it belongs to.
        guards: what it is for, in a sentence.
        severity: how bad it is when it fails.
        probe: looks, and changes nothing; None means that the host has nothing to look at. A ToolkitError or an
            OSError that it raises is the evidence of a failure.
        remedy: the command that mends it, or shows why it cannot be mended by one.
        because: ids of checks whose failure explains this one's.
        quick: whether `healthcheck` makes it, too, though it is not critical.
        on_feed: whether it needs an answer of the feed, which may take long.
        costly: whether it reads so much that it is not made every minute.
        is_of_last_run: whether it tells of a job's last run, which its remedy repeats.
    """

    id: str
    area: str
    guards: str
    severity: Status
    probe: Callable[[Host], Finding | None]
    remedy: str
    because: tuple[str, ...] = ()
    quick: bool = False
    on_feed: bool = False
    costly: bool = False
    is_of_last_run: bool = False

    @property
    def in_healthcheck(self) -> bool:
        """Whether `healthcheck` makes it: what is critical, but for what takes long."""
        return (self.quick or self.severity is Status.CRITICAL) and not (self.on_feed or self.costly)


def status_of(check: Check, finding: Finding) -> Status:
    """How bad a finding is."""
    if finding.well is None:
        return Status.UNKNOWN
    return Status.OK if finding.well else finding.severity or check.severity
