"""What a document of the feed says, whatever its format.

It is read station by station: what one gets wrong never costs the others anything. What is left out is counted by
reason, so that nothing disappears unseen.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from toolkit.errors import ToolkitError

# Before this a logger's clock has lost its battery and begun at 1970, 1980 or 2000; after it a time is in
# milliseconds, or noise.
EARLIEST = 978_307_200  # 2001-01-01
LATEST = 4_102_444_800  # 2100-01-01

NO_VALUE = {"", "-", "--", "---", "null", "none", "n/a"}


class FeedError(ToolkitError):
    """The feed offers nothing that can be stored."""


class Station(NamedTuple):
    """A station as the feed describes it: degrees, metres; None where the feed does not say."""

    station_id: str
    station_name_en: str | None
    station_name_gr: str | None
    latitude: float | None
    longitude: float | None
    elevation: float | None


class Observation(NamedTuple):
    """What one station measured at one time; None where it measured nothing. Units: `toolkit.variables`."""

    time: int  # seconds since the epoch, UTC
    station_id: str
    temp_out: float | None
    hi_temp: float | None
    low_temp: float | None
    out_hum: float | None
    bar: float | None
    rain: float | None
    wind_speed: float | None
    wind_dir: float | None
    wind_dir_str: str | None
    hi_speed: float | None
    hi_dir: float | None
    hi_dir_str: str | None


class Rejected(NamedTuple):
    """A value that was offered and cannot be true."""

    time: int  # seconds since the epoch, UTC
    station_id: str
    variable: str
    value: float


@dataclass(slots=True)
class Document:
    """What one document of the feed says.

    Attributes:
        stations: every station with an id, the last feature of an id winning.
        observations: one per (time, station).
        left_out: how many features or fields could not be used, by reason.
        rejected: values that cannot be true, which are missing in `observations`.
    """

    stations: list[Station]
    observations: list[Observation]
    left_out: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)


def is_no_value(raw: Any) -> bool:
    """Whether it is one of the ways to say that there is no value."""
    return raw is None or (isinstance(raw, str) and raw.strip().lower() in NO_VALUE)


def number(raw: Any) -> float | None:
    """A finite number, also one written as text; None for anything else."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        return None
    try:
        value = float(raw)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def text_of(raw: Any) -> str | None:
    """Text that says something; None for anything else, so for half of a surrogate pair, which no store takes.

    A number used as an id is taken as written.
    """
    if isinstance(raw, bool) or not isinstance(raw, (int, str)):
        return None
    text = " ".join(str(raw).split())
    return None if text.lower() in NO_VALUE or not text.isprintable() else text
