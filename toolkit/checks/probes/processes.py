"""Checks of the service's processes: that they run what is installed now, and are bounded as their units say."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.causes import JOB
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CURRENT, RELEASES
from toolkit.checks.host.processes import process, words_of
from toolkit.checks.remedies import Restart
from toolkit.checks.unit_files import job_of

PROCESSES = Path("/proc")
# Smaller files are no database, nor a document of a feed.
LEAST_BYTES = 1 << 30


@check(
    id="processes-current", area="service",
    invariant="Services run the Python and the release that are installed now.",
    problem="A service still runs a Python, or a release, that was replaced.",
    severity=Status.WARNING, remedy=Restart("collector"), caused_by=JOB,
)  # fmt: skip
def processes_current(host: Host) -> Finding | None:
    running = _running(host)
    old = {job: why for job, pid in running.items() if (why := _replaced(host, pid))}
    if old:
        job, why = next(iter(old.items()))
        others = f" (so does {', '.join(list(old)[1:])})" if len(old) > 1 else ""
        return bad(f"{job}, process {running[job]}, runs {why}{others}", Restart(*old))
    return good("services run what is installed now") if running else None


def _running(host: Host) -> dict[str, int]:
    """The first processes of the services that are up, by the service's name."""
    return {
        job_of(name): int(unit["MainPID"])
        for name, unit in host.units.items()
        if name.endswith(".service") and unit["ActiveState"] == "active" and int(unit["MainPID"] or 0)
    }


def _replaced(host: Host, pid: int) -> str:
    """What a process runs that was replaced since; empty for nothing."""
    if not (words := words_of(pid)):
        return ""
    first = words[0]
    # The kernel starts the interpreter by the name in the program's first line, which is in the release.
    its = next((folder for folder in Path(first).parents if folder.parent == RELEASES), None)
    if its is not None and its != CURRENT.resolve():
        return f"the release {its.name}, and {CURRENT.resolve().name} is in use"
    with suppress(OSError):
        if os.readlink(PROCESSES / str(pid) / "exe").endswith(" (deleted)"):  # noqa: PTH115 - it is no path
            return f"a {Path(first).name} that was replaced"
    program = host.look(Path(first))
    running = process(pid)
    # A file that was put in place of another, or otherwise changed, has changed since then.
    if program and running and running.started + 1 < program.st_ctime <= host.now:
        return f"{Path(first).resolve()} as it was before it was replaced"
    return ""


@check(
    id="processes-unlimited", area="service",
    invariant="The collector may write files of any size, and open as many as its unit says.",
    problem="The running collector has a limit that its unit does not have.",
    severity=Status.CRITICAL, remedy=Restart("collector"), caused_by=("units-genuine", "units-as-deployed"),
)  # fmt: skip
def processes_unlimited(host: Host) -> Finding | None:
    """Somebody can bound a process that runs: prlimit(1)."""
    for job, pid in _running(host).items():
        try:
            text = (PROCESSES / str(pid) / "limits").read_text(encoding="ascii")
        except OSError:
            continue
        found = dict(re.findall(r"(?m)^Max (file size|open files|address space|data size) +(\S+)", text))
        for name, least in (("file size", LEAST_BYTES), ("open files", 64), ("address space", LEAST_BYTES)):
            if found.get(name, "unlimited").isdecimal() and int(found[name]) < least:
                return bad(f"{job}, process {pid}, has a limit of {found[name]} for its {name}", Restart(job))
    return good("no service is bounded more than its unit says") if host.units else None
