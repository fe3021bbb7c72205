"""Incidents as JSON: what `weather-tool incidents --json` prints, and what the HTTP API and the console serve.

Each form takes how a time is written: ISO 8601 unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from toolkit import times
from toolkit.incidents import evidence
from toolkit.sensor_exceptions import SensorException, as_entry, exception_of
from toolkit.settings import Settings
from toolkit.store import Store
from toolkit.store.incidents import Action, Affected, Incident, Maintenance
from toolkit.variables import STATION

Time = Callable[[float | None], object]
"""How a time is written, given in seconds since the epoch."""


def iso(epoch: float | None) -> str | None:
    """ISO 8601 in UTC."""
    return None if epoch is None else times.iso_of(epoch)


def of_incident(one: Incident, time: Time = iso) -> dict[str, object]:
    """An incident."""
    return {
        "id": one.id,
        "station_id": one.station_id,
        "variable": one.variable,
        "kind": one.kind,
        "symptoms": one.symptoms.split(",") if one.symptoms else [],
        "severity": one.severity,
        "state": one.state,
        "started": time(one.started),
        "ended": time(one.ended),
        "opened": time(one.opened),
        "acknowledged": time(one.acknowledged),
        "resolved": time(one.resolved),
        "judged": time(one.judged),
        "assignee": one.assignee,
        "verdict": one.verdict,
        "part_of": one.part_of,
        "reopened": one.reopened,
        "confidence": one.confidence,
        "reason": evidence.reason(one.evidence),
    }


def of_maintenance(one: Maintenance, at: float, time: Time = iso) -> dict[str, object]:
    """Maintenance, with its state at a time: ahead, under way or over."""
    state = "ahead" if at < one.started else "over" if at > one.ended else "under way"
    return {
        "id": one.id,
        "station_id": one.station_id,
        "variable": one.variable,
        "from": time(one.started),
        "to": time(one.ended),
        "state": state,
        "by": one.actor,
        "note": one.note,
    }


def of_action(one: Action, time: Time = iso) -> dict[str, object]:
    """A line of a history."""
    return {"time": time(one.time), "by": one.actor, "action": one.action, "note": one.note}


def of_affected(one: Affected, time: Time = iso) -> dict[str, object]:
    """A station of an incident of the network."""
    return {"station_id": one.station_id, "started": time(one.started), "ended": time(one.ended)}


def at_length(store: Store, settings: Settings, one: Incident, at: float, time: Time = iso) -> dict[str, Any]:
    """An incident with its evidence, history, stations, maintenance, exceptions and messages."""
    stations = store.incidents.affected([one.id]) if one.station_id is None else []
    names = {one.station_id, *(part.station_id for part in stations)}
    windows = [
        window
        for window in store.incidents.maintenance(min(one.started, at), max(one.ended, at))
        if window.station_id in names
        and (window.variable == one.variable or STATION in {window.variable, one.variable})
    ]
    return {
        **of_incident(one, time),
        "evidence": evidence.read(one.evidence),
        "stations": [of_affected(part, time) for part in stations],
        "history": [of_action(action, time) for action in store.incidents.history(one.id)],
        "maintenance": [of_maintenance(window, at, time) for window in windows],
        "exceptions": [as_entry(each) for each in _exceptions(settings.exceptions, one, at)],
        "messages": [
            {
                "event": each.event,
                "state": each.state,
                "due": time(each.due),
                "tried": time(each.tried),
                "error": each.error,
            }
            for each in store.incidents.told([one.id])
        ],
    }


def _exceptions(exceptions: Sequence[SensorException], one: Incident, at: float) -> list[SensorException]:
    if one.station_id is None:
        return []
    applied = exception_of(exceptions, one.station_id, one.variable, at)
    return [applied] if applied else []
