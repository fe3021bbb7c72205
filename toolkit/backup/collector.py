"""The collector around a restore: stopped, started, and seen to store again. Root's part, and done by systemd."""

from __future__ import annotations

import os
import pwd
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from toolkit import times
from toolkit.errors import ToolkitError, reason

UNIT = "weather-collector.service"
USER = "weather"
# A cycle begins at once, and a fetch has a minute at most; a store that is locked is tried again within half of one.
HEALTHY_SECONDS = 120
POLL_SECONDS = 0.25


def become_the_service_user() -> None:
    """As root: do everything as the service user does it, but for what asks to be root. Others stay who they are."""
    if os.geteuid() == 0 and (user := _user()):
        os.initgroups(USER, user.pw_gid)
        os.setegid(user.pw_gid)
        os.seteuid(user.pw_uid)


@contextmanager
def stopped() -> Iterator[bool]:
    """Stop the collector if systemd runs it and we may; on the way out it is started again, whatever happened.

    Yields:
        Whether it was running.
    """
    running = os.getuid() == 0 and Path("/run/systemd/system").is_dir() and _systemctl("is-active", "--quiet") == 0
    if running and _systemctl("stop"):
        raise ToolkitError(f"{UNIT} does not stop: systemctl status {UNIT}")
    try:
        yield running
    finally:
        if running:
            _systemctl("start")  # whether it works is for `stores_again` to say


def stores_again(db: Path, since: float) -> bool:
    """Wait until the collector has ended a cycle that began after `since`, seconds since the epoch, and noted it."""
    end = time.monotonic() + HEALTHY_SECONDS
    while time.monotonic() < end:
        try:
            with closing(sqlite3.connect(f"{db.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                (last,) = connection.execute("SELECT MAX(timestamp) FROM collection_log").fetchone()
            if last and times.from_stored(last).timestamp() >= int(since):
                return True
        except sqlite3.Error:
            pass  # it is being opened
        if _systemctl("is-failed", "--quiet") == 0:
            return False
        time.sleep(POLL_SECONDS)
    return False


def _systemctl(*words: str) -> int:
    command = ["systemctl", *words, UNIT]
    try:
        root = 0 if os.geteuid() != os.getuid() else None
        return subprocess.run(command, check=False, user=root, group=root).returncode  # noqa: S603
    except OSError as error:
        raise ToolkitError(f"cannot run systemctl: {reason(error)}") from error


def _user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        return None
