"""Who may sign in to the console, and who has, as tables that both engines have.

Times are seconds since the epoch. What a table has that this program did not write is nobody's account or session.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from toolkit import actor
from toolkit.store.dialect import Dialect

Role = Literal["viewer", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)

Keeper = Literal["people", "inventory"]

IDLE_SECONDS = 12 * 3600
"""A session that was not used for so long has ended."""
LONGEST_SECONDS = 7 * 86400
"""So long after it began every session has ended."""


class Account(NamedTuple):
    """Who may sign in.

    Attributes:
        name: as histories have it.
        role: a viewer looks, an operator acts as well.
        password: its hash, in PHC's form.
        kept_by: who changes it: people by `weather-tool accounts`, or the inventory by a deployment.
        changed: when it was made, or its password or role was changed.
    """

    name: str
    role: Role
    password: str
    kept_by: Keeper
    changed: float


class Session(NamedTuple):
    """Who has signed in.

    Attributes:
        name: the account's.
        role: the account's, as it is now.
        started: when the person signed in.
        seen: when it was used last, to a quarter of an hour.
    """

    name: str
    role: Role
    started: float
    seen: float


def account_name(text: str, place: str) -> str:
    """The name of an account, however a keyboard writes its letters.

    Raises:
        UsageError: it is none; the message names the place.
    """
    return actor.person(unicodedata.normalize("NFC", text), place)


class Accounts:
    """The accounts and sessions of a store. What writes is called within the store's `transaction`."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def all(self) -> list[Account]:
        """Every account, by name."""
        rows = self._dialect.query(
            f"SELECT name, role, password, kept_by, {self._dialect.seconds('changed')} FROM accounts"
        )
        return sorted(one for one in (Account(*row) for row in rows if None not in row) if one.role in ROLES)

    def find(self, name: str) -> Account | None:
        """The account with a name."""
        return next((one for one in self.all() if one.name == name), None)

    def put(self, account: Account) -> None:
        """Add an account, or write one anew; its sessions end."""
        self._dialect.many(
            "INSERT INTO accounts (name, role, password, kept_by, changed) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET role = excluded.role, password = excluded.password, "
            "kept_by = excluded.kept_by, changed = excluded.changed",
            [(*account[:-1], self._dialect.time(account.changed))],
        )
        self.end_all(account.name)

    def remove(self, name: str) -> None:
        """Remove an account; its sessions end."""
        self._dialect.many("DELETE FROM accounts WHERE name = ?", [(name,)])
        self.end_all(name)

    def session(self, digest: str) -> Session | None:
        """The session with a digest, with the account's role as it is now; None where there is none."""
        started, seen = map(self._dialect.seconds, ("s.started", "s.seen"))
        rows = self._dialect.query(
            f"SELECT name, role, {started}, {seen} FROM sessions AS s JOIN accounts USING (name) WHERE digest = ?",
            (digest,),
        )
        found = [Session(*row) for row in rows if None not in row]
        return next((one for one in found if one.role in ROLES), None)

    def number_of_sessions(self) -> dict[str, int]:
        """How many sessions each account has, of those that have any."""
        return dict(self._dialect.query("SELECT name, COUNT(*) FROM sessions GROUP BY 1"))

    def begin(self, digest: str, name: str, at: float, most: int) -> None:
        """Begin a session. A person has at most so many: those that were used longest ago end."""
        time = self._dialect.time(at)
        self._dialect.many(
            "INSERT INTO sessions (digest, name, started, seen) VALUES (?, ?, ?, ?)", [(digest, name, time, time)]
        )
        rows = self._dialect.query(
            "SELECT digest FROM sessions WHERE name = ? ORDER BY digest <> ?, seen DESC, started DESC", (name, digest)
        )
        self.end([found for (found,) in rows[most:]])

    def note_seen(self, digest: str, at: float) -> None:
        """Note that a session is used."""
        self._dialect.many("UPDATE sessions SET seen = ? WHERE digest = ?", [(self._dialect.time(at), digest)])

    def end(self, digests: Sequence[str]) -> None:
        """End sessions."""
        self._dialect.many("DELETE FROM sessions WHERE digest = ?", [(digest,) for digest in digests])

    def end_all(self, name: str) -> None:
        """End all sessions of an account."""
        self._dialect.many("DELETE FROM sessions WHERE name = ?", [(name,)])

    def end_old(self, at: float) -> None:
        """Remove the sessions that have ended by a time."""
        bounds = (self._dialect.time(at - LONGEST_SECONDS), self._dialect.time(at - IDLE_SECONDS))
        self._dialect.many("DELETE FROM sessions WHERE started < ? OR seen < ?", [bounds])
