"""What a detector is for the benchmark: a function from labelled data to the anomalies of all its runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.detection.labelled import HOUR, Labelled
from tests.bench.detection.scoring import Found
from toolkit import times
from toolkit.detector.report import Anomaly
from toolkit.detector.run import detect
from toolkit.model import Document, Observation
from toolkit.settings import load
from toolkit.store import open_for_reading, open_for_writing

RUN_EVERY = 3 * HOUR
WINDOW = 6 * HOUR

NOTHING = Observation(0, "", *[None] * len(Observation._fields[2:]))

Detector = Callable[[Labelled], list[Found]]


def runs(data: Labelled) -> Sequence[int]:
    """When a detection runs, seconds since the epoch: every three hours, from the first full window on."""
    first = int(data.times[0]) - data.cadence + WINDOW
    return range(first, int(data.times[-1]) + 1, RUN_EVERY)


def ours(method: str = "combined") -> Detector:
    """The detector of this toolkit, over a real store."""

    def run(data: Labelled) -> list[Found]:
        settings = replace(load({}, {}).settings, detection_method=method)
        place = {station.station_id: row for row, station in enumerate(data.stations)}
        found = []
        with tempfile.TemporaryDirectory() as folder:
            db = str(Path(folder) / "weather.db")
            fill(db, data)
            with open_for_reading(db) as store:
                for end in runs(data):
                    found += [found_in(one, place, end) for one in detect(store, settings, end).anomalies]
        return found

    return run


def found_in(one: Anomaly, place: dict[str, int], end: float) -> Found:
    """An anomaly of a report in the form in which it is scored."""
    return Found(
        place[one.station_id], one.variable, times.parse(one.start).timestamp(), times.parse(one.end).timestamp(),
        one.class_, end, one.test, one,
    )  # fmt: skip


def fill(db: str, data: Labelled) -> None:
    """Put the observations into a store, impossible values included."""
    with open_for_writing(db) as store:
        store.add(Document(list(data.stations), []), float(data.times[0]))
        names = list(data.values)
        rows = []
        for slot, time in enumerate(data.times.tolist()):
            for row, station in enumerate(data.stations):
                if data.silent[row, slot]:
                    continue
                values: dict[str, Any] = {
                    name: None if np.isnan(value) else float(value)
                    for name, value in ((name, data.values[name][row, slot]) for name in names)
                }
                rows.append(NOTHING._replace(time=time, station_id=station.station_id, **values))
        store.add(Document([], rows), float(data.times[-1]))
