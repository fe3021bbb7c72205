"""The incidents that a shift works from: the list, one of them at length, and what people decide of them.

Nothing here depends on the present, so that answers are kept until something is stored: the browser knows how long ago
a time is, and whether maintenance is under way.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from toolkit import actor
from toolkit.api.answers import Content
from toolkit.api.edr import document, ready
from toolkit.api.parameters import Text
from toolkit.api.problems import Problem
from toolkit.console.about import DATA
from toolkit.console.acting import Acting, done
from toolkit.console.incident_forms import Shown, at_length, shown, whole
from toolkit.console.people import Operator, Person, Reader
from toolkit.incidents import deciding
from toolkit.incidents.deciding import Decision
from toolkit.incidents.kinds import rank
from toolkit.settings import Settings
from toolkit.store import Store
from toolkit.store.incidents import ACTIVE, SEVERITIES, STATES, Incident, IncidentFilter, Severity

router = APIRouter(prefix=DATA + "/incidents", include_in_schema=False)

MOST = 200
"""So many incidents a page has, and can be decided of at once."""
OVER = tuple(state for state in STATES if state not in ACTIVE)

Active = Literal["active", "mine", "unassigned", "new"]
What = Literal["acknowledge", "note", "assign", "resolve", "dismiss"]
Numbers = Annotated[str, Path(pattern=rf"^[0-9]{{1,9}}(,[0-9]{{1,9}}){{0,{MOST - 1}}}$")]


class IncidentsQuery(BaseModel):
    """Which incidents."""

    model_config = ConfigDict(extra="forbid")

    show: Active | Literal["over"] = Field("active", description="All active ones, one's own, nobody's, or new ones.")
    looked: int = Field(0, ge=0, lt=2**40, description="When one looked last: what there is news of since is new.")
    severity: Severity | None = Field(None, description="As bad as this, or worse.")
    variable: Text | None = Field(None, description="Of this variable; `all` is the station as a whole.")
    station: Text | None = Field(None, description="Of this station.")
    text: Text = Field("", description="With this text in the station's id or names, or in the assignee's name.")
    limit: int = Field(100, ge=1, le=MOST)
    offset: int = Field(0, ge=0, le=1_000_000)


class Doing(BaseModel):
    """What is decided, and by whom what was seen."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=4 * deciding.NOTE_LENGTH)
    to: str = Field("", max_length=4 * actor.LENGTH, description="Whom it is assigned to; empty for nobody.")
    verdict: Literal["weather", "siting"] | None = Field(None, description="What one that is dismissed was.")
    seen: dict[str, str] = Field({}, max_length=MOST, description="The version of each that was shown, by number.")


@router.get("")
async def incidents(request: Request, asked: Annotated[IncidentsQuery, Query()], who: Reader) -> Response:
    """Incidents: active ones the worst first, or those that are over, the newest first."""
    return await ready(request, (who and who.name, asked.model_dump_json()), lambda store: _list(store, asked, who))


def _list(store: Store, asked: IncidentsQuery, who: Person | None) -> Content:
    active = shown(store, store.incidents.find(IncidentFilter(states=ACTIVE)))
    lists = {show: [one for one in active if _is(one, show, asked, who)] for show in get_args(Active)}
    begin, end = asked.offset, asked.offset + asked.limit
    if asked.show == "over":
        over = _over(store, asked)
        page, more = shown(store, over[begin:end]), len(over) > end
    else:
        found = sorted((one for one in lists[asked.show] if _wanted(one, asked)), key=lambda one: _order(one, asked))
        page, more = found[begin:end], len(found) > end
    return document(
        {
            "counts": {show: len(some) for show, some in lists.items()},
            "newest": max((whole(one.news) or 0 for one in active), default=0),
            "incidents": [one.form() for one in page],
            "more": more,
        }
    )


def _is(one: Shown, show: Active, asked: IncidentsQuery, who: Person | None) -> bool:
    match show:
        case "mine":
            return who is not None and one.incident.assignee == who.name
        case "unassigned":
            return one.incident.assignee is None
        case "new":
            return int(one.news) > asked.looked
    return True


