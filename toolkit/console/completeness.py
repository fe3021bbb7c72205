"""How much of what a station should have sent is there, day by day."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from toolkit.api.answers import Content
from toolkit.api.edr import document, ready
from toolkit.console import asking, flagged, reading
from toolkit.console.about import DATA
from toolkit.console.days import Days
from toolkit.console.people import Reader
from toolkit.console.reading import DAY, Ints
from toolkit.sources import cadences_of
from toolkit.store import Span, Store
from toolkit.times import now
from toolkit.variables import STATION

router = APIRouter(prefix=DATA, include_in_schema=False)

# A station usually sends as much as on the better days.
USUAL = 0.9


class CalendarQuery(asking.StationQuery):
    """A calendar of the station, or of one variable."""

    variable: asking.Variable | None = None


@router.get("/completeness")
async def completeness(request: Request, asked: Annotated[CalendarQuery, Query()], _: Reader) -> Response:
    """How many observations, or values, each day (UTC) has, and how many of them fail."""
    span, name = asked.span(), asked.variable

    def make(store: Store) -> Content:
        asked.known(store)
        oldest = store.oldest()
        start = span.start if oldest is None else max(span.start, reading.seconds(oldest))
        last = int(min(span.end, now().timestamp())) // DAY
        first = min(int(start) // DAY, last)
        count = _long if last - first > reading.EACH_DAYS else _each
        (cadence,) = cadences_of(request.app.state.settings).of([asked.station], store.owners)
        expected, received, failed = count(store, asked.station, name, first, last)
        return document(
            {
                "station": asked.station,
                "variable": name or STATION,
                "expected": expected or round(DAY / cadence),
                "day": (np.arange(first, last + 1) * DAY).tolist(),
                "received": received.tolist(),
                "failed": failed.tolist(),
            }
        )

    return await ready(request, asked.model_dump_json(), make)


def _each(store: Store, station: str, name: str | None, first: int, last: int) -> tuple[int, Ints, Ints]:
    """How many observations a day should have, how many values each day has, and how many of them fail."""
    span = Span(first * DAY - 1, (last + 1) * DAY - 1)
    found = reading.read(store, station, [name] if name else [], span)
    usual = float(np.median(np.diff(found.time))) if len(found.time) > 1 else 0.0
    there = ~np.isnan(found.values[name]) if name else np.ones(len(found.time), dtype=bool)
    failed = there & flagged.fails(_said(store, station, name, span), found.time)
    received, fails = (np.bincount(found.time[of] // DAY - first, minlength=last - first + 1) for of in (there, failed))
    return round(DAY / usual) if usual else 0, received, fails


def _long(store: Store, station: str, name: str | None, first: int, last: int) -> tuple[int, Ints, Ints]:
    """As `_each`, for long times: from the table `daily`, with failing values spread evenly over a day."""
    span = Span(first * DAY - 1, (last + 1) * DAY - 1)
    days = Days(store, station, [name] if name else [], span)
    every, received = np.zeros((2, last - first + 1), np.int64)
    place = slice(days.first - first, days.first - first + len(days.number[STATION]))
    every[place], received[place] = days.number[STATION], days.number[name or STATION]
    fails = np.round(received * flagged.failing(_said(store, station, name, span), first, len(received)))
    return round(float(np.quantile(every[every > 0], USUAL))) if every.any() else 0, received, fails.astype(np.int64)


def _said(store: Store, station: str, name: str | None, span: Span) -> list[flagged.Interval]:
    return flagged.intervals(store, station, [name], span, 0)[name] if name else []
