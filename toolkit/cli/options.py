"""Options that several commands share: those that override a setting, and points in time."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

from toolkit import clock, times
from toolkit.errors import UsageError
from toolkit.settings import DECLARATIONS, Origin

# The attribute of an option in the parsed arguments is made of three words: this one, the setting, the flag.
_DEST = "setting"


def add_setting(parser: argparse.ArgumentParser, flag: str, setting: str, metavar: str | None = None) -> None:
    """Add an option, or an argument that may be left out, that overrides a setting; its help is the setting's."""
    declared = DECLARATIONS[setting]
    text = f"{declared.doc} Default: {declared.variable}, else {declared.default or 'empty'}.".replace("%", "%%")
    dest = f"{_DEST} {setting} {flag}"
    if declared.kind.spec["type"] == "bool":
        parser.add_argument(flag, dest=dest, action=argparse.BooleanOptionalAction, default=None, help=text)
    elif not flag.startswith("-"):
        parser.add_argument(dest, nargs="?", metavar=flag, help=text)
    else:
        parser.add_argument(flag, dest=dest, metavar=metavar, help=text)


def overrides(args: argparse.Namespace) -> Mapping[str, Origin]:
    """The settings given as options, by name."""
    found = {}
    for dest, value in vars(args).items():
        word, _, rest = dest.partition(" ")
        if word == _DEST and value is not None:
            setting, flag = rest.split()
            found[setting] = Origin(str(int(value)) if isinstance(value, bool) else value, flag)
    return found


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Add the option `--wait` of a command that locks the folder of backups."""
    parser.add_argument(
        "--wait",
        type=positive,
        default=0,
        metavar="SECONDS",
        help="if another backup or restore is at work, wait for its end, for at most so long",
    )


def add_window_end(parser: argparse.ArgumentParser) -> None:
    """Add the option `--end` of a command that looks at a window of time; `window_end` reads it."""
    parser.add_argument(
        "--end",
        default="NOW",
        metavar="TIME",
        help="the window's end: NOW (default), or a time in ISO 8601; UTC without an offset",
    )


def window_end(text: str, newest: str | None) -> float:
    """The value of `--end` in seconds since the epoch.

    If the host's clock is behind the newest observation, that is the present (docs/clocks.md).

    Args:
        text: the option's value.
        newest: the time of the newest observation, as the store has it; None without any.

    Raises:
        UsageError: it is no time.
    """
    if text.upper() == "NOW":
        return clock.at_least(time.time(), times.from_stored(newest).timestamp() if newest else None)
    return epoch(text, "--end")


def epoch(text: str, flag: str) -> float:
    """A time given as an option, in seconds since the epoch.

    Raises:
        UsageError: it is no time; the message names the flag.
    """
    try:
        return times.epoch_of(text)
    except ValueError as error:
        raise UsageError(f"{flag}: {error}") from None


def positive(text: str) -> int:
    """The value of an option that is a whole number above zero, as argparse's `type`."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 0 < number < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 999999999")
    return number