def _wanted(one: Shown, asked: IncidentsQuery) -> bool:
    text = asked.text.casefold()
    return (
        rank(one.incident.severity) >= rank(asked.severity or "info")
        and asked.variable in {None, one.incident.variable}
        and (asked.station is None or asked.station in {*one.stations, one.incident.station_id})
        and any(text in word.casefold() for word in one.words())
    )


def _order(one: Shown, asked: IncidentsQuery) -> tuple[float, ...]:
    """The worst first, and the youngest of them; new ones by when there was news of them."""
    incident = one.incident
    if asked.show == "new":
        return -one.news, -incident.id
    return -rank(incident.severity), ACTIVE.index(incident.state), -incident.started, -incident.id


def _over(store: Store, asked: IncidentsQuery) -> list[Incident]:
    """Those that are over, up to the end of the page and one more; there may be any number of them."""
    stations = [asked.station] if asked.station is not None else []
    if text := asked.text.casefold():
        stations = [
            one.station_id
            for one in store.stations()
            if asked.station in {None, one.station_id} and any(text in str(word).casefold() for word in one[:3])
        ]
        if not stations:
            return []
    return store.incidents.find(
        IncidentFilter(
            states=OVER,
            severities=SEVERITIES[rank(asked.severity or "info") :],
            variables=[asked.variable] if asked.variable else (),
            stations=stations,
            limit=asked.offset + asked.limit + 1,
        )
    )


@router.get("/people")
async def people(request: Request, who: Reader) -> Response:
    """To whom incidents are assigned; operators are told who could have one as well."""
    acts = who is not None and who.role == "operator"

    def make(store: Store) -> Content:
        names = {one.assignee for one in store.incidents.find(IncidentFilter(states=ACTIVE)) if one.assignee}
        if acts:
            names |= {one.name for one in store.accounts.all() if one.role == "operator"}
        return document({"people": sorted(names)})

    return await ready(request, acts, make)


@router.get("/{number}")
async def incident(request: Request, number: Annotated[int, Path(ge=1, lt=10**9)], _: Reader) -> Response:
    """An incident with its evidence, its history, and what people were told of it."""
    settings = request.app.state.settings

    def make(store: Store) -> Content:
        found = store.incidents.find(IncidentFilter(ids=[number], parts=True))
        if not found:
            raise Problem(HTTPStatus.NOT_FOUND, f"there is no incident {number}")
        return document(at_length(store, settings, found[0], time.time()))

    return await ready(request, None, make)


@router.post("/{numbers}/{what}")
async def decide(request: Request, numbers: Numbers, what: What, doing: Doing, who: Operator) -> Response:
    """Decide of incidents, whose numbers are separated by commas: of all or of none."""
    settings, acting = request.app.state.settings, Acting.of(request)
    ids = [int(number) for number in numbers.split(",")]
    seen = {int(number): version for number, version in doing.seen.items() if number.isdecimal()}

    def do(store: Store, at: float) -> dict[str, Any]:
        by = Decision(who.name, at, deciding.note_text(doing.note, needed=what == "note"), seen)
        return {"incidents": [one.form() for one in shown(store, _decide(store, settings, ids, what, doing, by))]}

    return done(await acting.run(do))


def _decide(
    store: Store, settings: Settings, ids: Sequence[int], what: What, doing: Doing, by: Decision
) -> list[Incident]:
    match what:
        case "acknowledge":
            return deciding.acknowledge(store, settings, ids, by)
        case "note":
            return deciding.note(store, settings, ids, by)
        case "assign":
            to = actor.person(doing.to, "to") if doing.to.strip() else None
            return deciding.assign(store, settings, ids, by, to)
        case "resolve":
            return deciding.resolve(store, settings, ids, by)
    if doing.verdict is None:
        raise Problem(HTTPStatus.BAD_REQUEST, "say what it was: verdict is weather or siting")
    return deciding.dismiss(store, settings, ids, by, doing.verdict)
