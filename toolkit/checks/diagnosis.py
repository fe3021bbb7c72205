"""Making checks, and telling causes from symptoms."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from toolkit.address import without_secrets
from toolkit.checks import Check, Finding, Status, bad, unseen
from toolkit.checks.catalogue import CHECKS
from toolkit.checks.closed import reached
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import JobsError
from toolkit.checks.host.systemd import BusError, SilentError
from toolkit.checks.remedies import Also, OfSystemd, OnController, Remedy, Restart, Sequence, Shell, Start
from toolkit.checks.targets import Systemd, Target, target_of
from toolkit.errors import ToolkitError, reason
from toolkit.text import one_line

# How long one probe may take, after which it is left behind, and all of them together.
PATIENCE_SECONDS = 2.0
ALL_SECONDS = 9.0
EVIDENCE_LENGTH = 2000
# Folders that the service user has to reach: where it may not look, that is what is wrong.
_TO_BE_REACHED = {"data-folder", "backup-folder", "reports-folder", "spool-usable"}
# What helps a systemd that does not answer, when nothing else does, and where the machine has time for it.
_NO_ANSWER = OfSystemd("systemctl daemon-reexec")
# A machine is busy where so many processes for each processor wait to be run (the load of the last minute).
_BUSY_LOAD = 4.0
_WHO_IS_BUSY = Shell("ps -eo pcpu,pid,user,args --sort=-pcpu | head")


@dataclass(slots=True)
class Result:
    """A check, what it found, how bad that is, what mends it, and where it is to be mended.

    Attributes:
        late: whether it took too long, so that it found nothing.
    """

    check: Check
    finding: Finding
    status: Status
    remedy: Remedy
    target: Target = field(default_factory=Systemd)
    late: bool = False

    @property
    def command(self) -> str:
        """The remedy as it is printed: one line that a terminal can show."""
        command = self.remedy.render(self.target)
        return command if command.isprintable() else one_line(command, EVIDENCE_LENGTH)


@dataclass(slots=True)
class Cause:
    """A failure that no other explains, and those that it explains, the worst first."""

    result: Result
    explains: list[Result] = field(default_factory=list)

    @property
    def status(self) -> Status:
        """As bad as the worst of what it explains."""
        return max([self.result.status, *(one.status for one in self.explains)])


def examine(host: Host, checks: Collection[Check] = CHECKS) -> list[Result]:
    """Make checks, all at once, within 10 s. Results are in the checks' order."""
    end = time.monotonic() + ALL_SECONDS
    found: dict[str, Finding | None] = {}
    threads = _begin(host, [check for check in checks if not check.on_feed], found)
    if any(check.on_feed for check in checks):
        host.fetch()
        threads |= _begin(host, [check for check in checks if check.on_feed], found)
    for thread in threads.values():
        # A probe that waited for a fact that another probe looks up needs its own time after that.
        thread.join(max(0.0, min(2 * PATIENCE_SECONDS, end - time.monotonic())))
    target = target_of(host)
    results = []
    for check in checks:
        late = check.id not in found
        finding = unseen(f"it could not be told within {PATIENCE_SECONDS:g} s") if late else found[check.id]
        if finding is not None:
            # Names of files, variables, and what a feed or a server said may be in it: nothing is let through that
            # would command a terminal, and no secret.
            evidence = one_line(without_secrets(finding.evidence), EVIDENCE_LENGTH)
            finding = replace(finding, evidence=evidence)
            status, remedy = check.status_of(finding), finding.remedy or check.remedy
            results.append(Result(check, finding, status, remedy, target, late))
    _ease(results)
    return results


def _ease(results: list[Result]) -> None:
    """A feed that fails now is a warning as long as observations are fresh: nothing is lost yet.

    The health check does not ask the feed, and says the same.
    """
    status = {one.check.id: one.status for one in results}
    if status.get("observations-fresh") is Status.OK and status.get("collection-succeeds", Status.OK) is Status.OK:
        for one in results:
            if one.check.on_feed and one.status is Status.CRITICAL:
                one.status = Status.WARNING


def probe(host: Host, check: Check) -> Finding | None:
    """What a check finds; it never raises."""
    try:
        return check.probe(host)
    except PermissionError as error:
        if check.id in _TO_BE_REACHED and host.user and os.geteuid() == host.user.pw_uid:
            said = f"the service user may not reach {error.filename or reason(error)}"
            return bad(said, reached(host, Path(error.filename)) if error.filename else Shell("namei --long /"))
        return unseen(f"this user may not look: {error.filename or reason(error)}")
    except SilentError as error:
        return _silent(error) if check.id == "units-present" else unseen(str(error))
    except BusError as error:
        return unseen(str(error))
    except ToolkitError as error:
        return bad(str(error)) if _is_its_own(check, error) else unseen(str(error))
    except OSError as error:
        return unseen(f"{reason(error)}: {error.filename}" if error.filename else reason(error))
    except ImportError as error:
        return unseen(f"a package is missing: {error.name or error}")
    except Exception as error:
        return unseen(f"the check itself failed: {type(error).__name__}: {error}")


