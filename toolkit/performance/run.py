"""How a network performed in a month, from the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from toolkit import times
from toolkit.errors import ToolkitError
from toolkit.model import Station as Place
from toolkit.model import require_station
from toolkit.performance import availability
from toolkit.performance.availability import Counts, Rhythms, Rows
from toolkit.performance.departures import Departures, departures
from toolkit.performance.incidents import incidents
from toolkit.performance.month import Month
from toolkit.performance.report import (
    SCHEMA,
    Cost,
    Day,
    Network,
    Performance,
    Period,
    Quality,
    Sensor,
    Station,
    Tested,
    Variable,
)
from toolkit.performance.timeliness import delays, timeliness
from toolkit.quality.arrays import Bools, Floats, Ints
from toolkit.quality.series import HOUR
from toolkit.settings import Settings
from toolkit.sources import cadences_of
from toolkit.store import Span, Store
from toolkit.variables import MEASURED, STATION

VARIABLES = tuple(variable.name for variable in MEASURED)
COSTS = 10
_HUNDREDTHS = 2


class NoObservationsError(ToolkitError):
    """The month has no observation."""


@dataclass(frozen=True, slots=True)
class _Month:
    """A month's figures as arrays.

    Attributes:
        places: the stations; the rows of all arrays.
        days: the days.
        counts: what arrived.
        rhythms: how often what is expected.
        begin: from when on a station is expected to report, NaN for never; stations.
        expected: how many observations are expected; stations.
        values: how many values are expected, NaN of what is no sensor; stations × variables.
        flagged: how many values each test flagged, by station's id and variable.
        departures: from what neighbours imply, by variable.
        delays: how many observations had which delay, see `timeliness`; stations × delays.
    """

    places: list[Place]
    days: list[Span]
    counts: Counts
    rhythms: Rhythms
    begin: Floats
    expected: Floats
    values: Floats
    flagged: Mapping[tuple[str, str], Mapping[str, int]]
    departures: Mapping[str, Departures]
    delays: Ints


def performance(store: Store, settings: Settings, month: Month, only: str | None = None) -> Performance:
    """How a network performed in a month; one station of it alone, if it is given.

    Raises:
        UsageError: there is no such station.
        NoObservationsError: the month has no observation.
    """
    places = store.stations()
    names = [place.station_id for place in places]
    require_station(only, names)
    read = _read(store, settings, month, places)
    wanted = ~np.isnan(read.begin) & np.array([only in {None, name} for name in names], dtype=bool)
    rows = np.flatnonzero(wanted)
    stations = [_station(read, row) for row in rows.tolist()]
    sensors = [sensor for station in stations for sensor in station.sensors]
    received = sum(sensor.received for sensor in sensors)
    return Performance(
        schema=SCHEMA,
        generated_at=times.iso(times.now()),
        period=Period(month.name, times.iso_of(month.start), times.iso_of(month.end), month.over),
        network=Network(
            stations=len(stations),
            sensors=len(sensors),
            cadence_seconds=settings.cadence_seconds,
            typical_seconds=None if np.isnan(read.rhythms.typical) else read.rhythms.typical,
            expected=sum(station.expected for station in stations),
            received=sum(station.received for station in stations),
            availability=_available(
                sum(min(station.received, station.expected) for station in stations),
                sum(station.expected for station in stations),
            ),
            flagged_share=_share(sum(sensor.quality.flagged for sensor in sensors), received),
            timeliness=timeliness(read.delays.sum(axis=0, where=wanted[:, None])),
        ),
        variables=_variables(sensors),
        days=_days(read, wanted),
        costs=_costs(stations),
        incidents=incidents(store, month, [only] if only else []),
        stations=sorted(stations, key=lambda one: (one.availability, one.station_id)),
    )


def _read(store: Store, settings: Settings, month: Month, places: list[Place]) -> _Month:
    rows = Rows.read(store)
    days = availability.days_of(month)
    counts = availability.count(store, rows, days, VARIABLES)
    if np.isnan(counts.first).all():
        newest = store.newest()
        there = f"the newest is of {newest} UTC" if newest else "there is none at all"
        raise NoObservationsError(f"there is no observation of {month.name}; {there}")
    cadences = cadences_of(settings).of((one.station_id for one in places), store.owners)
    rhythms = availability.rhythms(store, rows, days, counts, VARIABLES, cadences)
    seen = np.array([one[1:] for one in store.statistics.seen()], dtype=np.float64).reshape(-1, 2)
    begin = availability.begin(month, counts, seen[:, 0], seen[:, 1])
    whole = Span(month.start, month.end)
    sensors = (counts.values > 0) | availability.known_before(store, rows, month, VARIABLES)
    flagged: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for day in store.statistics.flagged(days, VARIABLES):
        for one in day:
            flagged[one.station_id, one.variable][one.test] += one.number
    return _Month(
        places=places,
        days=days,
        counts=counts,
        rhythms=rhythms,
        begin=begin,
        expected=availability.expected(begin, rhythms.stations, whole),
        values=np.where(sensors, availability.expected(begin[:, None], rhythms.sensors, whole), np.nan),
        flagged=flagged,
        departures=departures(store, settings, rows, month),
        delays=delays(store, rows, days, counts.daily.sum(axis=1)),
    )


def _station(read: _Month, row: int) -> Station:
    place, expected = read.places[row], int(read.expected[row])
    received = int(read.counts.daily[:, row].sum())
    interval = float(read.rhythms.stations[row])
    return Station(
        station_id=place.station_id,
        name=place.station_name_en,
        interval_seconds=interval,
        expected=expected,
        received=received,
        availability=_available(received, expected),
        lost_hours=_hours(expected - received, interval),
        timeliness=timeliness(read.delays[row]),
        sensors=[
            _sensor(read, row, column, min(received / expected, 1.0) if expected else 1.0)
            for column in np.flatnonzero(~np.isnan(read.values[row])).tolist()
        ],
    )


def _sensor(read: _Month, row: int, column: int, of_station: float) -> Sensor:
    station_id, variable = read.places[row].station_id, VARIABLES[column]
    expected, received = int(read.values[row, column]), int(read.counts.values[row, column])
    interval = float(read.rhythms.sensors[row, column])
    tests = read.flagged.get((station_id, variable), {})
    flagged = min(sum(tests.values()), received)
    departure = read.departures.get(variable)
    return Sensor(
        station_id=station_id,
        variable=variable,
        expected=expected,
        received=received,
        availability=_available(received, expected),
        quality=Quality(
            flagged=flagged,
            flagged_share=_share(flagged, received),
            tests=_tests(tests, received),
            bias=_or_none(departure.bias[row]) if departure else None,
            spread=_or_none(departure.spread[row]) if departure else None,
        ),
        # What the station as a whole did not send is its own loss.
        lost_hours=_hours(expected * of_station - received, interval),
        flagged_hours=_hours(flagged, interval),
    )


def _variables(sensors: Sequence[Sensor]) -> list[Variable]:
    of: dict[str, list[Sensor]] = defaultdict(list)
    for sensor in sensors:
        of[sensor.variable].append(sensor)
    found = []
    for variable in VARIABLES:
        if variable not in of:
            continue
        some = of[variable]
        received = sum(one.received for one in some)
        flagged = sum(one.quality.flagged for one in some)
        tests: dict[str, int] = defaultdict(int)
        for one in some:
            for tested in one.quality.tests:
                tests[tested.test] += tested.values
        expected = sum(one.expected for one in some)
        found.append(
            Variable(
                variable=variable,
                sensors=len(some),
                expected=expected,
                received=received,
                availability=_available(sum(min(one.received, one.expected) for one in some), expected),
                quality=Quality(
                    flagged=flagged,
                    flagged_share=_share(flagged, received),
                    tests=_tests(tests, received),
                    bias=_median([abs(one.quality.bias) for one in some if one.quality.bias is not None]),
                    spread=_median([one.quality.spread for one in some if one.quality.spread is not None]),
                ),
            )
        )
    return found


def _days(read: _Month, wanted: Bools) -> list[Day]:
    found = []
    for span, received in zip(read.days, read.counts.daily, strict=True):
        expected = availability.expected(read.begin, read.rhythms.stations, span)[wanted]
        found.append(
            Day(
                date=times.from_epoch(span.start).strftime("%Y-%m-%d"),
                expected=int(expected.sum()),
                received=int(received[wanted].sum()),
                availability=_available(int(np.minimum(received[wanted], expected).sum()), int(expected.sum())),
            )
        )
    return found


def _costs(stations: Sequence[Station]) -> list[Cost]:
    costs = [
        Cost(one.station_id, STATION, one.lost_hours, 0.0, one.lost_hours) for one in stations
    ] + [
        Cost(
            sensor.station_id, sensor.variable, sensor.lost_hours, sensor.flagged_hours,
            round(sensor.lost_hours + sensor.flagged_hours, 1),
        )
        for one in stations for sensor in one.sensors
    ]  # fmt: skip
    dearest = sorted(costs, key=lambda one: (-one.hours, one.station_id, one.variable))[:COSTS]
    return [one for one in dearest if one.hours > 0]


def _tests(tests: Mapping[str, int], received: int) -> list[Tested]:
    ordered = sorted(tests.items(), key=lambda item: (-item[1], item[0]))
    return [Tested(test, number, _share(number, received)) for test, number in ordered]


def _available(received: float, expected: float) -> float:
    """Received as a share of expected, at most 1; 1 where nothing was expected."""
    return round(min(received / expected, 1.0), 4) if expected else 1.0


def _share(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def _hours(number: float, interval: float) -> float:
    return round(max(number, 0) * interval / HOUR, 1)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), _HUNDREDTHS)


def _median(values: Sequence[float]) -> float | None:
    return round(float(np.median(values)), _HUNDREDTHS) if values else None
