"""The observations of an export, read in pieces, so that memory holds few of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from toolkit.archive.exporting.columns import ExportContent, Piece
from toolkit.flagging.readings import FlaggedReadings, flagged_readings
from toolkit.settings import Settings
from toolkit.store import Selection, Store

HOUR = 3600
# Of an estimate: finer than any station's sensor.
DECIMALS = 2


def selected(store: Store, settings: Settings, selection: Selection, wanted: ExportContent) -> Iterator[Piece]:
    """The selected observations, in order of time, then station."""
    for readings in flagged_readings(store, selection, wanted.variables, words=True):
        yield _with_estimates(store, settings, readings, wanted)


def newest(store: Store, settings: Settings, selection: Selection, wanted: ExportContent) -> Iterator[Piece]:
    """The newest observation of each of the selected stations, whenever it was."""
    import numpy as np

    chosen = set(selection.stations)
    times = {one: time for one, time in store.latest_times().items() if not chosen or one in chosen}
    hours = defaultdict(list)  # most stations have reported within the same one: few are read in vain
    for station_id, time in times.items():
        hours[-(-time // HOUR)].append(station_id)
    for hour in sorted(hours):
        within = Selection((hour - 1) * HOUR, hour * HOUR, hours[hour])
        for readings in flagged_readings(store, within, wanted.variables, words=True):
            last = np.array([times.get(one, 0) for one in readings.stations])[readings.station] == readings.time
            yield _with_estimates(store, settings, readings.taken(last), wanted)


def _with_estimates(store: Store, settings: Settings, readings: FlaggedReadings, wanted: ExportContent) -> Piece:
    if not wanted.estimates:
        return Piece(readings, {})
    from toolkit.flagging.estimates import estimates  # loads the detector

    found = estimates(store, settings, readings)
    return Piece(readings, {name: values.round(DECIMALS) for name, values in found.items()})
