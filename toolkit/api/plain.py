"""Stations, incidents, how the network performed, and health, as plain JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path as File
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from toolkit.api import catalogue, documented, parameters
from toolkit.api.answers import Content, sent, takes_gzip
from toolkit.api.edr import base, document, places, ready
from toolkit.api.parameters import Nothing, Pages, Text
from toolkit.api.problems import Problem, wrong
from toolkit.errors import UsageError
from toolkit.incidents import forms
from toolkit.performance.month import FOLDER, LAST, month
from toolkit.query.source_states import freshness, told
from toolkit.store import Store
from toolkit.store.incidents import ACTIVE, SEVERITIES, STATES, IncidentFilter
from toolkit.text import did_you_mean
from toolkit.times import from_stored, iso, iso_of
from toolkit.variables import BY_NAME, STATION

router = APIRouter(tags=["Network"])
Number = Annotated[int, Path(ge=1, le=2**53, description="The incident's number.")]
# A larger report of a month, of some thousand stations, is a matter of its file.
LARGEST_REPORT = 8 << 20


class Incidents(Pages):
    """Which incidents."""

    state: Text = Field(
        ",".join(ACTIVE), description="In one of these states, separated by commas; `all` for any.",
        examples=["open,acknowledged"],
    )  # fmt: skip
    severity: Text | None = Field(None, description="Of one of these severities, separated by commas.")
    station: Text | None = Field(None, description="Of these stations, separated by commas.")
    variable: Text | None = Field(None, description="Of these variables, separated by commas; `all` is the station.")
    datetime_: Text | None = Field(None, alias="datetime", description="That lasted in this time.")


class Month(BaseModel):
    """Which month."""

    model_config = ConfigDict(extra="forbid")

    month: Text = Field(LAST, description="YYYY-MM in UTC, or LAST: the newest that is over.", examples=["2026-10"])
    f: str = Field("json", pattern="^json$", description="The form of the answer.")


@router.get("/stations", responses=documented.json_of("Stations"))
async def stations(request: Request, asked: Annotated[Pages, Query()]) -> Response:
    """The stations, with the time of each one's newest observation."""
    where = base(request)

    def make(store: Store) -> Content:
        newest = {name: iso_of(time) for name, time in store.latest_times().items()}
        known = list(places(store).values())
        shown = [
            {
                **one._asdict(),
                "last_observation": newest.get(one.station_id),
                "links": [_observations(where, one.station_id)],
            }
            for one in known[asked.offset : asked.offset + asked.limit]
        ]
        links = _pages(f"{where}/stations", asked, more=len(known) > asked.offset + asked.limit)
        return document({"stations": shown, "links": links})

    return await ready(request, asked.model_dump_json(), make)


@router.get("/incidents", responses=documented.json_of("Incidents"))
async def incidents(request: Request, asked: Annotated[Incidents, Query()]) -> Response:
    """Incidents, the newest first."""
    where, period = base(request), parameters.period(asked.datetime_)

    def make(store: Store) -> Content:
        found = store.incidents.find(
            IncidentFilter(
                states=() if asked.state == "all" else _among("state", asked.state, STATES),
                severities=_among("severity", asked.severity, SEVERITIES),
                stations=parameters.chosen(asked.station, list(places(store)) if asked.station else []),
                variables=_among("variable", asked.variable, (*BY_NAME, STATION)),
                since=period.start,
                until=period.end,
                limit=asked.offset + asked.limit + 1,
            )
        )
        shown = [forms.of_incident(one) for one in found[asked.offset : asked.offset + asked.limit]]
        links = _pages(f"{where}/incidents", asked, more=len(found) > asked.offset + asked.limit)
        return document({"incidents": shown, "links": links})

    return await ready(request, asked.model_dump_json(), make)


