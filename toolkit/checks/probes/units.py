"""Checks that systemd runs the units as they were deployed: present, loaded, and unchanged."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.as_deployed import again, difference, mended
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CURRENT, ETC, USER, Job
from toolkit.checks.host.systemd import UNITS
from toolkit.checks.remedies import AllServices, OfSystemd, OnController, Restart, Sequence, Start
from toolkit.checks.unit_files import (
    DEPLOYED,
    TOOL,
    Line,
    is_harmless,
    is_service,
    job_of,
    lines_of,
    restored,
    size_of,
    without_quotes,
    written,
    wrong_lines,
)
from toolkit.checks.unit_results import outcome_of
from toolkit.errors import ToolkitError

# What changes the environment of a job, and is in no unit as it is deployed.
_FOREIGN = (
    "EnvironmentFile", "PassEnvironment", "UnsetEnvironment", "RootDirectory", "RootImage", "ReadOnlyPaths",
    "InaccessiblePaths", "NoExecPaths", "TemporaryFileSystem", "BindPaths", "BindReadOnlyPaths",
    "NetworkNamespacePath", "ExecStartPre", "ExecStartPost", "ExecCondition", "DynamicUser", "CPUQuota", "Nice",
    "CPUSchedulingPolicy", "IOSchedulingClass", "MemoryHigh", "RuntimeMaxSec", "LimitCPU", "LimitFSIZE", "LimitDATA",
    "LimitAS", "LimitNOFILE", "LimitNPROC", "LimitSTACK", "LimitMEMLOCK", "StandardOutput", "StandardError",
    "RemainAfterExit", "Requisite", "BindsTo", "Conflicts",
)  # fmt: skip
# Variables that change what a program of ours reads, reaches, trusts or loads.
_VARIABLE = re.compile(
    r"WEATHER_|.*_proxy$|SSL_CERT_|REQUESTS_CA_|CURL_CA_|PYTHON|LD_|TZ$|LANG|LC_|PATH$|HOME$|PG[A-Z]|TMPDIR$|"
    r"OPENSSL_|HOSTALIASES|RES_OPTIONS|LOCALDOMAIN|RESTIC_|AWS_", re.IGNORECASE,
)  # fmt: skip
# Those that no distribution sets for systemd itself.
_OF_MANAGER = re.compile(r"WEATHER_|LD_|PYTHON|SSL_CERT_|HOSTALIASES|RES_OPTIONS")
# The settings of systemd itself, what limits every service there, and how many open files are few (Debian's: 1024).
MANAGER = ("/etc/systemd/system.conf", "/run/systemd/system.conf")
_TIGHT = {f"DefaultLimit{name}" for name in ("AS", "DATA", "FSIZE", "CPU", "NPROC", "STACK")}
FEW_FILES = 256
RUN = Path("/run")
# Changes of these are found by other checks.
_OTHERS = {
    "ExecStart", "User", "NoNewPrivileges", "ProtectSystem", "CapabilityBoundingSet", "PrivateUsers",
}  # fmt: skip
# Names of which it is known how systemd shows them.
_PLAIN = re.compile(r"[\w/.-]+")


def _services(host: Host) -> dict[str, dict[str, str]]:
    return {
        name: unit for name, unit in host.units.items() if name.endswith(".service") and unit["LoadState"] == "loaded"
    }


@check(
    id="units-present", area="service",
    invariant="Every job of this host has its unit.",
    problem="A unit of the service is missing, or systemd cannot load it.",
    severity=Status.CRITICAL, remedy=OnController(),
)  # fmt: skip
def units_present(host: Host) -> Finding | None:
    if not host.systemd or not host.jobs:
        return None
    missing = [name for name, unit in host.units.items() if unit["LoadState"] in {"not-found", "bad-setting", "error"}]
    # A link in its place masks a unit, and has its own check.
    there = [name for name in host.units if not (UNITS / name).is_symlink() and host.look(UNITS / name)]
    if empty := [name for name in there if not (UNITS / name).stat().st_size]:
        return bad(
            f"the unit file {UNITS / empty[0]} is empty: systemd takes it for masked", mended(host, UNITS / empty[0])
        )
    loaded = {name: Path(unit["FragmentPath"]) for name, unit in host.units.items() if unit["FragmentPath"]}
    if gone := [file for file in loaded.values() if not os.path.lexists(file)]:
        return bad(
            f"{gone[0]} was removed: systemd runs it as it was until it reads the files of units again",
            mended(host, *gone),
        )
    alerts = [f"weather-{name}@.service" for name in ("alert", "well")]
    if not missing and (lacking := [name for name in alerts if not lines_of(UNITS / name)]):
        masks = [UNITS / name for name in lacking if (UNITS / name).is_symlink()]
        return bad(
            f"nobody is told when a job fails: there is no {' and no '.join(lacking)}"
            + (", but a link in its place, which masks it" if masks else ""),
            mended(host, *(UNITS / name for name in lacking)),
            Status.WARNING,
        )
    if missing:
        wrong = [host.units[name]["LoadError"] for name in missing if host.units[name].get("LoadError", "").strip('" ')]
        said = f"systemd cannot load {', '.join(missing)}" + (f": {wrong[0]}" if wrong else "")
        if dropped := [line for name in missing for line in written(host, name) if line.file.parent.suffix == ".d"]:
            files = ", ".join(dict.fromkeys(str(line.file) for line in dropped))
            changes = "; ".join(f"{line.key}={line.value}" for line in dropped[:4])
            return bad(f"{said}: {files} adds {changes}", restored(host, missing, dropped))
        return bad(said, mended(host, *(UNITS / name for name in missing)))
    return good(f"{len(host.units)} units")


@check(
    id="units-genuine", area="service",
    invariant="Units run the installed weather-tool, and no drop-in changes that.",
    problem="A unit does not run the installed weather-tool as the service user.",
    severity=Status.CRITICAL, remedy=OfSystemd("systemctl revert weather-collector.service"),
)  # fmt: skip
def units_genuine(host: Host) -> Finding | None:
    if not host.units:
        return None
    wrong = [name for name, unit in _services(host).items() if not _runs_its_job(host.jobs.get(job_of(name)), unit)]
    if wrong:
        lines = wrong_lines(host, wrong, {"ExecStart", "User"})
        by = ", ".join(dict.fromkeys(str(line.file) for line in lines)) or host.units[wrong[0]]["FragmentPath"]
        what = "".join(f" ({line.key}={line.value})" for line in lines[:1])
        return bad(
            f"{', '.join(wrong)} does not run its job of weather-tool as the service user: {by}{what}",
            restored(host, wrong, lines),
        )
    return _telling() or good("every unit runs weather-tool as the service user")


def _telling() -> Finding | None:
    """The finding of a unit that is to tell people how a job ended, and runs something else."""
    for name, command in {"alert": f"{TOOL} alert %i", "well": f"{TOOL} alert --over %i"}.items():
        unit = f"weather-{name}@.service"
        for file in (UNITS / unit, *sorted((UNITS / f"{unit}.d").glob("*.conf"))):
            wrong = [line for line in lines_of(file) if line.key == "ExecStart" and line.value != command]
            if wrong:
                change = (
                    again(file)
                    if difference(file)
                    else (
                        OfSystemd("sed -i {} {}", f"s|^ExecStart *=.*|ExecStart={command}|", file)
                        if file.name == unit
                        else OfSystemd("rm -- {}", file)
                    )
                )
                return bad(
                    f"nobody is told when a job fails: {file} has {unit} run {wrong[0].value}",
                    Sequence(change, OfSystemd("systemctl daemon-reload")),
                    Status.WARNING,
                )
    return None


def _runs_its_job(job: Job | None, unit: dict[str, str]) -> bool:
    if unit["User"] != USER or f"path={TOOL} " not in unit["ExecStart"]:
        return False
    found = re.search(r"argv\[\]=(.*?) ; ignore_errors=", unit["ExecStart"])
    return not found or not job or without_quotes(found[1]) == without_quotes(f"{TOOL} {job.command}")


@check(
    id="units-as-deployed", area="service",
    invariant="Every unit is as it was deployed: environment, network, folders, limits.",
    problem="A unit is not as it was deployed.",
    severity=Status.WARNING, remedy=OfSystemd("systemd-delta --type=extended"),
    caused_by=("units-genuine", "units-hardened"),
)  # fmt: skip
def units_as_deployed(host: Host) -> Finding | None:
    if not host.units:
        return None
    found: dict[str, list[Line]] = {}
    for name in _services(host):
        changed = [*_dropped_in(host, name), *_edited(host, name)]
        if changed:
            found[name] = changed
    if found:
        name, lines = next(iter(found.items()))
        changes = "; ".join(f"{line.key}={line.value}" for line in lines[:4])
        where = ", ".join(dict.fromkeys(str(line.file) for line in lines))
        others = f" (so are {', '.join(list(found)[1:])})" if len(found) > 1 else ""
        return bad(
            f"{name} is not as it was deployed{others}: {changes}, by {where}",
            restored(host, list(found), [line for lines in found.values() for line in lines]),
        )
    for link in _links():
        return bad(
            f"{link} makes {link.parent.name.rpartition('.')[0]} depend on {link.name}, which was not deployed",
            Sequence(OfSystemd("rm -- {}", link), OfSystemd("systemctl daemon-reload"), Restart("collector")),
        )
    for line in _defaults():
        return bad(
            f"systemd gives every service {line.key.removeprefix('Default')}={line.value}, by {line.file}",
            Sequence(
                OfSystemd("sed -i {} {}", f"/^{line.key} *=/d", line.file), OfSystemd("systemctl daemon-reexec"),
                Restart(*host.services),
            ),
        )  # fmt: skip
    if variables := _of_manager(host):
        names = [one.partition("=")[0] for one in variables]
        return bad(
            f"systemd gives every service {', '.join(variables)}",
            Sequence(OfSystemd("systemctl unset-environment {}", names), Restart(*host.services)),
        )
    return good("every unit is as it was deployed")


def _links() -> list[Path]:
    """Links that make a unit of the service depend on another; none is deployed."""
    return sorted(link for kind in ("requires", "wants", "requisite") for link in UNITS.glob(f"weather-*.{kind}/*"))


def _defaults() -> list[Line]:
    """What the settings of systemd itself give to every service, and leaves it little."""
    files = [file for folder in MANAGER for file in (Path(folder), *sorted(Path(f"{folder}.d").glob("*.conf")))]
    found = [line for file in files for line in lines_of(file)]
    return [
        line
        for line in found
        if line.key in _TIGHT
        or (line.key == "DefaultEnvironment" and _OF_MANAGER.search(line.value))
        or (line.key == "DefaultLimitNOFILE" and (size_of(line.value.partition(":")[0]) or FEW_FILES) < FEW_FILES)
    ]


def _of_manager(host: Host) -> list[str]:
    try:
        lines = host.ask("systemctl", "show-environment").splitlines()
    except ToolkitError:
        return []
    return [line for line in lines if _OF_MANAGER.match(line)]


def _dropped_in(host: Host, name: str) -> list[Line]:
    """The assignments in drop-ins, without those that do no harm or have a check of their own."""
    unit = host.units[name]
    return [
        line
        for file in unit["DropInPaths"].split()
        for line in lines_of(Path(file))
        if line.key not in _OTHERS and not is_harmless(line, Path(unit["FragmentPath"]))
    ]


def _edited(host: Host, name: str) -> list[Line]:
    """The assignments in a unit's own file that were not deployed, as far as that can be known."""
    job = host.jobs.get(job_of(name))
    own = lines_of(Path(host.units[name]["FragmentPath"]))
    found = [line for line in own if line.key in _FOREIGN and line.value]
    found += [line for line in own if line.key == "Environment" and _matters(host, line)]
    for key, value in DEPLOYED.items():
        its = [line for line in own if line.key == key]
        if key not in _OTHERS and (not its or its[-1].value != value):
            found.append(its[-1] if its else Line(Path(host.units[name]["FragmentPath"]), key, ""))
    if job and job.schedule is None:
        constant = {"Type": "notify", "Restart": "always"}
        found += [line for line in own if line.value != constant.get(line.key, line.value)]
    if job and job.network:
        found += [
            line for line in own if (line.key, line.value) in {("PrivateNetwork", "yes"), ("IPAddressDeny", "any")}
        ]
    return found


