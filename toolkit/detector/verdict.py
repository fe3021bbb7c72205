"""What is wrong with a flagged stretch of readings, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from toolkit.detector.grid import Grid
from toolkit.detector.judge import SURE as SURE_OF
from toolkit.detector.judge import Judged
from toolkit.detector.report import Class, Neighbour
from toolkit.quality.arrays import Bools, Floats, median, on_circle
from toolkit.quality.expected import Expected
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.series import unscaled
from toolkit.quality.step import PART
from toolkit.times import from_epoch
from toolkit.variables import BY_NAME

# Weather that crosses a network: what another station saw before or after, moved to the time of what this one sees and
# of the hours that led to it, leaves at most this part of the difference. No front is slower, nor takes so long.
UNEXPLAINED = 0.5
LEAD_IN_HOURS = 2
SLOWEST_KM_PER_HOUR = 20
SAME_FRONT_HOURS = 1.0
CROSSING_HOURS = 4
# Weather of one place, a shower or a gust front, is seen by several sensors at once, and passes.
OTHERS = 2
OTHERS_OFF = 4.5
LOCAL_HOURS = 4
# Far from all others it may be a front that has not reached them, or that passed them by.
FAR_KM = 50
OTHERS_FAR = 1
LOCAL_HOURS_FAR = 6.1
# A temporal method's finding: this near to what neighbours imply is weather, this far a fault; usual deviations.
NEAR = 3.0
FAR = 5.0
# Fewer common readings than this say nothing about a correlation.
COMMON_AT_LEAST = 10

# Tests whose finding needs no neighbour to be believed.
SURE = {
    "range": "{value} {unit} is outside what is possible, {low:g} to {high:g} {unit}",
    "missing": "no value for {hours:.1f} h, while it used to report",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Flagged slots of the window, `first` up to but not including `after`, at one station, by one test."""

    row: int
    first: int
    after: int
    test: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A class, the sentence that gives the reason, and what they rest on; see `report.Anomaly`."""

    class_: Class
    reason: str
    value: float | None
    expected: float | None
    score: float | None
    correlation: float | None
    neighbours: list[Neighbour]


class Court:
    """Gives verdicts on what was found in one window.

    Args:
        grid: the window.
        neighbours: who is near whom.
        judged: what the tests say, by variable.
        ask: whether neighbours are asked; otherwise only what needs none is more than `unverified`.
    """

    def __init__(self, grid: Grid, neighbours: Neighbours, judged: Mapping[str, Judged], *, ask: bool) -> None:
        self._grid = grid
        self._neighbours = neighbours
        self._judged = judged
        self._ask = ask

    def verdict(self, variable: str, stretch: Stretch, says: str = "") -> Verdict:
        """The verdict on a stretch; `says` is the reason where the test has one of its own."""
        judged = self._judged[variable]
        series, expected = judged.series, judged.expected
        window, row = series.window, stretch.row
        part = slice(series.values.shape[1] - window + stretch.first, series.values.shape[1] - window + stretch.after)
        values = series.values[row, part]
        residual = expected.residual[row, part] if expected else np.full(values.shape, np.nan)
        if expected and not expected.asked[row] and stretch.test != "step":
            residual = np.full(values.shape, np.nan)
        off = np.abs(residual)
        if stretch.test == "range":
            off = np.where(_impossible(values, variable), 1.0, np.nan)
        elif np.isnan(off).all():
            off = np.where(np.isnan(values), np.nan, 0.0)
        worst = int(np.nanargmax(off)) if not np.isnan(off).all() else 0
        value = None if np.isnan(values[worst]) else float(values[worst])
        implied = score = None
        if expected and not np.isnan(residual[worst]):
            at = series.scaled[row, part][worst] - residual[worst]
            implied = round(float(unscaled(series.variable, np.array([at]))[0]), 2)
            score = round(float(abs(residual[worst]) / expected.sigma[row, part][worst]), 2)
        near = self._asked(variable, row, part.start + worst)
        class_, reason = self._decided(judged, stretch, part, says, value, implied)
        known = [one.correlation for one in near if one.correlation is not None]
        correlation = round(float(np.median(known)), 3) if known else None
        return Verdict(class_, reason, value, implied, score, correlation, near)

    def _decided(
        self, judged: Judged, stretch: Stretch, part: slice, says: str, value: float | None, implied: float | None
    ) -> tuple[Class, str]:
        series, expected, row = judged.series, judged.expected, stretch.row
        variable, hour = series.variable, series.per_hour
        hours = (stretch.after - stretch.first) / hour
        if stretch.test in SURE:
            return "device_failure", SURE[stretch.test].format(
                value=_number(value), unit=variable.unit, low=variable.low, high=variable.high, hours=hours
            )
        found = says or self._finding(judged, stretch, part, value, implied, hours)
        if stretch.test in {"consistency", "resolution"}:
            return "device_failure", found
        if expected is None or not self._ask:
            return "unverified", f"{found}; {self._unasked(row)}"
        if stretch.test == "spatial" and (
            explained := self._crossing(judged, expected, row, part) or self._local(variable.name, row, stretch)
        ):
            return "weather_event", f"{found}; {explained}"
        if not expected.verified[row]:
            return "unverified", f"{found}; {self._unasked(row)}"
        names = self._names(row)
        if stretch.test == "shared":
            return "weather_event", f"{found}, and so did its neighbours ({names})"
        if stretch.test in {"persistence", "noise"}:
            return "device_failure", f"{found}; its neighbours ({names}) do not"
        if stretch.test not in {"step", "spatial"}:
            return _by_residual(expected, row, part, found, names)
        return "device_failure", f"{found}; its neighbours ({names}) contradict it"

    def _unasked(self, row: int) -> str:
        if not self._ask:
            return "neighbours were not asked"
        if not self._neighbours.close[row].any():
            return "there is no neighbour to ask"
        return f"its neighbours ({self._names(row)}) are too little known, or in doubt themselves"

    def _finding(
        self, judged: Judged, stretch: Stretch, part: slice, value: float | None, implied: float | None, hours: float
    ) -> str:
        """What was found, as the subject's own doing."""
        series, row = judged.series, stretch.row
        unit = series.variable.unit
        told, should = f"{_number(value)} {unit}", f"{_number(implied)} {unit}"
        match stretch.test:
            case "persistence":
                return f"it has read {told} without a change for {self._unchanged(judged, row, part):.1f} h"
            case "noise":
                return f"it jumps to and fro as it never did, for {hours:.1f} h"
            case "resolution":
                return f"for {hours:.1f} h its readings come in other steps than ever before, as if in another unit"
            case "step" | "shared":
                return self._jump(judged, row, part)
            case "spatial":
                return f"it reads {told} for {should}, {hours:.1f} h long"
            case method:
                return f"{told} is not what {method} expects of its past"

    def _jump(self, judged: Judged, row: int, part: slice) -> str:
        """The last jump up to the first flagged slot, which may have been before the window."""
        series, readings = judged.series, judged.series.values[row]
        limit = judged.limits.jump[row] if judged.limits else np.inf
        there = np.flatnonzero(~np.isnan(readings[: part.start + 1]))
        changes = np.abs(np.diff(series.scaled[row, there]))
        large = np.flatnonzero(changes > PART * limit)
        at = int(large[-1]) if len(large) else len(there) - 2
        if at < 0:
            return "it jumped"
        when = from_epoch(self._grid.slot_times()[there[at + 1]])
        told = f"from {_number(readings[there[at]])} to {_number(readings[there[at + 1]])} {series.variable.unit}"
        return f"it jumped {told} at {when:%H:%M} UTC"

    def _unchanged(self, judged: Judged, row: int, part: slice) -> float:
        """For how many hours the reading has been the same, also before the window."""
        readings = judged.series.values[row, : part.stop]
        there = readings[~np.isnan(readings)]
        changes = np.flatnonzero(there != there[-1])
        since = np.flatnonzero(~np.isnan(readings))[changes[-1] + 1 if len(changes) else 0]
        return float((part.stop - 1 - since) / judged.series.per_hour)

    def _crossing(self, judged: Judged, expected: Expected, row: int, part: slice) -> str:
        """Whether another station saw the same some hours before or after: a front reaches one before the other."""
        series, hour = judged.series, judged.series.per_hour
        first = max(0, part.start - LEAD_IN_HOURS * hour)
        own = series.scaled[row, first : part.stop]
        off = float(np.nanmean(np.abs(expected.residual[row, first : part.stop])))
        asked = self._neighbours.close if expected.verified[row] else self._neighbours.there
        for place in np.flatnonzero(asked[row]):
            near = int(self._neighbours.rows[row, place])
            hours = SAME_FRONT_HOURS + float(self._neighbours.km[row, place]) / SLOWEST_KM_PER_HOUR
            if any(judged.flags[test][near].any() for test in ("step", *SURE_OF)):
                continue
            readings = series.scaled[near] + median(series.scaled[row] - series.scaled[near])
            lag = round(min(hours, CROSSING_HOURS) * hour)
            around = readings[max(0, first - lag) : part.stop + lag]
            left = _mean(np.abs(np.lib.stride_tricks.sliding_window_view(around, own.size) - own))
            if left.min() < UNEXPLAINED * off:
                return f"{self._grid.stations[near].station_id} saw the same some hours before or after"
        return ""

    def _local(self, variable: str, row: int, stretch: Stretch) -> str:
        """Whether other sensors of the station saw something too, and it passed."""
        hour = self._grid.per_hour
        near = self._neighbours.close[row] & (self._neighbours.km[row] <= FAR_KM)
        others, hours = (OTHERS, LOCAL_HOURS) if near.any() else (OTHERS_FAR, LOCAL_HOURS_FAR)
        if stretch.after - stretch.first >= hours * hour:
            return ""
        first, after = max(0, stretch.first - hour), stretch.after + 2 * hour
        seen = []
        for name, other in self._judged.items():
            if name == variable or other.expected is None:
                continue
            off = np.abs(other.expected.residual[row, -other.series.window :][first:after])
            if off.size and not np.isnan(off).all() and np.nanmax(off) > OTHERS_OFF * other.expected.usual[row]:
                seen.append(name)
        return f"{' and '.join(seen)} changed with it" if len(seen) >= others else ""

    def _asked(self, variable: str, row: int, slot: int) -> list[Neighbour]:
        """The neighbours that measure this, and what they say of a slot."""
        series = self._judged[variable].series
        places = np.flatnonzero(self._neighbours.close[row])
        places = places[series.measured[self._neighbours.rows[row, places]]]
        if not self._ask or not len(places):
            return []
        near = self._neighbours.rows[row, places]
        difference, judged = series.scaled[row] - series.scaled[near], series.judged
        if series.nature == "circular":
            difference, judged = on_circle(difference), on_circle(judged)
        before = difference[:, : -series.window]
        usual = np.where(np.isnan(before).all(axis=1), median(difference), median(before))
        implied = unscaled(series.variable, series.scaled[near, slot] + usual)
        if series.nature == "circular":
            implied = implied % 360
        correlations = _correlations(judged[row], judged[near])
        return [
            Neighbour(
                station_id=self._grid.stations[station].station_id,
                distance_km=round(float(self._neighbours.km[row, place]), 1),
                value=_or_none(series.values[station, slot], 10),
                implies=_or_none(implies, 2),
                correlation=_or_none(correlation, 3),
            )
            for station, place, implies, correlation in zip(near.tolist(), places, implied, correlations, strict=True)
        ]

    def _names(self, row: int) -> str:
        close = np.flatnonzero(self._neighbours.close[row])
        names = [self._grid.stations[int(self._neighbours.rows[row, place])].station_id for place in close]
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _by_residual(expected: Expected, row: int, part: slice, found: str, names: str) -> tuple[Class, str]:
    """A temporal method's finding, by what neighbours imply."""
    off = np.abs(expected.residual[row, part]) / expected.sigma[row, part]
    if np.isnan(off).all():
        return "unverified", f"{found}; its neighbours ({names}) were silent"
    worst = float(np.nanmax(off))
    if worst <= NEAR:
        return "weather_event", f"{found}, but what its neighbours ({names}) imply"
    if worst < FAR:
        return "suspected", f"{found}; its neighbours ({names}) neither confirm nor contradict it"
    return "device_failure", f"{found}; its neighbours ({names}) contradict it"


