"""Incidents as the console's data: with names of stations, and times in whole seconds since the epoch."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from toolkit.incidents import deciding, evidence, forms
from toolkit.incidents.telling import ESCALATED, OPENING
from toolkit.model import Station
from toolkit.settings import Settings
from toolkit.store import Store
from toolkit.store.incidents import Incident

# What a test or a rule says of a neighbour, of whatever else there is in an incident's evidence.
_NUMBERS = ("distance_km", "value", "implies", "correlation")


class Shown(NamedTuple):
    """An incident with what is shown beside it.

    Attributes:
        incident: as the store has it.
        station: where it is; None for the network, and where the station is gone.
        stations: of an incident of the network, the ids of its stations.
        news: when it opened, came back or got worse, the newest of these; seconds since the epoch.
    """

    incident: Incident
    station: Station | None
    stations: Sequence[str]
    news: float

    def words(self) -> Iterator[str]:
        """What it can be searched by."""
        names = self.station[:3] if self.station else (self.incident.station_id,)
        return (word for word in (*names, *self.stations, self.incident.assignee, "") if word is not None)

    def form(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **forms.of_incident(self.incident, whole),
            **names(self.station),
            "affected": len(self.stations),
            "news": whole(self.news),
            "version": deciding.version(self.incident),
        }


def whole(epoch: float | None) -> int | None:
    """A time as the console's data have it."""
    return None if epoch is None else int(epoch)


def shown(store: Store, incidents: Sequence[Incident]) -> list[Shown]:
    """Incidents with what is shown beside them, in the same order."""
    stations = {one.station_id: one for one in store.stations()}
    affected = defaultdict(list)
    for part in store.incidents.affected([one.id for one in incidents if one.station_id is None]):
        affected[part.incident_id].append(part.station_id)
    news = {one.id: one.opened for one in incidents}
    for action in store.incidents.noted(list(news), OPENING):
        news[action.incident_id] = max(news[action.incident_id], action.time)
    return [Shown(one, stations.get(one.station_id or ""), affected[one.id], news[one.id]) for one in incidents]


def at_length(store: Store, settings: Settings, one: Incident, at: float) -> dict[str, Any]:
    """An incident with its evidence, history, stations, maintenance, exceptions, and what people were told.

    Args:
        store: what is read.
        settings: which exceptions there are.
        one: the incident.
        at: the present, seconds since the epoch.
    """
    form = forms.at_length(store, settings, one, at, whole)
    known = {station.station_id: station for station in store.stations()}
    return {
        **form,
        **shown(store, [one])[0].form(),
        "stations": [{**each, **names(known.get(each["station_id"]))} for each in form["stations"]],
        "evidence": [_seen(job, seen, known) for job, seen in form["evidence"].items()],
        # That nobody has acknowledged it is told of one that is still open alone.
        "messages": [
            each
            for each in form["messages"]
            if each["state"] == "sent" or each["event"] != ESCALATED or one.state == "open"
        ],
    }


def names(station: Station | None) -> dict[str, str | None]:
    """The names of a station, beside its id."""
    return {
        "station_name": station.station_name_en if station else None,
        "station_name_gr": station.station_name_gr if station else None,
    }


def _seen(job: str, seen: dict[str, Any], known: dict[str, Station]) -> dict[str, Any]:
    """What a job saw. Evidence is text that anybody may have written: what is no number and no time becomes None."""
    near = [each for each in seen.get("neighbours") or [] if isinstance(each, dict)]
    return {
        "job": job,
        **{name: str(seen.get(name) or "") for name in ("symptom", "class", "reason")},
        **{name: _number(seen.get(name)) for name in ("value", "expected", "score")},
        **{name: whole(evidence.time(seen.get(name))) for name in ("started", "ended")},
        "clear": bool(seen.get("clear")),
        "neighbours": [
            {
                "station_id": str(each.get("station_id") or ""),
                **names(known.get(str(each.get("station_id")))),
                **{name: _number(each.get(name)) for name in _NUMBERS},
            }
            for each in near
        ],
    }


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
