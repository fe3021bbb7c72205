"""The incidents on the page: which are open, which of them are new, since when, and how they stand."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from toolkit import times
from toolkit.actor import JOBS
from toolkit.detector.report import Anomaly
from toolkit.incidents import evidence, kinds
from toolkit.store import Store
from toolkit.store.incidents import ACTIVE, Action, Affected, Incident, IncidentFilter, Maintenance
from toolkit.text import one_line
from toolkit.variables import STATION

# So many are shown, the worst first: the page of a bad night must still open.
MOST_OPEN = 100
MOST_CLOSED = 20
# So many stations of an incident of the network are named.
MOST_STATIONS = 50
NOTE_LENGTH = 120


@dataclass(slots=True)
class Row:
    """An incident on the page. Times are ISO 8601 in UTC.

    Attributes:
        incident: which.
        started: since when there is trouble, as far as that could be traced back.
        last: the newest wrong or missing reading.
        opened: when it became an incident.
        standing: what has become of it, by whom and until when, in words.
        reason: why there is an incident, in a sentence; may be empty.
        news: `new`, or `came back`, since the last page; empty if neither.
        stations: of an incident of the network, the stations and since when each has the trouble.
        more: how many stations it has besides.
        evidence: the place in the page that shows it; None if nothing does.
    """

    incident: Incident
    started: str
    last: str
    opened: str
    standing: str
    reason: str
    news: str
    stations: list[tuple[str, str]]
    more: int
    evidence: str | None = None

    @property
    def title(self) -> str:
        """The place and the sensor."""
        station = self.incident.station_id or "network"
        return station if self.incident.variable == STATION else f"{station}, {self.incident.variable}"

    @property
    def anchor(self) -> str:
        """The id of its row."""
        return f"incident-{self.incident.id}"


@dataclass(frozen=True, slots=True)
class Incidents:
    """What the page shows of them.

    Attributes:
        at: the moment of which this is told, ISO 8601 in UTC.
        since: what is later is new.
        open: those that are open, acknowledged or in maintenance, the worst first; not more than `MOST_OPEN`.
        number: how many there are of these.
        new: how many of them are new, or came back.
        closed: those of the window, or closed since the last page, the latest first; not more than `MOST_CLOSED`.
        closed_number: how many there are of these.
        by_trouble: those that overlap the window, by station, variable and kind.
    """

    at: str
    since: str
    open: list[Row]
    number: int
    new: int
    closed: list[Row]
    closed_number: int
    by_trouble: dict[tuple[str, str, str], Incident] = field(repr=False)

    def of(self, anomaly: Anomaly) -> Incident | None:
        """The incident that an anomaly belongs to."""
        return self.by_trouble.get((anomaly.station_id, anomaly.variable, kinds.kind(anomaly.test)))


def gather(store: Store, start: float, end: float, at: float, last_page: float | None) -> Incidents:
    """Gather what a page shows of incidents.

    Args:
        store: where they are.
        start: the start of the page's window, seconds since the epoch.
        end: its end.
        at: the present.
        last_page: when the page before this one was written; None without one: what the window brought is new then.

    Raises:
        StoreError: they cannot be read.
    """
    known = store.incidents
    since = start if last_page is None else last_page
    active = known.find(IncidentFilter(states=ACTIVE))
    in_window = known.find(IncidentFilter(since=start, until=end, parts=True))
    lately = known.find(IncidentFilter(resolved_since=since)) if last_page is not None else []
    over = {one.id: one for one in (*in_window, *lately) if one.state not in ACTIVE and one.part_of is None}
    again = {one.incident_id: one.time for one in known.noted([one.id for one in active if one.reopened], ["reopened"])}
    newest = {one.id: max(one.opened, again.get(one.id, 0)) for one in active}
    worst = sorted(
        active,
        key=lambda one: (
            -kinds.rank(one.severity), ACTIVE.index(one.state), newest[one.id] <= since, -one.started, one.id,
        ),
    )[:MOST_OPEN]  # fmt: skip
    latest = sorted(over.values(), key=lambda one: (-(one.resolved or 0), one.id))[:MOST_CLOSED]
    shown = [*worst, *latest]
    ids = [one.id for one in shown]
    done: dict[int, dict[str, Action]] = defaultdict(dict)
    for action in known.noted(ids, ["acknowledged", "resolved", "dismissed"]):
        done[action.incident_id][action.action] = action
    of_network = known.affected([one.id for one in (*shown, *in_window) if one.station_id is None])
    stations: dict[int, list[Affected]] = defaultdict(list)
    for one in of_network:
        stations[one.incident_id].append(one)
    maintenance = known.maintenance(at, at)

    def row(one: Incident) -> Row:
        news = newest.get(one.id, 0) > since
        named = sorted(stations[one.id], key=lambda part: (part.started, part.station_id))
        return Row(
            incident=one,
            started=times.iso_of(one.started),
            last=times.iso_of(one.ended),
            opened=times.iso_of(one.opened),
            standing=standing(one, done[one.id], maintenance),
            reason=evidence.reason(one.evidence),
            news=("new" if one.opened > since else "came back") if news else "",
            stations=[(part.station_id, times.iso_of(part.started)) for part in named[:MOST_STATIONS]],
            more=max(0, len(named) - MOST_STATIONS),
        )

    return Incidents(
        at=times.iso_of(math.ceil(at)),
        since=times.iso_of(since),
        open=[row(one) for one in worst],
        number=len(active),
        new=sum(moment > since for moment in newest.values()),
        closed=[row(one) for one in latest],
        closed_number=len(over),
        by_trouble=_by_trouble(in_window, stations),
    )


def standing(one: Incident, done: Mapping[str, Action], maintenance: Sequence[Maintenance]) -> str:
    """What has become of an incident, by whom and until when, in words."""
    parts = {
        "open": ["open"],
        "acknowledged": [_by("acknowledged", one.acknowledged, done.get("acknowledged"))],
        "maintenance": [_until(one, maintenance)],
        "resolved": [_by("resolved", one.resolved, done.get("resolved"))],
        "dismissed": [_by("dismissed", one.resolved, done.get("dismissed"))],
    }[one.state]
    if one.state in ACTIVE and one.assignee:
        parts.append(f"for {one.assignee}")
    if one.verdict and one.state not in ACTIVE:
        parts.append(f"verdict: {one.verdict}")
    if one.reopened:
        parts.append("came back once" if one.reopened == 1 else f"came back {one.reopened} times")
    return "; ".join(parts)


def _by(action: str, when: float | None, done: Action | None) -> str:
    """`acknowledged by maria, 2026-01-31 12:00: on Tuesday`."""
    who = f" by {'itself' if done.actor in JOBS else done.actor}" if done else ""
    what = f"{action}{who}" + (f", {_minutes(when)}" if when is not None else "")
    return f"{what}: {one_line(done.note, NOTE_LENGTH)}" if done and done.note and done.actor not in JOBS else what


def _until(one: Incident, maintenance: Iterable[Maintenance]) -> str:
    """The maintenance that an incident is in."""
    windows = [window for window in maintenance if window.covers(one.station_id, one.variable)]
    if not windows:
        return "in maintenance"
    last = max(windows, key=lambda window: window.ended)
    return f"in maintenance by {last.actor} until {_minutes(last.ended)}" + (
        f": {one_line(last.note, NOTE_LENGTH)}" if last.note else ""
    )


def _by_trouble(
    incidents: Iterable[Incident], stations: Mapping[int, Sequence[Affected]]
) -> dict[tuple[str, str, str], Incident]:
    """The latest incident by station, variable and kind; a station's own counts before the network's."""
    found: dict[tuple[str, str, str], Incident] = {}
    for one in sorted(incidents, key=lambda one: (one.station_id is not None, one.id)):
        names = [one.station_id] if one.station_id else [part.station_id for part in stations.get(one.id, ())]
        found.update({(name, one.variable, one.kind): one for name in names if one.part_of is None})
    return found


def _minutes(moment: float) -> str:
    return times.from_epoch(moment).strftime("%Y-%m-%d %H:%M")