def _mean(off: Floats) -> Floats:
    """The mean of each row, infinite where less than half of it is known."""
    number = np.count_nonzero(~np.isnan(off), axis=1)
    return np.where(number * 2 > off.shape[1], np.nansum(off, axis=1) / np.maximum(number, 1), np.inf)


def _impossible(values: Floats, variable: str) -> Bools:
    one = BY_NAME[variable]
    return (values < one.low) | (values > one.high)


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.4g}"


def _or_none(value: float, digits: int) -> float | None:
    return None if np.isnan(value) else round(float(value), digits)


def _correlations(one: Floats, others: Floats) -> Floats:
    """Pearson's correlation with each of `others` over common readings; NaN for too few, or if one is constant."""
    common = ~(np.isnan(one) | np.isnan(others))
    count = np.maximum(common.sum(axis=1, keepdims=True), 1)
    first = np.where(common, one - np.where(common, one, 0).sum(axis=1, keepdims=True) / count, 0)
    second = np.where(common, others - np.where(common, others, 0).sum(axis=1, keepdims=True) / count, 0)
    spread = np.square(first).sum(axis=1) * np.square(second).sum(axis=1)
    useful = (count[:, 0] >= COMMON_AT_LEAST) & (spread > 1e-12)
    found: Floats = np.where(useful, (first * second).sum(axis=1) / np.sqrt(np.where(useful, spread, 1)), np.nan)
    return found
