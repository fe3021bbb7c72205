"""The checks: what must be so on a healthy host, each declared once, at the function that looks.

`doctor`, `healthcheck`, the metric `weather_check_status`, the alert rules and the runbooks derive from them. To add a
check, write a function with the decorator `check` into the file of its subject in `probes/`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from toolkit.checks.remedies import Remedy

if TYPE_CHECKING:
    from toolkit.checks.host import Host


class Status(IntEnum):
    """How a check stands, with the exit codes of the monitoring-plugins guidelines."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe saw.

    Attributes:
        ok: whether it is as it should be; None where that could not be seen.
        evidence: what was seen, in a few words.
        remedy: what mends what was seen; None for the check's own remedy.
        severity: how bad it is; None for the check's own severity.
        figures: performance data by label, each `value[unit];warning;critical`.
        explains: ids of checks whose failures it explains, besides those that name its check as a cause. What is as it
            should be explains them, too, where it says what differs from before.
        apart: ids of causes of its check that cannot have caused what was seen here.
    """

    ok: bool | None
    evidence: str
    remedy: Remedy | None = None
    severity: Status | None = None
    figures: dict[str, str] = field(default_factory=dict)
    explains: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()


def good(evidence: str, figures: dict[str, str] | None = None) -> Finding:
    """It is as it should be."""
    return Finding(True, evidence, figures=figures or {})


def bad(
    evidence: str, remedy: Remedy | None = None, severity: Status | None = None, figures: dict[str, str] | None = None
) -> Finding:
    """It is not as it should be."""
    return Finding(False, evidence, remedy, severity, figures or {})


def unseen(evidence: str) -> Finding:
    """Whether it is as it should be could not be seen; the evidence says why."""
    return Finding(None, evidence)


Probe: TypeAlias = "Callable[[Host], Finding | None]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must be so.

    Attributes:
        id: how people and metrics name it.
        area: the part of the service that it belongs to.
        invariant: what must be so, in a sentence.
        problem: the same when it is not so, in a sentence: what alerts and runbooks begin with.
        severity: how bad it is when it fails.
        probe: looks, and changes nothing; returns None where this host has nothing to look at. A ToolkitError or an
            OSError that it raises is taken as what was seen.
        remedy: what mends it, or shows why no command can.
        caused_by: ids of checks whose failure explains this one's; the first of them that fails is named.
        quick: whether `healthcheck` makes it although it is not critical.
        on_feed: whether it needs an answer of the feed, which may take long.
        costly: whether it reads so much that it is made once an hour, not once a minute.
        glance: of a costly check, the part of the probe that costs next to nothing; the health check makes it.
        is_of_last_run: whether it reports how a job's last run ended, that a service is down, or what a fault has left
            behind: that lasts until its remedy, which runs the job again, or puts what was left where it belongs.
        leaves_harm: whether its remedy stops what does harm and does not undo the harm: what it explains is to be
            mended as well.
    """

    id: str
    area: str
    invariant: str
    problem: str
    severity: Status
    probe: Probe
    remedy: Remedy
    caused_by: tuple[str, ...] = ()
    quick: bool = False
    on_feed: bool = False
    costly: bool = False
    glance: Probe | None = None
    is_of_last_run: bool = False
    leaves_harm: bool = False

    @property
    def in_healthcheck(self) -> Check | None:
        """What `healthcheck` makes of it: all, if it is critical or quick, and not long; else a glance, or nothing."""
        if self.on_feed or not (self.quick or self.severity is Status.CRITICAL):
            return None
        if not self.costly:
            return self
        return replace(self, probe=self.glance) if self.glance else None

    def status_of(self, finding: Finding) -> Status:
        """How bad a finding of this check is."""
        if finding.ok is None:
            return Status.UNKNOWN
        return Status.OK if finding.ok else finding.severity or self.severity


def check(
    *,
    id: str,  # noqa: A002 - as people call it
    area: str,
    invariant: str,
    problem: str,
    severity: Status,
    remedy: Remedy,
    caused_by: tuple[str, ...] = (),
    quick: bool = False,
    on_feed: bool = False,
    costly: bool = False,
    glance: Probe | None = None,
    is_of_last_run: bool = False,
    leaves_harm: bool = False,
) -> Callable[[Probe], Check]:
    """Declare the check that a function is the probe of; see `Check` for what the arguments mean.

    The name of the function becomes that of the Check; the catalogue finds it by its type.
    """

    def declare(probe: Probe) -> Check:
        return Check(
            id=id, area=area, invariant=invariant, problem=problem, severity=severity, probe=probe, remedy=remedy,
            caused_by=caused_by, quick=quick, on_feed=on_feed, costly=costly, glance=glance,
            is_of_last_run=is_of_last_run, leaves_harm=leaves_harm,
        )  # fmt: skip

    return declare
