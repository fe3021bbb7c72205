"""The hosts of a fleet: what each says of itself in a few numbers, and all of them in one table.

A host's own numbers are a resource of the HTTP API, which asks for a token where the API does. The others are asked for
theirs when somebody looks, every `EVERY_SECONDS` at most, a few at a time: one that is down delays nobody's answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import platform
import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from toolkit import __version__, credentials
from toolkit.api.answers import Content
from toolkit.api.edr import at_once, document
from toolkit.console.about import DATA
from toolkit.console.people import Reader
from toolkit.console.remote import fetched
from toolkit.console.state import State, states
from toolkit.credentials import Credential, CredentialError
from toolkit.errors import ToolkitError
from toolkit.kinds import NamedHost
from toolkit.settings import Settings
from toolkit.store import Store
from toolkit.store.incidents import Severity
from toolkit.text import clean
from toolkit.times import from_stored

router = APIRouter(include_in_schema=False)
log = logging.getLogger(__name__)

SUMMARY = "/summary"
# How often the others are asked, and how many at once.
EVERY_SECONDS = 30.0
AT_ONCE = 8
# How long the first reader waits for them.
FIRST_SECONDS = 2.0
# States change by the clock alone, too.
PRESENT_SECONDS = 30


class Summary(BaseModel):
    """What a host says of itself.

    Attributes:
        instance: which process says it, so that a host knows itself in a list of hosts.
        database: what tells its database from others if several hosts may use it; None of a file.
        host, version: its name, and the release.
        readable: whether its database can be read just now; what is of it is empty otherwise.
        newest: the time of the newest observation, seconds since the epoch.
        stations: how many are in each state.
        incidents: how many are not over, by severity.
        verdict: the doctor's; None where the exporter does not say.
        causes: how many things are to be mended.
    """

    model_config = ConfigDict(strict=True, extra="ignore", str_max_length=200)

    instance: str
    database: str | None
    host: str
    version: str
    readable: bool
    newest: int | None
    stations: dict[State, NonNegativeInt]
    incidents: dict[Severity, NonNegativeInt]
    verdict: str | None
    causes: NonNegativeInt | None


@router.get(SUMMARY)
async def summary(request: Request) -> Response:
    """What this host says of itself."""
    return at_once(request, document(await _own(request)))


async def _own(request: Request) -> dict[str, Any]:
    """A `Summary` of this host."""
    state = request.app.state
    now = time.time()

    def make(store: Store) -> Content:
        newest = store.newest()
        incidents: Counter[Severity] = Counter()
        for _, severity, number in store.incidents.counts():
            incidents[severity] += number
        return document(
            {
                "database": store.identity(),
                "newest": None if newest is None else round(from_stored(newest).timestamp()),
                "stations": Counter(states(store, state.settings, now).values()),
                "incidents": incidents,
            }
        )

    of_store: dict[str, Any] = {"database": None, "newest": None, "stations": {}, "incidents": {}}
    readable = True
    try:
        of_store = json.loads((await state.answers.get((SUMMARY, now // PRESENT_SECONDS), make, pack=False)).body)
    except ToolkitError as error:
        log.warning("%s", error)
        readable = False
    found = (await state.exporter.told()).get("findings")
    return {
        "instance": state.hosts.instance,
        "host": platform.node(),
        "version": __version__,
        "readable": readable,
        **of_store,
        "verdict": found["verdict"] if found else None,
        "causes": len(found["causes"]) if found else None,
    }


@router.get(DATA + "/hosts")
async def hosts(request: Request, _: Reader) -> Response:
    """This host and the others, by database: one that several hosts use is there once."""
    state = request.app.state
    others = await state.hosts.told()
    own = {
        "name": platform.node(),
        "url": None,
        "asked": round(time.time()),
        "said": await _own(request),
        "error": None,
    }
    return at_once(request, document({"networks": _by_database([own, *others], state.hosts.instance)}))


def _by_database(told: list[dict[str, Any]], instance: str) -> list[list[dict[str, Any]]]:
    """The hosts of each database together; this host once, by its name in the list."""
    itself = next((one for one in told if one["url"] and one["said"] and one["said"]["instance"] == instance), None)
    if itself:
        told = [{**told[0], "name": itself["name"]}, *(one for one in told[1:] if one is not itself)]
    found: dict[str, list[dict[str, Any]]] = {}
    for one in told:
        shared = one["said"] and one["said"]["database"]
        found.setdefault(f"database {shared}" if shared else f"host {one['name']}", []).append(one)
    return list(found.values())


class Hosts:
    """The others, asked when somebody looks.

    Attributes:
        instance: which process this is.
    """

    def __init__(self, settings: Settings) -> None:
        self.instance = secrets.token_hex(8)
        self._hosts = settings.console_hosts
        self._tokens = tokens(self._hosts)
        self._threads = ThreadPoolExecutor(AT_ONCE, "hosts")
        self._told = {one.name: _told(one) for one in self._hosts}
        self._asked = -EVERY_SECONDS
        self._asking: set[asyncio.Task[None]] = set()

    async def told(self) -> list[dict[str, Any]]:
        """What each said last, in the setting's order; `error` says why one did not answer when it was asked last."""
        if not self._asking and time.monotonic() - self._asked >= EVERY_SECONDS:
            self._asked = time.monotonic()
            for one in self._hosts:
                task = asyncio.create_task(self._ask(one))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
            if all(one["asked"] is None for one in self._told.values()) and self._asking:
                await asyncio.wait(self._asking, timeout=FIRST_SECONDS)
        return list(self._told.values())

    async def _ask(self, one: NamedHost) -> None:
        found: dict[str, Any] = {"error": None}
        try:
            said = await asyncio.get_running_loop().run_in_executor(
                self._threads, fetched, one.url + SUMMARY, self._tokens.get(one.name)
            )
            found |= {"said": _checked(said), "at": round(time.time())}
        except ToolkitError as error:
            found["error"] = clean(str(error))
        self._told[one.name] |= {**found, "asked": round(time.time())}


def _told(one: NamedHost) -> dict[str, Any]:
    return {"name": one.name, "url": one.url, "asked": None, "at": None, "said": None, "error": None}


def _checked(said: object) -> dict[str, Any]:
    """What another host said, if it is what it can be.

    Raises:
        ToolkitError: it is not.
    """
    try:
        found = Summary.model_validate(said)
    except ValidationError:
        raise ToolkitError("what answers is no console of this version") from None
    return {name: clean(value) if isinstance(value, str) else value for name, value in found.model_dump().items()}


def tokens(known: tuple[NamedHost, ...]) -> dict[str, str]:
    """The tokens that other hosts ask for, by the host's name.

    Raises:
        CredentialError: a line of the credential is none.
    """
    found = {}
    for number, line in enumerate((credentials.read(Credential.CONSOLE_TOKENS) or "").splitlines(), 1):
        name, _, token = (part.strip() for part in line.partition("="))
        if not name or name.startswith("#"):
            continue
        if name not in {one.name for one in known} or not (token.isascii() and token.isprintable() and token):
            raise CredentialError(
                f"the credential {Credential.CONSOLE_TOKENS} is wrong in line {number}: give NAME=TOKEN, the name "
                "being one of WEATHER_CONSOLE_HOSTS"
            )
        found[name] = token
    return found
