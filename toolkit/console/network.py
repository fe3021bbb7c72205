"""The network now: its stations with their states and newest values, a station's neighbours, and the land around."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from toolkit import land
from toolkit.api.answers import Content, sent, takes_gzip
from toolkit.api.edr import document, places, ready
from toolkit.api.problems import Problem, wrong
from toolkit.console.about import DATA
from toolkit.console.network_now import network_now
from toolkit.console.network_part import KEPT_SECONDS, Part
from toolkit.console.people import Reader
from toolkit.location import distance_km
from toolkit.memory import give_back
from toolkit.model import Station
from toolkit.quality.neighbours import CANDIDATES, nearest
from toolkit.settings import Settings
from toolkit.store import Store

router = APIRouter(prefix=DATA, include_in_schema=False)

# States and maintenance change by the clock alone, too: an answer about the present is made anew after so many seconds.
PRESENT_SECONDS = 60
# So long the network may be read for: a large one takes some seconds, and is kept then.
READING_SECONDS = 60.0
# The finest detail of the land: the longer side of a box has so many steps. It is wider than the map that shows it.
STEPS = 4096
# The land changes with the release.
A_DAY = {"Cache-Control": "private, max-age=86400"}


class Box(BaseModel):
    """A part of the Earth, in degrees; west and east may be beyond ±180."""

    model_config = ConfigDict(extra="forbid")

    west: float = Field(ge=-540, le=540)
    east: float = Field(ge=-540, le=540)
    south: float = Field(ge=-90, le=90)
    north: float = Field(ge=-90, le=90)


@router.get("/network")
async def network(request: Request, _: Reader, part: Annotated[Part, Query()]) -> Response:
    """The stations now; of a large network those of a part."""
    settings, clock, kept = request.app.state.settings, request.app.state.clock, request.app.state.network
    present = int(time.time() // (KEPT_SECONDS if kept.is_large else PRESENT_SECONDS))

    def make(store: Store) -> Content:
        told = kept.told(part, lambda: network_now(store, settings, clock(seconds=READING_SECONDS)))
        return Content(told, "application/json")

    return await ready(request, (present, part), make)


@router.get("/network/neighbours")
async def neighbours(request: Request, _: Reader, station: Annotated[str, Query(max_length=600)]) -> Response:
    """The neighbours of a station, with which it is compared, the nearest by distance and height first."""
    settings = request.app.state.settings
    return await ready(request, station, lambda store: document(_neighbours(places(store), station, settings)))


@router.get("/land")
async def land_in(request: Request, _: Reader, box: Annotated[Box, Query()]) -> Response:
    """The land and the borders in a box, as detailed as a map of the box can show it.

    Each line is a list of numbers: the longitude and the latitude of its first point, then the differences of each
    point from the one before, all in steps of `step` degrees.
    """
    for lower, upper in (("west", "east"), ("south", "north")):
        if getattr(box, lower) >= getattr(box, upper):
            raise wrong(lower, getattr(box, lower), f"give less than `{upper}`")
    # Where the store's answers are made, so that few are made at once; browsers keep them, the service does not.
    content = Content(_land(box), "application/json", A_DAY)
    return sent(request, await request.app.state.answers.run(lambda _store: content, pack=takes_gzip(request)))


def _land(box: Box) -> Iterator[bytes]:
    """The land and the borders in a box as JSON, line by line: as a whole they would take fifty times the memory."""
    sides = (box.west, box.east, box.south, box.north)
    step = max(box.east - box.west, box.north - box.south) / STEPS
    yield b'{"step":%s' % json.dumps(step).encode()
    for name, lines, least in ((b"land", land.land(*sides), 4), (b"borders", land.borders(*sides), 2)):
        yield b',"%s":[' % name
        separator = b""
        for line in lines:
            moves = _moves(line, step)
            if len(moves) >= least:
                yield separator + json.dumps(moves.reshape(-1).tolist(), separators=(",", ":")).encode()
                separator = b","
        yield b"]"
    yield b"}"
    give_back()


def _neighbours(stations: Mapping[str, Station], station: str, settings: Settings) -> Sequence[Mapping[str, Any]]:
    here = stations.get(station)
    if here is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no station {station[:80]!r}")
    if here.latitude is None:
        return []
    # Neighbours are chosen among the nearest by distance: it takes no more of a large network.
    others = [one for one in stations.values() if one.latitude is not None and one is not here]
    others = sorted(others, key=lambda one: distance_km(here, one))[:CANDIDATES]
    found = nearest([here, *others], settings.neighbour_km, settings.neighbour_elevation_m)
    return [
        {"id": others[row - 1].station_id, "km": round(km, 1)}
        for row, close, km in zip(found.rows[0].tolist(), found.close[0], found.km[0].tolist(), strict=True)
        if close
    ]


def _moves(line: land.Floats, step: float) -> land.Ints:
    """A line in whole steps: its first point, then the differences that are not nothing; points × 2."""
    points = np.round(line / step).astype(np.int64)
    moves = np.concatenate([points[:1], points[1:] - points[:-1]])
    moved = np.any(moves != 0, axis=1)
    moved[0] = True
    return moves[moved]
