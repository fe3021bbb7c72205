"""Check that what the jobs say is kept, so that people can read why one failed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.host import Host
from toolkit.checks.remedies import OfSystemd, Sequence
from toolkit.checks.unit_files import Line, lines_of

FOLDERS = tuple(Path(folder, "systemd") for folder in ("/etc", "/run", "/usr/local/lib"))
SOCKET = "/run/systemd/journal/socket"
_UNITS = "systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service"
# A job that fails says some ten lines, and its traceback a hundred (journald's own limit: 10,000).
LEAST_BURST = 200
# The levels below which a failure is not told; of syslog(3), by name and number.
_TOO_GRAVE = {"emerg", "alert", "crit", "0", "1", "2"}


@check(
    id="journal-kept", area="service",
    invariant="The journal keeps what the jobs say.",
    problem="The journal does not keep what the jobs say: why one failed cannot be read.",
    severity=Status.WARNING, remedy=OfSystemd("journalctl --disk-usage"),
)  # fmt: skip
def journal_kept(host: Host) -> Finding | None:
    if not host.systemd:
        return None
    if not _listens():
        return bad(
            "systemd-journald does not run: what the jobs say is thrown away",
            Sequence(*(OfSystemd(f"systemctl {words} {_UNITS}") for words in ("unmask", "unmask --runtime", "start"))),
        )
    # The last assignment counts.
    for line in {line.key: line for line in _lines()}.values():
        if _loses(line):
            return bad(
                f"{line.file} has {line.key}={line.value}: what the jobs say is thrown away",
                Sequence(
                    OfSystemd("sed -i {} {}", f"/^{line.key} *=/s/^/# /", line.file),
                    OfSystemd("systemctl restart systemd-journald"),
                ),
            )
    return good("the journal keeps what the jobs say")


def _listens() -> bool:
    """Whether anybody has the socket of the journal; systemd itself has it while journald is begun anew."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as tried:
        try:
            tried.connect(SOCKET)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # it cannot be told
    return True


def _lines() -> Iterator[Line]:
    for folder in FOLDERS:
        yield from lines_of(folder / "journald.conf")
    files = {file.name: file for folder in reversed(FOLDERS) for file in (folder / "journald.conf.d").glob("*.conf")}
    for name in sorted(files):
        yield from lines_of(files[name])


def _loses(line: Line) -> bool:
    """Whether a setting of journald's throws messages of jobs away."""
    if line.key == "Storage":
        return line.value == "none"
    if line.key == "RateLimitBurst":
        return line.value.isdecimal() and 0 < int(line.value) < LEAST_BURST
    return line.key == "MaxLevelStore" and line.value in _TOO_GRAVE
