"""Checks that systemd runs the units as they were deployed: there, loaded, and with nothing changed underneath."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from toolkit.checks import Check, Finding, Status, bad, good
from toolkit.checks.host import ANSIBLE, COLLECTOR, CURRENT, ETC, UNITS, USER, Host, Job
from toolkit.checks.mending import quoted
from toolkit.checks.systemd_words import how
from toolkit.errors import ToolkitError

TOOL = str(CURRENT / "bin/weather-tool")
# What each unit has as it is deployed; see templates/systemd/service.j2.
_DEPLOYED = {
    "User": USER, "Group": USER, "UMask": "0027", "WorkingDirectory": "/var/lib/weather",
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "CapabilityBoundingSet": "", "PrivateUsers": "yes",
}  # fmt: skip
# What changes the world of a job and is in no unit as it is deployed.
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
# Those of the system's manager that no distribution sets.
_OF_MANAGER = re.compile(r"WEATHER_|LD_|PYTHON|SSL_CERT_|HOSTALIASES|RES_OPTIONS")
# A drop-in may say more of these without harm.
_HARMLESS = {"Description", "Documentation", "After", "Wants", "Before"}
# Other checks name what changes these.
_OTHERS = {
    "ExecStart", "User", "NoNewPrivileges", "ProtectSystem", "CapabilityBoundingSet", "PrivateUsers",
    "SystemCallFilter",
}  # fmt: skip
_SIZES = {"K": 10, "M": 20, "G": 30, "T": 40}


class Line(NamedTuple):
    """An assignment in a unit's file."""

    file: Path
    key: str
    value: str


def lines_of(file: Path) -> list[Line]:
    """The assignments of a unit's file; none where it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        key, mark, value = line.strip().partition("=")
        if mark and not key.startswith(("#", ";")):
            found.append(Line(file, key.strip(), value.strip()))
    return found


def changed_back(host: Host, names: list[str], lines: list[Line]) -> str:
    """The command that takes assignments out of units, or puts what was deployed in their place."""
    commands: list[str] = []
    for name in names:
        unit = host.units[name]
        own = Path(unit["FragmentPath"])
        for file in dict.fromkeys(line.file for line in lines):
            if file == own:
                keys = dict.fromkeys(line.key for line in lines if line.file == file)
                commands += [_put_right(file, key, deployed(host, name, key)) for key in keys]
            elif str(file) in unit["DropInPaths"]:
                # `revert` takes all of a unit's own; those of several units are files to be removed.
                its_own = file.parent.name == f"{name}.d"
                commands.append(f"systemctl revert {name}" if its_own else f"rm -- {quoted(file)}")
    up = [name for name in names if _is_service(host, name)]
    again = f" && systemctl restart {' '.join(up)}" if up else ""
    return " && ".join([*dict.fromkeys(commands), "systemctl daemon-reload"]) + again if commands else ANSIBLE


def _put_right(file: Path, key: str, value: str | None) -> str:
    if value is None:
        return f"sed -i '/^{key} *=/d' {quoted(file)}"
    there = any(line.key == key for line in lines_of(file))
    change = f"s|^{key} *=.*|{key}={value}|" if there else f"/^\\[Service\\]/a {key}={value}"
    return f"sed -i {shlex.quote(change)} {quoted(file)}"


def deployed(host: Host, name: str, key: str) -> str | None:
    """What a unit's file says of a key as it is deployed; None for nothing."""
    job = host.jobs.get(job_of(name))
    if key == "ExecStart" and job:
        return f"{TOOL} {job.command.replace('%', '%%')}"
    if key == "Type" and job:
        return "notify" if job.schedule is None else "oneshot"
    if key == "Restart" and job and job.schedule is None:
        return "always"
    return _DEPLOYED.get(key)


def job_of(name: str) -> str:
    """The job of a unit."""
    return name.removeprefix("weather-").rpartition(".")[0]


def _is_service(host: Host, name: str) -> bool:
    job = host.jobs.get(job_of(name))
    return bool(job and job.schedule is None)


def _services(host: Host) -> dict[str, dict[str, str]]:
    return {
        name: unit for name, unit in host.units.items() if name.endswith(".service") and unit["LoadState"] == "loaded"
    }


def _present(host: Host) -> Finding | None:
    if not host.systemd or not host.jobs:
        return None
    missing = [name for name, unit in host.units.items() if unit["LoadState"] in {"not-found", "bad-setting", "error"}]
    alerts = [f"weather-{name}@.service" for name in ("alert", "well")]
    if not missing and (lacking := [name for name in alerts if not (UNITS / name).exists()]):
        return bad(f"nobody is told when a job fails: there is no {' and no '.join(lacking)}", severity=Status.WARNING)
    if missing:
        wrong = [host.units[name]["LoadError"] for name in missing if host.units[name].get("LoadError", "").strip('" ')]
        return bad(f"systemd cannot load {', '.join(missing)}" + (f": {wrong[0]}" if wrong else ""))
    return good(f"{len(host.units)} units")


