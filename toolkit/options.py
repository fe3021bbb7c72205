"""Options that are settings: declared in `toolkit.settings`, only named here."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from toolkit.settings import DECLARATIONS, Origin

# An option's place in the parsed arguments: this, the setting, the flag, in three words.
_DEST = "setting"


def add_setting(parser: argparse.ArgumentParser, flag: str, setting: str, metavar: str | None = None) -> None:
    """Add an option that overrides a setting; its help and its check are the setting's."""
    declared = DECLARATIONS[setting]
    text = f"{declared.doc} Default: {declared.variable}, else {declared.default}.".replace("%", "%%")
    dest = f"{_DEST} {setting} {flag}"
    if declared.kind.spec["type"] == "bool":
        parser.add_argument(flag, dest=dest, action=argparse.BooleanOptionalAction, default=None, help=text)
    else:
        parser.add_argument(flag, dest=dest, metavar=metavar, help=text)


def given(args: argparse.Namespace) -> Mapping[str, Origin]:
    """The settings given as options, by name."""
    found = {}
    for dest, value in vars(args).items():
        word, _, rest = dest.partition(" ")
        if word == _DEST and value is not None:
            setting, flag = rest.split()
            found[setting] = Origin(str(int(value)) if isinstance(value, bool) else value, flag)
    return found
