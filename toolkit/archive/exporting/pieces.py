"""The observations of an export, read in pieces, so that memory holds few of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit.archive.exporting.columns import Piece, Wanted
from toolkit.flagging.readings import FlaggedReadings, flagged_readings
from toolkit.settings import Settings
from toolkit.store import Selection, Store

if TYPE_CHECKING:
    from toolkit.archive.exporting.columns import Array

HOUR = 3600
# Of an estimate: finer than any station's sensor.
DECIMALS = 2


def selected(store: Store, settings: Settings, selection: Selection, wanted: Wanted) -> Iterator[Piece]:
    """The selected observations, in order of time, then station."""
    for readings in flagged_readings(store, selection, wanted.variables, words=True):
        yield _with_estimates(store, settings, readings, wanted)


def newest(store: Store, settings: Settings, selection: Selection, wanted: Wanted) -> Iterator[Piece]:
    """The newest observation of each of the selected stations, whenever it was."""
    import numpy as np

    chosen = set(selection.stations)
    times = {one.station_id: one.time for one in store.latest() if not chosen or one.station_id in chosen}
    hours = defaultdict(list)  # most stations have reported within the same one: few are read in vain
    for station_id, time in times.items():
        hours[-(-time // HOUR)].append(station_id)
    for hour in sorted(hours):
        within = Selection((hour - 1) * HOUR, hour * HOUR, hours[hour])
        for readings in flagged_readings(store, within, wanted.variables, words=True):
            last = np.array([times.get(one, 0) for one in readings.stations])[readings.station] == readings.time
            yield _with_estimates(store, settings, _where(readings, last), wanted)


def _with_estimates(store: Store, settings: Settings, readings: FlaggedReadings, wanted: Wanted) -> Piece:
    if not wanted.estimates:
        return Piece(readings, {})
    from toolkit.flagging.estimates import estimates  # loads the detector

    found = estimates(store, settings, readings)
    return Piece(readings, {name: values.round(DECIMALS) for name, values in found.items()})


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
