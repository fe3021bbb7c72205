"""A DataFrame of observations as what the detector reads from a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import pandas as pd

from toolkit.errors import UsageError
from toolkit.model import Rejected, Station
from toolkit.quality.arrays import Floats
from toolkit.store import Span
from toolkit.store.station_places import Changes
from toolkit.variables import BY_NAME


class FrameSource:
    """See `detector.grid.Source`.

    Args:
        frame: index of times (UTC unless they have an offset), columns `station_id` and variables, in their units.
        stations: index of ids, columns `latitude` and `longitude` (degrees), and `elevation` (m) if it is known.

    Attributes:
        order: what brings the frame's rows into order of time.
        time: the times in that order, seconds since the epoch.
        row: the place of each one's station.
        variables: the frame's.

    Raises:
        UsageError: the frames are not of this form, or an observation is of no station.
    """

    def __init__(self, frame: pd.DataFrame, stations: pd.DataFrame) -> None:
        if not isinstance(frame.index, pd.DatetimeIndex):
            raise UsageError("the index of the frame has no times: give it a DatetimeIndex, in UTC")
        if frame.index.hasnans:
            raise UsageError("a time in the frame's index is missing: drop these rows")
        at = frame.index.tz_localize("UTC") if frame.index.tz is None else frame.index
        _require(frame, "frame", ["station_id"])
        _require(stations, "stations", ["latitude", "longitude"])
        self._stations = [_station(one) for one in stations.sort_index().reset_index().to_dict("records")]
        ids = [one.station_id for one in self._stations]
        row = pd.Index(ids).get_indexer(pd.Index(frame["station_id"].astype(str)))
        if (row < 0).any():
            raise UsageError(f"the stations have no {frame['station_id'].iloc[int(np.argmax(row < 0))]!r}")
        seconds = at.tz_convert(None).to_numpy("datetime64[s]").astype(np.int64)
        self.order = np.argsort(seconds, kind="stable")
        self.time = seconds[self.order]
        self.row = row[self.order]
        self.variables = [name for name in BY_NAME if name in frame]
        if not self.variables:
            raise UsageError(f"the frame has no variable; there are: {', '.join(BY_NAME)}")
        self._values = {name: _floats(frame, name)[self.order] for name in self.variables}

    def stations(self) -> list[Station]:
        """See `store.base.Store`."""
        return self._stations

    def numbers(self) -> list[int]:
        """See `store.base.Store`."""
        return [*range(len(self._stations))]

    def snapshot(self) -> AbstractContextManager[None]:
        """See `store.base.Store`."""
        return nullcontext()

    def readings(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[Floats]:
        """See `store.base.Store`."""
        for start, end in spans:
            within = slice(*np.searchsorted(self.time, [start, end], "right"))
            nothing = np.full(within.stop - within.start, np.nan)
            values = [self._values[name][within] if name in self._values else nothing for name in variables]
            yield np.array([self.row[within], self.time[within], *values], dtype=np.float64)

    def changes(self) -> Changes:
        """See `store.base.Store`."""
        return Changes()

    def owners(self) -> dict[str, str | None]:
        """See `store.base.Store`."""
        return {}

    def rejected(self, span: Span) -> list[Rejected]:  # noqa: ARG002 - a frame has what was measured
        """See `store.base.Store`."""
        return []


def _require(frame: pd.DataFrame, named: str, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in frame:
            raise UsageError(f"the {named} has no column {column!r}; it has: {', '.join(map(str, frame.columns))}")


def _floats(frame: pd.DataFrame, name: str) -> Floats:
    try:
        found: Floats = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise UsageError(f"the column {name!r} of the frame has what is no number") from None
    return np.where(np.isfinite(found), found, np.nan)


def _station(row: dict[Any, Any]) -> Station:
    station_id, *_ = row.values()

    def number(name: str) -> float | None:
        value = row.get(name)
        return None if value is None or pd.isna(value) else float(value)

    return Station(str(station_id), None, None, number("latitude"), number("longitude"), number("elevation"))
