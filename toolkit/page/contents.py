"""What the page shows, gathered from the store, a detection report and the backups."""

from __future__ import annotations

import platform
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from toolkit import __version__, times
from toolkit.backup import drill_record
from toolkit.backup.drill_record import Drill
from toolkit.backup.folder import Folder
from toolkit.backup.manifest import Manifest
from toolkit.detector import loading, sensors
from toolkit.detector.grid import DAY, Grid
from toolkit.detector.report import Anomaly, Insufficient, Report
from toolkit.detector.sensors import Sensor
from toolkit.errors import ToolkitError
from toolkit.location import without_impossible_place
from toolkit.model import Station
from toolkit.page import event_plot, incidents, network_map
from toolkit.page.incidents import Incidents, Row
from toolkit.quality.neighbours import nearest
from toolkit.settings import DECLARATIONS, Settings
from toolkit.sources import cadences_of
from toolkit.store import Store
from toolkit.store.incidents import ACTIVE, Incident
from toolkit.variables import STATION

# The states of a station, the worst first. It has the worst that its anomalies give it.
STATES = ("device_failure", "suspected", "silent", "unverified", "weather_event", "well")
# So many anomalies get a plot, the worst first: the page of a bad night must still open.
PLOTS = 24
# The same for incidents whose trouble is not in the window.
INCIDENT_PLOTS = 12
HEALTH_DAYS = 30
# The healthy sensors are listed if there are no more than this.
MOST_HEALTHY = 200
# The days before are read for no larger network: that takes memory for every sensor's every reading.
MOST_WITH_HEALTH = 500
# So many stations, anomalies, and things that could not be judged are listed, the worst first.
MOST_STATIONS = 1000
MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class StationState:
    """A station at the window's end.

    Attributes:
        station: which.
        state: one of `STATES`.
        last: its newest observation, ISO 8601 in UTC; None where there is none.
        anomalies: how many the window has.
        sensors: those of its sensors that were not healthy over the days before.
    """

    station: Station
    state: str
    last: str | None
    anomalies: int
    sensors: list[Sensor]


