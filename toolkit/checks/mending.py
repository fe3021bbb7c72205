"""Commands of remedies, safe for root to run as they are printed.

Names come from settings and from folders that the service account can write: they are quoted. Root follows no link
there: it changes the owner of a name, not of what it points at, and what the owner may do is done as the owner.
"""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from toolkit.checks.host import USER, Host

AS_USER = f"runuser -u {USER} -- "


def quoted(*paths: Path | str) -> str:
    """Paths as a shell takes them."""
    return " ".join(_quoted(str(path)) for path in paths)


def _quoted(text: str) -> str:
    """As bash takes it; what a terminal would obey is written as what it is."""
    if text.isprintable():
        return shlex.quote(text)
    plain = (chr(one) if 32 <= one < 127 and chr(one) not in "'\\" else f"\\x{one:02x}" for one in os.fsencode(text))
    return f"$'{''.join(plain)}'"


def given(path: Path, mode: int) -> str:
    """What makes a file or folder the service user's."""
    return f"chown -h {USER}:{USER} {quoted(path)} && {AS_USER}chmod {mode:04o} {quoted(path)}"


def all_given(path: Path, mode: int) -> str:
    """The same, with all that is in it."""
    return f"chown -hR {USER}:{USER} {quoted(path)} && {AS_USER}chmod {mode:04o} {quoted(path)}"


def made(host: Host, folder: Path, mode: int) -> str:
    """What makes a folder of the service user's that is missing."""
    above = host.look(folder.parent)
    if above and host.user and above.st_uid == host.user.pw_uid:
        return f"{AS_USER}mkdir -m {mode:04o} {quoted(folder)}"
    return f"install -d -o {USER} -g {USER} -m {mode:04o} {quoted(folder)}"


def up_again(*units: str) -> str:
    """What restarts services, to be joined to another command."""
    return f" && systemctl restart {' '.join(units)}" if units else ""


def lies_at(path: Path) -> str:
    """What a path is, where it is neither a file nor a folder; empty where it is, or is not there."""
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
