"""A station's series of any length, with flags, incidents and maintenance."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from toolkit.api.answers import Content
from toolkit.api.edr import document, ready
from toolkit.api.parameters import Text
from toolkit.console import asking, flagged, reading, reducing
from toolkit.console.about import DATA
from toolkit.console.people import Reader
from toolkit.store import Span, Store
from toolkit.store.incidents import ACTIVE, IncidentFilter

router = APIRouter(prefix=DATA, include_in_schema=False)

# So many incidents are shown as bands, the newest first.
MOST_INCIDENTS = 300


class Plotted(asking.StationQuery):
    """A plot of a station."""

    variables: Text | None = None
    width: int = Field(800, ge=50, le=4000, description="Of the plot, in pixels.")


@router.get("/series")
async def series(request: Request, asked: Annotated[Plotted, Query()], _: Reader) -> Response:
    """Observations, reduced to what a plot of some pixels can show."""
    span, names = asked.span(), asking.names(asked.variables)

    def make(store: Store) -> Content:
        asked.known(store)
        oldest = store.oldest()
        found = reducing.reduced(store, asked.station, names, span, asked.width)
        return document(
            {
                "station": asked.station,
                "from": asked.from_,
                "to": asked.to,
                "step": found.step,
                "oldest": None if oldest is None else reading.seconds(oldest),
                "newest": store.latest_times([asked.station]).get(asked.station),
                **_written(store, asked.station, found, span, everything=not asked.variables),
                "bands": [*_incidents(store, asked.station, span), *_maintenance(store, asked.station, span)],
            }
        )

    return await ready(request, asked.model_dump_json(), make)


def _written(
    store: Store, station: str, found: reducing.Reduced, span: Span, *, everything: bool
) -> dict[str, dict[str, Any] | list[Any]]:
    """The times and, by variable, values and flags; with `everything` only variables of which there is a value."""
    names = [name for name, values in found.value.items() if not everything or not np.isnan(values).all()]
    flags = flagged.intervals(store, station, names, span, found.step)
    breaks = reducing.gaps(found.time)
    middle = np.insert(found.time, breaks, (found.time[breaks] + found.time[breaks - 1]) // 2) + found.step // 2
    variables = {}
    for name in names:
        variables[name] = {
            key: reading.numbers(np.insert(columns[name], breaks, np.nan), reading.digits(name))
            for key, columns in (("value", found.value), ("low", found.low), ("high", found.high))
            if name in columns
        } | {"flags": flags[name]}
    return {"time": middle.tolist(), "variables": variables}


def _incidents(store: Store, station: str, span: Span) -> list[dict[str, Any]]:
    """The incidents of a station, and of the network where it is affected."""
    wanted = IncidentFilter(stations=[station], since=span.start, until=span.end, limit=MOST_INCIDENTS)
    found = store.incidents.find(wanted)
    of_network = [one.id for one in found if one.station_id is None]
    times = {one.incident_id: one for one in store.incidents.affected(of_network) if one.station_id == station}
    return [
        {
            "kind": "incident",
            "id": one.id,
            "variable": one.variable,
            "started": int(times.get(one.id, one).started),
            "ended": None if one.state in ACTIVE else int(times.get(one.id, one).ended),
            "trouble": one.kind,
            "severity": one.severity,
            "state": one.state,
            "verdict": one.verdict,
            "of_network": one.station_id is None,
        }
        for one in found
    ]


def _maintenance(store: Store, station: str, span: Span) -> list[dict[str, Any]]:
    return [
        {
            "kind": "maintenance",
            "id": one.id,
            "variable": one.variable,
            "started": int(one.started),
            "ended": int(one.ended),
            "actor": one.actor,
            "note": one.note,
        }
        for one in store.incidents.maintenance(*span)
        if one.station_id == station
    ]
