"""How much of what a station should have sent is there, day by day."""

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
from toolkit.times import now
from toolkit.variables import STATION

router = APIRouter(prefix=DATA, include_in_schema=False)

DAY = 86_400


class Asked(asking.Asked):
    """A calendar of the station, or of one variable."""

    variable: asking.Variable | None = None


@router.get("/completeness")
async def completeness(request: Request, asked: Annotated[Asked, Query()], _: Reader) -> Response:
    """How many observations, or values, each day (UTC) has, and how many of them fail."""
    span, name = asked.span(), asked.variable

    def make(store: Store) -> Content:
        asked.known(store)
        oldest = store.oldest()
        start = span.start if oldest is None else max(span.start, reading.seconds(oldest))
        last = int(min(span.end, now().timestamp())) // DAY
        first = min(int(start) // DAY, last)
        whole = Span(first * DAY - 1, (last + 1) * DAY - 1)
        found = reading.read(store, asked.station, [name] if name else [], whole)
        usual = float(np.median(np.diff(found.time))) if len(found.time) > 1 else 0.0
        there = ~np.isnan(found.values[name]) if name else np.ones(len(found.time), dtype=bool)
        failed = there & flagged.fails(_said(store, asked.station, name, whole), found.time)
        received, fails = (
            np.bincount(found.time[of] // DAY - first, minlength=last - first + 1) for of in (there, failed)
        )
        return document(
            {
                "station": asked.station,
                "variable": name or STATION,
                "expected": round(DAY / usual) if usual else round(DAY / request.app.state.settings.cadence_seconds),
                "day": (np.arange(first, last + 1) * DAY).tolist(),
                "received": received.tolist(),
                "failed": fails.tolist(),
            }
        )

    return await ready(request, asked.model_dump_json(), make)


def _said(store: Store, station: str, name: str | None, span: Span) -> list[flagged.Interval]:
    return flagged.intervals(store, station, [name], span, 0)[name] if name else []
