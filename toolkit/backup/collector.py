"""The collector around a restore: stopped, started, and seen to store again.

Root's part of it is done by the command `weather-tool` of the host, which runs this program as the service user: it is
asked over a socket, by the words of systemctl, and knows no more than these.
"""

from __future__ import annotations

import os
import pwd
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from toolkit.database import Database
from toolkit.errors import ToolkitError
from toolkit.store import StoreError, open_for_reading

USER = "weather"
# The number of the socket; not a setting, and so without their prefix.
ASKED_BY = "COLLECTOR_ASKED_BY"
# A cycle begins at once, and a fetch has a minute at most; a store that is locked is tried again within half of one.
HEALTHY_SECONDS = 120
POLL_SECONDS = 0.25


def become_the_service_user() -> None:
    """As root: be the service user from here on, where there is one. Others stay who they are."""
    if os.geteuid() == 0 and (user := _user()):
        os.initgroups(USER, user.pw_gid)
        os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
        os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)


@contextmanager
def stopped() -> Iterator[bool]:
    """Stop the collector if this host runs it and we may; on the way out it is started again, whatever happened.

    One that is down but enabled counts, too: a damaged database or a restore that was killed is why it is down.

    Yields:
        Whether it is theirs to run.
    """
    running = 0 in {_ask("is-active"), _ask("is-enabled")}
    try:
        if running and _ask("stop"):
            raise ToolkitError("the collector does not stop: weather-tool doctor says why")
        yield running
    finally:
        if running:
            _ask("start")  # whether it works is for `stores_again` to say


def cycles(db: Database) -> int:
    """How many cycles collectors have noted in a database: a count tells what comes after, a clock may be set.

    Raises:
        StoreError: it cannot be read.
    """
    with open_for_reading(db) as store:
        return sum(one.number for one in store.counters() if one.name == "cycles" and one.label != "import")


def stores_again(db: Database, before: int) -> bool:
    """Wait until the collector has ended a cycle, and noted it beyond the `before` that were."""
    end = time.monotonic() + HEALTHY_SECONDS
    while time.monotonic() < end:
        with suppress(StoreError):  # it may be being opened
            if cycles(db) > before:
                return True
        if _ask("is-failed") == 0:
            return False
        time.sleep(POLL_SECONDS)
    return False


def _ask(word: str) -> int:
    """What root answers, an exit code; 1 where nobody can be asked."""
    number = os.environ.get(ASKED_BY, "")
    if not number.isdecimal():
        return 1
    try:
        root = socket.socket(fileno=int(number))
    except OSError:
        return 1
    try:
        root.sendall(word.encode())
        return root.recv(1)[0]
    except (OSError, IndexError) as error:
        raise ToolkitError("nobody is left who could start or stop the collector") from error
    finally:
        root.detach()


def _user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        return None