def _genuine(host: Host) -> Finding | None:
    if not host.units:
        return None
    wrong = [name for name, unit in _services(host).items() if not _runs_its_job(host.jobs.get(job_of(name)), unit)]
    if wrong:
        lines = wrong_lines(host, wrong, {"ExecStart", "User"})
        by = ", ".join(dict.fromkeys(str(line.file) for line in lines)) or host.units[wrong[0]]["FragmentPath"]
        return bad(
            f"{', '.join(wrong)} does not run its job of weather-tool as the service user: {by}",
            changed_back(host, wrong, lines),
        )
    return good("every unit runs weather-tool as the service user")


def _runs_its_job(job: Job | None, unit: dict[str, str]) -> bool:
    if unit["User"] != USER or f"path={TOOL} " not in unit["ExecStart"]:
        return False
    found = re.search(r"argv\[\]=(.*?) ; ignore_errors=", unit["ExecStart"])
    return not found or not job or _plain(found[1]) == _plain(f"{TOOL} {job.command}")


def _plain(command: str) -> str:
    """A command without what shells and systemd quote by."""
    return " ".join(re.sub(r"[\"'\\]", "", command).split())


def wrong_lines(host: Host, names: list[str], keys: set[str]) -> list[Line]:
    """The lines of units, and of what is dropped into them, that say something else of these keys than was deployed."""
    found = []
    for name in names:
        own = Path(host.units[name]["FragmentPath"])
        lines = [line for line in written(host, name) if line.key in keys]
        for key in sorted(keys & {*_DEPLOYED, "ExecStart"}):
            its = [line for line in lines if line.key == key and line.file == own]
            if not its or _plain(its[-1].value) != _plain(deployed(host, name, key) or ""):
                found.append(Line(own, key, its[-1].value if its else ""))
        found += [line for line in lines if line.file != own]
    return found


def written(host: Host, name: str) -> list[Line]:
    """All that is written of a unit, in its own file and in what is dropped into it."""
    unit = host.units[name]
    files = [Path(unit["FragmentPath"])] if unit["FragmentPath"] else []
    return [line for file in [*files, *map(Path, unit["DropInPaths"].split())] for line in lines_of(file)]


def _as_deployed(host: Host) -> Finding | None:
    if not host.units:
        return None
    found: dict[str, list[Line]] = {}
    for name in _services(host):
        changed = [*_dropped_in(host, name), *_edited(host, name)]
        if changed:
            found[name] = changed
    if found:
        name, lines = next(iter(found.items()))
        said = "; ".join(f"{line.key}={line.value}" for line in lines[:4])
        where = ", ".join(dict.fromkeys(str(line.file) for line in lines))
        others = f" (so are {', '.join(list(found)[1:])})" if len(found) > 1 else ""
        return bad(
            f"{name} is not as it was deployed{others}: {said}, by {where}",
            changed_back(host, list(found), [line for lines in found.values() for line in lines]),
        )
    if told := _of_manager(host):
        names = [one.partition("=")[0] for one in told]
        return bad(
            f"systemd gives every service {', '.join(told)}",
            f"systemctl unset-environment {' '.join(names)} && systemctl restart {COLLECTOR}",
        )
    return good("every unit is as it was deployed")


def _of_manager(host: Host) -> list[str]:
    try:
        told = host.ask("systemctl", "show-environment").splitlines()
    except ToolkitError:
        return []
    return [line for line in told if _OF_MANAGER.match(line)]


def _dropped_in(host: Host, name: str) -> list[Line]:
    """What drop-ins change, but for what does no harm or has a check of its own."""
    unit = host.units[name]
    own = {line.key: line.value for line in lines_of(Path(unit["FragmentPath"]))}
    return [
        line
        for file in unit["DropInPaths"].split()
        for line in lines_of(Path(file))
        if line.key not in _HARMLESS | _OTHERS and line.value != own.get(line.key) and not _is_more(line, own)
    ]


def _is_more(line: Line, own: dict[str, str]) -> bool:
    """Whether a limit is raised."""
    if line.value == "infinity":
        return True
    if not line.key.startswith(("Memory", "Limit", "Tasks", "CPUWeight")):
        return False
    new, old = _size(line.value), _size(own.get(line.key, ""))
    return new is not None and old is not None and new >= old


