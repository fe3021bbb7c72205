"""The health of sensors over days to weeks: faults that a window of hours is too short to show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np

from toolkit import times
from toolkit.detector import grid as grids
from toolkit.detector.grid import DAY, Grid
from toolkit.errors import UsageError
from toolkit.quality.arrays import Floats, deviation, median
from toolkit.quality.expected import expect
from toolkit.quality.neighbours import Neighbours, nearest
from toolkit.quality.persistence import Runs
from toolkit.quality.series import Series, unscaled
from toolkit.settings import Settings
from toolkit.store import Store
from toolkit.variables import BY_NAME, MONITORED

SCHEMA = "weather-toolkit/sensors/1"

State = Literal["healthy", "warning", "critical"]

# A reading that stays the same for so long is stuck, in hours; of a vane only readings while there is wind count.
STUCK_HOURS = 6
# An anemometer that reads zero is stalled while neighbours imply more wind than this, in km/h.
WIND_AROUND = 5.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A figure of a sensor's health, and from where on it makes a warning or is critical.

    Attributes:
        name: of the figure.
        warning: the limit of a warning.
        critical: the limit of what is critical.
        reason: the sentence for people, with the places `{value}` and `{limit}`.
        least: whether the limits are the least that is good; otherwise they are the most.
    """

    name: str
    warning: float
    critical: float
    reason: str
    least: bool = False

    def breach(self, value: float, limit: float) -> str:
        """What is wrong with a value, "" if nothing is; NaN, where a figure is not known, is never wrong."""
        wrong = value < limit if self.least else value > limit
        return self.reason.format(value=value, limit=limit) if wrong else ""


RULES = (
    Rule("silent", 6.0, 24.0, "no good value for {value:.0f} h, over {limit:g} h"),  # hours
    Rule("completeness", 0.9, 0.5, "{value:.0%} of the expected observations arrived, under {limit:.0%}", least=True),
    Rule("missing", 0.1, 0.5, "{value:.0%} of the observations have no value, over {limit:.0%}"),
    Rule("stuck", 0.05, 0.25, "unchanged for hours in {value:.0%} of the time, over {limit:.0%}"),
    Rule("stalled", 0.1, 0.4, "calm in {value:.0%} of the time that neighbours had wind, over {limit:.0%}"),
    # Over all the time that is looked at, in accuracies of the sensor or in residual sigmas, whichever is larger.
    Rule("drift", 3.0, 8.0, "moved against its neighbours by {value:.1f} times what is usual, over {limit:g}"),
    # In times of the network's median.
    Rule("noise", 3.0, 6.0, "{value:.1f} times as noisy as a typical sensor of the network, over {limit:g}"),
)
"""Of several rules that are broken as badly, the first gives the reason."""
# A day counts for the drift if so many of its readings have an expectation; a drift needs so many days.
DRIFT_READINGS = 6
DRIFT_DAYS = 3


