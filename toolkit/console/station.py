"""What is known of a station: its place, its state, its newest observation, and the health of its sensors."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from toolkit.api.answers import Content
from toolkit.api.edr import document, places, ready
from toolkit.api.parameters import Text
from toolkit.api.problems import Problem
from toolkit.console.about import DATA
from toolkit.console.people import Reader
from toolkit.console.state import states
from toolkit.model import Station
from toolkit.settings import Settings
from toolkit.store import Span, Store
from toolkit.text import did_you_mean
from toolkit.times import from_stored
from toolkit.variables import MEASURED

router = APIRouter(prefix=DATA, include_in_schema=False)

# A variable of which there was a value in this time before its newest observation is one that a station measures.
MEASURED_SECONDS = 86_400.0


class Which(BaseModel):
    """Which station."""

    model_config = ConfigDict(extra="forbid")

    station: Text


@router.get("/station")
async def station(request: Request, asked: Annotated[Which, Query()], _: Reader) -> Response:
    """A station, and its newest observation."""
    settings = request.app.state.settings
    return await ready(request, asked.station, lambda store: _described(store, settings, asked.station))


def _described(store: Store, settings: Settings, name: str) -> Content:
    found = one(store, name)
    newest = store.latest_times().get(name)
    oldest = store.oldest()
    seen = next((one for one in store.statistics.seen() if one.station_id == name), None)
    return document(
        {
            "id": name,
            "name": found.station_name_en,
            "name_gr": found.station_name_gr,
            "latitude": found.latitude,
            "longitude": found.longitude,
            "elevation": found.elevation,
            "state": states(store, settings, time.time())[name],
            "first_seen": seen and seen.first,
            "last_seen": seen and seen.last,
            "oldest": None if oldest is None else int(from_stored(oldest).timestamp()),
            "newest": newest,
            **_newest(store, name, newest),
            "history": [],
        }
    )


def one(store: Store, name: str) -> Station:
    """A station.

    Raises:
        Problem: there is none of this id.
    """
    known = places(store)
    if name not in known:
        hint = did_you_mean(name, known, "the view of the network lists them")
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no station {name[:80]!r}: {hint}")
    return known[name]


def _newest(store: Store, name: str, newest: int | None) -> dict[str, Any]:
    """The values of the newest observation, and the variables of which there have been values of late."""
    if newest is None:
        return {"measures": [], "values": {}}
    names = [one.name for one in MEASURED]
    columns = store.columns(Span(newest - MEASURED_SECONDS, newest), names, [name])
    measures = [name for name in names if not np.isnan(columns.values[name]).all()]
    values = {name: float(columns.values[name][-1]) for name in measures if len(columns.time)}
    return {"measures": measures, "values": {name: None if np.isnan(it) else it for name, it in values.items()}}
