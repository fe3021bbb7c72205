"""`weather-tool accounts`."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from typing import TYPE_CHECKING

from toolkit.cli.options import add_setting
from toolkit.cli.show import table
from toolkit.errors import UsageError
from toolkit.settings import Loaded, Settings
from toolkit.store import Store, open_for_reading, open_for_writing
from toolkit.store.accounts import ROLES, Account, account_name
from toolkit.times import iso_of

if TYPE_CHECKING:
    from collections.abc import Callable

# Nobody's password or inventory is longer.
MOST_CHARACTERS = 1 << 20

EXAMPLES = (
    "weather-tool accounts list",
    "weather-tool accounts add maria --role operator",
    "weather-tool accounts password maria",
    "weather-tool accounts role maria viewer",
    "weather-tool accounts remove maria",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, summary: str, description: str = "") -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=summary, description=description or f"{summary[0].upper()}{summary[1:]}.")
        added.add_argument("--json", action="store_true", help="as JSON")
        add_setting(added, "--db", "db", "DATABASE")
        return added

    typed = "It is asked for twice on a terminal; elsewhere it is the first line of standard input."
    action("list", "who may sign in to the console, and as what")
    added = action("add", "let a person sign in", f"Let a person sign in, with a new password. {typed}")
    changed = action("password", "change a password, and sign the person out", f"Change a password. {typed}")
    role = action("role", "say whether a person may act, and sign the person out")
    removed = action("remove", "remove an account, and sign the person out; what the person did stays in histories")
    action(
        "apply",
        "make the accounts those that a deployment declares",
        "Make the accounts those that a deployment declares, as JSON on standard input; accounts that were made by "
        "hand stay.",
    )
    for one in (added, changed, role, removed):
        one.add_argument("name", metavar="NAME", help="as histories will have it")
    added.add_argument("--role", required=True, choices=ROLES, help="a viewer looks, an operator acts as well")
    role.add_argument("role", choices=ROLES, help="a viewer looks, an operator acts as well")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Run the action."""
    actions: dict[str, Callable[[argparse.Namespace, Settings], dict[str, object]]] = {
        "add": _add, "password": _password, "role": _role, "remove": _remove, "apply": _apply,
    }  # fmt: skip
    if args.action == "list":
        return _list(args, loaded.settings)
    done = actions[args.action](args, loaded.settings)
    said = done.pop("said")
    print(json.dumps(done, ensure_ascii=False) if args.json else said)
    return 0


def _list(args: argparse.Namespace, settings: Settings) -> int:
    with open_for_reading(settings.db) as store, store.snapshot():
        found, sessions = store.accounts.all(), store.accounts.number_of_sessions()
    rows = [
        {
            "name": one.name, "role": one.role, "kept_by": one.kept_by, "changed": iso_of(one.changed),
            "sessions": sessions.get(one.name, 0),
        } for one in found
    ]  # fmt: skip
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    elif rows:
        table(["name", "role", "kept by", "changed", "sessions"], [list(map(str, row.values())) for row in rows])
    else:
        print("nobody has an account: weather-tool accounts add NAME --role operator")
    return 0


def _add(args: argparse.Namespace, settings: Settings) -> dict[str, object]:
    from toolkit.console import keeping

    name = _name(args)
    password = _new_password(name)
    with _writing(settings) as store:
        keeping.add(store, name, args.role, password, time.time())
    return {"said": f"{name} may sign in, as {args.role}", "name": name, "role": args.role}


def _password(args: argparse.Namespace, settings: Settings) -> dict[str, object]:
    from toolkit.console import keeping

    name = _name(args)
    password = _new_password(name)
    with _writing(settings) as store:
        before = keeping.change(store, name, time.time(), password=password)
    return {"said": f"{name} has another password, and is signed out{_kept(before)}", "name": name}


def _role(args: argparse.Namespace, settings: Settings) -> dict[str, object]:
    from toolkit.console import keeping

    name = _name(args)
    with _writing(settings) as store:
        before = keeping.change(store, name, time.time(), role=args.role)
    said = f"{name} is {args.role} already" if before.role == args.role else f"{name} is {args.role}, and is signed out"
    return {"said": said + _kept(before), "name": name, "role": args.role, "before": before.role}


def _remove(args: argparse.Namespace, settings: Settings) -> dict[str, object]:
    from toolkit.console import keeping

    name = _name(args)
    with _writing(settings) as store:
        before = keeping.remove(store, name)
    return {"said": f"{name} has no account any more{_kept(before)}", "name": name}


def _apply(_args: argparse.Namespace, settings: Settings) -> dict[str, object]:
    from toolkit.console import keeping

    try:
        content = json.loads(sys.stdin.read(MOST_CHARACTERS))
    except (ValueError, RecursionError):
        raise UsageError("standard input: give a list of accounts, in JSON") from None
    wanted = keeping.declared(content)
    with _writing(settings) as store:
        done = keeping.apply(store, wanted, time.time())
    said = [f"{word}: {', '.join(names)}" for word, names in done._asdict().items() if names]
    return {"said": "; ".join(said) or "nothing is to be changed", **done._asdict()}


def _name(args: argparse.Namespace) -> str:
    return account_name(args.name, "NAME")


def _writing(settings: Settings) -> Store:
    return open_for_writing(settings.db, begin=False)


def _kept(account: Account) -> str:
    """What a deployment will do about it."""
    return "; the next deployment does what the inventory says" if account.kept_by == "inventory" else ""


def _new_password(name: str) -> str:
    """A new password, from somebody at a terminal or from standard input.

    Raises:
        UsageError: there is none, or two different ones were typed.
    """
    if not sys.stdin.isatty():
        text = sys.stdin.readline(MOST_CHARACTERS).rstrip("\r\n")
        if not text:
            raise UsageError("standard input: give the password in its first line")
        return text
    try:
        first = getpass.getpass(f"New password of {name}: ")
        if getpass.getpass("The same once more: ") != first:
            raise UsageError("the two passwords differ: nothing was changed")
    except EOFError:
        raise UsageError("nothing was typed: nothing was changed") from None
    return first
