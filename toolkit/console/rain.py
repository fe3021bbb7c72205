"""What fell in each hour, day or month at a station."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from toolkit.api.answers import Content
from toolkit.api.edr import document, ready
from toolkit.console import asking, flagged, reading
from toolkit.console.about import DATA
from toolkit.console.days import Days
from toolkit.console.people import Reader
from toolkit.console.reading import DAY
from toolkit.quality.rainfall import amounts, counts_up
from toolkit.store import Span, Store
from toolkit.times import from_epoch

router = APIRouter(prefix=DATA, include_in_schema=False)

Step = Literal["hour", "day", "month"]
# Without a step, spans of up to so many days have hours.
HOURS_UP_TO = 3
# What a gauge counts shows in so much before the span at least.
LEAD = 31 * DAY
# Hours of a longer span would be too many bars.
MOST_BARS = 4000


class SumsQuery(asking.StationQuery):
    """Sums of a span."""

    step: Step | None = None


@router.get("/rain")
async def rain(request: Request, asked: Annotated[SumsQuery, Query()], _: Reader) -> Response:
    """The sums of rain, without values that fail."""
    span, zone = asked.span(), request.app.state.settings.notify_time_zone
    days = (span.end - span.start) / DAY
    step: Step = asked.step or ("hour" if days <= HOURS_UP_TO else "day" if days <= reading.EACH_DAYS else "month")

    def make(store: Store) -> Content:
        asked.known(store)
        edges = np.array([edge for one in reading.observed(store, span) for edge in _edges(one, step, zone)] or [0])
        fallen = _fallen_by_day if days > reading.EACH_DAYS and step != "hour" else _fallen
        time, fell = fallen(store, asked.station, Span(max(span.start, edges[0]), span.end))
        usual = np.median(np.diff(time)) if len(time) > 1 else np.inf
        place = np.searchsorted(edges, time) - 1  # what a reading tells of fell before it
        there = (place >= 0) & (place < len(edges) - 1) & ~np.isnan(fell)
        number = np.bincount(place[there], minlength=len(edges) - 1)
        total = np.bincount(place[there], weights=fell[there], minlength=len(edges) - 1)
        return document(
            {
                "station": asked.station,
                "step": step,
                "time": edges[:-1].tolist(),
                "end": edges[1:].tolist(),
                "sum": reading.numbers(np.where(number > 0, total, np.nan), 1),
                "complete": np.round(np.minimum(1, number * usual / np.diff(edges)), 3).tolist(),
            }
        )

    return await ready(request, (asked.model_dump_json(), step), make)


def _fallen(store: Store, station: str, span: Span) -> tuple[reading.Ints, reading.Floats]:
    """The times of a gauge's readings, and what fell from the one before to each, in mm."""
    whole = Span(max(0, span.start - LEAD), span.end)
    found = reading.read(store, station, ["rain"], whole)
    said = flagged.intervals(store, station, ["rain"], whole, 0)["rain"]
    values = np.where(flagged.fails(said, found.time), np.nan, found.values["rain"])
    fell = amounts(values[None])[0]
    within = found.time > span.start
    return found.time[within], fell[within]


def _fallen_by_day(store: Store, station: str, span: Span) -> tuple[reading.Ints, reading.Floats]:
    """The middle of each day, and its rain in mm: the sum of its amounts, or the highest value of a total."""
    days = Days(store, station, ["rain"], span)
    newest = min(span.end, store.latest_times([station]).get(station, 0))
    counts = counts_up(reading.read(store, station, ["rain"], Span(newest - LEAD, newest)).values["rain"][None])
    said = flagged.intervals(store, station, ["rain"], span, 0)["rain"]
    fell = (days.high if counts else days.total)["rain"]
    fell = fell * (1 - flagged.failing(said, days.first, len(fell)))
    return (days.first + np.arange(len(fell))) * DAY + DAY // 2, fell


def _edges(span: Span, step: Step, zone: tzinfo) -> list[int]:
    """The bounds of the hours, days or months that a span touches, seconds since the epoch."""
    if step == "hour":
        start, end = int(span.start) // 3600, -(-int(span.end) // 3600)
        return [hour * 3600 for hour in range(max(start, end - MOST_BARS), end + 1)]
    first = from_epoch(span.start).astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0)
    at = first.replace(day=1) if step == "month" else first
    found = [_seconds(at, zone)]
    while found[-1] < span.end:
        at = (at + timedelta(days=32)).replace(day=1) if step == "month" else at + timedelta(days=1)
        found.append(_seconds(at, zone))
    return found[-MOST_BARS - 1 :]


def _seconds(local: datetime, zone: tzinfo) -> int:
    return int(local.replace(tzinfo=zone).timestamp())
