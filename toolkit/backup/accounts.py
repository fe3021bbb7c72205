"""What a restore takes over of accounts from the database that it replaces: SQL that both engines share.

If it has accounts, these count and not those of the backup: removed people and old passwords do not come back.
Sessions are never restored: everybody signs in anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.store.accounts import Account

NOUN = "accounts"
TABLES: dict[str, Sequence[str]] = {"accounts": Account._fields}
"""The tables of accounts, with their columns."""
END_SESSIONS = "DELETE FROM sessions"
"""The statement that ends every session that a backup has."""


def take_over(old: str) -> list[str]:
    """The statements that take over what the replaced database has.

    Args:
        old: what stands before the names of its tables.
    """
    names = ", ".join(Account._fields)
    return [
        f"DELETE FROM accounts WHERE EXISTS (SELECT 1 FROM {old}accounts)",
        f"INSERT INTO accounts ({names}) SELECT {names} FROM {old}accounts",
    ]
