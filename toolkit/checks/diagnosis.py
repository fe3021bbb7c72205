"""Making checks and telling causes from symptoms."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from toolkit.address import without_secrets
from toolkit.checks import Check, Finding, Status, bad, status_of, unseen
from toolkit.checks.catalogue import CHECKS
from toolkit.checks.host import PATIENCE_SECONDS, Host, SilentError
from toolkit.checks.mending import quoted
from toolkit.checks.remedies import in_words
from toolkit.errors import ToolkitError, reason
from toolkit.text import one_line

# A probe that gives no evidence within its time is left behind; so is everything after this.
ALL_SECONDS = 9.0
EVIDENCE_LENGTH = 2000
# Where the service user has to get to: that it may not look is what is wrong.
_REACHED = {"data-folder", "backup-folder", "reports-folder", "spool-usable"}
_UP_TO = "namei --long {}"
# Of systemd, when nothing else does it.
_NO_ANSWER = "systemctl daemon-reexec"


@dataclass(slots=True)
class Result:
    """A check, what it found, how bad that is, and the command that mends it."""

    check: Check
    finding: Finding
    status: Status
    remedy: str = ""


@dataclass(slots=True)
class Cause:
    """A failure that nothing else explains, and those that it explains, the worst first."""

    result: Result
    explains: list[Result] = field(default_factory=list)

    @property
    def status(self) -> Status:
        """As bad as the worst of what it explains."""
        return max([self.result.status, *(one.status for one in self.explains)])


def examine(host: Host, checks: Sequence[Check] = CHECKS) -> list[Result]:
    """Make checks, all at once, in the catalogue's order; to be called from the main thread. It takes 10 s at most."""
    end = time.monotonic() + ALL_SECONDS
    found: dict[str, Finding | None] = {}
    threads = _begin(host, [check for check in checks if not check.on_feed], found)
    if any(check.on_feed for check in checks):
        with suppress(Exception):  # the checks of the feed meet it again
            host.fetched  # noqa: B018 - by the main thread: signals bound it
        threads |= _begin(host, [check for check in checks if check.on_feed], found)
    for thread in threads.values():
        # What waited for another one's fact needs its own time after it.
        thread.join(max(0.0, min(2 * PATIENCE_SECONDS, end - time.monotonic())))
    results = []
    for check in checks:
        finding = found.get(check.id, unseen(f"it could not be told within {PATIENCE_SECONDS:g} s"))
        if finding is not None:
            # Names of files, what a feed or a server said, and variables may be in it: nothing that a terminal would
            # obey, and no secret.
            evidence = one_line(without_secrets(finding.evidence), EVIDENCE_LENGTH)
            finding = replace(finding, evidence=evidence)
            remedy = in_words(host, finding.remedy or check.remedy)
            if not remedy.isprintable():
                remedy = one_line(remedy, EVIDENCE_LENGTH)
            results.append(Result(check, finding, status_of(check, finding), remedy))
    return results


def probe(host: Host, check: Check) -> Finding | None:
    """What a check finds; it never raises."""
    try:
        return check.probe(host)
    except PermissionError as error:
        if check.id in _REACHED and host.user and os.geteuid() == host.user.pw_uid:
            return bad(
                f"the service user may not reach {error.filename or reason(error)}",
                _UP_TO.format(quoted(error.filename or "/")),
            )
        return unseen(f"this user may not look: {error.filename or reason(error)}")
    except SilentError as error:
        return bad(str(error), _NO_ANSWER, Status.WARNING) if check.id == "units-present" else unseen(str(error))
    except ToolkitError as error:
        return bad(str(error)) if _is_its_own(check, error) else unseen(str(error))
    except OSError as error:
        return unseen(f"{reason(error)}: {error.filename}" if error.filename else reason(error))
    except ImportError as error:
        return unseen(f"a package is missing: {error.name or error}")
    except Exception as error:
        return unseen(f"the check itself failed: {type(error).__name__}: {error}")


def _is_its_own(check: Check, error: ToolkitError) -> bool:
    """Whether what a probe met is what it guards. Where the store is not readable, one check says so."""
    from toolkit.store.base import StoreError

    return not isinstance(error, StoreError) or check.id in {"database-server", "database-readable"}


def _begin(host: Host, checks: Iterable[Check], found: dict[str, Finding | None]) -> dict[str, threading.Thread]:
    def look(check: Check) -> None:
        found[check.id] = probe(host, check)

    threads = {check.id: threading.Thread(target=look, args=(check,), daemon=True) for check in checks}
    for thread in threads.values():
        thread.start()
    return threads


def causes(results: Iterable[Result]) -> list[Cause]:
    """Failures that nothing explains, the worst first, with those that they explain folded under them."""
    failed = {one.check.id: one for one in results if one.status in {Status.WARNING, Status.CRITICAL}}
    found = {name: Cause(one) for name, one in failed.items() if _root(name, failed) == name}
    for name, one in failed.items():
        if name not in found:
            found[_root(name, failed)].explains.append(one)
    for cause in found.values():
        cause.result = _made_again(cause)
        cause.explains.sort(key=lambda one: -one.status)
    return sorted(found.values(), key=lambda cause: (-cause.status, -len(cause.explains)))


def _made_again(cause: Cause) -> Result:
    """A cause whose remedy also runs the jobs that failed of it: what they say is of their last run."""
    again = [one.remedy for one in cause.explains if one.check.is_of_last_run and one.remedy not in cause.result.remedy]
    command, mark, _ = cause.result.remedy.partition("  # ")
    if not again or mark:
        return cause.result
    return replace(cause.result, remedy=" && ".join([command, *again]))


def _root(name: str, failed: dict[str, Result], seen: tuple[str, ...] = ()) -> str:
    """The first failure that explains this one, and itself is explained by none."""
    for cause in failed[name].check.because:
        if cause in failed and cause not in seen and cause != name:
            return _root(cause, failed, (*seen, name))
    return name