def _silent(error: SilentError) -> Finding:
    """That a program of the system did not answer, and whether the machine had time for it."""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load < _BUSY_LOAD * processors:
        return bad(str(error), _NO_ANSWER, Status.WARNING)
    return bad(
        f"{error}: the machine is busy, load {load:.0f} on {processors} processors", _WHO_IS_BUSY, Status.WARNING
    )


def _is_its_own(check: Check, error: ToolkitError) -> bool:
    """Whether an error is what the check is for.

    One check says that the database, the folder of backups, or the list of jobs cannot be read; the others say that
    they could not look.
    """
    from toolkit.backup.folder import UnreadableFolderError
    from toolkit.store.base import StoreError

    if isinstance(error, JobsError):
        return check.id == "jobs-listed"
    if isinstance(error, UnreadableFolderError):
        return check.id == "backup-whole"
    return not isinstance(error, StoreError) or check.id in {"database-server", "database-readable"}


def _begin(host: Host, checks: Iterable[Check], found: dict[str, Finding | None]) -> dict[str, threading.Thread]:
    def look(check: Check) -> None:
        found[check.id] = probe(host, check)

    threads = {check.id: threading.Thread(target=look, args=(check,), daemon=True) for check in checks}
    for thread in threads.values():
        thread.start()
    return threads


def causes(results: Iterable[Result]) -> list[Cause]:
    """Failures that no other explains, the worst first, with those that they explain folded under them.

    What differs and does no harm by itself is a cause where something that it explains fails.
    """
    known = {one.check.id: one for one in results}
    failed = {name: one for name, one in known.items() if one.status in {Status.WARNING, Status.CRITICAL}}
    differs = [name for name, one in known.items() if one.status is Status.OK and one.finding.explains & failed.keys()]
    telling = {name: one for name, one in known.items() if name in failed or name in differs}
    roots = {name: _root(name, telling) for name in failed}
    found = {name: Cause(one) for name, one in telling.items() if name in roots.values()}
    for name, root in roots.items():
        if root != name:
            found[root].explains.append(failed[name])
    for cause in found.values():
        cause.result = _with_what_lasts(cause)
        if cause.result.check.id in differs:
            cause.result = replace(cause.result, status=cause.status)
        cause.explains.sort(key=lambda one: -one.status)
    return sorted(found.values(), key=lambda cause: (-cause.status, -len(cause.explains)))


def untold(results: Iterable[Result]) -> list[str]:
    """The checks that took too long to tell whether anything is broken, as on a machine that is very busy."""
    return [one.check.id for one in results if one.late and one.check.severity is Status.CRITICAL]


def verdict(results: Iterable[Result], found: Iterable[Cause]) -> Status:
    """How a host is: as bad as its worst cause, but UNKNOWN where something may be broken that could not be told."""
    worst = max((cause.status for cause in found), default=Status.OK)
    return worst if worst is Status.CRITICAL or not untold(results) else Status.UNKNOWN


def _with_what_lasts(cause: Cause) -> Result:
    """A cause whose remedy also repairs its lasting effects: jobs that failed, and damage that was done."""
    remedy = cause.result.remedy
    if cause.result.check.leaves_harm:
        lasting = [one.result.remedy for one in causes(cause.explains)]
    else:
        lasting = [one.remedy for one in cause.explains if one.check.is_of_last_run]
    # What is deployed again on the controller is no command of this host's.
    again = [one for one in lasting if not any(isinstance(step, OnController) for step in one.steps)]
    if remedy.comment(cause.result.target):
        return cause.result
    others: list[Remedy] = []
    for one in again:
        if not Sequence(remedy, *others).does(one) and one.line(cause.result.target):
            others.append(one)
    # A service that another fault keeps from being started is not to keep the others from it.
    if others and not any(isinstance(step, (Start, Restart)) for step in remedy.steps):
        remedy = Sequence(remedy, others.pop(0))
    return replace(cause.result, remedy=Also(remedy, tuple(others)) if others else remedy)


def _root(name: str, failed: dict[str, Result], seen: tuple[str, ...] = ()) -> str:
    """The failure that explains this one and is itself explained by none."""
    by_what_was_seen = [one for one, result in failed.items() if name in result.finding.explains]
    apart = failed[name].finding.apart
    for cause in (*(one for one in failed[name].check.caused_by if one not in apart), *by_what_was_seen):
        # That a machine is busy hides how units stand; it is not why something else is seen to be broken.
        told = cause in failed and failed[cause].remedy is not _WHO_IS_BUSY
        if told and cause not in seen and cause != name:
            return _root(cause, failed, (*seen, name))
    return name
