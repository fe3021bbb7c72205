"""The files of units: what is in them, what should be, and the remedy for the difference."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from toolkit.checks.as_deployed import again, difference
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CURRENT, USER
from toolkit.checks.remedies import OfSystemd, OnController, Remedy, Restart, Sequence

TOOL = str(CURRENT / "bin/weather-tool")
# What each unit has as it is deployed; see templates/systemd/service.j2.
DEPLOYED = {
    "User": USER, "Group": USER, "UMask": "0027", "WorkingDirectory": "/var/lib/weather",
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "CapabilityBoundingSet": "", "PrivateUsers": "yes",
}  # fmt: skip


class Line(NamedTuple):
    """An assignment in a unit's file."""

    file: Path
    key: str
    value: str


def lines_of(file: Path) -> list[Line]:
    """The assignments in a unit's file; none where it cannot be read."""
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


# A drop-in may set these without harm.
_HARMLESS = {"Description", "Documentation", "After", "Wants", "Before"}
_SIZES = {"K": 10, "M": 20, "G": 30, "T": 40}


def is_harmless(line: Line, own: Path) -> bool:
    """Whether an assignment that is dropped into a unit changes nothing that matters, or raises a limit.

    Args:
        line: the assignment.
        own: the unit's own file.
    """
    its = {one.key: one.value for one in lines_of(own)}
    if line.key in _HARMLESS or line.value in {"infinity", its.get(line.key)}:
        return True
    if not line.key.startswith(("Memory", "Limit", "Tasks", "CPUWeight")):
        return False
    new, old = size_of(line.value), size_of(its.get(line.key, ""))
    return new is not None and old is not None and new >= old


def size_of(text: str) -> float | None:
    """A size as systemd writes it, such as `512M`; None where it is none."""
    found = re.fullmatch(r"(\d+)([KMGT]?)", text)
    return int(found[1]) * 2.0 ** _SIZES.get(found[2], 0) if found else None


def restored(host: Host, names: list[str], lines: list[Line]) -> Remedy:
    """Take assignments out of units, or put those that were deployed in their place.

    Args:
        host: the host.
        names: units.
        lines: what is wrong in their files, and in what is dropped into them.
    """
    remedies: list[Remedy] = []
    for name in names:
        unit = host.units[name]
        own = Path(unit["FragmentPath"])
        kept = difference(own)
        if name.endswith(".service") and not kept and _is_another(own):
            return OnController()
        for file in dict.fromkeys(line.file for line in lines):
            if file == own and kept:
                remedies.append(again(own))
            elif file == own:
                keys = dict.fromkeys(line.key for line in lines if line.file == file)
                remedies += [_put_right(file, key, deployed(host, name, key)) for key in keys]
            elif str(file) in unit["DropInPaths"]:
                # `revert` removes all drop-ins of one unit; a drop-in for several units is a file to be removed.
                its_own = file.parent.name == f"{name}.d"
                remedies.append(OfSystemd("systemctl revert {}", name) if its_own else OfSystemd("rm -- {}", file))
    if not remedies:
        return OnController()
    remedies = [*dict.fromkeys(remedies), OfSystemd("systemctl daemon-reload")]
    if services := [job_of(name) for name in names if is_service(host, name)]:
        remedies.append(Restart(*services))
    return Sequence(*remedies)


def _is_another(file: Path) -> bool:
    """Whether a unit's file was not edited, but is another one: of another deployment, or an older guide's."""
    written = {line.key: line.value for line in lines_of(file)}
    return sum(written.get(key) != value for key, value in DEPLOYED.items()) > len(DEPLOYED) / 2


def _put_right(file: Path, key: str, value: str | None) -> Remedy:
    if value is None:
        return OfSystemd("sed -i {} {}", f"/^{key} *=/d", file)
    there = any(line.key == key for line in lines_of(file))
    change = f"s|^{key} *=.*|{key}={value}|" if there else f"/^\\[Service\\]/a {key}={value}"
    return OfSystemd("sed -i {} {}", change, file)


def deployed(host: Host, name: str, key: str) -> str | None:
    """The value of a key in a unit's file as it is deployed; None if the file does not have it."""
    job = host.jobs.get(job_of(name))
    if key == "ExecStart" and job:
        return f"{TOOL} {job.command.replace('%', '%%')}"
    if key == "Type" and job:
        return "notify" if job.is_service else "oneshot"
    if key == "Restart" and job and job.is_service:
        return "always"
    return DEPLOYED.get(key)


def job_of(name: str) -> str:
    """The job of a unit."""
    return name.removeprefix("weather-").rpartition(".")[0]


def is_service(host: Host, name: str) -> bool:
    """Whether a unit's job is always up."""
    job = host.jobs.get(job_of(name))
    return bool(job and job.is_service)


def without_quotes(command: str) -> str:
    """A command without quotes and backslashes, to be compared."""
    return " ".join(re.sub(r"[\"'\\]", "", command).split())


def wrong_lines(host: Host, names: list[str], keys: set[str]) -> list[Line]:
    """The lines of units, and of their drop-ins, that give these keys other values than were deployed."""
    found = []
    for name in names:
        own = Path(host.units[name]["FragmentPath"])
        lines = [line for line in written(host, name) if line.key in keys]
        for key in sorted(keys & {*DEPLOYED, "ExecStart"}):
            its = [line for line in lines if line.key == key and line.file == own]
            if not its or without_quotes(its[-1].value) != without_quotes(deployed(host, name, key) or ""):
                found.append(Line(own, key, its[-1].value if its else ""))
        found += [line for line in lines if line.file != own]
    return found


def written(host: Host, name: str) -> list[Line]:
    """All assignments of a unit, in its own file and in its drop-ins."""
    unit = host.units[name]
    files = [Path(unit["FragmentPath"])] if unit["FragmentPath"] else []
    return [line for file in [*files, *map(Path, unit["DropInPaths"].split())] for line in lines_of(file)]
