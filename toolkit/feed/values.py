"""Reading one value of a feed or a file: a number, a text, or one of the many ways to say that there is none."""

from __future__ import annotations

import math
from typing import Any

from toolkit.text import clean

NO_VALUE = {
    "", "null", "(null)", "none", "nil", "n/a", "#n/a", "n.a.", "na", "nan", "-nan", "missing", "undefined",
    *(mark * times for mark in "-/*?" for times in range(1, 9)),
}  # fmt: skip
# "M" stands for a missing number in METAR archives; a station may have this name.
NO_NUMBER = {"m"}
# The largest and smallest integers of 8 and 16 bits, some of them in tenths: loggers write them for a missing value.
_FULL = {"255", "32767", "32768", "65535", "6553.5", "3276.7", "3276.8"}
# Fill values of Campbell data loggers and of the Log ASCII Standard (LAS).
_GAPS = {-6999, -7999, -999.25}
# No sensor gives so much, in any unit: limits of larger integers, and fill values of netCDF and others.
_FILLER = 1e7
# Compass points, clockwise from north, each 22.5° from the one before.
_POINTS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
# As some services write four of them.
_OTHERWISE = {"NEE": "ENE", "SEE": "ESE", "SWW": "WSW", "NWW": "WNW"}
# The wind has none: it is calm, or comes from here and there (METAR's VRB).
_NO_DIRECTION = {"CALM", "VRB", "VARIABLE"}


def degrees(raw: str) -> float | None:
    """The direction of a compass point such as NNE, in degrees clockwise from north; None for any other word."""
    word = raw.strip().upper()
    word = _OTHERWISE.get(word, word)
    return 22.5 * _POINTS.index(word) if word in _POINTS else None


def is_no_direction(raw: str) -> bool:
    """Whether a word says that the wind has no direction."""
    return raw.strip().upper() in _NO_DIRECTION


def is_no_value(raw: Any) -> bool:
    """Whether a value says that there is no value."""
    if isinstance(raw, str):
        return raw.strip().lower() in NO_VALUE
    return raw is None or (isinstance(raw, float) and math.isnan(raw))


def is_no_number(raw: Any) -> bool:
    """Whether a value says that there is no number."""
    return is_no_value(raw) or (isinstance(raw, str) and raw.strip().lower() in NO_NUMBER)


def number(raw: Any) -> float | None:
    """A finite number, also if it is written as text with the digits 0 to 9; None for anything else."""
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


def is_with_comma(raw: Any) -> bool:
    """Whether a text is a number that is written with a comma, such as 11,3: it may mean 11.3 and, of 1,013, 1013."""
    return isinstance(raw, str) and raw.count(",") == 1 and number(raw.replace(",", ".")) is not None


def text_of(raw: Any) -> str | None:
    """A text as it is stored, also a whole number that is used as an id; None for anything else."""
    if isinstance(raw, str):
        text = clean(raw)
    elif isinstance(raw, int) and not isinstance(raw, bool):
        text = str(raw)
    else:
        return None
    return None if text.lower() in NO_VALUE else text


def is_placeholder(value: float) -> bool:
    """Whether a number outside of a variable's limits stands for a missing value.

    That is so for one of the digits 7, 8 and 9 repeated (-99, -999.9, 9999, 777.7, 888), at least three times before
    the point, or twice after a minus; for limits of integers (32767, 65535, 255, and tenths of them); for ten millions
    and more; and for -6999, -7999 and -999.25.
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
