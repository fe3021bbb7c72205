"""What DataFrames have in common here: times are UTC, and what is asked for is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from toolkit import times
from toolkit.errors import UsageError
from toolkit.model import require_station
from toolkit.store import Selection
from toolkit.variables import BY_NAME

Moment = str | datetime
"""A time as callers give it: ISO 8601, `NOW`, or a datetime; without an offset it is UTC."""


def moments(seconds: Iterable[float | None]) -> pd.DatetimeIndex:
    """Seconds since the epoch as times in UTC, to a second; NaT where there is none."""
    known = np.array([np.nan if one is None else one for one in seconds], dtype=np.float64)
    return index(np.where(np.isnan(known), np.iinfo(np.int64).min, np.nan_to_num(known)).astype(np.int64))


def index(seconds: npt.NDArray[np.int64]) -> pd.DatetimeIndex:
    """Whole seconds since the epoch as times in UTC."""
    return pd.DatetimeIndex(seconds.astype("datetime64[s]")).tz_localize("UTC")


def epoch(moment: Moment) -> float:
    """A time in seconds since the epoch.

    Raises:
        UsageError: it is none.
    """
    try:
        return times.epoch_of(moment if isinstance(moment, str) else moment.isoformat())
    except ValueError as error:
        raise UsageError(str(error)) from None


def selection(start: Moment | None, end: Moment | None, stations: Sequence[str], known: Sequence[str]) -> Selection:
    """What is asked for.

    Raises:
        UsageError: a time is none, they are in the wrong order, or a station is not known.
    """
    if isinstance(stations, str):
        stations = [stations]
    for station in stations:
        require_station(station, known)
    chosen = Selection(
        None if start is None else epoch(start), None if end is None else epoch(end), list(dict.fromkeys(stations))
    )
    if chosen.start is not None and chosen.end is not None and chosen.start >= chosen.end:
        raise UsageError(f"start={start!s} is not before end={end!s}")
    return chosen


def variables(names: Sequence[str] | None) -> list[str]:
    """The variables that are asked for; None asks for all.

    Raises:
        UsageError: one is not known.
    """
    names = [*BY_NAME] if names is None else [names] if isinstance(names, str) else list(dict.fromkeys(names))
    for name in names:
        if name not in BY_NAME:
            raise UsageError(f"there is no variable {name!r}; there are: {', '.join(BY_NAME)}")
    return names


def table(kind: Any, rows: Sequence[Sequence[Any]], times_of: Sequence[str], by: str = "started") -> pd.DataFrame:
    """Named tuples as a DataFrame in order of time.

    Args:
        kind: the class of the tuples.
        rows: the tuples.
        times_of: the fields that are times, in seconds since the epoch.
        by: the field that is the index.
    """
    frame = pd.DataFrame.from_records(list(rows), columns=[name.rstrip("_") for name in kind._fields])
    for name in times_of:
        frame[name] = moments(frame[name])
    return frame.set_index(by).sort_index(kind="stable")
