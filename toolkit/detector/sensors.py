"""The health of sensors over days to weeks: faults that a window of hours is too short to show."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from toolkit import times
from toolkit.detector import in_parts, loading, sites
from toolkit.detector.grid import DAY, Grid, Source
from toolkit.detector.health import figures
from toolkit.detector.health.figures import ComparedSensors, Figure
from toolkit.detector.health.hourly import hourly
from toolkit.detector.health.rules import RULES, Rule, State
from toolkit.detector.in_parts import Part, PartOfNetwork
from toolkit.detector.judging import Judging, judging
from toolkit.detector.report import AppliedException
from toolkit.location import without_impossible_place
from toolkit.model import require_station
from toolkit.quality.arrays import Floats
from toolkit.quality.neighbours import Neighbours, nearest
from toolkit.quality.series import Series
from toolkit.settings import Settings
from toolkit.sources import cadences_of
from toolkit.store import Span, Store
from toolkit.variables import BY_NAME, MONITORED

SCHEMA = "weather-toolkit/sensors/1"

# The place of a station is judged by these; the others vary too little or too much from one place to the next.
OF_PLACES = ("temp_out", "out_hum")
# More stations times days than these are not in memory at once, but looked at part by part: two at a time, of so many
# stations times days, but of so many stations at least, from which what is usual can be learnt.
STATION_DAYS = 15_000
PART_STATION_DAYS = 9_000
LEAST_STATIONS = 100
AT_ONCE = 2

_ORDER = {"critical": 0, "warning": 1, "healthy": 2}
_SPEEDS = sorted({BY_NAME[name].speed for name in MONITORED if BY_NAME[name].speed} - {*MONITORED})


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that a sensor breaks.

    Attributes:
        name: of the rule.
        state: warning or critical.
        since: since when, ISO 8601 in UTC, to a day; None where that is not known. If it is the start of the time that
            was looked at, then or before.
        until: until when, to a day; the end of the time that was looked at if it goes on.
        reason: in a sentence.
    """

    name: str
    state: State
    since: str | None
    until: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sensor:
    """The health of one sensor.

    Attributes:
        station_id: where.
        variable: what it measures.
        state: healthy, warning or critical.
        reason: the rule that decided, in a sentence; empty for a healthy one.
        since: since when, as of the fault that decided.
        faults: all rules that it breaks, the one that decided first.
        completeness: observations of the station, as a share of what its own rhythm promises.
        missing: share of the station's observations without a value of this variable.
        stuck: share of the values in runs of six hours and more without a change, while the neighbours' went on.
        stalled: share of the time with wind, by the neighbours, that was calm here; None but for wind speeds.
        drift_per_day: how fast it moves against its neighbours, in the variable's unit a day; None without neighbours.
        noise: one standard deviation from reading to reading, in the variable's unit; None for a direction.
        correlation: with the median of its neighbours, hour by hour; None without them.
        level: by how much it lies above what its neighbours imply at its height, in the variable's unit; None without.
        last_good: when the last possible value was measured, ISO 8601 in UTC.
    """

    station_id: str
    variable: str
    state: State
    reason: str
    since: str | None
    faults: list[Fault]
    completeness: float
    missing: float
    stuck: float
    stalled: float | None
    drift_per_day: float | None
    noise: float | None
    correlation: float | None
    level: float | None
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
        sensors: every sensor, the worst first; those that an exception leaves out are not among them.
        exceptions: what was judged otherwise than the rest.
    """

    schema: str
    generated_at: str
    start: str
    end: str
    days: float
    sensors: list[Sensor]
    exceptions: list[AppliedException] = field(default_factory=list)


def examine(store: Store, settings: Settings, end: float, days: float, only: str | None = None) -> Health:
    """The health of all sensors over the `days` up to `end`, in seconds since the epoch.

    A large network is looked at part by part, see `STATION_DAYS`: what is usual is then what is usual in that part.

    Raises:
        UsageError: there is no station `only`.
        ToolkitError: there is no room for what was read.
    """
    stations = [without_impossible_place(one) for one in store.stations()]
    if len(stations) * days <= STATION_DAYS:
        return health(read(store, settings, end, days), settings, only)
    require_station(only, [one.station_id for one in stations])
    near = nearest(stations, settings.neighbour_km, settings.neighbour_elevation_m)
    around = nearest(stations, settings.neighbour_km, np.inf)
    near = replace(near, exists=near.close)
    around = replace(around, exists=around.close)
    parts = in_parts.cut(stations, [near, around], max(LEAST_STATIONS, int(PART_STATION_DAYS / days)))
    if only is not None:
        parts = [part for part in parts if any(stations[row].station_id == only for row in part.own)]
    span = Span(end - days * DAY, end)

    def look(part: Part, source: PartOfNetwork) -> Health:
        wanted = {stations[row].station_id for row in part.own}
        return _health(_read(source, settings, end, days), settings, wanted if only is None else wanted & {only})

    # Twice as much memory, for half the time: numpy lets another thread compute.
    with in_parts.read(store, span, [*MONITORED, *_SPEEDS], parts) as sources, ThreadPoolExecutor(AT_ONCE) as pool:
        found = [*pool.map(look, parts, sources)]
    return replace(
        found[0],
        sensors=sorted((sensor for one in found for sensor in one.sensors), key=_worst_first),
        exceptions=[exception for one in found for exception in one.exceptions],
    )


def read(store: Store, settings: Settings, end: float, days: float) -> Grid:
    """Read what the health of sensors is computed from: the `days` up to `end`, in seconds since the epoch.

    Of a station that moved it is what it measured since.
    """
    return _read(store, settings, end, days)


def _read(store: Source, settings: Settings, end: float, days: float) -> Grid:
    grid = loading.load(store, end - days * DAY, end, cadences_of(settings), MONITORED, _SPEEDS, past_days=0)
    return sites.since_moved(grid, store.changes())


def health(grid: Grid, settings: Settings, only: str | None = None) -> Health:
    """The health of all sensors over the time that was read.

    Raises:
        UsageError: there is no station `only`.
    """
    names = [station.station_id for station in grid.stations]
    require_station(only, names)
    return _health(grid, settings, {*names} if only is None else {only})


def _health(grid: Grid, settings: Settings, wanted: Collection[str]) -> Health:
    """The health of some stations' sensors over the time that was read."""
    names = [station.station_id for station in grid.stations]
    days = grid.window * grid.cadence / DAY
    neighbours = nearest(grid.stations, settings.neighbour_km, settings.neighbour_elevation_m)
    # Usual differences are learnt from the same days. If a station drifts, its difference from those that see the same
    # weather is not steady: only neighbours are compared with.
    neighbours = replace(neighbours, exists=neighbours.close)
    around = nearest(grid.stations, settings.neighbour_km, np.inf)
    how = judging(grid.stations, settings, neighbours, [*grid.values], grid.end)
    sensors = [one for one in _all(how.read(grid), how, around) if one.station_id in wanted] if names else []
    return Health(
        schema=SCHEMA,
        generated_at=times.iso(times.now()),
        start=times.iso_of(grid.end - days * DAY),
        end=times.iso_of(grid.end),
        days=days,
        sensors=sorted(sensors, key=_worst_first),
        exceptions=how.exceptions(grid.stations, np.array([name in wanted for name in names], dtype=bool)),
    )