def _matters(host: Host, line: Line) -> bool:
    """Whether an assignment of a variable changes what a program does, and is not the same in every unit."""
    if not any(_VARIABLE.match(word) for word in shlex.split(line.value.replace("%", "%%"), comments=False)):
        return False
    services = _services(host)
    alike = [
        name
        for name, unit in services.items()
        if (line.key, line.value) in {(one.key, one.value) for one in lines_of(Path(unit["FragmentPath"]))}
    ]
    return len(alike) < len(services)


@check(
    id="units-start", area="service",
    invariant="systemd can prepare what each unit asks for before its job begins.",
    problem="systemd could not start a unit.",
    severity=Status.WARNING, remedy=AllServices(),
    caused_by=(
        "units-present", "units-genuine", "units-as-deployed", "units-hardened", "service-user", "system-places",
        "places-plain", "data-folder", "reports-folder", "backup-folder", "release-current", "python-runs",
    ),
    is_of_last_run=True,
)  # fmt: skip
def units_start(host: Host) -> Finding | None:
    if not host.units:
        return None
    for name, unit in _services(host).items():
        outcome = outcome_of(unit)
        if outcome and unit["Result"] not in {"success", ""} and _by_systemd(unit):
            start = Restart if is_service(host, name) else Start
            place = RUN / f"weather-{job_of(name)}"
            if os.path.lexists(place) and not os.path.isdir(place):  # noqa: PTH112 - it raises nothing
                return bad(
                    f"{name} could not be started: {place} is no folder, and is in the place of its runtime folder",
                    Sequence(OfSystemd("rm -- {}", place), start(job_of(name))),
                )
            return bad(f"{name} could not be started: {outcome}", start(job_of(name)))
        conditions = [line for line in written(host, name) if line.key.startswith("Condition") and line.value]
        if (
            conditions  # those of the last start may have been taken away since
            and unit["ConditionResult"] == "no"
            and unit["ActiveState"] != "active"
            and unit["ConditionTimestampMonotonic"] != "0"
        ):
            condition = conditions[-1]
            return bad(
                f"{name} is not started: a condition of its unit does not hold: {condition.key}={condition.value} "
                f"({condition.file})",
                OnController(),
            )
    return good("systemd could start every unit")


