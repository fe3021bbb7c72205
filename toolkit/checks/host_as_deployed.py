"""The host's own state that the service depends on, as it was when the service was deployed, and what differs from it.

`python -m toolkit.checks.host_as_deployed` keeps it, as root: the role's last step runs that, once the host was found
healthy with the release. Nothing is kept that not everybody may read.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from toolkit.checks.as_deployed import Difference, difference, folders
from toolkit.checks.host.files import fixed, group_of, mode_of, mounts, owner_of
from toolkit.checks.remedies import OnMachine, Remedy, Sequence, put_aside
from toolkit.settings import load_lenient
from toolkit.sources import Source, sources_of

HOST = Path("/opt/weather/host-as-deployed")
# Copies of files, each at its own path below it, and what else there was to see.
FILES, STATE = HOST / "files", HOST / "state.json"
LARGEST_FILE = 1 << 20
_SYSTEMD = tuple(f"{folder}/systemd" for folder in ("/etc", "/run", "/usr/local/lib"))


@dataclass(frozen=True, slots=True)
class Subject:
    """Files of the host's own that tell its programs one thing.

    Attributes:
        files: their paths, or patterns of paths.
        again: commands that have it take effect, once the files are as they were.
    """

    files: tuple[str, ...]
    again: tuple[str, ...] = ()


# How names of servers get addresses.
NAMES = Subject(("/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf"))
# Whose certificates are trusted, and how connections are secured.
TRUST = Subject((
    "/etc/ssl/openssl.cnf", "/etc/ssl/certs/ca-certificates.crt", "/etc/ca-certificates.conf",
    "/usr/local/share/ca-certificates/*.crt",
))  # fmt: skip
# What systemd itself gives to every service, or to a slice of them.
MANAGER = Subject(
    (
        *(f"{folder}/system.conf" for folder in _SYSTEMD), *(f"{folder}/system.conf.d/*.conf" for folder in _SYSTEMD),
        *(f"{folder}/system{kind}/*.slice.d/*.conf" for folder in _SYSTEMD for kind in ("", ".control")),
        "/etc/systemd/system/*.slice", "/etc/locale.conf",
    ),
    ("systemctl daemon-reexec",),
)  # fmt: skip
# What the loader of programs puts into each of them.
LOADER = Subject(("/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d/*.conf"), ("ldconfig",))
# What lets cron's jobs in, and what they are given.
SESSIONS = Subject((
    "/etc/pam.d/cron", "/etc/pam.d/common-*", "/etc/pam.d/other", "/etc/security/*.conf", "/etc/security/limits.d/*",
    "/etc/environment", "/etc/default/cron", "/etc/default/locale",
))  # fmt: skip
# Where the present time is, and which Python releases are made for.
LINKS = Subject(("/etc/localtime", "/usr/bin/python3"))
SUBJECTS = (NAMES, MANAGER, LOADER, SESSIONS, LINKS)

# Folders and programs that the service's user passes, reads or runs.
_PASSED = (
    "/", "/bin/sh", "/etc", "/etc/group", "/etc/passwd", "/etc/ssl", "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf", "/lib", "/lib64", "/opt", "/opt/weather", "/run", "/usr", "/usr/bin", "/usr/bin/env",
    "/usr/bin/setpriv", "/usr/lib", "/usr/local", "/usr/local/bin", "/usr/share", "/usr/share/zoneinfo", "/var",
    "/var/backups", "/var/lib", "/var/log",
)  # fmt: skip
# Bounds of the kernel from which the service suffers where they are lower.
KERNEL, LIMITS = Path("/proc/sys"), (
    "fs.file-max", "fs.nr_open", "kernel.pid_max", "kernel.threads-max", "user.max_user_namespaces", "vm.max_map_count",
)  # fmt: skip
# How memory is promised; with STRICT no more than there is, of which that ratio.
PROMISED, STRICT, RATIO = "vm.overcommit_memory", "2", "vm.overcommit_ratio"


def trust(sources: Iterable[Source]) -> Subject:
    """Whose certificates are trusted: by the host, and by the files that settings name for their feeds."""
    own = {str(file) for one in sources if (file := one.settings.feed_ca_file)}
    return replace(TRUST, files=(*TRUST.files, *map(glob.escape, sorted(own))))


def kept(path: Path) -> Path:
    """Where the copy of a file of the host's is."""
    return FILES / path.relative_to("/")


def there(subject: Subject) -> list[Path]:
    """The files of a subject that the host has now."""
    return [path for pattern in subject.files for path in sorted(Path("/").glob(pattern.lstrip("/")))]


def since() -> float | None:
    """When the host was last seen to be well with what was deployed; None where nothing is kept of it."""
    try:
        return STATE.stat().st_mtime
    except OSError:
        return None


