"""Quality control of a DataFrame, without any store: one test, or the whole detector."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from toolkit.analysis import frames
from toolkit.analysis.source import FrameSource
from toolkit.detector import loading, run
from toolkit.detector.report import Anomaly
from toolkit.detector.run_tests import run_tests
from toolkit.errors import UsageError
from toolkit.quality.base import Evidence, QualityTest, Sample
from toolkit.quality.catalogue import TESTS
from toolkit.quality.neighbours import nearest
from toolkit.settings import Settings, load
from toolkit.sources import cadences_of
from toolkit.store import StoredAnomaly
from toolkit.store.flag_views import FAIL, MISSING, NOT_EVALUATED, PASS, SUSPECT
from toolkit.store.flags import SAME_WITHIN
from toolkit.variables import BY_NAME

FLAGS = {Evidence.CONCLUSIVE: FAIL, Evidence.SHARED: PASS}
"""The flag of a value that a test flags, by what that proves; of any other test it is suspect."""

OF_STORES = ["state", "first_run", "last_run"]
"""What an anomaly has in a store alone."""


def detect(
    frame: pd.DataFrame, stations: pd.DataFrame, *, hours: float = 24.0, settings: Settings | None = None
) -> pd.DataFrame:
    """Look for anomalies in a DataFrame, as detection runs do in a store.

    The frame is judged window by window up to its last observation, each with the days before it as the past from which
    is learnt what is normal. What is less than an hour apart at one sensor is one anomaly.

    Args:
        frame: as `Database.observations(qc="all")` gives it: index of times, columns `station_id` and variables.
        stations: as `Database.stations()` gives them: index of ids, columns `latitude`, `longitude` (degrees) and
            `elevation` (m).
        hours: how long a window is.
        settings: how it is judged; None for the settings of this machine (`weather-tool settings`).

    Returns:
        Index `started`; columns station_id, variable, ended, class, test, value, expected, score, reason, confidence:
        as `Database.anomalies`.

    Raises:
        UsageError: the frames are not of this form.
    """
    source, settings = FrameSource(frame, stations), _settings(settings, hours)
    found: dict[tuple[str, str], list[StoredAnomaly]] = {}
    for end in _ends(source, hours):
        for one in run.detect(source, settings, end).anomalies:
            _add(found.setdefault((one.station_id, one.variable), []), one)
    rows = [one for of_sensor in found.values() for one in of_sensor]
    return frames.table(StoredAnomaly, rows, ["started", "ended"]).drop(columns=OF_STORES)


def run_test(
    name: str,
    frame: pd.DataFrame,
    stations: pd.DataFrame,
    variable: str,
    *,
    hours: float = 24.0,
    settings: Settings | None = None,
) -> pd.Series:
    """Run one quality-control test on a variable of a DataFrame.

    Args:
        name: of the test, see docs/detection.md.
        frame: see `detect`; it is judged window by window in the same way.
        stations: see `detect`.
        variable: the name of the variable.
        hours: how long a window is.
        settings: what a neighbour is; see `detect`.

    Returns:
        QARTOD's flag of each row of the frame: 1 pass; 3 suspect; 4 fail, where the test alone proves that the value is
        wrong; 2 where it was not evaluated, as where there is no neighbour to compare with; 9 missing. Its name is that
        of the test.

    Raises:
        UsageError: there is no such test or variable, it does not apply to the variable, or the frames are not of this
            form.
    """
    source, settings = FrameSource(frame, stations), _settings(settings, hours)
    (variable,) = frames.variables([variable])
    test = _test(name, variable)
    flags = np.full(len(frame), NOT_EVALUATED, dtype=np.int8)
    neighbours = nearest(source.stations(), settings.neighbour_km, settings.neighbour_elevation_m)
    # Of several observations of a station at one time the last one counts, here as in the detector.
    place = {key: at for at, key in enumerate(zip(source.row.tolist(), source.time.tolist(), strict=True))}
    for end in _ends(source, hours):
        grid = loading.load(
            source, end - hours * 3600, end, cadences_of(settings), [variable], sorted(test.needs(BY_NAME[variable]))
        )
        for part, of_it in grid.by_cadence():
            results = run_tests(
                [test], Sample(part.series(variable), neighbours, part.silent(), part.values, part.stations)
            )
            flagged, window = results.flags[test.name], slice(-part.window, None)
            judged = np.ones(flagged.shape, dtype=bool)
            if test.compares and results.series.compared:
                judged &= results.compared_with.any(axis=1, keepdims=True) | test.expects_own_past
            said = np.where(flagged, FLAGS.get(test.evidence, SUSPECT), np.where(judged, PASS, NOT_EVALUATED))
            there = ~np.isnan(part.times[:, window]) & of_it[:, None]
            for row, slot in np.argwhere(there).tolist():
                flags[place[row, int(part.times[row, slot - part.window])]] = said[row, slot]
    in_order = np.empty_like(flags)
    in_order[source.order] = flags
    in_order[frame[variable].isna().to_numpy() if variable in frame else slice(None)] = MISSING
    return pd.Series(in_order, index=frame.index, name=test.name)


def _settings(settings: Settings | None, hours: float) -> Settings:
    if not 1 <= hours <= 24 * 31:
        raise UsageError(f"hours={hours:g}: give a number from 1 to {24 * 31}")
    return replace(settings or load().settings, window_hours=hours)


def _ends(source: FrameSource, hours: float) -> Iterator[float]:
    """The ends of the windows that cover a frame, the first one first."""
    if len(source.time):
        first, last = source.time[0], float(source.time[-1])
        for number in reversed(range(int((last - first) // (hours * 3600)) + 1)):
            yield last - number * hours * 3600


def _test(name: str, variable: str) -> QualityTest:
    for test in TESTS:
        if test.name == name:
            if test.applies(BY_NAME[variable]):
                return test
            to = ", ".join(one.name for one in BY_NAME.values() if test.applies(one))
            raise UsageError(f"the test {name!r} does not apply to {variable}; it applies to: {to}")
    raise UsageError(f"there is no test {name!r}; there are: {', '.join(test.name for test in TESTS)}")


def _add(of_sensor: list[StoredAnomaly], one: Anomaly) -> None:
    """Add an anomaly of a window; one that continues the last one of the window before replaces it, with its start."""
    found = one.stored()
    if of_sensor and found.started - of_sensor[-1].ended <= SAME_WITHIN:
        found = found._replace(started=of_sensor.pop().started)
    of_sensor.append(found)