@dataclass(frozen=True, slots=True)
class Sensor:
    """The health of one sensor.

    Attributes:
        station_id: where.
        variable: what it measures.
        state: healthy, warning or critical.
        reason: the rule that decided, in a sentence; empty for a healthy one.
        completeness: observations of the station, as a share of what its cadence promises.
        missing: share of the station's observations without a value of this variable.
        stuck: share of the values in runs of six hours and more without a change.
        stalled: share of the time with wind, by the neighbours, that was calm here; None but for wind speeds.
        drift_per_day: how fast it moves against its neighbours, in the variable's unit a day; None without neighbours.
        noise: one standard deviation from reading to reading, in the variable's unit; None for a direction.
        last_good: when the last possible value was measured, ISO 8601 in UTC.
    """

    station_id: str
    variable: str
    state: State
    reason: str
    completeness: float
    missing: float
    stuck: float
    stalled: float | None
    drift_per_day: float | None
    noise: float | None
    last_good: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """The health of every sensor over some days.

    Attributes:
        schema: the name and version of this form.
        generated_at: when it was examined, ISO 8601 in UTC.
        start: when the time that was looked at began, ISO 8601 in UTC.
        end: when it ended.
        days: how many days that is.
        sensors: every sensor, the worst first.
    """

    schema: str
    generated_at: str
    start: str
    end: str
    days: float
    sensors: list[Sensor]

    def as_json(self) -> str:
        """As JSON text."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False)


def examine(store: Store, settings: Settings, end: float, days: float, only: str | None = None) -> Health:
    """The health of all sensors over the `days` up to `end`, in seconds since the epoch.

    Raises:
        UsageError: there is no station `only`.
    """
    return health(read(store, settings, end, days), settings, only)


def read(store: Store, settings: Settings, end: float, days: float) -> Grid:
    """Read what the health of sensors is computed from: the `days` up to `end`, in seconds since the epoch."""
    speeds = sorted({BY_NAME[name].speed for name in MONITORED if BY_NAME[name].speed} - {*MONITORED})
    return grids.load(store, end - days * DAY, end, settings.cadence_seconds, MONITORED, speeds, past_days=0)


def health(grid: Grid, settings: Settings, only: str | None = None) -> Health:
    """The health of all sensors over the time that was read.

    Raises:
        UsageError: there is no station `only`.
    """
    names = [station.station_id for station in grid.stations]
    if only is not None and only not in names:
        raise UsageError(f"there is no station {only!r}; there are: {', '.join(names) or 'none yet'}")
    days = grid.window * grid.cadence / DAY
    neighbours = nearest(grid.stations, settings.neighbour_km, settings.neighbour_elevation_m)
    # Usual differences are learnt from the same days. If a station drifts, its difference from those that see the same
    # weather is not steady, and stations of the region would get the weight: only neighbours are compared with.
    neighbours = replace(neighbours, exists=neighbours.close)
    sensors = [
        one
        for name in MONITORED
        if names
        for one in _sensors(grid, _learnt_hourly(grid.series(name)), neighbours)
        if only in {None, one.station_id}
    ]
    order = {"critical": 0, "warning": 1, "healthy": 2}
    return Health(
        schema=SCHEMA,
        generated_at=times.iso(times.now()),
        start=_iso(grid.end - days * DAY),
        end=_iso(grid.end),
        days=days,
        sensors=sorted(sensors, key=lambda one: (order[one.state], one.station_id, MONITORED.index(one.variable))),
    )


def _learnt_hourly(series: Series) -> Series:
    """The same series with a history of one reading an hour, from which usual differences are learnt."""
    step = series.per_hour
    return replace(series, history=series.scaled[:, ::step], history_ends=series.ends[::step])


def _sensors(grid: Grid, series: Series, neighbours: Neighbours) -> Iterator[Sensor]:
    """The health of one variable's sensors; a station that does not measure it has none."""
    readings = series.scaled
    there, present = ~np.isnan(readings), ~np.isnan(grid.times)
    slots = readings.shape[1]
    since = np.where(present.any(axis=1), slots - np.argmax(present, axis=1), slots)
    number = np.maximum(there.sum(axis=1), 1)
    stuck = _stuck_readings(grid, series) / number
    stalled, drift = np.full((2, len(readings)), np.nan)
    noise = spread = np.full(len(readings), np.nan)
    if series.compared:
        expected = expect(series, neighbours, np.arange(len(readings)), np.zeros(len(readings), dtype=bool))
        value = unscaled(series.variable, readings - expected.residual)
        several = (expected.weights > 0).sum(axis=1) > 1  # with one neighbour nobody can tell which of the two drifts
        off = np.where(several[:, None], unscaled(series.variable, readings) - value, np.nan)
        drift = _slope(off, grid)
        along = np.nan_to_num(drift)[:, None] * np.arange(slots) * grid.cadence / DAY
        spread = deviation(off - along - median(off - along)[:, None])
        # The second difference of white noise has a standard deviation of the square root of six times the noise's.
        noise = deviation(np.diff(series.values, n=2, axis=1)) / np.sqrt(6)
        if series.nature == "gusty":
            # A usual difference from an anemometer that never turned says nothing: what neighbours measure counts.
            turned = np.any(readings > 0, axis=1, keepdims=True)
            near = np.where(neighbours.exists[:, :, None], readings[neighbours.rows], np.nan)
            around = np.where(turned, value, unscaled(series.variable, median(near, axis=1)))
            windy = there & (around > WIND_AROUND)
            calm = (windy & (readings == 0)).sum(axis=1) / np.maximum(windy.sum(axis=1), 1)
            stalled = np.where(expected.has_close_neighbour, calm, np.nan)
    typical = max(float(np.nan_to_num(median(noise))), series.variable.accuracy / 10)
    days = slots * grid.cadence / DAY
    moved = np.abs(drift) * days / np.maximum(series.variable.accuracy, np.nan_to_num(spread))
    for row in np.flatnonzero(series.measured):
        last = int(np.flatnonzero(there[row])[-1]) if there[row].any() else None
        figures = {
            "completeness": present[row].sum() / since[row],
            "missing": 1 - there[row].sum() / max(present[row].sum(), 1),
            "stuck": stuck[row],
            "stalled": stalled[row],
            "drift": moved[row],
            "noise": noise[row] / typical,
            "silent": (grid.end - grid.times[row, last]) / 3600 if last is not None else np.inf,
        }
        state, reason = _state(figures)
        yield Sensor(
            station_id=grid.stations[row].station_id,
            variable=series.variable.name,
            state=state,
            reason=reason,
            completeness=round(float(figures["completeness"]), 4),
            missing=round(float(figures["missing"]), 4),
            stuck=round(float(figures["stuck"]), 4),
            stalled=_or_none(stalled[row]),
            drift_per_day=_or_none(drift[row]),
            noise=_or_none(noise[row]),
            last_good=_iso(grid.times[row, last]) if last is not None else None,
        )


