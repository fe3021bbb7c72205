"""Checks of what the observations of the last hours say together: what no weather does, and no single station tells.

They read a bounded number of rows, and say nothing of networks that are too small to be compared.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from toolkit.checks import Check, Finding, Status, bad, good
from toolkit.checks.data import SOURCES
from toolkit.checks.host import CURRENT, Host, long
from toolkit.checks.mending import AS_USER, quoted
from toolkit.model import Observation
from toolkit.store.base import Selection, Span
from toolkit.times import stored
from toolkit.variables import BY_NAME, MEASURED, MONITORED

HOURS = 6
MOST_ROWS = 20_000
HOUR = 3600
# Fewer say nothing of a network.
STATIONS = 3
_DIRECTIONS = [variable.name for variable in MEASURED if variable.nature == "circular"]
# How many observations in a row are compared.
IN_A_ROW = 6
# No weather changes the temperature of a whole network by so much between two documents.
JUMP_DEGREES = 15.0
PART = 0.9


def _recent(host: Host) -> list[Observation]:
    """The observations of the last hours, by time: of fewer hours where there are many stations."""
    if "observations_recent" not in host.kept:
        with host.lock("observations_recent"):
            if "observations_recent" not in host.kept:
                host.kept["observations_recent"] = (_read(host), None)
    rows: list[Observation] = host.kept["observations_recent"][0]
    return rows


def _read(host: Host) -> list[Observation]:
    an_hour = max(1, len(host.latest)) * HOUR / host.settings.cadence_seconds
    hours = min(HOURS, MOST_ROWS / an_hour)
    start = host.now - hours * HOUR
    with host.store() as store:
        if store.count(Selection(start, host.now)) > 2 * MOST_ROWS:
            return []
        return list(store.observations(Selection(start, host.now)))


def _network(rows: list[Observation]) -> set[str]:
    return {row.station_id for row in rows}


def _calm(row: Observation) -> bool:
    """Whether no wind blew: then there is no direction, and a station tells none, or the last one again."""
    return row.wind_speed == 0 or row.hi_speed == 0


def _variables(host: Host) -> Finding | None:
    rows = _recent(host)
    if len(_network(rows)) < STATIONS:
        return None
    for name in BY_NAME:
        told: dict[str, list[int]] = defaultdict(list)
        lacking: list[Observation] = []
        for row in rows:
            if getattr(row, name) is not None:
                told[row.station_id].append(row.time)
                lacking = []
            elif not (name in _DIRECTIONS and _calm(row)):
                lacking.append(row)
        # What is told at some hours only, as by the synoptic hours, is not gone between them.
        gaps = [after - before for times in told.values() for before, after in pairwise(times)]
        if not gaps or len(told) < len(_network(rows)) / 2 or len(_network(lacking)) < STATIONS:
            continue
        lasts = lacking[-1].time - lacking[0].time
        if lasts >= max(HOUR, *gaps):
            with host.store() as store:
                rejected = sum(one.variable == name for one in store.rejected(Span(rows[0].time, host.now)))
            why = f"; {rejected} values of it were out of range: has its unit changed?" if rejected else ""
            return bad(f"no station has told {name} from {stored(lacking[0].time)} UTC on, for {long(lasts)}{why}")
    return good("every variable that is told is told as often as before")


def _hours(host: Host) -> Finding | None:
    rows = _recent(host)
    if len(_network(rows)) < STATIONS:
        return None
    limit = max(HOUR, 3 * host.settings.cadence_seconds)
    times = sorted({row.time for row in rows})
    for before, after in pairwise(times):
        if after - before > limit:
            said = f"no station has an observation between {stored(before)} and {stored(after)} UTC"
            backups = host.backups[0] if host.deployed else []
            held = bool(backups) and (backups[0].manifest.content.last or "") >= stored(after)
            return bad(said, "weather-tool restore LATEST" if held else "")
    return good("no hour is missing at all stations")


def _possible(host: Host) -> Finding | None:
    rows = _recent(host)
    for name, variable in BY_NAME.items():
        wrong = [
            row
            for row in rows
            if (value := getattr(row, name)) is not None and not variable.low <= value <= variable.high
        ]
        if wrong:
            value = getattr(wrong[0], name)
            return bad(
                f"{name} of {wrong[0].station_id} at {stored(wrong[0].time)} UTC is {value:g} {variable.unit}, which "
                f"no sensor measures; {len(wrong)} such values",
                _sql(
                    host,
                    f"UPDATE observations SET {name} = NULL WHERE time >= '{stored(wrong[0].time)}' "
                    f"AND {name} NOT BETWEEN {variable.low:g} AND {variable.high:g}",
                ),
            )
    return good("every value could have been measured")


def _sql(host: Host, statement: str) -> str:
    if host.is_postgresql:
        return f"psql {quoted(host.settings.db)} -c {quoted(statement)}"
    code = f"import sqlite3; c = sqlite3.connect({str(host.db)!r}, timeout=20); c.execute({statement!r}); c.commit()"
    return f"{AS_USER}{CURRENT if host.deployed else '.venv'}/bin/python -I -c {quoted(code)}"


def _alive(host: Host) -> Finding | None:
    """Whether values change from one time to the next, and from one station to the other."""
    series = _series(_recent(host))
    if len(series) < STATIONS:
        return None
    stuck = [
        name
        for name, one in series.items()
        if len(one) >= IN_A_ROW
        and len({values for _, values in one}) == 1
        and any(one[0][1])  # zeros may last, such as a calm
        and one[-1][0] - one[0][0] >= HOUR
    ]
    if len(stuck) >= STATIONS and len(stuck) >= PART * len(series):
        return bad(f"{len(stuck)} of {len(series)} stations repeat the same values with new times: the source is stuck")
    last = [[values for _, values in one[-IN_A_ROW:]] for one in series.values() if len(one) >= IN_A_ROW]
    if len(last) >= STATIONS and all(one == last[0] for one in last) and any(any(values) for values in last[0]):
        return bad(f"all {len(last)} stations tell the same values: the feed mixes them up")
    seen: dict[tuple[object, ...], str] = {}
    for name, one in series.items():
        changes = len({values for _, values in one}) > 1
        if changes and len(one) >= IN_A_ROW and seen.setdefault(tuple(one), name) != name:
            return bad(f"stations {seen[tuple(one)]} and {name} tell the same values all the time: one is doubled")
    return good("values change, and differ from station to station")


def _series(rows: list[Observation]) -> dict[str, list[tuple[int, tuple[object, ...]]]]:
    """What each station told, without readings that have nothing of what changes within an hour."""
    found: dict[str, list[tuple[int, tuple[object, ...]]]] = defaultdict(list)
    for row in rows:
        values = tuple(None if name in _DIRECTIONS and _calm(row) else getattr(row, name) for name in MONITORED)
        if any(value is not None for value in values):
            found[row.station_id].append((row.time, values))
    return found


def _units(host: Host) -> Finding | None:
    last: dict[str, Observation] = {}
    jumped: dict[str, tuple[float, Observation]] = {}
    limit = max(HOUR, 3 * host.settings.cadence_seconds)
    for row in _recent(host):
        if row.temp_out is None:
            continue
        before = last.get(row.station_id)
        if before and before.temp_out is not None and row.time - before.time <= limit:
            jump = abs(row.temp_out - before.temp_out)
            jumped |= {row.station_id: (before.temp_out, row)} if jump > JUMP_DEGREES else {}
        last[row.station_id] = row
    if len(jumped) >= STATIONS and len(jumped) >= PART * len(last):
        old, row = next(iter(jumped.values()))
        return bad(
            f"temp_out of {len(jumped)} of {len(last)} stations jumped, such as from {old:g} to {row.temp_out:g} °C at "
            f"{row.station_id}, {stored(row.time)} UTC: has the feed's unit changed?"
        )
    return good("the network's values go on as they were")


def _located(host: Host) -> Finding | None:
    with host.store() as store:
        stations = store.stations()
    nowhere = [one.station_id for one in stations if one.latitude == 0 and one.longitude == 0]
    if nowhere:
        return bad(
            f"{len(nowhere)} stations are at latitude 0, longitude 0, which stands for no place: {nowhere[0]}",
            _sql(host, "UPDATE stations SET latitude = NULL, longitude = NULL WHERE latitude = 0 AND longitude = 0"),
        )
    return good(f"{len(stations)} stations have places, or none")


def _check(name: str, guards: str, probe: object, remedy: str = "weather-tool data latest", *because: str) -> Check:
    assert callable(probe)  # noqa: S101 - for the type checker
    return Check(name, "data quality", guards, Status.WARNING, probe, remedy, (*SOURCES, *because))


CHECKS = (
    _check("values-possible", "No value is stored that no sensor measures.", _possible),
    _check("values-alive", "Values change with time, and differ between stations.", _alive),
    _check("values-continue", "The whole network's values do not jump.", _units, "weather-tool settings",
           "values-possible", "values-alive"),
    _check("variables-present", "What stations told before they still tell.", _variables, "weather-tool settings",
           "values-possible"),
    _check("hours-complete", "No hour is missing at all stations.", _hours),
    _check("stations-located", "No station is at a place that stands for none.", _located),
)  # fmt: skip
