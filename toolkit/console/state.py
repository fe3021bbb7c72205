"""The state of each station now: its colour and mark wherever the console names it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from toolkit.query.source_states import freshness
from toolkit.settings import Settings
from toolkit.store import Selection, Store
from toolkit.store.incidents import ACTIVE, Incident, IncidentFilter
from toolkit.variables import STATION

State = Literal["critical", "warning", "silent", "maintenance", "weather", "well"]
STATES: tuple[State, ...] = get_args(State)
"""The worst first."""


def states(store: Store, settings: Settings, at: float) -> dict[str, State]:
    """The state of each station, by its id: the worst that applies.

    `critical` and `warning` are an active incident of that severity, of the station or of the network with the station
    in it. `silent` is a station without an observation for longer than `fresh_minutes`, or where there are several
    sources for longer than that or three cadences of its own, or with an active incident of the station as a whole.
    `maintenance` is planned for now, or the state of one of its incidents; where it is of the whole station, that the
    station is silent does not count. `weather` is what the newest detection run found there.
    Everything else is `well`, incidents of severity `info` included.

    Args:
        store: what is read.
        settings: of the service.
        at: the present, seconds since the epoch.
    """
    return states_with(store, settings, at, active_incidents(store))


def states_with(
    store: Store, settings: Settings, at: float, incidents: Mapping[str, Sequence[Incident]]
) -> dict[str, State]:
    """The same, where the active incidents of each station have been read already."""
    stations, newest = store.stations(), store.latest_times()
    windows = store.incidents.maintenance(at, at)
    found: dict[str, set[State]] = defaultdict(set)
    for name, some in incidents.items():
        found[name].update(map(_of_incident, some))
    for window in windows:
        found[window.station_id].add("maintenance")
    for one in store.anomalies(Selection(start=at - settings.window_hours * 3600)):
        if one.state == "open" and one.class_ == "weather_event":
            found[one.station_id].add("weather")
    away = {one.station_id for one in windows if one.variable == STATION}
    names = [one.station_id for one in stations]
    for name, limit in zip(names, freshness(settings).of(names, store.owners), strict=True):
        if name not in away and at - newest.get(name, 0) > limit:
            found[name].add("silent")
    return {one.station_id: min(found[one.station_id], key=STATES.index, default="well") for one in stations}


def active_incidents(store: Store) -> dict[str, list[Incident]]:
    """The active incidents of each station, by its id; those of the network count for each station that has them."""
    found: dict[str, list[Incident]] = defaultdict(list)
    everywhere = {}
    for one in store.incidents.find(IncidentFilter(states=ACTIVE)):
        if one.station_id is None:
            everywhere[one.id] = one
        else:
            found[one.station_id].append(one)
    for affected in store.incidents.affected(list(everywhere)):
        found[affected.station_id].append(everywhere[affected.incident_id])
    return found


def _of_incident(one: Incident) -> State:
    if one.state == "maintenance":
        return "maintenance"
    if one.severity != "info":
        return one.severity
    return "silent" if one.variable == STATION else "well"
