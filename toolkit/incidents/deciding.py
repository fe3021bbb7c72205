"""What people decide of incidents: acknowledged, assigned, resolved, dismissed, maintenance; and who, when and why.

Each function takes a store that is open for writing and does all in one transaction, or nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from toolkit import clock, times
from toolkit.errors import ToolkitError, UsageError
from toolkit.incidents import telling
from toolkit.settings import Settings
from toolkit.store import Store
from toolkit.store.incidents import ACTIVE, Action, Incident, IncidentFilter, Maintenance, Verdict
from toolkit.text import clean, did_you_mean, one_line
from toolkit.variables import STATION

NOTE_LENGTH = 1000
# Work that lasts longer is a mistake in a date.
MOST_SECONDS = 366 * 86400.0


class UndecidableError(ToolkitError):
    """An incident is in a state in which this cannot be done to it. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides, when and why.

    Attributes:
        actor: a person's name.
        at: the present, seconds since the epoch.
        note: what there is to say of it; may be empty.
        seen: the version of incidents, by number, that the person had before their eyes (see `version`): one that has
            changed since is not decided of.
    """

    actor: str
    at: float
    note: str = ""
    seen: Mapping[int, str] = field(default_factory=dict)

    def line(self, incident: Incident, action: str, more: str = "") -> Action:
        """The line of an incident's history."""
        return Action(incident.id, self.at, self.actor, action, ": ".join(part for part in (more, self.note) if part))


def version(one: Incident) -> str:
    """A text that changes when people decide of an incident, or when it comes back."""
    decided = (one.state, one.acknowledged, one.verdict, one.assignee, one.part_of, one.reopened)
    return blake2b(repr(decided).encode(), digest_size=6).hexdigest()


def note_text(text: str | None, *, needed: bool = False) -> str:
    """A note as it is stored.

    Raises:
        UsageError: it is too long, or missing where it is needed.
    """
    found = clean(text or "")
    if needed and not found:
        raise UsageError("give a note")
    if len(found) > NOTE_LENGTH:
        raise UsageError(f"the note has {len(found)} characters: give at most {NOTE_LENGTH}")
    return found


def acknowledge(store: Store, settings: Settings, ids: Sequence[int], by: Decision) -> list[Incident]:
    """Acknowledge incidents: somebody knows of them and takes care of them."""

    def decide(one: Incident) -> Incident:
        if one.state not in ACTIVE:
            raise _cannot("be acknowledged", one)
        if one.acknowledged is not None:
            raise UndecidableError(f"incident {one.id} is acknowledged already, since {_when(one.acknowledged)}")
        state = "acknowledged" if one.state == "open" else one.state
        return one._replace(state=state, acknowledged=by.at)

    return _decide(store, settings, ids, by, "acknowledged", decide)


def note(store: Store, settings: Settings, ids: Sequence[int], by: Decision) -> list[Incident]:
    """Add a note to the history."""
    return _decide(store, settings, ids, by, "noted", lambda one: one, parts=True)


def assign(store: Store, settings: Settings, ids: Sequence[int], by: Decision, to: str | None) -> list[Incident]:
    """Say who is to repair it; None for nobody."""

    def decide(one: Incident) -> Incident:
        if one.state not in ACTIVE:
            raise _cannot("be assigned", one)
        if one.assignee == to:
            raise UndecidableError(f"incident {one.id} is {to or 'nobody'}'s already")
        return one._replace(assignee=to)

    return _decide(store, settings, ids, by, "assigned", decide, to or "nobody")


def resolve(store: Store, settings: Settings, ids: Sequence[int], by: Decision) -> list[Incident]:
    """Resolve incidents: they were faults, and are repaired. One that is over already is labelled as a fault."""

    def decide(one: Incident) -> Incident:
        if one.state == "resolved" and one.verdict == "fault":
            raise UndecidableError(f"incident {one.id} is resolved already, as a fault, since {_when(one.resolved)}")
        return _closed(one, "resolved", "fault", by.at)

    return _decide(store, settings, ids, by, "resolved", decide)


