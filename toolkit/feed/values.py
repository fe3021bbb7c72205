"""What a value from outside says: a number, a word, or that there is none. The same for a feed and for a file."""

from __future__ import annotations

import math
from typing import Any

from toolkit.text import clean

NO_VALUE = {
    "", "null", "(null)", "none", "nil", "n/a", "#n/a", "n.a.", "na", "nan", "-nan", "missing", "undefined",
    *(mark * times for mark in "-/*?" for times in range(1, 9)),
}  # fmt: skip
# Of numbers, in the METAR archives; a station may have this name.
NO_NUMBER = {"m"}
# The ends of the whole numbers of a computer, some of them in tenths, with which loggers say that there is no value.
_FULL = {"255", "32767", "32768", "65535", "6553.5", "3276.7", "3276.8"}
# What data loggers of Campbell and files of well logs (LAS) fill gaps with.
_GAPS = {-6999, -7999, -999.25}
# No sensor says so much, in any unit: the ends of larger numbers, and what netCDF and others fill gaps with.
_FILLER = 1e7


def is_no_value(raw: Any) -> bool:
    """Whether it is one of the ways to say that there is no value."""
    if isinstance(raw, str):
        return raw.strip().lower() in NO_VALUE
    return raw is None or (isinstance(raw, float) and math.isnan(raw))


def is_no_number(raw: Any) -> bool:
    """Whether it is one of the ways to say that there is no number."""
    return is_no_value(raw) or (isinstance(raw, str) and raw.strip().lower() in NO_NUMBER)


def number(raw: Any) -> float | None:
    """A finite number, also one written as text, in the digits 0 to 9; None for anything else."""
    if isinstance(raw, str):
        if not raw.isascii():
            raw = raw.strip().replace("\N{MINUS SIGN}", "-")
        if not raw.isascii() or "_" in raw:  # Python reads other digits, and 1_000
            return None
    elif isinstance(raw, bool) or not isinstance(raw, (int, float)):
        return None
    try:
        value = float(raw) + 0.0  # no -0
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def text_of(raw: Any) -> str | None:
    """Text that says something, as it is stored; None for anything else. A number used as an id is taken as written."""
    if isinstance(raw, str):
        text = clean(raw)
    elif isinstance(raw, int) and not isinstance(raw, bool):
        text = str(raw)
    else:
        return None
    return None if text.lower() in NO_VALUE else text


def is_placeholder(value: float) -> bool:
    """Whether a number that nothing can measure is one of those that stand for no value.

    -99, -999.9 and 9999 are, as are 777.7 and 888: one of the digits 7, 8 and 9 over and over, at least three times
    before the point, twice after a minus. So are the ends of a computer's numbers (32767, 65535, 255, and tenths of
    them), all from ten millions on, and -6999, -7999 and -999.25.
    """
    size = abs(value)
    digits = f"{size:.7g}"
    alike = set(digits) - {"."}
    return (
        size >= _FILLER
        or digits in _FULL
        or value in _GAPS
        or (len(alike) == 1 and alike <= set("789") and len(digits.partition(".")[0]) >= (3 if value > 0 else 2))
    )
