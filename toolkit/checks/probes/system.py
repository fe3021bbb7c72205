"""Check of what every program, and systemd, needs of the system itself: its devices, and room in /run."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.host import Host
from toolkit.checks.host.files import mode_of, owner_of
from toolkit.checks.remedies import AllServices, OnMachine, Remedy, Restart, Sequence, allow

# Character devices by number (null(4), full(4), random(4)): systemd copies them for services with a /dev of their own.
DEVICES = {
    Path("/dev/null"): (1, 3), Path("/dev/zero"): (1, 5), Path("/dev/full"): (1, 7), Path("/dev/random"): (1, 8),
    Path("/dev/urandom"): (1, 9),
}  # fmt: skip
# How much systemd needs there for a unit's folder, sockets and mounts.
RUN, RUN_BYTES, RUN_INODES = Path("/run"), 256 << 10, 64


@check(
    id="system-places", area="service",
    invariant="The system's devices are there, and systemd has room in /run.",
    problem="A device of the system is not one, or systemd has no room in /run: no unit can be started.",
    severity=Status.CRITICAL, remedy=AllServices(),
)  # fmt: skip
def system_places(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    devices = None if "INVOCATION_ID" in os.environ else _devices()  # a unit has its own
    return devices or _run() or good("the system's devices are there, and there is room in /run")


def _again(*remedies: Remedy) -> Remedy:
    return Sequence(*remedies, Restart("collector", "exporter"))


def _devices() -> Finding | None:
    for path, (major, minor) in DEVICES.items():
        made = OnMachine(f"rm -f -- {path} && mknod -m 666 {path} c {major} {minor}")
        try:
            found = path.lstat()
        except FileNotFoundError:
            return bad(f"there is no {path}", _again(made))
        except OSError:
            continue
        if not stat.S_ISCHR(found.st_mode) or found.st_rdev != os.makedev(major, minor):
            return bad(f"{path} is not the system's device, but a file of somebody's making", _again(made))
        if found.st_mode & 0o666 != 0o666:
            return bad(
                f"not everybody may use {path}: {owner_of(found)}'s, mode {mode_of(found)}",
                _again(allow("666", path, OnMachine)),
            )
    return None


def _run() -> Finding | None:
    """The finding that systemd has no room for what it makes when a unit is started."""
    try:
        there = os.statvfs(RUN)
    except OSError:
        return None
    free = there.f_bavail * there.f_frsize
    if free < RUN_BYTES or (there.f_files and there.f_ffree < RUN_INODES):
        largest = OnMachine("du -ax {} | sort -n | tail -n 5", RUN, note="remove what is not needed, then restart")
        return bad(
            f"{RUN} is full: {free >> 10} KiB and {there.f_ffree} inodes are left, and no unit can be started", largest
        )
    return None
