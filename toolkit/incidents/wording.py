"""What people are told, in words: plain text of few lines, whatever feeds and people put into it."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from toolkit.durations import lasting
from toolkit.incidents import evidence
from toolkit.incidents.kinds import rank
from toolkit.incidents.telling import CLOSING, ESCALATED
from toolkit.settings import Settings
from toolkit.store.incidents import SEVERITIES, Incident, Kind
from toolkit.text import clean
from toolkit.times import from_epoch
from toolkit.variables import BY_NAME, STATION

# A storm is one message: so many incidents in full, then so many in a line each, then their number.
IN_FULL, IN_A_LINE = 10, 20
NAMED_STATIONS = 8
REPEATED = "This may have been told before: the last attempt to send it was cut short."
IS: dict[Kind, str] = {
    "data_missing": "data are missing",
    "data_wrong": "readings are wrong",
    "siting": "the sensor seems not to stand where it should",
}
WAS: dict[Kind, str] = {
    "data_missing": "data were missing",
    "data_wrong": "readings were wrong",
    "siting": "the sensor seemed not to stand where it should",
}


class News(NamedTuple):
    """What there is to tell of one incident.

    Attributes:
        incident: as it is now.
        events: what happened, by the names that the outbox has for it.
        stations: of an incident of the network, the stations that have it.
    """

    incident: Incident
    events: frozenset[str]
    stations: Sequence[str] = ()


class Letter(NamedTuple):
    """A message: its title and its lines."""

    title: str
    lines: list[str]


def letter(
    news: Sequence[News], settings: Settings, names: Mapping[str, str], at: float, *, repeated: bool = False
) -> Letter:
    """One message of all news.

    Args:
        news: the news.
        settings: the time zone in which people are told times.
        names: the stations' names, by id.
        at: the present, seconds since the epoch.
        repeated: whether some of it may have been told before.
    """
    news = sorted(news, key=lambda one: (_over(one), -rank(one.incident.severity), one.incident.started))
    lines: list[str] = []
    for one in news[:IN_FULL]:
        lines += [*_at_length(one, settings, names, at), ""]
    lines += [_heading(one, names) for one in news[IN_FULL : IN_FULL + IN_A_LINE]]
    if (more := len(news) - IN_FULL - IN_A_LINE) > 0:
        lines.append(f"and {more} more")
    lines += ["All that is open: weather-tool incidents list", *([REPEATED] if repeated else [])]
    return Letter(f"{platform.node()}: {_title(news, names)}", lines)


def place(incident: Incident, names: Mapping[str, str]) -> str:
    """Where an incident is, for people."""
    if incident.station_id is None:
        return "the network"
    name = names.get(incident.station_id)
    return f"{name} ({incident.station_id})" if name and name != incident.station_id else incident.station_id


def sensor(variable: str) -> str:
    """A sensor, for people."""
    return "the station as a whole" if variable == STATION else variable


def moment(epoch: float, settings: Settings) -> str:
    """A time, in the time zone that people have."""
    return f"{from_epoch(epoch).astimezone(settings.notify_time_zone):%Y-%m-%d %H:%M} {settings.notify_time_zone}"


def _over(one: News) -> bool:
    return not one.events.isdisjoint(CLOSING)


def _title(news: Sequence[News], names: Mapping[str, str]) -> str:
    if len(news) == 1:
        return _heading(news[0], names)
    running = [one.incident.severity for one in news if not _over(one)]
    counts = Counter(running)
    parts = [f"{counts[severity]} {severity}" for severity in reversed(SEVERITIES) if counts[severity]]
    over = [f"{len(news) - len(running)} over"] if len(news) > len(running) else []
    return f"{len(news)} incidents: {', '.join(parts + over)}"


def _heading(one: News, names: Mapping[str, str]) -> str:
    incident = one.incident
    words = WAS if _over(one) else IS
    what = f"{place(incident, names)}, {sensor(incident.variable)}: {words[incident.kind]}"
    return f"{_status(one.events, incident)}: {what}"


def _status(events: frozenset[str], incident: Incident) -> str:
    if not events.isdisjoint(CLOSING):
        return "dismissed" if incident.state == "dismissed" else "over"
    words = {ESCALATED: "nobody has acknowledged", "worsened": "worse", "reopened": "again"}
    return f"{incident.severity}, {next((word for event, word in words.items() if event in events), 'new')}"


def _at_length(one: News, settings: Settings, names: Mapping[str, str], at: float) -> list[str]:
    incident = one.incident
    lines = [f"{_heading(one, names)} ({incident.symptoms.replace(',', ', ')})"]
    if one.stations:
        shown = ", ".join(one.stations[:NAMED_STATIONS])
        rest = len(one.stations) - NAMED_STATIONS
        lines.append(f"  at {len(one.stations)} stations: {shown}{f' and {rest} more' if rest > 0 else ''}")
    if _over(one):
        lasted = lasting(incident.ended - incident.started)
        lines.append(f"  from {moment(incident.started, settings)}, for {lasted}")
        if incident.verdict:
            lines.append(f"  it was: {incident.verdict}")
        return lines
    lines.append(f"  since {moment(incident.started, settings)}, {lasting(at - incident.started)} ago")
    lines += [f"  {clean(text)}" for text in (_beside(incident), evidence.reason(incident.evidence)) if text]
    if incident.assignee:
        lines.append(f"  {clean(incident.assignee)} is to repair it")
    lines.append(
        f"  see: weather-tool incidents show {incident.id}; take it on: weather-tool incidents ack {incident.id}"
    )
    return lines


def _beside(incident: Incident) -> str:
    """The worst reading beside what the neighbours imply; empty where the evidence has none."""
    seen = evidence.read(incident.evidence).get("detector", {})
    value, expected = seen.get("value"), seen.get("expected")
    if not isinstance(value, (int, float)):
        return ""
    unit = f" {BY_NAME[incident.variable].unit}" if incident.variable in BY_NAME else ""
    implied = f"; its neighbours imply {expected:g}{unit}" if isinstance(expected, (int, float)) else ""
    return f"it reads {value:g}{unit}{implied}"
