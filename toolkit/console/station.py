"""What is known of a station: its place, its state, its newest observation, and the health of its sensors."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from toolkit.api.answers import Content
from toolkit.api.edr import document, ready
from toolkit.api.parameters import Text
from toolkit.console import asking
from toolkit.console.about import DATA
from toolkit.console.people import Reader
from toolkit.console.state import states
from toolkit.location import without_impossible_place
from toolkit.model import Station
from toolkit.settings import Settings
from toolkit.store import Span, Store
from toolkit.times import epoch_of, from_stored
from toolkit.variables import BY_NAME, MEASURED

router = APIRouter(prefix=DATA, include_in_schema=False)

DAY = 86_400.0
# A variable of which there was a value in this time before the newest observation is one that a station measures.
MEASURED_SECONDS = DAY


class Which(BaseModel):
    """Which station."""

    model_config = ConfigDict(extra="forbid")

    station: Text


@router.get("/station")
async def station(request: Request, asked: Annotated[Which, Query()], _: Reader) -> Response:
    """A station, and its newest observation."""
    settings = request.app.state.settings
    return await ready(request, asked.station, lambda store: _described(store, settings, asked.station))


@router.get("/sensors")
async def sensors(request: Request, asked: Annotated[Which, Query()], _: Reader) -> Response:
    """The health of a station's sensors, as the job that examines them found it last."""
    return await ready(request, asked.station, lambda store: _health(store, asked.station))


def _described(store: Store, settings: Settings, name: str) -> Content:
    found = asking.station_of(store, name)
    newest = store.latest_times([name]).get(name)
    oldest = store.oldest()
    seen = next((one for one in store.statistics.seen() if one.station_id == name), None)
    return document(
        {
            "id": name,
            **_description(found),
            "wigos_id": found.wigos_id,
            "source": store.owners().get(name) if settings.sources_file else None,
            "state": states(store, settings, time.time())[name],
            "first_seen": seen and seen.first,
            "last_seen": seen and seen.last,
            "oldest": None if oldest is None else int(from_stored(oldest).timestamp()),
            "newest": newest,
            **_newest(store, name, newest),
            "history": [
                {
                    "since": int(since),
                    **_description(without_impossible_place(Station._make((name, *said, None)))),
                }
                for _, since, *said in store.records.history(name)
            ],
        }
    )


def _description(one: Station) -> dict[str, Any]:
    return {
        "name": one.station_name_en,
        "name_gr": one.station_name_gr,
        "latitude": one.latitude,
        "longitude": one.longitude,
        "elevation": one.elevation,
    }


def _newest(store: Store, name: str, newest: int | None) -> dict[str, Any]:
    """The values of the newest observation, and the variables of which there have been values of late."""
    if newest is None:
        return {"measures": [], "values": {}}
    names = [one.name for one in MEASURED]
    columns = store.columns(Span(newest - MEASURED_SECONDS, newest), names, [name])
    measures = [name for name in names if not np.isnan(columns.values[name]).all()]
    values = {name: float(columns.values[name][-1]) for name in measures if len(columns.time)}
    return {"measures": measures, "values": {name: None if np.isnan(it) else it for name, it in values.items()}}


# What a sensor's health is, as `weather-tool sensors --json` has it; a share, or None where it is not known.
_FIGURES = ("completeness", "missing", "stuck", "stalled", "drift_per_day", "noise", "correlation", "level")


def _health(store: Store, name: str) -> Content:
    asking.station_of(store, name)
    kept = {it.variable: it for it in store.records.health(name)}
    found = [kept[name] for name in BY_NAME if name in kept]
    return document(
        {
            "at": max((int(it.ended) for it in found), default=None),
            "days": max(((it.ended - it.started) / DAY for it in found), default=None),
            "sensors": [_sensor(it.variable, it.health) for it in found],
        }
    )


def _sensor(variable: str, health: str) -> dict[str, Any]:
    """A sensor as the console shows it; `unknown` where the store has something else."""
    try:
        read = json.loads(health)
        figures = {name: read[name] for name in _FIGURES}
        reasons = [str(fault["reason"]) for fault in read["faults"]]
        since, last_good = (read[name] and int(epoch_of(read[name])) for name in ("since", "last_good"))
        state = str(read["state"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return {
            "variable": variable,
            "state": "unknown",
            "since": None,
            "reasons": [],
            "last_good": None,
        } | dict.fromkeys(_FIGURES)
    return {"variable": variable, "state": state, "since": since, "reasons": reasons, "last_good": last_good, **figures}
