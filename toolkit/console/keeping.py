"""Who has an account: what people decide of it, and what an inventory declares. The store is open for writing.

An account that a deployment made goes with the inventory's entry; those that people made stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from toolkit.console import passwords
from toolkit.errors import ToolkitError, UsageError
from toolkit.store import Store
from toolkit.store.accounts import ROLES, Account, Role, account_name
from toolkit.text import did_you_mean

_FIELDS = {"name", "role", "password", "password_hash"}


class Declared(NamedTuple):
    """What an inventory says of an account; without a password or its hash the person comes by a proxy."""

    name: str
    role: Role
    password: str
    password_hash: str


class Applied(NamedTuple):
    """The names of the accounts that were made or changed, and of those that were removed."""

    changed: list[str]
    removed: list[str]


def add(store: Store, name: str, role: Role, password: str, at: float) -> None:
    """Make an account.

    Raises:
        ToolkitError: there is one with this name, or one that only capitals tell from it.
        UsageError: the password can be none.
    """
    text = passwords.hashed(password, name)
    with store.transaction():
        there = store.accounts.all()
        if any(one.name == name for one in there):
            raise ToolkitError(f"{name} has an account already: weather-tool accounts password, or role, changes it")
        _require_distinct([*there, Account(name, role, text, "people", at)])
        store.accounts.put(Account(name, role, text, "people", at))


def change(store: Store, name: str, at: float, *, role: Role | None = None, password: str | None = None) -> Account:
    """Give an account another role or password; its sessions end. Returns it as it was.

    Raises:
        ToolkitError: there is no such account.
        UsageError: the password can be none.
    """
    text = None if password is None else passwords.hashed(password, name)
    with store.transaction():
        before = _found(store, name)
        if role != before.role or text:
            store.accounts.put(before._replace(role=role or before.role, password=text or before.password, changed=at))
    return before


def remove(store: Store, name: str) -> Account:
    """Remove an account; its sessions end. What the person did stays in histories. Returns it as it was.

    Raises:
        ToolkitError: there is no such account.
    """
    with store.transaction():
        before = _found(store, name)
        store.accounts.remove(name)
    return before


def apply(store: Store, declared: Sequence[Declared], at: float) -> Applied:
    """Make the accounts that an inventory declares, and remove those that only an earlier inventory declared.

    Raises:
        UsageError: a password can be none, or two names differ by capitals alone. Nothing was changed.
    """
    with store.transaction():
        there = {one.name: one for one in store.accounts.all()}
        wanted = [_wanted(one, there.get(one.name), at) for one in declared]
        gone = [one.name for one in there.values() if one.kept_by == "inventory" and one.name not in {*_names(wanted)}]
        _require_distinct([*wanted, *(one for name, one in there.items() if name not in {*gone, *_names(wanted)})])
        changed = [one for one in wanted if one != there.get(one.name)]
        for one in changed:
            store.accounts.put(one)
        for name in gone:
            store.accounts.remove(name)
    return Applied(_names(changed), gone)


def declared(content: Any) -> list[Declared]:
    """What an inventory declares.

    Args:
        content: a list of objects with `name`, `role`, and `password` or `password_hash`.

    Raises:
        UsageError: an entry is wrong; which, and why. No password is told.
    """
    if not isinstance(content, list):
        raise UsageError("give a list of accounts, in JSON")
    return [_declared(one, f"account {number}") for number, one in enumerate(content, 1)]


def _declared(entry: Any, place: str) -> Declared:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise UsageError(f"{place}: give name, role, and password or password_hash, each a text")
    name = account_name(entry.get("name", ""), f"{place}: name")
    for field in {*entry} - _FIELDS:
        raise UsageError(f"{place} ({name}): there is no {field[:40]!r}: {did_you_mean(field, _FIELDS)}")
    if entry.get("role") not in ROLES:
        raise UsageError(f"{place} ({name}): role: give {' or '.join(ROLES)}")
    if entry.get("password") and entry.get("password_hash"):
        raise UsageError(f"{place} ({name}): give either a password or a password_hash")
    try:
        text = entry.get("password_hash", "")
        return Declared(
            name, cast(Role, entry["role"]), entry.get("password", ""), text and passwords.require_sound(text)
        )
    except UsageError as error:
        raise UsageError(f"{place} ({name}): password_hash: {error}") from None


def _wanted(one: Declared, there: Account | None, at: float) -> Account:
    """The account for a declaration; the present one, unchanged, if it already fits."""
    text = one.password_hash
    if one.password:
        same = there is not None and passwords.fits(one.password, there.password)
        try:
            text = there.password if same and there else passwords.hashed(one.password, one.name)
        except UsageError as error:
            raise UsageError(f"{one.name}: {error}") from None
    found = Account(one.name, one.role, text, "inventory", at)
    return there if there is not None and found._replace(changed=there.changed) == there else found


def _found(store: Store, name: str) -> Account:
    found = store.accounts.find(name)
    if found is None:
        names = _names(store.accounts.all())
        raise ToolkitError(
            f"{name} has no account: {did_you_mean(name, names, 'weather-tool accounts list shows who has')}"
        )
    return found


def _require_distinct(accounts: Sequence[Account]) -> None:
    seen: dict[str, str] = {}
    for one in accounts:
        other = seen.setdefault(one.name.casefold(), one.name)
        if other != one.name or [*_names(accounts)].count(one.name) > 1:
            raise UsageError(f"{one.name} and {other} are too alike: nobody could tell in a history who it was")


def _names(accounts: Sequence[Account]) -> list[str]:
    return [one.name for one in accounts]
