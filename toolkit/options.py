"""Options that are settings: declared in `toolkit.settings`, only named here."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from toolkit.settings import DECLARATIONS, Origin

_DEST = "setting "


def add_setting(parser: argparse.ArgumentParser, flag: str, setting: str, metavar: str | None = None) -> None:
    """Add an option that overrides a setting; its help and its check are the setting's."""
    declared = DECLARATIONS[setting]
    text = f"{declared.doc} Default: {declared.variable}, else {declared.default}.".replace("%", "%%")
    if declared.kind.spec["type"] == "bool":
        parser.add_argument(flag, dest=_DEST + setting, action=argparse.BooleanOptionalAction, default=None, help=text)
    else:
        parser.add_argument(
            flag, dest=_DEST + setting, default=None, metavar=metavar or flag.lstrip("-").upper(), help=text
        )


def given(args: argparse.Namespace) -> Mapping[str, Origin]:
    """The settings given as options, by name."""
    values: dict[str, Any] = {
        name: value for name, value in vars(args).items() if name.startswith(_DEST) and value is not None
    }
    return {
        name.removeprefix(_DEST): Origin(
            str(int(value)) if isinstance(value, bool) else value, "option for " + name.removeprefix(_DEST)
        )
        for name, value in values.items()
    }