def _by_systemd(unit: dict[str, str]) -> bool:
    if unit["Result"] == "exit-code":
        return 200 <= int(unit["ExecMainStatus"] or 0) <= 245
    return unit["Result"] in {"resources", "protocol", "start-limit-hit"}


@check(
    id="units-loaded", area="service",
    invariant="systemd runs the units as they are written now.",
    problem="systemd has not read the present files of a unit.",
    severity=Status.WARNING, remedy=OfSystemd("systemctl daemon-reload"),
    caused_by=("units-present", "units-genuine", "units-as-deployed"),
)  # fmt: skip
def units_loaded(host: Host) -> Finding | None:
    stale = [name for name, unit in host.units.items() if unit["NeedDaemonReload"] == "yes"]
    if not host.units:
        return None
    if stale:
        again = [job_of(name) for name in stale if name.endswith(".service") and is_service(host, name)]
        reload = OfSystemd("systemctl daemon-reload")
        return bad(
            f"systemd has not read the present files of {', '.join(stale)}",
            Sequence(reload, Restart(*again)) if again else reload,
        )
    return good("systemd has read the present files")


@check(
    id="units-may-write", area="service",
    invariant="Units may write where the settings say.",
    problem="A setting names a place where the unit of its job may not write.",
    severity=Status.CRITICAL, remedy=OnController(),
    caused_by=("units-present", "units-genuine", "units-as-deployed", "settings-once", "database-named"),
)  # fmt: skip
def units_may_write(host: Host) -> Finding | None:
    if not host.units:
        return None
    data = host.spool if host.on_server else host.db
    for job, variable, path in (
        ("collector", "WEATHER_DB", data.parent), ("detector", "WEATHER_REPORTS", Path(host.settings.reports)),
        ("backup", "WEATHER_BACKUPS", Path(host.settings.backups)),
    ):  # fmt: skip
        unit = host.units.get(f"weather-{job}.service")
        if unit is None or unit["ProtectSystem"] != "strict" or not _PLAIN.fullmatch(str(path)):
            continue
        writes = [Path(word.lstrip("-+")) for word in unit["ReadWritePaths"].split()]
        if writes and not any(path.is_relative_to(place) for place in writes):
            return bad(
                f"weather-{job}.service may not write in {path}, which is what {variable} names, but in "
                f"{', '.join(map(str, writes))}: the settings were changed, and not deployed"
            )
    return good("units may write where the settings say")