def dismiss(store: Store, settings: Settings, ids: Sequence[int], by: Decision, verdict: Verdict) -> list[Incident]:
    """Dismiss incidents: they were no faults, but weather or the siting. One that is over already is labelled so."""

    def decide(one: Incident) -> Incident:
        if one.state == "dismissed" and one.verdict == verdict:
            raise UndecidableError(f"incident {one.id} is dismissed already, as {verdict}, since {_when(one.resolved)}")
        return _closed(one, "dismissed", verdict, by.at)

    return _decide(store, settings, ids, by, "dismissed", decide, verdict)


def _closed(one: Incident, state: str, verdict: Verdict, at: float) -> Incident:
    when = at if one.state in ACTIVE else one.resolved
    return one._replace(state=state, verdict=verdict, resolved=when)  # type: ignore[arg-type]


def _decide(
    store: Store,
    settings: Settings,
    ids: Sequence[int],
    by: Decision,
    action: str,
    decide: Callable[[Incident], Incident],
    more: str = "",
    *,
    parts: bool = False,
) -> list[Incident]:
    """Decide of incidents, of all or of none; returns them as they are now.

    Args:
        store: open for writing.
        settings: of what people are told.
        ids: the incidents' numbers.
        by: who, when and why.
        action: as the history has it.
        decide: an incident as it is after the decision; raises where it cannot be.
        more: what the history says besides.
        parts: whether it can be done to a part of an incident of the network as well.
    """
    with store.transaction():
        before = found(store, ids)
        for one in before:
            if by.seen.get(one.id, version(one)) != version(one):
                raise _changed(store, one)
            if one.part_of is not None and not parts:
                raise UndecidableError(
                    f"incident {one.id} is a part of incident {one.part_of}, of the network: decide of that one"
                )
        after = [decide(one) for one in before]
        store.incidents.change(now for was, now in zip(before, after, strict=True) if was != now)
        store.incidents.note(by.line(one, action, more) for one in after)
        ended = [now for was, now in zip(before, after, strict=True) if was.state in ACTIVE and now.state not in ACTIVE]
        store.incidents.tell(telling.messages([(one, action) for one in ended], settings, by.at))
    return after


def found(store: Store, ids: Sequence[int]) -> list[Incident]:
    """The incidents with these numbers, in this order.

    Raises:
        UsageError: there is none with one of them.
    """
    wanted = list(dict.fromkeys(ids))
    there = {one.id: one for one in store.incidents.find(IncidentFilter(ids=wanted, parts=True))}
    for number in wanted:
        if number not in there:
            newest = store.incidents.find(IncidentFilter(limit=1, parts=True))
            raise UsageError(
                f"there is no incident {number}"
                + (f": they go up to {newest[0].id}" if newest else " yet")
                + " (see weather-tool incidents list)"
            )
    return [there[number] for number in wanted]


def _changed(store: Store, one: Incident) -> UndecidableError:
    last = store.incidents.history(one.id)[-1:]
    how = "".join(f": {each.action} by {one_line(each.actor)} at {_when(each.time)}" for each in last)
    return UndecidableError(f"incident {one.id} has changed since it was shown{how}")


def _cannot(what: str, one: Incident) -> UndecidableError:
    as_what = f" as {one.verdict}" if one.verdict else ""
    return UndecidableError(f"incident {one.id} cannot {what}: it is {one.state}{as_what} since {_when(one.resolved)}")


def _when(epoch: float | None) -> str:
    return "an unknown time" if epoch is None else f"{times.stored(epoch)} UTC"


# Maintenance


