"""The resources of OGC API - EDR (OGC 19-086r6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response

from toolkit.api import catalogue, coverages, documented, features, geometry, latest, paging, parameters, rows
from toolkit.api.answers import Content, answer, sent, takes_gzip
from toolkit.api.parameters import MEDIA_TYPES, Area, Coverages, Filter, Form, Items, Nothing, Places, Position, Radius
from toolkit.api.problems import Problem
from toolkit.location import without_impossible_place
from toolkit.model import Station
from toolkit.store import Store
from toolkit.text import did_you_mean

router = APIRouter(tags=["OGC API - EDR"])
Collection = Annotated[Literal["observations", "latest"], Path(description="The collection's id.")]
KM = {"km": 1.0, "m": 0.001, "mi": 1.609344}


def base(request: Request) -> str:
    """The address of this service, as the client sees it."""
    return str(request.base_url).rstrip("/")


async def ready(request: Request, key: object, make: Callable[[Store], Content]) -> Response:
    """Send the answer that is kept, or make it."""
    whole = (request.url.path, base(request), key)
    return sent(request, await request.app.state.answers.get(whole, make, pack=takes_gzip(request)))


def at_once(request: Request, content: Content) -> Response:
    """Send what needs no store."""
    return sent(request, answer(content, pack=takes_gzip(request)))


def document(content: Any) -> Content:
    """An answer in JSON."""
    return Content([json.dumps(content).encode()], "application/json")


def places(store: Store) -> dict[str, Station]:
    """All stations by id, without impossible places."""
    return {one.station_id: without_impossible_place(one) for one in store.stations()}


@router.get("/", responses=documented.json_of("LandingPage"))
async def landing(request: Request, _: Annotated[Nothing, Query()]) -> Response:
    """Where everything is."""
    return at_once(request, document(catalogue.landing(base(request))))


@router.get("/conformance", responses=documented.json_of("Conformance"))
async def conformance(request: Request, _: Annotated[Nothing, Query()]) -> Response:
    """The standards that this service conforms to."""
    return at_once(request, document(catalogue.conformance()))


@router.get("/collections", responses=documented.json_of("Collections"))
async def collections(request: Request, _: Annotated[Nothing, Query()]) -> Response:
    """The collections of observations."""
    where = base(request)
    return await ready(
        request,
        None,
        lambda store: document(
            catalogue.collections(where, list(places(store).values()), (store.oldest(), store.newest()))
        ),
    )


@router.get("/collections/{collection}", responses=documented.json_of("Collection", missing=True))
async def collection(request: Request, collection: Collection, _: Annotated[Nothing, Query()]) -> Response:
    """A collection: its extent, its parameters, and how it is asked."""
    where = base(request)
    return await ready(
        request,
        None,
        lambda store: document(
            catalogue.collection(where, collection, list(places(store).values()), (store.oldest(), store.newest()))
        ),
    )


@router.get("/collections/{collection}/locations", responses=documented.geojson())
async def locations(request: Request, collection: Collection, asked: Annotated[Places, Query()]) -> Response:
    """The stations, each with the address of its observations."""
    where, box = base(request), parameters.box(asked.bbox)

    def make(store: Store) -> Content:
        stations: Iterable[Station] = places(store).values()
        if box:
            stations = geometry.within_box(stations, box)
        return Content(features.locations(stations, where, collection), MEDIA_TYPES[Form.GEOJSON])

    return await ready(request, asked.bbox, make)


@router.get("/collections/{collection}/locations/{locId:path}", responses=documented.observations())
async def location(
    request: Request,
    collection: Collection,
    loc_id: Annotated[str, Path(alias="locId", max_length=600, description="The station's id.")],
    asked: Annotated[Coverages, Query()],
) -> Response:
    """The observations of a station."""

    def choose(stations: dict[str, Station]) -> list[Station]:
        if loc_id not in stations:
            hint = did_you_mean(loc_id, stations, "/stations lists them")
            raise Problem(HTTPStatus.NOT_FOUND, f"there is no station {loc_id[:80]!r}: {hint}")
        return [stations[loc_id]]

    return await _observations(request, collection, asked, asked.f, choose, one=True)


@router.get("/collections/{collection}/position", responses=documented.observations())
async def position(request: Request, collection: Collection, asked: Annotated[Position, Query()]) -> Response:
    """The observations of the station that is nearest to a position."""
    points = geometry.points(asked.coords)
    return await _observations(
        request, collection, asked, asked.f,
        lambda stations: geometry.nearest(list(stations.values()), points), one=len(points) == 1,
    )  # fmt: skip


@router.get("/collections/{collection}/radius", responses=documented.observations())
async def radius(request: Request, collection: Collection, asked: Annotated[Radius, Query()]) -> Response:
    """The observations of the stations around a position."""
    points, km = geometry.points(asked.coords), asked.within * KM[asked.within_units]
    return await _observations(
        request, collection, asked, asked.f, lambda stations: geometry.around(stations.values(), points, km)
    )


@router.get("/collections/{collection}/area", responses=documented.observations())
async def area(request: Request, collection: Collection, asked: Annotated[Area, Query()]) -> Response:
    """The observations of the stations within an area."""
    areas = geometry.polygons(asked.coords)
    return await _observations(
        request, collection, asked, asked.f, lambda stations: geometry.within_area(stations.values(), areas)
    )


async def _observations(
    request: Request,
    collection: str,
    asked: Filter,
    form: Form,
    choose: Callable[[dict[str, Station]], list[Station]],
    *,
    one: bool = False,
) -> Response:
    """The observations of some stations, as the filter says."""
    period, wanted = asked.period(), asked.wanted()
    clock, cadence = request.app.state.clock, request.app.state.settings.cadence_seconds

    def make(store: Store) -> Content:
        stations = places(store)
        names = [station.station_id for station in choose(stations)]
        per_hour = 3600 / cadence * len(names)
        some = [] if len(names) == len(stations) else names  # none stands for all
        if not names:
            found = rows.joined([], wanted.variables)
        elif collection == "latest":
            found = latest.read(store, clock(), period, wanted, some)
        else:
            found = rows.read(store, clock(), period, wanted, some, per_hour)
        columns = rows.measured(found, wanted, named=asked.parameter_name is not None)
        if form is Form.COVERAGE_JSON:
            return Content(coverages.written(found, columns, stations, one=one), MEDIA_TYPES[form])
        if len(found.time) > parameters.MOST_FEATURES and form is Form.GEOJSON:
            raise rows.too_large(f"more than {parameters.MOST_FEATURES:,} features")
        if form is Form.GEOJSON:
            return Content(features.geojson(found, columns, stations, []), MEDIA_TYPES[form])
        return Content(features.csv(found, columns), MEDIA_TYPES[form])

    return await ready(request, asked.model_dump_json(), make)


@router.get("/collections/{collection}/items", responses=documented.items())
async def items(request: Request, collection: Collection, asked: Annotated[Items, Query()]) -> Response:
    """Observations one by one, in order of time, in pages."""
    period, wanted, box = asked.period(), asked.wanted(), parameters.box(asked.bbox)
    begin = paging.cursor(asked.cursor)
    where, clock = f"{base(request)}/collections/{collection}/items", request.app.state.clock
    cadence = request.app.state.settings.cadence_seconds

    def make(store: Store) -> Content:
        stations = places(store)
        names = parameters.chosen(asked.station, list(stations))
        if box:
            inside = {one.station_id for one in geometry.within_box(stations.values(), box)}
            names = [name for name in names or stations if name in inside]
        if box and not names:
            page = paging.Page(rows.joined([], wanted.variables), None)
        elif collection == "latest":
            page = paging.cut(latest.read(store, clock(), period, wanted, names), begin, asked.limit)
        else:
            seconds = cadence * max(1.0, asked.limit / max(1, len(names or stations)))
            page = paging.read(store, clock(), period, wanted, names, begin, asked.limit, seconds)
        columns = rows.measured(page.rows, wanted, named=asked.parameter_name is not None)
        links = [catalogue.link(_address(where, asked, asked.cursor), "self", "this page", MEDIA_TYPES[Form(asked.f)])]
        if page.next:
            links.append(
                catalogue.link(_address(where, asked, page.next), "next", "the next page", MEDIA_TYPES[Form(asked.f)])
            )
        headers = {"Link": f'<{links[-1]["href"]}>; rel="next"'} if page.next else {}
        if asked.f == Form.CSV:
            return Content(features.csv(page.rows, columns), MEDIA_TYPES[Form.CSV], headers)
        return Content(features.geojson(page.rows, columns, stations, links), MEDIA_TYPES[Form.GEOJSON], headers)

    return await ready(request, asked.model_dump_json(), make)


@router.get("/collections/{collection}/items/{itemId:path}", responses=documented.feature())
async def item(
    request: Request,
    collection: Collection,
    item_id: Annotated[str, Path(alias="itemId", max_length=640, description="STATION@TIME.")],
    _: Annotated[Nothing, Query()],
) -> Response:
    """One observation."""
    station, at, moment = item_id.rpartition("@")
    missing = Problem(HTTPStatus.NOT_FOUND, f"there is no observation {item_id[:120]!r}: give STATION@TIME")
    if not at:
        raise missing
    try:
        period = parameters.period(moment)
    except Problem:
        raise missing from None
    wanted, clock = parameters.wanted(None, "all"), request.app.state.clock

    def make(store: Store) -> Content:
        stations = places(store)
        if station not in stations or period.start != period.end:
            raise missing
        read = latest.read(store, clock(), period, wanted, [station]) if collection == "latest" else rows.read(
            store, clock(), period, wanted, [station], 1.0
        )  # fmt: skip
        if not len(read.time):
            raise missing
        columns = rows.measured(read, wanted, named=False)
        whole = b"".join(features.geojson(read, columns, stations, []))
        return Content([whole.partition(b'"features":[')[2].removesuffix(b"]}")], MEDIA_TYPES[Form.GEOJSON])

    return await ready(request, None, make)


def _address(where: str, asked: Items, cursor: str | None) -> str:
    told = asked.model_dump(by_alias=True, exclude_unset=True, exclude={"cursor"}, mode="json")
    if cursor:
        told["cursor"] = cursor
    return f"{where}?{urlencode(told)}" if told else where