def state() -> dict[str, Any]:
    """What is kept besides files; empty where nothing is."""
    try:
        found: dict[str, Any] = json.loads(STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def changes(subject: Subject) -> Iterator[Difference]:
    """How the files of a subject differ from what they were, as far as this user sees it."""
    if since() is None:
        return
    old = [Path(folder, name) for folder, names, files in os.walk(FILES) for name in (*names, *files)]
    were = {Path("/", one.relative_to(FILES)) for one in old if one.is_symlink() or not one.is_dir()}
    are = there(subject)
    unknown = set(map(Path, state().get("unknown", ())))
    for path in dict.fromkeys((*are, *sorted(were))):
        if path in unknown or not any(path.match(pattern) for pattern in subject.files):
            continue
        if path not in were:
            yield Difference(path, "is new")
        elif found := _change(path):
            yield found


def _change(path: Path) -> Difference | None:
    copy = kept(path)
    if not copy.is_symlink():
        return difference(path, copy)
    target = copy.readlink()
    try:
        now = path.lstat()
    except OSError:
        return Difference(path, "is not there")
    if not stat.S_ISLNK(now.st_mode):
        return Difference(path, f"was a link to {target}")
    return None if path.readlink() == target else Difference(path, f"points at {path.readlink()}, and was {target}")


def put_back(path: Path) -> Remedy:
    """Have a file as it was. One that is mounted, as a container's, is written, for nothing can take its place."""
    copy = kept(path)
    if not os.path.lexists(copy):
        return put_aside(path, OnMachine)
    steps = [OnMachine("chattr -ia -- {}", path)] if fixed(path) else []
    if not path.parent.exists():
        steps.append(OnMachine("mkdir -p -- {}", path.parent))
    plain = path.is_file() and not path.is_symlink() and not copy.is_symlink()
    return Sequence(
        *steps, OnMachine("cp -a -- {} {}" if plain else "cp -aT --remove-destination -- {} {}", copy, path)
    )


def unmounted() -> list[tuple[Path, str, str]]:
    """File systems that folders of the deployment were on and that are not mounted: where, what, and of which kind."""
    now = {str(one.place) for one in mounts()}
    return [(Path(place), what, kind) for place, what, kind in state().get("mounts", ()) if place not in now]


def _mounts_of_folders() -> list[tuple[str, str, str]]:
    """What the deployment's folders are on, besides the root: of file systems that can be mounted by what they say."""
    above = {str(path) for one in folders() for path in (Path(one.path), *Path(one.path).parents)}
    return [
        (str(one.place), one.source, one.kind)
        for one in mounts()
        if one.part == "/" and str(one.place) in above - {"/"} and (one.source.startswith("/") or ":/" in one.source)
    ]


def routes_lost(now: Iterable[str]) -> list[str]:
    """The routes that the host had and that are not among those of now, each as ip(8) has it."""
    there = {" ".join(line.split()) for line in now}
    return [line for line in state().get("routes", ()) if line not in there]


def _routes() -> list[str]:
    try:
        done = subprocess.run(["ip", "-4", "route", "show"], capture_output=True, text=True, check=False)  # noqa: S607
    except OSError:
        return []
    return [" ".join(line.split()) for line in done.stdout.splitlines() if " linkdown" not in line]


def closed_now() -> list[tuple[Path, str, str]]:
    """Folders and programs of which others may do less than they might: the path, the mode now, and that before."""
    found = []
    for name, was in state().get("modes", {}).items():
        try:
            now = _mode(Path(name))
        except OSError:
            continue
        if int(was.rpartition(" ")[2], 8) & ~int(now.rpartition(" ")[2], 8) & 0o1007:
            found.append((Path(name), now, was))
    return found


def lowered() -> list[tuple[str, str, str]]:
    """Bounds of the kernel that were set: the name, the value now, and that before."""
    found = []
    strict = _bound(PROMISED) == STRICT
    for name, was in state().get("kernel", {}).items():
        now = _bound(name)
        if now is None or now == was or (name in {PROMISED, RATIO} and not strict):
            continue
        if name == PROMISED or int(now) < int(was):
            found.append((name, now, was))
    return found


def _bound(name: str) -> str | None:
    try:
        value = (KERNEL / name.replace(".", "/")).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return value if value.isdecimal() else None


def _mode(path: Path) -> str:
    found = path.stat()
    return f"{owner_of(found)}:{group_of(found)} {mode_of(found)}"


def keep() -> None:
    """Keep the present state in the place of what was kept."""
    new = HOST.with_name(f".{HOST.name}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    unknown = []
    subjects = (*SUBJECTS, trust(sources_of(load_lenient().settings)))
    for path in dict.fromkeys(path for subject in subjects for path in there(subject)):
        found, copy = path.lstat(), new / "files" / path.relative_to("/")
        everybodys = stat.S_ISREG(found.st_mode) and found.st_mode & stat.S_IROTH and found.st_size <= LARGEST_FILE
        if not (everybodys or stat.S_ISLNK(found.st_mode)):
            unknown.append(str(path))
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy, follow_symlinks=False)
        os.chown(copy, found.st_uid, found.st_gid, follow_symlinks=False)
    modes = {name: _mode(Path(name)) for name in _PASSED if Path(name).exists()}
    bounds = {name: value for name in (*LIMITS, PROMISED, RATIO) if (value := _bound(name)) is not None}
    kept_besides = {"modes": modes, "kernel": bounds, "unknown": unknown, "mounts": _mounts_of_folders()}
    kept_besides["routes"] = _routes()
    (new / "state.json").write_text(json.dumps(kept_besides, indent=1) + "\n", encoding="utf-8")
    shutil.chown(new, "root", "weather")
    new.chmod(0o750)
    shutil.rmtree(HOST, ignore_errors=True)
    new.rename(HOST)


if __name__ == "__main__":
    keep()
