"""A month's incidents: how many, how long, and how soon people acknowledged and repaired them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from toolkit import times
from toolkit.performance.month import Month
from toolkit.performance.report import Incident, Incidents
from toolkit.store import Store
from toolkit.store.incidents import ACTIVE, IncidentFilter
from toolkit.store.incidents import Incident as Stored
from toolkit.store.statistics import DAY, HOUR

RESOLVED_WITHIN_DAYS = 31


def incidents(store: Store, month: Month, stations: Sequence[str]) -> Incidents:
    """The incidents of a month; of these stations alone, if any are given."""
    # One is resolved some time after its last bad reading.
    lately = IncidentFilter(stations=stations, since=month.start - RESOLVED_WITHIN_DAYS * DAY, until=month.end)
    lasting = IncidentFilter(stations=stations, states=ACTIVE, until=month.end)
    known = [*{one.id: one for wanted in (lately, lasting) for one in store.incidents.find(wanted)}.values()]

    def within(moment: float | None) -> bool:
        return moment is not None and month.start < moment <= month.end

    resolved = [one for one in known if one.state != "dismissed" and within(one.resolved)]
    acknowledged = [one for one in known if within(one.acknowledged)]
    listed = [one for one in known if one.state != "dismissed" and _until(one, month) > month.start]
    return Incidents(
        opened=sum(within(one.opened) for one in known),
        resolved=len(resolved),
        dismissed=sum(one.state == "dismissed" and within(one.resolved) for one in known),
        lasting=sum(_until(one, month) >= month.end for one in listed),
        mean_hours_to_acknowledge=_mean(_hours(one.seconds_to_acknowledge) for one in acknowledged),
        mean_hours_to_repair=_mean(_hours(one.seconds_to_repair) for one in resolved),
        all=sorted((_told(one, month) for one in listed), key=lambda one: (-one.hours, one.id)),
    )


def _told(one: Stored, month: Month) -> Incident:
    until = _until(one, month)
    return Incident(
        id=one.id,
        station_id=one.station_id,
        variable=one.variable,
        kind=one.kind,
        severity=one.severity,
        state=one.state,
        started=times.iso_of(one.started),
        ended=times.iso_of(until) if until < month.end else None,
        hours=round((until - one.started) / HOUR, 1),
        hours_to_acknowledge=_hours(one.seconds_to_acknowledge),
        hours_to_repair=_hours(one.seconds_to_repair),
    )


def _until(one: Stored, month: Month) -> float:
    """Until when there was trouble, as far as the period goes: the last bad reading of one that is resolved."""
    return month.end if one.state in ACTIVE else min(one.ended, month.end)


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / HOUR, 1)


def _mean(hours: Iterable[float | None]) -> float | None:
    known = [one for one in hours if one is not None]
    return round(fmean(known), 1) if known else None