@dataclass(frozen=True, slots=True)
class Event:
    """An anomaly on the page.

    Attributes:
        anomaly: what was found.
        plot: its plot as SVG; None beyond the first `PLOTS`, and where there is nothing to plot.
        anchor: the id of its place in the page.
        incident: the one that it belongs to; None for weather.
    """

    anomaly: Anomaly
    plot: str | None
    anchor: str
    incident: Incident | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """How complete each day was.

    Attributes:
        days: ISO 8601 dates in UTC, the newest first.
        rows: the id of each station, and for each day how many per cent of the expected observations arrived; None
            before the station's first observation.
    """

    days: list[str]
    rows: list[tuple[str, list[int | None]]]


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that the page shows."""

    report: Report
    stations: list[StationState]
    more_stations: int
    counts: dict[str, int]
    network: str | None
    incidents: Incidents
    earlier: list[tuple[Row, str]]
    events: list[Event]
    insufficient: list[Insufficient]
    sensors: list[Sensor] | None
    sensor_anchors: dict[tuple[str, str], str]
    health_days: int
    most_healthy: int
    calendar: Calendar | None
    backup: Manifest | None
    drill: Drill | None
    backups_unknown: str
    settings: list[tuple[str, str]]
    version: str
    host: str


def gather(store: Store, settings: Settings, report: Report, at: float, last_page: float | None) -> Contents:
    """Gather what the page of a report shows.

    Args:
        store: where the observations are.
        settings: the neighbourhood, and where the backups are.
        report: what was found.
        at: the present, seconds since the epoch.
        last_page: when the page before this one was written; None without one.

    Raises:
        StoreError: the store cannot be read.
    """
    start, end = (times.epoch_of(text) for text in (report.window.start, report.window.end))
    network = [without_impossible_place(station) for station in store.stations()]
    long = sensors.read(store, settings, end, HEALTH_DAYS) if len(network) <= MOST_WITH_HEALTH else None
    health = sensors.health(long, settings).sensors if long else []
    last = {one.station_id: times.iso_of(one.time) for one in store.latest()}
    silent = {one.station_id for one in report.insufficient if one.variable == STATION}
    found, unhealthy = defaultdict(list), defaultdict(list)
    for anomaly in report.anomalies:
        found[anomaly.station_id].append(anomaly)
    for sensor in health:
        if sensor.state != "healthy":
            unhealthy[sensor.station_id].append(sensor)
    stations = [
        StationState(one, _state(found[name], name in silent), last.get(name), len(found[name]), unhealthy[name])
        for one in network
        for name in [one.station_id]
    ]
    stations.sort(key=lambda one: (STATES.index(one.state), one.station.station_id))
    neighbours = nearest(network, settings.neighbour_km, settings.neighbour_elevation_m)
    backup, drill, unknown = _backups(Path(settings.backups))
    trouble = incidents.gather(store, start, end, at, last_page)
    events = list(_events(store, settings, report, trouble))
    anchors = {
        (one.station_id, one.variable): f"sensor-{number}"
        for number, one in enumerate((one for one in health if one.state != "healthy"), 1)
    }
    return Contents(
        report=report,
        stations=stations[:MOST_STATIONS],
        more_stations=len(stations[MOST_STATIONS:]),
        counts={state: sum(one.state == state for one in stations) for state in STATES},
        network=network_map.draw(network, {one.station.station_id: one.state for one in stations}, neighbours),
        incidents=trouble,
        earlier=_with_evidence(store, trouble, events, anchors),
        events=events,
        insufficient=report.insufficient[:MOST_EVENTS],
        sensors=health if long else None,
        sensor_anchors=anchors,
        health_days=HEALTH_DAYS,
        most_healthy=MOST_HEALTHY,
        calendar=_calendar(long) if long else None,
        backup=backup,
        drill=drill,
        backups_unknown=unknown,
        settings=[(DECLARATIONS[name].variable, _shown(name, settings)) for name in DECLARATIONS],
        version=__version__,
        host=platform.node(),
    )


def _state(found: Sequence[Anomaly], silent: bool) -> str:
    """The state of a station: the worst of its anomalies, or `silent` where it hardly reported."""
    candidates = ["silent" if one.variable == STATION else one.class_ for one in found]
    return min([*candidates, *(["silent"] if silent else [])], key=STATES.index, default="well")


def _with_evidence(
    store: Store, shown: Incidents, events: Sequence[Event], sensors: Mapping[tuple[str, str], str]
) -> list[tuple[Row, str]]:
    """Say of each incident where the page shows it; returns those with a plot of their own, and the plots.

    That is the worst of its anomalies, a plot of how it began, or what is said of its sensor's or station's health.
    """
    place: dict[int, str] = {}
    for event in events:
        if event.incident is not None:
            place.setdefault(event.incident.id, event.anchor)
    own: list[tuple[Row, str]] = []
    for row in (*shown.open, *shown.closed):
        one = row.incident
        row.evidence = place.get(one.id)
        wanted = row.evidence is None and one.state in ACTIVE and len(own) < INCIDENT_PLOTS
        if wanted and (plot := event_plot.of_incident(store, one)):
            own.append((row, plot))
            row.evidence = f"evidence-{one.id}"
        elif row.evidence is None and one.station_id is not None:
            otherwise = "completeness" if one.variable == STATION else None
            row.evidence = sensors.get((one.station_id, one.variable), otherwise)
    return own


def _events(store: Store, settings: Settings, report: Report, shown: Incidents) -> list[Event]:
    worst = sorted(
        report.anomalies, key=lambda one: (STATES.index(one.class_), -(one.score or 0), one.station_id, one.variable)
    )[:MOST_EVENTS]
    if not worst:
        return []
    end = times.epoch_of(report.window.end)
    start = end - report.window.hours * 3600 - event_plot.AROUND_HOURS * 3600
    variables = sorted({one.variable for one in worst} - {STATION})
    grid = loading.load(store, start, end, cadences_of(settings), variables, past_days=0)
    return [
        Event(
            one,
            event_plot.of_anomaly(one, grid) if number < PLOTS else None,
            f"anomaly-{number + 1}",
            shown.of(one),
        )
        for number, one in enumerate(worst)
    ]


def _calendar(grid: Grid) -> Calendar:
    """The calendar of all days that were read, also of the present one."""
    ends = grid.slot_times() - grid.cadence / 2
    day = (ends // DAY).astype(np.int64)
    days, first = np.unique(day, return_index=True)
    expected = np.diff(first, append=len(day))
    present = ~np.isnan(grid.times)
    there = np.add.reduceat(present, first, axis=1) if len(first) else np.zeros((len(present), 0))
    began = np.where(present.any(axis=1), np.argmax(present, axis=1), len(day))
    rows = []
    for row, station in enumerate(grid.stations):
        percents = [
            None
            if first[place] + expected[place] <= began[row]
            else round(100 * int(there[row, place]) / int(expected[place]))
            for place in range(len(days))
        ]
        rows.append((station.station_id, percents[::-1]))
    return Calendar([times.from_epoch(one * DAY).strftime("%Y-%m-%d") for one in days[::-1].tolist()], rows)


def _backups(folder: Path) -> tuple[Manifest | None, Drill | None, str]:
    """The newest backup, the last drill, and why they are not known ("" if they are)."""
    try:
        backups, _ = Folder(str(folder)).look()
        return backups[0].manifest if backups else None, drill_record.last(folder), ""
    except ToolkitError as error:
        return None, None, str(error)


def _shown(name: str, settings: Settings) -> str:
    value = getattr(settings, name)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    # Not `str` of a text: it would make an ordinary one of an address that came as a credential.
    return "" if value is None else DECLARATIONS[name].kind.shown(value if isinstance(value, str) else str(value))
