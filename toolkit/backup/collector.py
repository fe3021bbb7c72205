"""The collector around a restore: stopped, started, and seen to store again. Root's part, and done by systemd."""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from toolkit.errors import ToolkitError, reason
from toolkit.store import StoreError, open_for_reading

UNIT = "weather-collector.service"
USER = "weather"
# Where cron keeps the collector up.
CRON_JOB = Path("/usr/local/bin/weather-job")
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
    """Stop the collector if systemd or cron runs it and we may; on the way out it is started again, whatever happened.

    One that is down but enabled counts, too: a damaged database or a restore that was killed is why it is down.

    Yields:
        Whether it is theirs to run.
    """
    if os.getuid() == 0 and CRON_JOB.exists():
        _by_cron("--stop")
        try:
            yield True
        finally:
            _by_cron("--start")
        return
    running = (
        os.getuid() == 0
        and Path("/run/systemd/system").is_dir()
        and 0 in {_systemctl("is-active", "--quiet"), _systemctl("is-enabled", "--quiet")}
    )
    if running and _systemctl("stop"):
        raise ToolkitError(f"{UNIT} does not stop: systemctl status {UNIT}")
    try:
        yield running
    finally:
        if running:
            _systemctl("start")  # whether it works is for `stores_again` to say


def cycles(db: str) -> int:
    """How many cycles collectors have noted in a database: a count tells what comes after, a clock may be set.

    Raises:
        StoreError: it cannot be read.
    """
    with open_for_reading(db) as store:
        return sum(one.number for one in store.counters() if one.name == "cycles" and one.label != "import")


def stores_again(db: str, before: int) -> bool:
    """Wait until the collector has ended a cycle, and noted it beyond the `before` that were."""
    end = time.monotonic() + HEALTHY_SECONDS
    while time.monotonic() < end:
        with suppress(StoreError):  # it may be being opened
            if cycles(db) > before:
                return True
        if not CRON_JOB.exists() and _systemctl("is-failed", "--quiet") == 0:
            return False
        time.sleep(POLL_SECONDS)
    return False


def _by_cron(what: str) -> None:
    if _as_root(str(CRON_JOB), what, "collector"):
        raise ToolkitError(f"the collector does not obey: {CRON_JOB} {what} collector")


def _systemctl(*words: str) -> int:
    return _as_root("systemctl", *words, UNIT)


def _as_root(*command: str) -> int:
    try:
        root = 0 if os.geteuid() != os.getuid() else None
        return subprocess.run(command, check=False, user=root, group=root).returncode  # noqa: S603
    except OSError as error:
        raise ToolkitError(f"cannot run {command[0]}: {reason(error)}") from error


def _user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        return None
