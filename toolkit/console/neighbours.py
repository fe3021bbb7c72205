"""What a station's neighbours measured, and what they imply for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from toolkit.api.answers import Content
from toolkit.api.edr import document, places, ready
from toolkit.api.rows import too_large
from toolkit.console import asking, reading, reducing
from toolkit.console.about import DATA
from toolkit.console.people import Reader
from toolkit.flagging.estimates import Places, implied
from toolkit.location import distance_km
from toolkit.model import Rejected, Station
from toolkit.quality.arrays import Floats, Ints
from toolkit.quality.neighbours import REGION, nearest
from toolkit.settings import Settings
from toolkit.sources import cadences_of
from toolkit.store import Span, Store
from toolkit.store.flags import Decisive
from toolkit.store.station_places import Changes

router = APIRouter(prefix=DATA, include_in_schema=False)

DAY = 86_400
MOST_DAYS = 31
# Neighbours are chosen among so many of the stations of the region.
CANDIDATES = 200


class NeighboursQuery(asking.StationQuery):
    """A plot of one variable beside the neighbours'."""

    variable: asking.Variable
    width: int = Field(800, ge=50, le=4000)


@router.get("/neighbours")
async def neighbours(request: Request, asked: Annotated[NeighboursQuery, Query()], _: Reader) -> Response:
    """One variable of a station's neighbours, and what they imply."""
    span, settings, name = asked.span(), request.app.state.settings, asked.variable
    if span.end - span.start > MOST_DAYS * DAY:
        raise too_large(f"what neighbours imply for more than {MOST_DAYS} days")

    def make(store: Store) -> Content:
        asked.known(store)
        stations = places(store)
        around = _around(stations[asked.station], list(stations.values()), settings)
        ids = [asked.station, *(one.station_id for one, _ in around)]
        (cadence,) = cadences_of(settings).of([asked.station], store.owners)
        step = max(int(cadence), reducing.step_of(span, 2 * asked.width))
        time = np.arange((int(span.start) // step + 1) * step, int(span.end) + 1, step)
        at = Places([asked.station], np.zeros(len(time), dtype=np.int64), time)
        some = _Some(store, [stations[one] for one in sorted(ids)])
        found = implied(some, some.decisive, settings, at, {name: np.ones(len(time), dtype=bool)})
        measured = _measured(store, ids[1:], name, time, step)
        return document(
            {
                "station": asked.station,
                "variable": name,
                "from": asked.from_,
                "to": asked.to,
                "step": step,
                "time": time.tolist(),
                "implied": reading.numbers(found[name], reading.digits(name)),
                "neighbours": [
                    {
                        "id": one.station_id,
                        "name_en": one.station_name_en or "",
                        "name_gr": one.station_name_gr or "",
                        "km": round(km, 1),
                        "higher": _higher(one, stations[asked.station]),
                        "value": reading.numbers(measured[one.station_id], reading.digits(name)),
                    }
                    for one, km in around
                ],
            }
        )

    return await ready(request, asked.model_dump_json(), make)


def _around(here: Station, stations: Sequence[Station], settings: Settings) -> list[tuple[Station, float]]:
    """The neighbours of a station and how far away they are, in km; the nearest first."""
    if here.latitude is None:
        return []
    placed = [(distance_km(here, one), one) for one in stations if one.latitude is not None]
    within = [pair for pair in placed if pair[0] <= REGION * settings.neighbour_km and pair[1] != here]
    region = [here, *(one for _, one in sorted(within, key=lambda pair: pair[0])[:CANDIDATES])]
    near = nearest(region, settings.neighbour_km, settings.neighbour_elevation_m)
    found = [
        (region[row], float(km))
        for row, there, km in zip(near.rows[0], near.exists[0], near.km[0], strict=True)
        if there
    ]
    return sorted(found, key=lambda pair: pair[1])


def _higher(one: Station, here: Station) -> int | None:
    """How many metres one station is above another; None where it is not known."""
    return None if one.elevation is None or here.elevation is None else round(one.elevation - here.elevation)


def _measured(store: Store, ids: Sequence[str], name: str, time: Ints, step: int) -> dict[str, Floats]:
    """The last value of each station in the time before each of some times."""
    found = {one: np.full(len(time), np.nan) for one in ids}
    if not ids or not len(time):
        return found
    columns = store.columns(Span(int(time[0]) - step, int(time[-1])), [name], ids)
    names = [one.station_id for one in store.stations()]
    there = ~np.isnan(columns.values[name])
    place = (columns.time - (int(time[0]) - step) - 1) // step
    for one in ids:
        of_it = there & (columns.station == names.index(one))
        found[one][place[of_it]] = columns.values[name][of_it]
    return found


class _Some:
    """Some stations of a store, as if it had no others; see `detector.grid.Source`."""

    def __init__(self, store: Store, stations: list[Station]) -> None:
        self._store, self._stations = store, stations
        self._ids = [one.station_id for one in stations]
        known = {one.station_id: place for place, one in enumerate(store.stations())}
        self._places = [known[one] for one in self._ids]

    def stations(self) -> list[Station]:
        """See `store.base.Store`."""
        return self._stations

    def numbers(self) -> list[int]:
        """See `store.base.Store`."""
        return self._places

    def changes(self) -> Changes:
        """See `store.base.Store`."""
        return self._store.changes()

    def owners(self) -> dict[str, str | None]:
        """See `store.base.Store`."""
        return self._store.owners()

    def snapshot(self) -> AbstractContextManager[None]:
        """See `store.base.Store`."""
        return self._store.snapshot()

    def readings(self, spans: Sequence[Span], variables: Sequence[str]) -> Iterator[Floats]:
        """See `store.base.Store`."""
        for span in spans:
            found = self._store.columns(span, variables, self._ids)
            yield np.array([found.station, found.time, *(found.values[name] for name in variables)], dtype=np.float64)

    def rejected(self, span: Span) -> list[Rejected]:
        """See `store.base.Store`."""
        return [one for one in self._store.rejected(span) if one.station_id in self._ids]

    def decisive(self, span: Span) -> list[Decisive]:
        """See `store.flags.Flags`."""
        return self._store.flags.decisive(span, self._ids)
