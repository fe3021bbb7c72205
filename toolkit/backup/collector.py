"""Stopping the collector for a restore, starting it again, and waiting until it stores.

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
# The environment variable with the number of the socket; it has no prefix because it is no setting.
ASKED_BY = "COLLECTOR_ASKED_BY"
# A cycle begins at once, a fetch takes a minute at most, and a locked store is tried again within half a minute.
HEALTHY_SECONDS = 120
POLL_SECONDS = 0.25


def become_the_service_user() -> None:
    """As root: become the service user, if there is one. Other users stay who they are."""
    if os.geteuid() == 0 and (user := _user()):
        os.initgroups(USER, user.pw_gid)
        os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
        os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)


@contextmanager
def stopped() -> Iterator[bool]:
    """Stop the collector if this host runs it and root may be asked; at the end it is started again in any case.

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
    """How many cycles collectors have counted in a database. Times would not tell which are later: clocks are set.

    Raises:
        StoreError: it cannot be read.
    """
    with open_for_reading(db) as store:
        return sum(one.number for one in store.counters() if one.name == "cycles" and one.label != "import")


def stores_again(db: Database, before: int) -> bool:
    """Wait until more than `before` cycles are counted; returns whether that happened."""
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
    """The exit code that root answers; 1 if nobody can be asked."""
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