@check(
    id="units-alone", area="service",
    invariant="No other deployment has units named as the service's.",
    problem="Another deployment has units named as the service's.",
    severity=Status.WARNING, remedy=OfSystemd("systemctl list-unit-files 'weather-*'"),
)  # fmt: skip
def units_alone(host: Host) -> Finding | None:
    if not host.systemd or not host.jobs:
        return None
    ours = set(host.units) | {"weather-alert@.service", "weather-well@.service"}
    found = sorted(
        path.name
        for path in UNITS.glob("weather-*.*")
        if path.suffix in {".service", ".timer", ".path", ".socket"} and path.name not in ours and path.exists()
    )
    if written := [name for name in found if _runs_the_release(UNITS / name)]:
        return bad(
            f"{', '.join(written)} are of this host's deployment, and {ETC / 'jobs.json'} names no such job: was it "
            "changed by hand?",
            OnController(),
        )
    if found:
        files = [UNITS / name for name in found]
        return bad(
            f"units of no job of this host: {', '.join(found)} ({ETC / 'jobs.json'} says what is)",
            OfSystemd("systemctl disable --now {}; rm -- {} && systemctl daemon-reload", found, files),
        )
    return good("no other units are named as ours")


def _runs_the_release(unit: Path) -> bool:
    """Whether a unit, or the service that it starts, runs the deployed release, as only those do that are deployed."""
    try:
        return str(CURRENT / "bin/weather-tool") in unit.with_suffix(".service").read_text("utf-8", "replace")
    except OSError:
        return False
