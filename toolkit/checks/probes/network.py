"""Checks of the last hours' observations of the whole network: what no weather does, and no single station shows.

They read a bounded number of rows, and skip networks that are too small to be compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from itertools import pairwise, takewhile

from toolkit.backup.folder import Backup
from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.causes import OBSERVATIONS
from toolkit.checks.database import changed, have_backup
from toolkit.checks.feed_values import MOST_ALIKE, PART, STATIONS, jumped
from toolkit.checks.host import Host
from toolkit.checks.probes.observations import silent
from toolkit.checks.remedies import Restore, Tool
from toolkit.durations import humanize
from toolkit.model import Observation
from toolkit.sources import cadences_of
from toolkit.store.selection import Selection, Span
from toolkit.times import from_stored, stored
from toolkit.variables import BY_NAME, MEASURED, MONITORED

HOURS = 6
MOST_ROWS = 20_000
HOUR = 3600
_DIRECTIONS = [variable.name for variable in MEASURED if variable.nature == "circular"]
# How many observations in a row are compared.
IN_A_ROW = 6
# No pressure stands still at every station for so long; humidity does, in fog.
FROZEN_SECONDS = 3 * HOUR
# So many stations at one place are no mast with several instruments.
CROWD = 10
# A database of more observations is not counted.
MOST_COUNTED = 5_000_000


def recent(host: Host) -> list[Observation]:
    """The observations of the last hours, in order of time; of fewer hours where there are many stations."""
    return host.once("recent observations", lambda: _read(host))


def _read(host: Host) -> list[Observation]:
    if len(host.sources) > 1:
        an_hour = sum(HOUR / cadence for cadence in _cadences(host, host.owners).values())
    else:
        an_hour = silent(host).lately * HOUR / host.settings.cadence_seconds
    hours = min(HOURS, MOST_ROWS / max(1.0, an_hour))
    start = host.now - hours * HOUR
    with host.store() as store:
        if store.count(Selection(start, host.now)) > 2 * MOST_ROWS:
            return []
        return list(store.observations(Selection(start, host.now)))


def _cadences(host: Host, stations: Collection[str]) -> dict[str, float]:
    """How many seconds apart each station reports."""
    return dict(zip(stations, cadences_of(host.settings).of(stations, lambda: host.owners), strict=True))


def limits_of(host: Host, rows: list[Observation]) -> dict[str, float]:
    """How far apart two observations of a station may be to be compared with one another, in seconds."""
    return {name: max(HOUR, 3 * cadence) for name, cadence in _cadences(host, _network(rows)).items()}


def _network(rows: list[Observation]) -> set[str]:
    return {row.station_id for row in rows}


def _calm(row: Observation) -> bool:
    """Whether no wind blew: a station then gives no direction, or repeats the last one."""
    return 0 in {row.wind_speed, row.hi_speed}


@check(
    id="values-possible", area="data quality",
    invariant="No value is stored that no sensor measures.",
    problem="A value is stored that no sensor measures.",
    severity=Status.WARNING, remedy=Tool("data latest"), caused_by=OBSERVATIONS,
)  # fmt: skip
def values_possible(host: Host) -> Finding | None:
    rows = recent(host)
    for name, variable in BY_NAME.items():
        least, most = variable.readable
        wrong = [row for row in rows if (value := getattr(row, name)) is not None and not least <= value <= most]
        if wrong:
            value = getattr(wrong[0], name)
            return bad(
                f"{name} of {wrong[0].station_id} at {stored(wrong[0].time)} UTC is {value:g} {variable.unit}, which "
                f"no sensor measures; {len(wrong)} such values",
                changed(
                    host,
                    f"UPDATE observations SET {name} = NULL WHERE time >= '{stored(wrong[0].time)}' "
                    f"AND {name} NOT BETWEEN {least:g} AND {most:g}",
                ),
            )
    return good("every value could have been measured")


@check(
    id="values-alive", area="data quality",
    invariant="Values change with time, and differ between stations.",
    problem="Values do not change, or are the same at several stations.",
    severity=Status.WARNING, remedy=Tool("data latest"), caused_by=(*OBSERVATIONS, "feed-variables"),
)  # fmt: skip
def values_alive(host: Host) -> Finding | None:
    series = _series(recent(host))
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
    place = MONITORED.index("bar")
    still = [one for one in series.values() if _lasts([(time, values[place]) for time, values in one])]
    if len(still) >= STATIONS and len(still) >= PART * len(series):
        return bad(
            f"bar of {len(still)} of {len(series)} stations has not changed for {humanize(FROZEN_SECONDS)}: its source "
            "is stuck"
        )
    if alike := _alike(series):
        return bad(alike)
    last = [[values for _, values in one[-IN_A_ROW:]] for one in series.values() if len(one) >= IN_A_ROW]
    if len(last) >= STATIONS and all(one == last[0] for one in last) and any(any(values) for values in last[0]):
        return bad(f"all {len(last)} stations tell the same values: the feed mixes them up")
    seen: dict[tuple[object, ...], str] = {}
    for name, one in series.items():
        changes = len({values for _, values in one}) > 1
        if changes and len(one) >= IN_A_ROW and seen.setdefault(tuple(one), name) != name:
            return bad(f"stations {seen[tuple(one)]} and {name} tell the same values all the time: one is doubled")
    return good("values change, and differ from station to station")


def _alike(series: Mapping[str, list[tuple[int, tuple[object, ...]]]]) -> str:
    """What is to be said where nearly all stations tell one and the same temperature or pressure all the time."""
    for name in ("temp_out", "bar"):
        place = MONITORED.index(name)
        last = [{values[place] for _, values in one[-IN_A_ROW:]} for one in series.values() if len(one) >= IN_A_ROW]
        told = Counter(one.pop() for one in last if len(one) == 1)
        common, number = told.most_common(1)[0] if told else (None, 0)
        if common is not None and number >= MOST_ALIKE and number >= PART * len(last):
            return f"{name} of {number} of {len(last)} stations is {common} all the time: no sensor tells it"
    return ""


def _lasts(one: list[tuple[int, object]]) -> bool:
    """Whether the newest value of a variable has been the same for long, as many readings in a row tell."""
    told = [(time, value) for time, value in one if value is not None]
    alike = list(takewhile(lambda reading: reading[1] == told[-1][1], reversed(told)))
    return len(alike) >= IN_A_ROW and alike[0][0] - alike[-1][0] >= FROZEN_SECONDS


def _series(rows: list[Observation]) -> dict[str, list[tuple[int, tuple[object, ...]]]]:
    """By station: the times, and the values of the variables that change within an hour, where there are any."""
    found: dict[str, list[tuple[int, tuple[object, ...]]]] = defaultdict(list)
    for row in rows:
        values = tuple(None if name in _DIRECTIONS and _calm(row) else getattr(row, name) for name in MONITORED)
        if any(value is not None for value in values):
            found[row.station_id].append((row.time, values))
    return found


@check(
    id="values-continue", area="data quality",
    invariant="The whole network's values do not jump.",
    problem="The whole network's values have jumped.",
    severity=Status.WARNING, remedy=Tool("settings"),
    caused_by=(*OBSERVATIONS, "values-possible", "values-alive", "feed-variables"),
)  # fmt: skip
def values_continue(host: Host) -> Finding | None:
    rows = recent(host)
    jump = jumped(rows, limits_of(host, rows))
    if jump:
        return bad(jump)
    return good("the network's values go on as they were")


@check(
    id="variables-present", area="data quality",
    invariant="Variables that were reported before are still reported.",
    problem="No station reports a variable that was reported before.",
    severity=Status.WARNING, remedy=Tool("settings"), caused_by=(*OBSERVATIONS, "values-possible"),
)  # fmt: skip
def variables_present(host: Host) -> Finding | None:
    rows = recent(host)
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
        # A variable that is reported at some hours only, such as the synoptic ones, is not gone between them.
        gaps = [after - before for times in told.values() for before, after in pairwise(times)]
        if not gaps or len(told) < len(_network(rows)) / 2 or len(_network(lacking)) < STATIONS:
            continue
        lasts = lacking[-1].time - lacking[0].time
        if lasts >= max(HOUR, *gaps):
            with host.store() as store:
                rejected = sum(one.variable == name for one in store.rejected(Span(rows[0].time, host.now)))
            why = f"; {rejected} values of it were out of range: has its unit changed?" if rejected else ""
            return bad(f"no station has told {name} from {stored(lacking[0].time)} UTC on, for {humanize(lasts)}{why}")
    return good("every variable that is told is told as often as before")


@check(
    id="hours-complete", area="data quality",
    invariant="Hours whose observations were stored are still there.",
    problem="Hours whose observations were stored are gone at all stations.",
    severity=Status.WARNING, remedy=Tool("data latest"), caused_by=(*OBSERVATIONS, "database-continues"),
)  # fmt: skip
def hours_complete(host: Host) -> Finding | None:
    rows = recent(host)
    if len(_network(rows)) < STATIONS:
        return None
    cadences = _cadences(host, _network(rows))
    often = min(cadences.values())
    limit = max(HOUR, 3 * often)
    owners = host.owners if len(host.sources) > 1 else {}
    telling = {owners.get(name) for name, cadence in cadences.items() if cadence == often}
    times = sorted({row.time for row in rows})
    gaps = [(before, after) for before, after in pairwise(times) if after - before > limit]
    for before, after in gaps:
        seen = f"no station has an observation between {stored(before)} and {stored(after)} UTC"
        if backup := _backup_with_more(host, after):
            return bad(f"{seen}, and the backup {backup.name} holds more than the database", Restore(backup.name))
        if _stored_between(host, before + limit, after, telling):
            return bad(f"{seen}, and the collection log says that some were stored then")
    if gaps:
        return good("nothing was stored in the hours that are missing at all stations, and no backup holds them")
    return good("no hour is missing at all stations")


def _stored_between(host: Host, start: float, end: float, sources: Collection[str | None]) -> bool:
    """Whether the collection log shows observations that were stored then, and so have been removed since.

    Of several sources only what those named told counts: what others tell more rarely may have been measured before.
    """
    several = len(host.sources) > 1
    return any(
        start < line.time < end and line.status == "success" and line.observations
        and (not several or line.source in sources)
        for line in host.log
    )  # fmt: skip


def _backup_with_more(host: Host, after: float) -> Backup | None:
    """The newest backup from after a gap that holds more observations, up to its newest, than the database does."""
    # Where old observations are removed their number means nothing.
    if host.settings.data_days or not have_backup(host):
        return None
    for backup in host.backups[0]:
        held = backup.manifest.content
        if backup.manifest.source != str(host.settings.db) or not held.last or held.last < stored(after):
            continue
        if held.observations > MOST_COUNTED:
            return None
        with host.store() as store:
            if store.count(Selection(end=from_stored(held.last).timestamp())) < held.observations:
                return backup
    return None


@check(
    id="stations-located", area="data quality",
    invariant="No station has the placeholder 0, 0 for its place, and stations are at different places.",
    problem="A station has the placeholder 0, 0 for its place, or most stations are at one place.",
    severity=Status.WARNING, remedy=Tool("data latest"), caused_by=OBSERVATIONS,
)  # fmt: skip
def stations_located(host: Host) -> Finding | None:
    with host.store() as store:
        found = store.statistics.located()
    if found.nowhere:
        return bad(
            f"{found.nowhere} stations are at latitude 0, longitude 0, which stands for no place: {found.first}",
            changed(host, "UPDATE stations SET latitude = NULL, longitude = NULL WHERE latitude = 0 AND longitude = 0"),
        )
    if found.place and found.crowd >= CROWD and found.crowd > found.located / 2:
        return bad(
            f"{found.crowd} of {found.stations} stations are at the same place, {found.place[0]:g}, "
            f"{found.place[1]:g}: does the feed still tell where they are?"
        )
    return good(f"{found.stations} stations have places, or none")