@router.get("/incidents/{number}", responses=documented.json_of("Incident", missing=True))
async def incident(request: Request, number: Number, _: Annotated[Nothing, Query()]) -> Response:
    """An incident with its evidence, its history, and what people were told of it."""
    settings = request.app.state.settings

    def make(store: Store) -> Content:
        found = store.incidents.find(IncidentFilter(ids=[number], parts=True))
        if not found:
            raise Problem(HTTPStatus.NOT_FOUND, f"there is no incident {number}: /incidents?state=all lists them")
        return document(forms.at_length(store, settings, found[0], time.time()))

    return await ready(request, None, make)


@router.get("/network", responses=documented.json_of("Network", missing=True))
async def network(request: Request, asked: Annotated[Month, Query()]) -> Response:
    """How the network performed in a month, as the report of that month says, which is made when the month is over."""
    try:
        name = month(asked.month, time.time()).name
    except UsageError as error:
        raise wrong("month", asked.month, str(error).partition(": ")[2]) from None
    file = File(request.app.state.settings.reports) / FOLDER / f"network_{name}.json"

    def make(_store: Store) -> Content:
        try:
            with file.open("rb") as report:
                content = report.read(LARGEST_REPORT + 1)
        except FileNotFoundError:
            raise Problem(
                HTTPStatus.NOT_FOUND,
                f"there is no report of {name}: `weather-tool network --month {name} --save` makes it",
            ) from None
        if len(content) > LARGEST_REPORT:
            raise Problem(
                HTTPStatus(413), f"the report of {name} has more than {LARGEST_REPORT >> 20} MiB: read its file"
            )
        return Content([content], "application/json")

    return sent(request, await request.app.state.answers.run(make, pack=takes_gzip(request)))


@router.get("/health", responses={**documented.json_of("Health")})
async def health(request: Request, _: Annotated[Nothing, Query()]) -> Response:
    """Whether observations arrive, from each source, too, as the store says; 503 where the store cannot be read."""
    settings = request.app.state.settings

    def make(store: Store) -> Content:
        newest = store.newest()
        age = None if newest is None else time.time() - from_stored(newest).timestamp()
        limits = freshness(settings)
        limit = max(limits.of_source.values(), default=limits.usual)
        status = "empty" if age is None else "stale" if age > limit else "fresh"
        return document(
            {
                "status": status,
                "newest": None if newest is None else iso(from_stored(newest)),
                "age_seconds": None if age is None else round(age),
                "sources": [
                    {
                        "name": one.name,
                        "status": one.status,
                        "newest": iso_of(one.state.newest) if one.state and one.state.newest is not None else None,
                    }
                    for one in told(store, settings, time.time())
                ],
                "checked": iso_of(time.time()),
            }
        )

    ready = await request.app.state.answers.run(make)
    return Response(bytes(ready.body), media_type=ready.kind, headers={"Cache-Control": "no-store"})


def _observations(where: str, name: str) -> dict[str, Any]:
    """The link to a station's observations."""
    place = catalogue.location(where, "observations", name)
    return catalogue.link(place, "data", "its observations", parameters.MEDIA_TYPES[parameters.Form.COVERAGE_JSON])


def _among(parameter: str, text: str | None, known: Sequence[Any]) -> list[Any]:
    """The words of a parameter, separated by commas."""
    words = [part.strip() for part in text.split(",")] if text else []
    for word in words:
        if word not in known:
            raise wrong(parameter, word, did_you_mean(word, known, f"there are {', '.join(known)}"))
    return words


def _pages(where: str, asked: Pages, *, more: bool) -> list[dict[str, Any]]:
    """The links of a page."""
    given = asked.model_dump(by_alias=True, exclude_unset=True, mode="json")
    links = [catalogue.link(f"{where}?{urlencode(given)}" if given else where, "self", "this page")]
    if more:
        given["offset"] = asked.offset + asked.limit
        links.append(catalogue.link(f"{where}?{urlencode(given)}", "next", "the next page"))
    return links