def _size(text: str) -> float | None:
    found = re.fullmatch(r"(\d+)([KMGT]?)", text)
    return int(found[1]) * 2.0 ** _SIZES.get(found[2], 0) if found else None


def _edited(host: Host, name: str) -> list[Line]:
    """What is in a unit's own file and was not deployed, as far as that can be told."""
    job = host.jobs.get(job_of(name))
    own = lines_of(Path(host.units[name]["FragmentPath"]))
    found = [line for line in own if line.key in _FOREIGN and line.value]
    found += [line for line in own if line.key == "Environment" and _matters(host, line)]
    for key, value in _DEPLOYED.items():
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
    """Whether a variable is of those that change what a program does, and is not in every unit alike."""
    if not any(_VARIABLE.match(word) for word in shlex.split(line.value.replace("%", "%%"), comments=False)):
        return False
    services = _services(host)
    alike = [
        name
        for name, unit in services.items()
        if (line.key, line.value) in {(one.key, one.value) for one in lines_of(Path(unit["FragmentPath"]))}
    ]
    return len(alike) < len(services)


def _starts(host: Host) -> Finding | None:
    """What systemd itself could not do for a unit, in its own exit codes."""
    if not host.units:
        return None
    for name, unit in _services(host).items():
        told = how(unit)
        if told and unit["Result"] not in {"success", ""} and _by_systemd(unit):
            start = "restart" if _is_service(host, name) else "start"
            return bad(f"{name} could not be started: {told}", f"systemctl {start} {name}")
        if (
            unit["ConditionResult"] == "no"
            and unit["ActiveState"] != "active"
            and unit["ConditionTimestampMonotonic"] != "0"
        ):
            return bad(
                f"{name} is not started: a condition of its unit does not hold ({unit['FragmentPath']})", ANSIBLE
            )
    return good("systemd could start every unit")


def _by_systemd(unit: dict[str, str]) -> bool:
    if unit["Result"] == "exit-code":
        return 200 <= int(unit["ExecMainStatus"] or 0) <= 245
    return unit["Result"] in {"resources", "protocol", "start-limit-hit"}


def _loaded_as_written(host: Host) -> Finding | None:
    stale = [name for name, unit in host.units.items() if unit["NeedDaemonReload"] == "yes"]
    if not host.units:
        return None
    if stale:
        again = [name for name in stale if name.endswith(".service") and _is_service(host, name)]
        more = f" && systemctl restart {' '.join(again)}" if again else ""
        return bad(f"systemd has not read the present files of {', '.join(stale)}", f"systemctl daemon-reload{more}")
    return good("systemd has read the present files")


def _others(host: Host) -> Finding | None:
    """Units of our names that are no jobs of ours: another deployment's, or what one left."""
    if not host.systemd or not host.jobs:
        return None
    ours = set(host.units) | {"weather-alert@.service", "weather-well@.service"}
    found = sorted(
        path.name
        for path in UNITS.glob("weather-*.*")
        if path.suffix in {".service", ".timer", ".path", ".socket"} and path.name not in ours and path.exists()
    )
    if found:
        files = " ".join(quoted(UNITS / name) for name in found)
        return bad(
            f"units of no job of this host: {', '.join(found)} ({ETC / 'jobs.json'} says what is)",
            f"systemctl disable --now {' '.join(map(shlex.quote, found))}; rm -- {files} && systemctl daemon-reload",
        )
    return good("no other units are named as ours")


CHECKS = (
    Check(
        "units-present", "service", "Every job of this host has its unit.", Status.CRITICAL, _present,
        ANSIBLE,
    ),
    Check(
        "units-genuine", "service", "Units run the installed weather-tool, and no drop-in changes that.",
        Status.CRITICAL, _genuine, "systemctl revert weather-collector.service",
    ),
    Check(
        "units-as-deployed", "service", "Every job has the world that was deployed: environment, network, folders, "
        "limits.", Status.WARNING, _as_deployed, "systemd-delta --type=extended", ("units-genuine", "units-hardened"),
    ),
    Check(
        "units-start", "service", "systemd can do for each unit what it is to do before the job begins.",
        Status.WARNING, _starts, "systemctl status 'weather-*'",
        ("units-present", "units-genuine", "units-as-deployed", "units-hardened", "service-user", "places-plain",
         "data-folder", "reports-folder", "backup-folder", "release-current", "python-runs"),
    ),
    Check(
        "units-loaded", "service", "systemd runs the units as they are written now.", Status.WARNING,
        _loaded_as_written, "systemctl daemon-reload", ("units-genuine", "units-as-deployed"),
    ),
    Check(
        "units-alone", "service", "No other deployment has units of our names.", Status.WARNING, _others,
        "systemctl list-unit-files 'weather-*'",
    ),
)  # fmt: skip
