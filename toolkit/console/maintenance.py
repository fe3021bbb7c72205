"""When people work at sensors: what there is, and what operators plan and end."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from toolkit import clock
from toolkit.api.answers import Content
from toolkit.api.edr import document, ready
from toolkit.api.parameters import Text
from toolkit.api.problems import wrong
from toolkit.console.about import DATA
from toolkit.console.acting import Acting, done
from toolkit.console.incident_forms import names, whole
from toolkit.console.people import Operator, Reader
from toolkit.incidents import deciding, forms
from toolkit.incidents.deciding import Decision
from toolkit.store import Store
from toolkit.store.incidents import Maintenance
from toolkit.text import did_you_mean
from toolkit.variables import BY_NAME

router = APIRouter(prefix=DATA + "/maintenance", include_in_schema=False)

Seconds = Annotated[int, Field(ge=0, lt=2**40)]
Note = Annotated[str, Field(max_length=4 * deciding.NOTE_LENGTH)]


class MaintenanceQuery(BaseModel):
    """Which maintenance."""

    model_config = ConfigDict(extra="forbid")

    since: Seconds = Field(0, description="That ended at this time or later, or is still to end.")
    station: Text | None = Field(None, description="Of this station.")


class Planned(BaseModel):
    """What is planned."""

    model_config = ConfigDict(extra="forbid")

    station: str = Field(max_length=600)
    variables: list[str] = Field([], max_length=len(BY_NAME), description="Which sensors; none for all.")
    started: Seconds
    ended: Seconds
    note: Note = ""


class Ended(BaseModel):
    """When it ends."""

    model_config = ConfigDict(extra="forbid")

    ended: Seconds | None = Field(None, description="Without it: now.")
    note: Note = ""


@router.get("")
async def maintenance(request: Request, asked: Annotated[MaintenanceQuery, Query()], _: Reader) -> Response:
    """The maintenance that there is, by its start."""

    def make(store: Store) -> Content:
        windows = store.incidents.maintenance(max(asked.since, clock.EARLIEST), clock.LATEST)
        return document(_forms(store, [one for one in windows if asked.station in {None, one.station_id}]))

    return await ready(request, asked.model_dump_json(), make)


@router.get("/stations")
async def stations(request: Request, _: Reader) -> Response:
    """The stations at which people can work, by id."""

    def make(store: Store) -> Content:
        return document({"stations": [{"station_id": one.station_id, **names(one)} for one in store.stations()]})

    return await ready(request, None, make)


@router.post("")
async def plan(request: Request, planned: Planned, who: Operator) -> Response:
    """Say when people work at a station's sensors."""
    for name in planned.variables:
        if name not in BY_NAME:
            raise wrong("variables", name, did_you_mean(name, BY_NAME, f"there are {', '.join(BY_NAME)}"))

    def do(store: Store, at: float) -> dict[str, Any]:
        by = Decision(who.name, at, deciding.note_text(planned.note))
        windows = deciding.plan(store, by, planned.station, planned.variables, planned.started, planned.ended)
        return _forms(store, windows)

    return done(await Acting.of(request).run(do))


@router.post("/{number}/end")
async def end(request: Request, number: Annotated[int, Path(ge=1, lt=10**9)], ended: Ended, who: Operator) -> Response:
    """End maintenance now, or at another time than was said; one that has not begun is cancelled."""

    def do(store: Store, at: float) -> dict[str, Any]:
        by = Decision(who.name, at, deciding.note_text(ended.note))
        changed = deciding.end(store, by, number, ended.ended)
        return _forms(store, [changed] if changed else [])

    return done(await Acting.of(request).run(do))


def _forms(store: Store, windows: list[Maintenance]) -> dict[str, Any]:
    known = {one.station_id: one for one in store.stations()}
    return {
        "maintenance": [
            {**forms.of_maintenance(one, time.time(), whole), **names(known.get(one.station_id))} for one in windows
        ]
    }