def plan(
    store: Store, by: Decision, station: str, variables: Sequence[str], started: float, ended: float
) -> list[Maintenance]:
    """Say when people work at a station's sensors: in the past, at present, or ahead.

    Args:
        store: open for writing.
        by: who, when and why.
        station: the station's id.
        variables: which of its sensors; none for all.
        started: from when on, seconds since the epoch.
        ended: until when.

    Raises:
        UsageError: there is no such station, the times are wrong, or it overlaps other maintenance.
    """
    if ended <= started:
        raise UsageError(f"the end, {_when(ended)}, is not after the start, {_when(started)}")
    if ended - started > MOST_SECONDS:
        raise UsageError(f"from start to end it is {(ended - started) / 86400:.0f} days: give at most 366")
    if not started >= clock.EARLIEST or ended >= clock.LATEST:
        raise UsageError("give a start and an end from 2001 to 2100")
    with store.transaction():
        require_station(store, station)
        names = tuple(dict.fromkeys(variables)) or (STATION,)
        windows = [Maintenance(0, station, name, started, ended, by.actor, by.note) for name in names]
        for one in store.incidents.maintenance(started, ended):
            if any(_overlap(one, window) for window in windows):
                raise UsageError(
                    f"it overlaps maintenance {one.id} of {station}, {one.variable}, from {times.stored(one.started)} "
                    f"to {times.stored(one.ended)} UTC, by {one_line(one.actor)}: end maintenance {one.id} first"
                )
        windows = [one._replace(id=store.incidents.plan(one)) for one in windows]
        for window in windows:
            _apply(store, window, by)
    return windows


def end(store: Store, by: Decision, number: int, ended: float | None) -> Maintenance | None:
    """End maintenance sooner or later than was said; one that has not begun is cancelled. None if it was cancelled.

    Raises:
        UsageError: there is no such maintenance, or it is over, or the end is before its beginning.
    """
    with store.transaction():
        there = {one.id: one for one in store.incidents.maintenance(clock.EARLIEST, clock.LATEST)}
        if number not in there:
            raise UsageError(f"there is no maintenance {number}")
        window = there[number]
        until = by.at if ended is None else ended
        if ended is None and window.ended <= by.at:
            raise UsageError(f"maintenance {number} is over since {times.stored(window.ended)} UTC")
        if until <= window.started:
            if ended is not None:
                raise UsageError(f"the end, {_when(ended)}, is not after it begins, {_when(window.started)}")
            store.incidents.cancel(number)
            return None
        changed = window._replace(ended=until)
        for one in there.values():
            if one.id != number and _overlap(one, changed):
                raise UsageError(f"it would overlap maintenance {one.id}, from {times.stored(one.started)} UTC")
        store.incidents.change_maintenance(changed)
        _apply(store, changed, by)
    return changed


def _overlap(one: Maintenance, other: Maintenance) -> bool:
    """Whether there is a time in which both are of one sensor."""
    same = one.covers(other.station_id, other.variable) or other.covers(one.station_id, one.variable)
    return same and one.started < other.ended and other.started < one.ended


def _apply(store: Store, window: Maintenance, by: Decision) -> None:
    """Move the active incidents that maintenance explains into it; those that are over are labelled as maintenance."""
    wanted = IncidentFilter(stations=[window.station_id], since=window.started)
    changed: list[Incident] = []
    for one in store.incidents.find(wanted):
        if not window.covers(one.station_id, one.variable):
            continue
        inside = window.started <= one.started and one.ended <= window.ended
        present = window.started <= by.at <= window.ended
        if one.state in {"open", "acknowledged"} and (inside or present):
            changed.append(one._replace(state="maintenance"))
        elif one.state == "resolved" and one.verdict is None and one.part_of is None and inside:
            changed.append(one._replace(verdict="maintenance"))
    store.incidents.change(changed)
    store.incidents.note(by.line(one, "maintenance", _span(window)) for one in changed)


def _span(window: Maintenance) -> str:
    return f"{times.stored(window.started)[:16]} to {times.stored(window.ended)[:16]} UTC"


def require_station(store: Store, station: str) -> None:
    """Refuse a station that is not known.

    Raises:
        UsageError: there is none of this id; the message names one that is nearly the same.
    """
    known = [one.station_id for one in store.stations()]
    if station not in known:
        hint = did_you_mean(station, known)
        raise UsageError(
            f"there is no station {station!r}{f'; {hint}' if hint else ''} (see weather-tool data stations)"
        )
