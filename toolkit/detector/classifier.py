"""What a flagged interval means: a fault of the device, weather, or neither for sure; and why, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from toolkit.detector import weather
from toolkit.detector.grid import Grid
from toolkit.detector.kept import TestResults
from toolkit.detector.report import Class, Neighbour
from toolkit.quality.arrays import Floats, Ints, correlation, median, on_circle
from toolkit.quality.base import Evidence, FlaggedInterval, WorstReading
from toolkit.quality.expected import Expected
from toolkit.quality.jump import beyond_weather
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.series import Series, unscaled
from toolkit.settings import Correlations

# The numbers below were chosen with `make bench-detection`, 2026-11-24.

# A reading that is unusual for its own past: up to so many standard deviations from what neighbours imply it is
# weather, from so many on a fault.
NEAR = 3.0
FAR = 5.0
# A correlation needs so many common readings.
COMMON_AT_LEAST = 10


@dataclass(frozen=True, slots=True)
class Classification:
    """A class, the sentence that gives the reason, and what they rest on; see `report.Anomaly`."""

    class_: Class
    reason: str
    worst: WorstReading
    correlation: float | None
    neighbours: list[Neighbour]


class Classifier:
    """Classifies the flagged intervals of one window.

    Args:
        grid: the window.
        neighbours: which stations are near which.
        results: what the tests found, by variable.
        correlations: what classifies the anomalies of a temporal method; None: what neighbours imply.
        verify: whether neighbours are compared with; otherwise what is not conclusive by itself is `unverified`.
    """

    def __init__(
        self,
        grid: Grid,
        neighbours: Neighbours,
        results: Mapping[str, TestResults],
        correlations: Correlations | None = None,
        *,
        verify: bool,
    ) -> None:
        self._correlations = correlations
        self._grid = grid
        self._neighbours = neighbours
        self._results = results
        self._verify = verify

    def classify(self, interval: FlaggedInterval) -> Classification:
        """The class of a flagged interval, and why."""
        results = self._results[interval.series.variable.name]
        slot, worst = _worst_reading(results.expected, interval)
        near = self.compared_with(interval.series, interval.row, interval.slots.start + slot)
        known = [one.correlation for one in near if one.correlation is not None]
        correlation = round(float(np.median(known)), 3) if known else None
        class_, reason = self._decide(results, interval, worst, correlation)
        return Classification(class_, reason, worst, correlation, near)

    def _decide(
        self, results: TestResults, interval: FlaggedInterval, worst: WorstReading, correlation: float | None
    ) -> tuple[Class, str]:
        """The class and the reason."""
        test, row, expected = interval.test, interval.row, results.expected
        found = test.explain(interval, worst, results.prepared[test.name])
        if test.evidence is Evidence.CONCLUSIVE:
            return "device_failure", found
        if self._correlations and self._verify and test.evidence is Evidence.OWN_PAST and correlation is not None:
            return _by_correlation(self._correlations, correlation, found, self._names(row))
        # What is not compared as a level may still be asked of neighbours, by the test itself.
        asked = test.evidence is Evidence.NOT_SHARED and self._measured_nearby(interval)
        if not self._verify or (expected is None and not asked):
            return "unverified", f"{found}; {self._why_unverified(row)}"
        if expected is None:
            return "device_failure", f"{found}; its neighbours ({self._names(row)}) do not"
        if test.may_pass and (explained := self._passing(results, interval)):
            return "weather_event", f"{found}; {explained}"
        if test.may_be_air and (explained := self._same_air(interval)):
            return "weather_event", f"{found}; {explained}"
        # Who shared a jump may be farther away: no sensor fails when it jumps elsewhere.
        if not expected.has_close_neighbour[row] and test.evidence is not Evidence.SHARED:
            return "unverified", f"{found}; {self._why_unverified(row)}"
        names = self._names(row) or "of the region"
        match test.evidence:
            case Evidence.SHARED if beyond_weather(interval.series, row, interval.slots.start):
                return "device_failure", f"{found}, and so did its neighbours ({names}): more than any weather does"
            case Evidence.SHARED:
                return "weather_event", f"{found}, and so did its neighbours ({names})"
            case Evidence.NOT_SHARED:
                return "device_failure", f"{found}; its neighbours ({names}) do not"
            case Evidence.CONTRADICTED:
                return "device_failure", f"{found}; its neighbours ({names}) contradict it"
            case Evidence.OWN_PAST:
                return _by_residual(expected, interval, found, names)

    def _passing(self, results: TestResults, interval: FlaggedInterval) -> str:
        """Whether it is weather on its way, or of one place; "" if it is not."""
        stations, near = self._grid.stations, self._neighbours
        if weather.lone_spike(self._results, interval):
            return ""
        return (
            weather.crossing(stations, near, results, interval)
            or weather.local(near, self._results, interval)
            or weather.free_air(stations, near, interval)
        )

    def _same_air(self, interval: FlaggedInterval) -> str:
        """Whether it is air that comes and goes; "" if it is not."""
        return weather.same_air(self._results, interval) or weather.free_air(
            self._grid.stations, self._neighbours, interval
        )

    def _why_unverified(self, row: int) -> str:
        if not self._verify:
            return "neighbours were not asked"
        if not self._neighbours.close[row].any():
            return "there is no neighbour to ask"
        return f"its neighbours ({self._names(row)}) are too little known, or in doubt themselves"

    def _measured_nearby(self, interval: FlaggedInterval) -> bool:
        """Whether a close neighbour measures the variable."""
        near = self._neighbours.rows[interval.row, self._neighbours.close[interval.row]]
        return bool(interval.series.measured[near].any())

    def implied(self, series: Series, row: int) -> tuple[Ints, Floats]:
        """The neighbours of a station that measure a variable, and what each implies for it, nearest first.

        Returns:
            Their places in `Neighbours`, and what they imply in the variable's unit, neighbours × slots.
        """
        places = np.flatnonzero(self._neighbours.close[row])
        places = places[series.measured[self._neighbours.rows[row, places]]]
        if not self._verify or not len(places):
            return places[:0], np.empty((0, series.scaled.shape[1]))
        near = self._neighbours.rows[row, places]
        difference = series.scaled[row] - series.scaled[near]
        if series.nature == "circular":
            difference = on_circle(difference)
        before = difference[:, : -series.window]
        usual_difference = np.where(np.isnan(before).all(axis=1), median(difference), median(before))
        implied = unscaled(series.variable, series.scaled[near] + usual_difference[:, None])
        return places, implied % 360 if series.nature == "circular" else implied

    def compared_with(self, series: Series, row: int, slot: int) -> list[Neighbour]:
        """The neighbours of a station that measure a variable, and what they imply in a slot of the series."""
        places, implied = self.implied(series, row)
        if not len(places):
            return []
        near = self._neighbours.rows[row, places]
        window = series.values[[row, *near], -series.window :]
        if series.nature == "circular":
            window = on_circle(window)
        own, others = window[:1], window[1:]
        correlations = correlation(np.broadcast_to(own, others.shape), others, COMMON_AT_LEAST)
        return [
            Neighbour(
                station_id=self._grid.stations[station].station_id,
                distance_km=round(float(self._neighbours.km[row, place]), 1),
                value=_or_none(series.values[station, slot], 10),
                implies=_or_none(implies, 2),
                correlation=_or_none(correlation, 3),
            )
            for station, place, implies, correlation in zip(
                near.tolist(), places, implied[:, slot], correlations, strict=True
            )
        ]

    def _names(self, row: int) -> str:
        """A station's neighbours by the settings, the first three by their ids."""
        close = np.flatnonzero(self._neighbours.close[row])
        names = [self._grid.stations[int(self._neighbours.rows[row, place])].station_id for place in close]
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _worst_reading(expected: Expected | None, interval: FlaggedInterval) -> tuple[int, WorstReading]:
    """The reading of an interval that is farthest off, and its slot, counted from the interval's first."""
    series, row, slots = interval.series, interval.row, interval.slots
    values = series.values[row, slots]
    residual = np.full(values.shape, np.nan)
    if expected is not None and (expected.has_reference[row] or interval.test.expects_own_past):
        residual = expected.residual[row, slots]
    off = interval.test.distance(interval, residual)
    slot = int(np.nanargmax(off)) if not np.isnan(off).all() else 0
    value = None if np.isnan(values[slot]) else float(values[slot])
    if expected is None or np.isnan(residual[slot]):
        return slot, WorstReading(value, None, None)
    implied = expected.value[row, slots][[slot]]
    score = abs(residual[slot]) / expected.sigma[row, slots][slot]
    return slot, WorstReading(value, round(float(unscaled(series.variable, implied)[0]), 2), round(float(score), 2))


