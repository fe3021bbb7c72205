"""The observations of an export, read in pieces, so that memory holds few of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit.archive.exporting.columns import Piece, Wanted
from toolkit.flagging.readings import FlaggedReadings, flagged_readings
from toolkit.store import Selection, Store

if TYPE_CHECKING:
    from toolkit.archive.exporting.columns import Array

HOUR = 3600


def selected(store: Store, selection: Selection, wanted: Wanted) -> Iterator[Piece]:
    """The selected observations, in order of time, then station."""
    for readings in flagged_readings(store, selection, wanted.variables, words=True):
        yield Piece(readings, {})


def newest(store: Store, selection: Selection, wanted: Wanted) -> Iterator[Piece]:
    """The newest observation of each of the selected stations, whenever it was."""
    import numpy as np

    chosen = set(selection.stations)
    times = {one.station_id: one.time for one in store.latest() if not chosen or one.station_id in chosen}
    hours = defaultdict(list)  # most stations have reported within the same one: few are read in vain
    for station_id, time in times.items():
        hours[-(-time // HOUR)].append(station_id)
    for hour in sorted(hours):
        within = Selection((hour - 1) * HOUR, hour * HOUR, hours[hour])
        for readings, estimates in selected(store, within, wanted):
            last = np.array([times.get(one, 0) for one in readings.stations])[readings.station] == readings.time
            yield Piece(_where(readings, last), {name: values[last] for name, values in estimates.items()})


def _where(readings: FlaggedReadings, chosen: Array) -> FlaggedReadings:
    """Those of the observations for which `chosen` is true."""

    def of(columns: dict[str, Array]) -> dict[str, Array]:
        return {name: values[chosen] for name, values in columns.items()}

    return replace(
        readings,
        station=readings.station[chosen],
        time=readings.time[chosen],
        collected=readings.collected[chosen],
        values=of(readings.values),
        words=of(readings.words),
        flags=of(readings.flags),
        tests=of(readings.tests),
    )
