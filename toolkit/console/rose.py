"""From where the wind blew at a station, and how fast."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from toolkit.api.answers import Content
from toolkit.api.edr import document, ready
from toolkit.console import asking, flagged, reading
from toolkit.console.about import DATA
from toolkit.console.people import Reader
from toolkit.store import Span, Store
from toolkit.variables import BY_NAME, COMPASS

router = APIRouter(prefix=DATA, include_in_schema=False)

DAY = 86_400
# Where the numbers 1 to 8 of the Beaufort scale begin, in km/h (WMO-No. 8, vol. I, ch. 5).
EDGES = (2, 6, 12, 20, 29, 39, 50, 62)
# Of a longer span so many days are read, evenly apart: they show the same.
MOST_DAYS = 370


@router.get("/rose")
async def rose(request: Request, asked: Annotated[asking.StationQuery, Query()], _: Reader) -> Response:
    """The shares of winds by direction and speed, without values that fail."""
    span = asked.span()

    def make(store: Store) -> Content:
        asked.known(store)
        parts = [_winds(store, asked.station, one) for whole in reading.observed(store, span) for one in _days(whole)]
        speed, direction = (np.concatenate([np.empty(0), *(part[place] for part in parts)]) for place in (0, 1))
        sector = np.round(direction / 22.5).astype(np.int64) % len(COMPASS)
        kind = np.searchsorted(EDGES, speed, side="right") - 1
        blows = kind >= 0
        counts = np.bincount(kind[blows] * len(COMPASS) + sector[blows], minlength=len(EDGES) * len(COMPASS)).reshape(
            len(EDGES), -1
        )
        number = max(1, len(speed))
        return document(
            {
                "station": asked.station,
                "number": len(speed),
                "calm": round(float(np.count_nonzero(~blows) / number), 5),
                "edges": EDGES,
                "unit": BY_NAME["wind_speed"].unit,
                "share": np.round(counts / number, 5).tolist(),
            }
        )

    return await ready(request, asked.model_dump_json(), make)


def _days(span: Span) -> list[Span]:
    """The span as one, or some of its days."""
    if span.end - span.start <= MOST_DAYS * DAY:
        return [span]
    starts = np.linspace(span.start, span.end - DAY, MOST_DAYS) // DAY * DAY
    return [Span(start, start + DAY) for start in starts.tolist()]


def _winds(store: Store, station: str, span: Span) -> tuple[reading.Floats, reading.Floats]:
    """Speeds and directions; a calm has a direction of 0."""
    names = ["wind_speed", "wind_dir"]
    found = reading.read(store, station, names, span)
    if not len(found.time):
        return np.empty(0), np.empty(0)
    said = flagged.intervals(store, station, names, span, 0)
    speed, direction = (np.where(flagged.fails(said[name], found.time), np.nan, found.values[name]) for name in names)
    there = (speed < EDGES[0]) | ((speed >= EDGES[0]) & (direction >= 0))
    return speed[there], np.nan_to_num(direction[there])
