"""Of which changes of incidents people are told, and when. It only decides: `outbox` sends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolkit.notifying import LEVELS
from toolkit.settings import Settings
from toolkit.store.incidents import Incident, Message

# The changes that people are told of, by the name that the history has for them.
OPENING = ("opened", "reopened", "open", "worsened")
CLOSING = ("resolved", "dismissed")
ESCALATED = "escalated"


def messages(events: Sequence[tuple[Incident, str]], settings: Settings, at: float) -> list[Message]:
    """What goes into the outbox with some changes.

    Args:
        events: incidents as they are after the change, with the action that the history has for it. Actions that
            nobody is told of are left out here.
        settings: of what people are told, and when.
        at: the present, seconds since the epoch.
    """
    return [message for incident, action in events for message in _messages(incident, action, settings, at)]


def told(incident: Incident, settings: Settings) -> bool:
    """Whether people are told of an incident, by its severity and its sensor."""
    level = settings.notify_levels.level(incident.station_id, incident.variable) or settings.notify_severity
    return LEVELS.index(incident.severity) >= LEVELS.index(level)


def due(severity: str, settings: Settings, at: float) -> float:
    """When something is to be sent: at a time, or when the quiet hours are over that it is in."""
    if severity == "critical" or settings.notify_quiet_hours is None:
        return at
    return settings.notify_quiet_hours.over(at, settings.notify_time_zone)


def _messages(incident: Incident, action: str, settings: Settings, at: float) -> Iterator[Message]:
    if incident.state == "maintenance" or incident.part_of is not None or not told(incident, settings):
        return
    if action in OPENING or action in CLOSING:
        yield _message(incident, action, settings, at, at)
    hours = settings.notify_escalation_hours
    if action in OPENING and incident.state == "open" and hours:
        yield _message(incident, ESCALATED, settings, at, at + hours * 3600)


def _message(incident: Incident, action: str, settings: Settings, at: float, wanted: float) -> Message:
    # An incident is told of once for each time that it came back, got worse, or maintenance ended.
    of_this_action = {"worsened": f" {incident.severity}", "open": f" {int(at)}"}.get(action, "")
    return Message(
        id=0,
        key=f"{incident.id} {action} {incident.reopened}{of_this_action}",
        incident_id=incident.id,
        event=action,
        severity=incident.severity,
        state="waiting",
        written=at,
        due=due(incident.severity, settings, wanted),
        tried=None,
        attempts=0,
        error="",
    )
