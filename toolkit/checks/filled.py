"""What fills a file system, whose it is, and what makes room on it without anything being lost."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from toolkit.checks.host import Host
from toolkit.checks.host.files import owner_of
from toolkit.checks.remedies import AsUser, OnMachine, Remedy, Sequence, Shell

# How long files are looked for: a large file system is not looked through as a whole.
LOOK_SECONDS, MOST = 0.6, 3
JOURNAL, PACKAGES, ELSEWHERE = Path("/var/log/journal"), Path("/var/cache/apt/archives"), Path("/var/tmp")  # noqa: S108
# The journal keeps so much.
JOURNAL_BYTES = 128 << 20
# What the names in the folder of the backups begin with.
OF_BACKUPS = ("weather_", "replaced-", "drill", "offsite")
# What is not the service's own is moved elsewhere only where it then leaves this much there.
SPARE_BYTES = 1 << 30


class Seen(NamedTuple):
    """What was seen of a file system.

    Attributes:
        largest: files by size, the largest first.
        crowded: folders by the number of what is in them, the most first.
    """

    largest: list[tuple[int, Path]]
    crowded: list[tuple[int, Path]]


def look(*tops: Path) -> Seen:
    """The largest files and the most crowded folders below folders, on the last one's file system alone."""
    end = time.monotonic() + LOOK_SECONDS
    files: list[tuple[int, Path]] = []
    folders: Counter[Path] = Counter()
    device = tops[-1].stat().st_dev
    waiting, known = [*reversed(tops)], set[Path]()
    while waiting and time.monotonic() < end:
        folder = waiting.pop()
        with suppress(OSError), os.scandir(folder) as entries:
            if folder in known:
                continue
            known.add(folder)
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    if found.st_dev == device:
                        waiting.append(Path(entry.path))
                elif len(files) < MOST or found.st_blocks * 512 > files[-1][0]:
                    files = sorted([*files, (found.st_blocks * 512, Path(entry.path))], reverse=True)[:MOST]
                folders[folder] += 1
                if time.monotonic() > end:
                    break
    return Seen(files, [(number, folder) for folder, number in folders.most_common(MOST)])


def filled(host: Host, path: Path, lacking: int) -> tuple[str, Remedy]:
    """What fills the file system of a path, as the end of a sentence, and what makes room there.

    Args:
        host: the host.
        path: the folder of the service for which there is no room.
        lacking: the bytes that are to be free, and are not.
    """
    seen, mount = look(path, host.mount(path)), host.mount(path)
    said, remedies, room = "", [], 0
    for size, remedy in sorted(_safe(host, mount, seen), key=lambda one: -one[0]):
        if room < lacking:
            remedies.append(remedy)
            room += size
    if seen.largest:
        size, file = seen.largest[0]
        said = f"; the largest file that is seen on it is {file} with {size / 1e6:,.0f} MB{_whose(host, file)}"
    if remedies and room >= lacking:
        return said, Sequence(*remedies)
    return said, Shell("du -xah {} | sort -h | tail -n 20", mount)


def crowded(host: Host, path: Path) -> tuple[str, Remedy]:
    """The same of the file system's inodes."""
    seen, mount = look(path, host.mount(path)), host.mount(path)
    if not seen.crowded:
        return "", _count(mount)
    number, folder = seen.crowded[0]
    said = f"; {number:,} files and folders are in {folder}{_whose(host, folder)}"
    if _is_foreign(host, folder) and os.statvfs(ELSEWHERE).f_favail > 2 * number and _is_elsewhere(folder):
        return said, moved(folder)
    return said, _count(mount)


def _count(mount: Path) -> Remedy:
    return Shell("du -x --inodes {} | sort -n | tail -n 20", mount)


def _safe(host: Host, mount: Path, seen: Seen) -> Iterator[tuple[int, Remedy]]:
    """What can be taken away, or elsewhere, with nothing lost: how many bytes it is, and how."""
    device = mount.stat().st_dev
    if not host.on_server:
        replaced = [one for one in _entries(host.db.parent, device) if one.name.startswith(f"{host.db.name}.replaced-")]
        if old := sorted(replaced)[:-1]:
            yield sum(map(_size, old)), AsUser("rm -r -- {}", old)
    if (kept := sum(map(_size, _entries(JOURNAL, device)))) > 2 * JOURNAL_BYTES:
        yield kept - JOURNAL_BYTES, OnMachine("journalctl --vacuum-size={}", f"{JOURNAL_BYTES >> 20}M")
    if packages := sum(map(_size, _entries(PACKAGES, device))):
        yield packages, OnMachine("apt-get clean")
    for size, file in seen.largest:
        if _is_foreign(host, file) and _is_elsewhere(file) and host.free(ELSEWHERE)[0] > size + SPARE_BYTES:
            yield size, moved(file)


def moved(path: Path) -> Remedy:
    """Move what is not the service's to where somebody may look at it, and remove it.

    The service user can put a link in the place of the folder that it is in: find(1) follows none.
    """
    its = re.sub(r"([][*?\\])", r"\\\1", path.name)
    return OnMachine(
        "find {} -mindepth 1 -maxdepth 1 -name {} -execdir mv -t {} -- '{{}}' +", path.parent, its, ELSEWHERE
    )


def _entries(folder: Path, device: int) -> list[Path]:
    with suppress(OSError):
        return list(folder.iterdir()) if folder.stat().st_dev == device else []
    return []


def _size(path: Path) -> int:
    """The bytes of a file, or of the files of a folder."""
    with suppress(OSError):
        files = list(path.iterdir()) if path.is_dir() and not path.is_symlink() else [path]
        return sum(one.lstat().st_blocks * 512 for one in files)
    return 0


def _is_foreign(host: Host, path: Path) -> bool:
    """Whether something is in a folder of the service's own, at its top, and none of what it has there."""
    own = {
        Path(host.settings.backups): OF_BACKUPS,
        Path(host.settings.reports): ("report_", "index."),
        host.spool.parent: (host.spool.name,),
    }
    if not host.on_server:
        own[host.db.parent] = (host.db.name, host.spool.name)
    names = own.get(path.parent) if host.is_ours(path.parent) else None
    return names is not None and path not in own and not path.name.lstrip(".").startswith(names)


def _is_elsewhere(path: Path) -> bool:
    """Whether another file system than that of a path takes what is moved away."""
    with suppress(OSError):
        return ELSEWHERE.stat().st_dev != path.lstat().st_dev
    return False


def _whose(host: Host, path: Path) -> str:
    """Whose a file is, where it is not the service's, as the end of a clause."""
    try:
        owner = owner_of(path.lstat())
    except OSError:
        return ""
    ours = any(
        path.is_relative_to(one) for one in (host.db_folder or host.spool, host.spool, Path(host.settings.backups))
    )
    if _is_foreign(host, path):
        return f", which is {owner}'s and none of what the service has there"
    return "" if ours else f", which is {owner}'s, not the service's: it is for them to make room"
