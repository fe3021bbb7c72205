"""Files and file systems."""

from __future__ import annotations

import fcntl
import grp
import os
import pwd
import re
import shutil
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import NamedTuple

from toolkit.checks.host.deployment import Deployment

FSTAB = Path("/etc/fstab")
UNIT_FOLDERS = tuple(Path(folder, "systemd/system") for folder in ("/etc", "/run", "/usr/lib", "/lib"))
# Of ioctl_iflags(2).
_GET_FLAGS, _IMMUTABLE, _APPEND = 0x80086601, 0x10, 0x20
# Of acl(5), as the kernel keeps it: the kinds of entries, and what they allow.
_ACCESS_LIST = "system.posix_acl_access"
_OF_USER, _OF_OWNING_GROUP, _OF_GROUP, _OF_MASK = 0x02, 0x04, 0x08, 0x10
_READ, _ENTER = 0o4, 0o1


class Files(Deployment):
    """Looks at files and at the file systems that they are on."""

    def look(self, path: Path) -> os.stat_result | None:
        """What a file is; None where there is none.

        Raises:
            OSError: it cannot be seen.
        """
        try:
            return path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def is_ours(self, path: Path) -> bool:
        """Whether the service user owns a file or folder that is there."""
        found = self.look(path)
        return bool(found and self.user and found.st_uid == self.user.pw_uid)

    def closed_above(self, path: Path) -> Path | None:
        """A folder above a path through which the service user may not go; None where there is none."""
        for above in reversed(path.parents):
            found = self.look(above)
            if found is None or self.user is None:
                return None
            owns, in_group = found.st_uid == self.user.pw_uid, found.st_gid == self.user.pw_gid
            if not found.st_mode & (0o100 if owns else 0o010 if in_group else 0o001):
                return above
        return None

    def free(self, path: Path) -> tuple[int, int]:
        """Free and all bytes of the file system that a path is, or would be, on."""
        usage = shutil.disk_usage(_nearest(path))
        return usage.free, usage.total

    def inodes(self, path: Path) -> tuple[int, int]:
        """Free and all inodes of the file system that a path is, or would be, on; 0 of 0 where it has no such bound."""
        found = os.statvfs(_nearest(path))
        return found.f_favail, found.f_files

    def read_only(self, path: Path) -> bool:
        """Whether the file system that a path is on takes no writes.

        A unit's sandbox has its own read-only mounts; there it counts how the file system is mounted for all.
        """
        if not os.statvfs(_nearest(path)).f_flag & os.ST_RDONLY:
            return False
        if "INVOCATION_ID" not in os.environ:
            return True
        return "ro" in self._mounted(path).options

    def mount(self, path: Path) -> Path:
        """Where the file system that a path is on is mounted, or the part of it that is (a bind mount)."""
        return self._mounted(path).place

    def mounts_at(self, path: Path) -> int:
        """How many file systems are mounted at a path, one over the other."""
        return sum(mount.place == path for mount in mounts())

    def mounted_by_hand(self, path: Path) -> bool:
        """Whether a file system is mounted at a path that is set up nowhere: not in fstab(5), and by no unit."""
        if not self.deployed or not self.mounts_at(path):
            return False
        if str(path) in _set_up():
            return False
        unit = "-".join(part.replace("-", r"\x2d") for part in path.parts[1:]) + ".mount"
        return not any((folder / unit).exists() for folder in UNIT_FOLDERS)

    def covered(self, folder: Path) -> bool:
        """Whether a file system was mounted over a folder by hand; in a unit, with mounts of its own: never."""
        if "INVOCATION_ID" in os.environ:
            return False
        return self.mounts_at(folder) > 1 or self.mounted_by_hand(folder)

    def not_mounted(self, path: Path) -> Path | None:
        """Where a file system is to be mounted by fstab(5), at a path or above it, and none is; None where all are."""
        for place in (path, *path.parents[:-1]):
            if _set_up().get(str(place)) and not any(
                mount.place == place and not ("INVOCATION_ID" in os.environ and mount.part == str(place))
                for mount in mounts()
            ):
                return place
        return None

    def kind(self, path: Path) -> str:
        """The kind of the file system that a path is on, such as `ext4`; empty where it cannot be told."""
        return self._mounted(path).kind

    def locks(self, *paths: Path) -> list[Lock]:
        """The locks of files that processes hold or wait for, seen at one moment; none of what is not there.

        Two file systems may both have a file of its number, so the file system counts as well. It is that of the mount:
        what stat(2) says of it need not be what the kernel says of a lock (overlayfs, btrfs).
        """
        files: dict[str, Path] = {}
        for path in paths:
            with suppress(OSError):
                number = path.stat().st_ino
                files[f"{self._mounted(path).device}:{number}"] = path
        return [lock._replace(path=files[file]) for file, lock in _locks() if file in files]

    def _mounted(self, path: Path) -> Mount:
        """What is mounted where a path is."""
        path = _nearest(path).resolve()
        found = Mount(Path("/"), "/", "", [])
        for mount in mounts():
            if "INVOCATION_ID" in os.environ and mount.part == str(mount.place) != "/":
                continue  # a part of the host's own file system that the unit's sandbox mounts over itself
            # Of the mounts that cover the path the deepest counts, and of several at one place the last.
            if path.is_relative_to(mount.place) and len(mount.place.parts) >= len(found.place.parts):
                found = mount
        return found