def _state(figures: dict[str, float]) -> tuple[State, str]:
    """The worst state that a rule gives, and the reason."""
    for rule in RULES:
        if reason := rule.breach(figures[rule.name], rule.critical):
            return "critical", reason
    for rule in RULES:
        if reason := rule.breach(figures[rule.name], rule.warning):
            return "warning", reason
    return "healthy", ""


def _stuck_readings(grid: Grid, series: Series) -> Floats:
    """How many readings of each station lie in runs of one value that are too long."""
    readings = series.scaled
    counts = np.ones(readings.shape, dtype=bool)
    variable = series.variable
    if variable.saturation is not None:
        counts = readings < variable.saturation
    elif variable.nature == "gusty":
        counts = readings > 0
    elif variable.speed:
        counts = grid.values[variable.speed] > 0
    length = Runs.of(readings, counts, series.per_hour).length
    # The length of each run is that in its last slot; it is carried back over all slots of the run.
    longest = np.zeros(length.shape, dtype=np.int64)
    carried = np.zeros(len(length), dtype=np.int64)
    for slot in range(length.shape[1] - 1, -1, -1):
        carried = np.where(length[:, slot] > 0, np.maximum(carried, length[:, slot]), carried)
        longest[:, slot] = carried
        carried = np.where(length[:, slot] == 1, 0, carried)
    too_long = (longest >= STUCK_HOURS * series.per_hour) & counts & ~np.isnan(readings)
    return np.asarray(too_long.sum(axis=1), dtype=np.float64)


def _slope(residual: Floats, grid: Grid) -> Floats:
    """How fast each row moves, per day: the median of slopes between all pairs of days (Theil and Sen)."""
    per_day = round(DAY / grid.cadence)
    days = residual.shape[1] // per_day
    if days < DRIFT_DAYS:
        return np.full(len(residual), np.nan)
    by_day = residual[:, residual.shape[1] - days * per_day :].reshape(len(residual), days, per_day)
    known = (~np.isnan(by_day)).sum(axis=2) >= DRIFT_READINGS
    level = np.where(known, median(by_day), np.nan)
    one, other = np.triu_indices(days, 1)
    return median((level[:, other] - level[:, one]) / (other - one))


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def _iso(epoch: float) -> str:
    return times.iso(times.from_epoch(epoch))