def _by_residual(expected: Expected, interval: FlaggedInterval, found: str, names: str) -> tuple[Class, str]:
    """The class of readings that are unusual for their own past, by what neighbours imply."""
    row, slots = interval.row, interval.slots
    off = np.abs(expected.residual[row, slots]) / expected.sigma[row, slots]
    if np.isnan(off).all():
        return "unverified", f"{found}; its neighbours ({names}) were silent"
    worst = float(np.nanmax(off))
    if worst <= NEAR:
        return "weather_event", f"{found}, but what its neighbours ({names}) imply"
    if worst < FAR:
        return "suspected", f"{found}; its neighbours ({names}) neither confirm nor contradict it"
    return "device_failure", f"{found}; its neighbours ({names}) contradict it"


def _by_correlation(limits: Correlations, correlation: float, found: str, names: str) -> tuple[Class, str]:
    """The class of readings that are unusual for their own past, by how the window goes with those of neighbours."""
    goes = f"it goes with its neighbours ({names}) by a correlation of {correlation:g}"
    if correlation >= limits.high:
        return "weather_event", f"{found}, but {goes}"
    return "device_failure" if correlation < limits.low else "suspected", f"{found}; {goes}"


def _or_none(value: float, digits: int) -> float | None:
    return None if np.isnan(value) else round(float(value), digits)