def _set_up() -> dict[str, bool]:
    """The places of fstab(5), and whether a file system is mounted there when the host starts."""
    return {place: "noauto" not in options.split(",") for _, place, _, options, *_ in _entries()}


def source_of(place: Path) -> str:
    """What fstab(5) has mounted at a place; empty for nothing."""
    return next((source for source, at, *_ in _entries() if at == str(place)), "")


def _entries() -> list[list[str]]:
    try:
        lines = FSTAB.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [words for line in lines if len(words := line.split("#")[0].split()) >= 4]


class Mount(NamedTuple):
    """A mount, as proc(5) has it.

    Attributes:
        place: where.
        part: which part of the file system, `/` for all of it.
        kind: of the file system.
        options: of the file system itself.
        source: what is mounted, such as a device.
        device: the numbers of the file system, in hexadecimal, such as `fe:00`.
    """

    place: Path
    part: str
    kind: str
    options: list[str]
    source: str = ""
    device: str = ""


def mounts() -> Iterator[Mount]:
    """All mounts, in the order in which they were made."""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        words, _, device = line.partition(" - ")
        part, place = (
            re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), word) for word in words.split()[3:5]
        )
        its = device.split()
        numbers = ":".join(f"{int(number):02x}" for number in words.split()[2].split(":"))
        yield Mount(Path(place), part, its[0], its[-1].split(","), its[1], numbers)


class Lock(NamedTuple):
    """A lock of a file, as proc_locks(5) has it.

    Attributes:
        path: of the file.
        kind: `READ` or `WRITE`.
        pid: the process.
        first, last: the bytes that it is of.
    """

    path: Path
    kind: str
    pid: int
    first: int
    last: float


def _locks() -> Iterator[tuple[str, Lock]]:
    """All locks, each with the numbers of the file system and the file, by which its path is to be told."""
    for line in Path("/proc/locks").read_text(encoding="utf-8").splitlines():
        _, _, _, kind, pid, file, first, last = line.replace("-> ", "").split()[:8]
        if int(pid) > 0:  # of this host, not of another container's
            yield file, Lock(Path(), kind, int(pid), int(first), inf if last == "EOF" else int(last))


def _nearest(path: Path) -> Path:
    """A path, or the nearest folder above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def mode_of(found: os.stat_result) -> str:
    """A file's mode as people write it."""
    return f"{stat.S_IMODE(found.st_mode):04o}"


def owner_of(found: os.stat_result) -> str:
    """A file's owner by name."""
    try:
        return pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        return str(found.st_uid)


def group_of(found: os.stat_result) -> str:
    """A file's group by name."""
    try:
        return grp.getgrgid(found.st_gid).gr_name
    except KeyError:
        return str(found.st_gid)


def instead_of_a_file(path: Path) -> str:
    """What a path is, where it is neither a file nor a folder; empty where it is one, or is not there."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return ""
    if stat.S_ISLNK(mode):
        return f"a symbolic link to {path.readlink()}"
    kinds = {
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "")


def fixed(path: Path) -> str:
    """The attribute of the file system that keeps a file or folder from being changed; empty for none."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        (flags,) = struct.unpack("l", fcntl.ioctl(file, _GET_FLAGS, struct.pack("l", 0)))
    except OSError:  # a file system without attributes
        return ""
    finally:
        os.close(file)
    return "immutable" if flags & _IMMUTABLE else "append-only" if flags & _APPEND else ""


def access_refused(path: Path, user: pwd.struct_passwd) -> str:
    """The entry of an access list by which a user may not enter a folder, or read a file; empty for none: acl(5)."""
    try:
        found, listed = path.stat(), os.getxattr(path, _ACCESS_LIST)
    except OSError:
        return ""
    if found.st_uid == user.pw_uid:  # an owner has what the mode says
        return ""
    needed = _ENTER if stat.S_ISDIR(found.st_mode) else _READ
    entries = list(struct.iter_unpack("<HHI", listed[4:]))
    mask = next((allowed for tag, allowed, _ in entries if tag == _OF_MASK), 0o7)
    its = [(f"user:{user.pw_name}", allowed) for tag, allowed, one in entries if tag == _OF_USER and one == user.pw_uid]
    if not its:
        group = str(user.pw_gid)
        its = [
            (f"group:{group}", allowed)
            for tag, allowed, one in entries
            if (tag == _OF_OWNING_GROUP and found.st_gid == user.pw_gid) or (tag == _OF_GROUP and one == user.pw_gid)
        ]
    if not its or any(allowed & mask & needed for _, allowed in its):
        return ""
    who, allowed = its[0]
    letters = "".join(letter if allowed & bit else "-" for letter, bit in (("r", 4), ("w", 2), ("x", 1)))
    return f"{who}:{letters}" + ("" if mask & needed else ", by its mask")
