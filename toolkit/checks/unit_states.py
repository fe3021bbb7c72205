"""How a unit stands: what the checks of several services ask."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from toolkit.checks import Finding, Probe, bad, good
from toolkit.checks.as_deployed import mended
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON, CRON_LOGS, CRON_RUN, copy_of
from toolkit.checks.host.systemd import COLLECTOR, UNITS, seconds_since
from toolkit.checks.remedies import Enable, OfSystemd, Sequence, Start
from toolkit.checks.unit_files import job_of
from toolkit.checks.unit_results import outcome_of
from toolkit.durations import humanize
from toolkit.errors import ToolkitError

# A service that was restarted so often, and is up for less than this, is dying again and again.
RESTARTS = 3
STARTING_SECONDS = 30
# Exit codes: of who was ended by SIGTERM, which is no failure; of timeout(1); of a shell.
ENDED = 143
_CODES = {
    124: "it took too long", 126: "weather-tool cannot be run", 127: "weather-tool is not in the PATH of cron's table",
    137: "it was killed",
}  # fmt: skip
# The end of a log, in which a job's last words are.
LOG_BYTES = 4096


def enabled(name: str, host: Host) -> Finding | None:
    """Whether a service's unit is started with the host."""
    unit = host.unit(name)
    if unit is None or unit["LoadState"] == "not-found":
        return None
    if unit["LoadState"] == "masked" or unit["UnitFileState"].startswith("masked"):
        lost = Path(unit["FragmentPath"] or UNITS / name)
        if (UNITS / name).is_symlink():
            return bad(
                f"{name} is masked, by a link in the place of its unit",
                mended(host, UNITS / name)
                if copy_of(UNITS / name).exists()
                else OfSystemd("rm {}", lost, note="then site.yml again"),
            )
        return bad(f"{name} is masked", Sequence(OfSystemd("systemctl unmask {}", name), Enable(job_of(name))))
    if unit["UnitFileState"] not in {"enabled", "enabled-runtime", "static"}:
        return bad(f"{name} is {unit['UnitFileState'] or 'not enabled'}: it does not come back with the host")
    return good(f"{name} is {unit['UnitFileState']}")


def running(name: str, host: Host) -> Finding | None:
    """Whether a service runs, by the name of its unit."""
    if host.scheduler == CRON:
        return _kept_up(job_of(name), host)
    unit = host.unit(name)
    if unit is None or unit["LoadState"] != "loaded":
        return None
    state = f"{unit['ActiveState']} ({unit['SubState']})"
    if unit["SubState"] == "auto-restart" or (
        unit["ActiveState"] == "activating" and int(unit["NRestarts"] or 0) >= RESTARTS
    ):
        return bad(f"{name} dies and is restarted, {unit['NRestarts']} times so far{_how_it_ended(unit)}")
    if unit["ActiveState"] != "active" and (waits := _waits(name, host)):
        return waits
    if unit["ActiveState"] == "activating":
        return good(f"{name} is starting")
    if unit["ActiveState"] != "active":
        return bad(f"{name} is {state}: {outcome_of(unit)}")
    up = seconds_since("ActiveEnter", unit)
    if (
        int(unit["NRestarts"] or 0) >= RESTARTS
        and up < STARTING_SECONDS
        and not (name == COLLECTOR and _collected(host, up))
    ):
        return bad(f"{name} was restarted {unit['NRestarts']} times, last {humanize(up)} ago{_how_it_ended(unit)}")
    return good(f"{name} has been running for {humanize(up)}")


def _waits(name: str, host: Host) -> Finding | None:
    """The finding that a unit's start waits for another unit's, which does not come to its end."""
    try:
        answer = host.ask("systemctl", "list-jobs", "--no-legend")
    except ToolkitError:
        return None
    jobs = [words for line in answer.splitlines() if len(words := line.split()) == 4]
    if not any(words[1:] == [name, "start", "waiting"] for words in jobs):
        return None
    first = [words[1] for words in jobs if words[3] == "running" and not words[1].startswith("weather-")]
    if not first:
        return None
    remedies = [OfSystemd("systemctl disable --now {}", first), Start(job_of(name))]
    return bad(f"the start of {name} waits for {', '.join(first)}, which does not come to its end", Sequence(*remedies))


def _how_it_ended(unit: dict[str, str]) -> str:
    """How a unit that is started again and again ended, in brackets; empty where systemd says that it was stopped."""
    return "" if unit["Result"] == "success" else f" ({outcome_of(unit)})"


def _collected(host: Host, up: float) -> bool:
    """Whether the collector has tried to collect since its last start, whatever came of it."""
    with suppress(Exception):  # the checks of the database meet it again
        return any(one.time >= host.now - up for one in host.log[:5])
    return False


def _kept_up(name: str, host: Host) -> Finding | None:
    if name not in host.jobs:
        return None
    started = host.kept_by_cron(name)
    if (CRON_RUN / f"{name}.stopped").exists():
        return bad(f"{name} was stopped", Start(name))
    if started is None:
        return bad(f"{name} does not run: {CRON_LOGS}/{name}.log", Start(name))
    return good(f"{name} has been running for {humanize(max(host.now - started, 0))}")


def last_run(name: str) -> Probe:
    """A probe of how a job's last run ended."""

    def probe(host: Host) -> Finding | None:
        if host.scheduler == CRON:
            return _last_run_of_cron(name)
        unit = host.unit(f"weather-{name}.service")
        if unit is None or unit["LoadState"] != "loaded":
            return None
        if unit["ActiveState"] == "failed" or unit["Result"] not in {"success", ""}:
            said = f": {unit['StatusText']}" if unit["StatusText"] else ""
            return bad(f"its last run failed: {outcome_of(unit)}{said}")
        return good("its last run ended well")

    return probe


def _last_run_of_cron(name: str) -> Finding | None:
    """How the last run of a job ended that cron began since the host was started: weather-job notes its exit code."""
    try:
        code = int((CRON_RUN / f"{name}.code").read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    if code in {0, ENDED}:
        return good("its last run ended well")
    return bad(f"its last run failed: {_CODES.get(code, f'exit code {code}')}{_said(CRON_LOGS / f'{name}.log')}")


def _said(log: Path) -> str:
    """What a job said last of why it failed, by its log."""
    with suppress(OSError):
        if log.is_file():
            with log.open("rb") as file:
                file.seek(max(0, log.stat().st_size - LOG_BYTES))
                lines = file.read().decode(errors="replace").splitlines()
            for line in reversed(lines):
                if line.startswith("weather-tool: "):
                    return f": {line.removeprefix('weather-tool: ')}"
    return ""