def _worst_first(one: Sensor) -> tuple[int, str, int]:
    return _ORDER[one.state], one.station_id, MONITORED.index(one.variable)


def _all(grid: Grid, how: Judging, around: Neighbours) -> Iterator[Sensor]:
    """The health of every variable's sensors; a station that does not measure it has none."""
    series = {name: grid.series(name) for name in MONITORED}
    compared: dict[str, ComparedSensors] = {}
    found: dict[str, dict[str, Figure]] = {}
    for name, one in series.items():
        hours = hourly(grid, one, how.neighbours_of(name)) if one.compared and one.measured.any() else None
        found[name] = figures.of_reporting(grid, one, hours)
        if hours:
            compared[name] = figures.of_comparison(grid, one, hours, around)
    figures.of_clocks(list(compared.values()))
    for name, of_comparison in compared.items():
        found[name] |= of_comparison.figures
    of_places = [compared[name] for name in OF_PLACES if name in compared]
    if of_places:
        place = figures.of_places(grid, of_places)
        for name in OF_PLACES:
            if name in compared:
                found[name]["misplaced"] = place
    for name in MONITORED:
        yield from _sensors(grid, series[name], compared.get(name), found[name], how.looser.get(name))


def _sensors(
    grid: Grid, series: Series, compared: ComparedSensors | None, found: Mapping[str, Figure], looser: Floats | None
) -> Iterator[Sensor]:
    """The health of one variable's sensors from their figures."""
    by_comparison = compared.figures if compared else {}
    nothing = np.full(len(grid.stations), np.nan)
    there = ~np.isnan(series.scaled)
    for row in np.flatnonzero(series.measured).tolist():
        at = np.flatnonzero(there[row])
        times_as_far = 1.0 if looser is None else float(looser[row])
        rules = [rule.looser(times_as_far) if rule.name in by_comparison else rule for rule in RULES]
        faults = _faults(grid, found, row, rules)
        yield Sensor(
            station_id=grid.stations[row].station_id,
            variable=series.variable.name,
            state=faults[0].state if faults else "healthy",
            reason=faults[0].reason if faults else "",
            since=faults[0].since if faults else None,
            faults=faults,
            completeness=round(float(found["completeness"].value[row]), 4),
            missing=round(float(found["missing"].value[row]), 4),
            stuck=round(float(found["stuck"].value[row]), 4),
            stalled=_or_none((found["stalled"].value if "stalled" in found else nothing)[row]),
            drift_per_day=_or_none((compared.drift_per_day if compared else nothing)[row]),
            noise=_or_none((compared.noise if compared else nothing)[row]),
            correlation=_or_none((compared.correlation if compared else nothing)[row]),
            level=_or_none((compared.level if compared else nothing)[row]),
            last_good=times.iso_of(grid.times[row, at[-1]]) if len(at) else None,
        )


def _faults(grid: Grid, found: Mapping[str, Figure], row: int, rules: Sequence[Rule]) -> list[Fault]:
    """The rules that one sensor breaks, the worst first; of those that are as bad, in the order of the rules."""
    faults = []
    for rule in rules:
        figure = found.get(rule.name)
        if figure is None or (state := rule.state(float(figure.value[row]))) == "healthy":
            continue
        day = figure.first_day(row)
        faults.append(
            Fault(
                name=rule.name,
                state=state,
                since=None if day is None else times.iso_of(_start_of(grid, figure, day)),
                until=times.iso_of(grid.end - figure.days_since(row) * DAY),
                reason=rule.says(float(figure.value[row]), figure.more(row) if figure.more else ""),
            )
        )
    return sorted(faults, key=lambda fault: fault.state != "critical")


def _start_of(grid: Grid, figure: Figure, day: int) -> float:
    """When a day of a figure begins; the days end with the time that was looked at."""
    return grid.end - (figure.days - day) * DAY


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
