"""The files that the role put on this host, as they were deployed: root's copies of them, and what differs from those.

The module weather_files writes the copies, each at its file's own path below `COPIES`, with its owner and mode.
"""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from toolkit.checks.host.deployment import COPIES, USER, Deployment, copy_of
from toolkit.checks.host.files import fixed, group_of, instead_of_a_file, mode_of, owner_of
from toolkit.checks.host.systemd import UNITS
from toolkit.checks.remedies import (
    OfSystemd,
    OnController,
    Remedy,
    Restart,
    Sequence,
    Shell,
    give,
    give_all,
    make,
    put_aside,
    root_owns,
)

FOLDERS = COPIES / "folders"
LARGEST_FILE = 1 << 20
SHOWN = 90
# Programs that are the same but for their comments are not the same.
_OF_LINES = Path("/etc")


class Difference(NamedTuple):
    """How a file differs from what was deployed.

    Attributes:
        path: of the file or folder.
        said: what is different, in words that follow the path.
        lines: those that were added, and those that are lacking.
    """

    path: Path
    said: str
    lines: tuple[str, ...] = ()


class Folder(NamedTuple):
    """A folder as it was deployed."""

    path: str
    owner: str
    group: str
    mode: str


def files() -> list[Path]:
    """The files that were deployed; none where no copies of them can be seen."""
    found = [Path(folder, name) for folder, _, names in os.walk(COPIES) for name in names]
    return sorted(Path("/", one.relative_to(COPIES)) for one in found if one != FOLDERS)


def folders() -> list[Folder]:
    """The folders that were deployed; none where their list cannot be read."""
    try:
        return [Folder(**one) for one in json.loads(FOLDERS.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def differences() -> Iterator[Difference]:
    """What differs from what was deployed, as far as this user sees it: folders first."""
    for one in (*map(_of_folder, folders()), *map(difference, files())):
        if one is not None:
            yield one


def _of_folder(wanted: Folder) -> Difference | None:
    path = Path(wanted.path)
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Difference(path, "is not there")
    except OSError:
        return None
    if not stat.S_ISDIR(found.st_mode) and not (path.is_dir() and not found.st_uid):  # a link of root's, to a folder
        return Difference(path, f"is {instead_of_a_file(path) or 'a file'}, and was a folder")
    return _owned(path, path.stat(), wanted)


def _owned(path: Path, found: os.stat_result, wanted: Folder) -> Difference | None:
    now = Folder(str(path), owner_of(found), group_of(found), mode_of(found))
    was = wanted._replace(path=str(path), mode=f"{int(wanted.mode, 8):04o}")
    if now == was:
        return None
    return Difference(path, f"is {now.owner}:{now.group} {now.mode}, and was {was.owner}:{was.group} {was.mode}")


def difference(path: Path, copy: Path | None = None) -> Difference | None:
    """How a file differs from its copy, by default the role's; None where it does not, or where that cannot be seen."""
    copy = copy or copy_of(path)
    try:
        wanted = copy.lstat()
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Difference(path, "is not there") if copy.exists() else None
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return Difference(path, f"is {instead_of_a_file(path) or 'a folder'}, and was a file")
    if found.st_size > LARGEST_FILE:
        return Difference(path, f"has {found.st_size >> 20} MiB, and had {wanted.st_size} bytes")
    was = Folder(str(path), owner_of(wanted), group_of(wanted), mode_of(wanted))
    try:
        return _changed(path, path.read_bytes(), copy.read_bytes()) or _owned(path, found, was)
    except OSError:  # others' files; of these root sees more
        return _owned(path, found, was)


def _changed(path: Path, now: bytes, was: bytes) -> Difference | None:
    if now == was:
        return None
    if not now:
        return Difference(path, "is empty")
    number, old = _lines(path, now), _lines(path, was)
    added, lacking = Counter(number.values()) - Counter(old.values()), Counter(old.values()) - Counter(number.values())
    lines = (*added, *lacking)
    if not lines:  # comments, blank lines, and the order of lines
        return None if path.is_relative_to(_OF_LINES) else Difference(path, "is another than it was")
    said = f"lacks {next(iter(lacking))[:SHOWN]!r}" if lacking else ""
    if added:
        first = next(iter(added))
        line = next(number for number, text in number.items() if text == first)
        said = f"has {first[:SHOWN]!r} in line {line}" + (f" and {said}" if said else ", which is new")
    return Difference(path, f"was changed: it {said}", lines)


def _lines(path: Path, content: bytes) -> dict[int, str]:
    """Lines by their numbers; of files of lines, without those that say nothing."""
    lines = dict(enumerate(content.decode(errors="replace").split("\n"), 1))
    if not path.is_relative_to(_OF_LINES):
        return lines
    return {
        number: line.strip(" \t")
        for number, line in lines.items()
        if line.strip(" \t") and not line.lstrip(" \t").startswith(("#", ";"))
    }


def again(path: Path) -> Remedy:
    """Put a file back as it was deployed: its text, owner and mode. What is there instead is not followed."""
    if not copy_of(path).exists():
        return OnController()
    steps: list[Remedy] = []
    if not path.parent.is_dir():
        steps.append(Shell("mkdir -p -- {}", path.parent))
    if fixed(path):
        steps.append(Shell("chattr -ia -- {}", path))
    if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114 - of what root alone sees they say no
        steps.append(put_aside(path))
    steps.append(Shell("cp -a --remove-destination -- {} {}", copy_of(path), path))
    return Sequence(*steps)


def folder_again(path: Path) -> Remedy:
    """Give a folder the owner and mode that it was deployed with, or make it."""
    wanted = next(one for one in folders() if one.path == str(path))
    mode = int(wanted.mode, 8)
    there = path.is_dir() and not path.is_symlink()
    aside = [put_aside(path)] if os.path.lexists(path) and not there else []
    if wanted.owner != USER:
        made = [] if there else [Shell("mkdir -- {}", path)]
        return Sequence(*aside, *made, root_owns(path, mode, wanted.group, made=not there))
    if there:
        return given(path, mode)
    above = path.parent
    return Sequence(*aside, make(path, mode, above_is_ours=above.exists() and owner_of(above.stat()) == USER))


def given(folder: Path, mode: int) -> Remedy:
    """Make a folder the service user's, with all in it where it is another's."""
    return give(folder, mode) if owner_of(folder.stat()) == USER else give_all(folder, mode)


def mended(host: Deployment, *paths: Path) -> Remedy:
    """Put files and folders back, and have those who read them do it again."""
    its_folders = {Path(one.path) for one in folders()}
    put_back = [folder_again(path) if path in its_folders else again(path) for path in paths]
    if any(isinstance(step, OnController) for one in put_back for step in one.steps):
        return OnController()
    units = [path.name for path in paths if path.parent == UNITS]
    services = restarted = [name for name in host.services if f"weather-{name}.service" in units]
    if any(path.name in {"weather.env", "sources.toml"} or path.parent.name == "credentials" for path in paths):
        restarted = host.services
    then: list[Remedy] = [OfSystemd("systemctl daemon-reload")] if units else []
    timers = [name for name in units if name.endswith(".timer")]
    if wanted := [*timers, *(f"weather-{name}.service" for name in services)]:
        then.append(OfSystemd("systemctl --quiet enable {}", wanted))
    if timers:
        then.append(OfSystemd("systemctl restart {}", timers))
    if restarted:
        then.append(Restart(*restarted))
    return Sequence(*dict.fromkeys(put_back), *then)
