"""Signing in and out: `data/session`.

Guessing is slowed by client and by name. Nobody is locked out by it: what is too much is refused for a minute or so,
and who has signed in from a place before is counted apart from strangers who try the same name.
"""

from __future__ import annotations

import asyncio
import ctypes
import hmac
import logging
import secrets
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel

from toolkit import credentials
from toolkit.api.access import too_many
from toolkit.api.clients import CLIENTS, Limit, network
from toolkit.api.problems import Problem, too_busy
from toolkit.console.about import DATA
from toolkit.console.acting import Acting
from toolkit.console.assets import ROOT
from toolkit.console.people import COOKIE, Visitor, digest_of, require_same_site
from toolkit.credentials import Credential, CredentialError
from toolkit.database import Database
from toolkit.errors import UsageError
from toolkit.store import Store, open_for_reading
from toolkit.store.accounts import LONGEST_SECONDS, Account, account_name

router = APIRouter(prefix=DATA, include_in_schema=False)
log = logging.getLogger(__name__)

# So many attempts at once, and then so many a minute. Of one name 70 in the first hour: NIST SP 800-63B (3.2.2) and
# OWASP's ASVS allow 100.
OF_CLIENT = (2.0, 10.0)
OF_NAME = (1.0, 10.0)
# So many people may wait for their passwords to be looked at, one after the other.
WAITING = 8
MOST_SESSIONS = 20
SEEN_SECONDS = 900
SHORTEST_KEY = 16
_M_MMAP_THRESHOLD, _MAPPED_BYTES = -3, 4 << 20  # mallopt(3)


class SigningIn:
    """What a running service knows of people who sign in."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._thread = ThreadPoolExecutor(1, "people")
        self._waiting = 0
        self._clients, self._names = Limit(*OF_CLIENT), Limit(*OF_NAME)
        self._known: OrderedDict[str, None] = OrderedDict()
        self._noted: dict[str, float] = {}
        self._noting: set[asyncio.Task[None]] = set()
        self.proxy_key = _proxy_key()
        # The memory of a hash goes back to the system each time: glibc would keep it for the next one.
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)

    def attempt(self, client: str, name: str) -> None:
        """Count an attempt.

        Raises:
            Problem: there were too many.
        """
        client = network(client)
        if wait := self._clients.wait(client) or self._names.wait(self._counted(client, name)):
            raise too_many(wait)

    def succeeded(self, client: str, name: str) -> None:
        """Do not count an attempt that succeeded, and count those of this client apart from now on."""
        client = network(client)
        self._clients.give_back(client)
        self._names.give_back(self._counted(client, name))
        self._known[f"{client} {name}"] = None
        self._known.move_to_end(f"{client} {name}")
        if len(self._known) > CLIENTS:
            self._known.popitem(last=False)

    def _counted(self, client: str, name: str) -> str:
        pair = f"{client} {name}"
        return pair if pair in self._known else name

    async def account(self, name: str, password: str) -> Account | None:
        """The account with this name and password; None for a wrong one, after as long a time.

        Raises:
            Problem: too many wait.
        """
        if self._waiting >= WAITING:
            raise too_busy()
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._look, name, password)
        finally:
            self._waiting -= 1

    def _look(self, name: str, password: str) -> Account | None:
        from toolkit.console import passwords  # with the first who signs in

        with open_for_reading(self._db) as store:
            found = store.accounts.find(name)
        return found if passwords.fits(password, found and found.password) else None

    def note_seen(self, acting: Acting, digest: str, seen: float) -> None:
        """Note that a session is used, now and then, and without waiting for it."""
        now = time.time()
        if now - max(seen, self._noted.get(digest, 0.0)) < SEEN_SECONDS:
            return
        self._noted = {one: at for one, at in self._noted.items() if now - at < SEEN_SECONDS} | {digest: now}

        def note(store: Store, _: float) -> None:
            with store.transaction():
                store.accounts.note_seen(digest, now)

        noting = asyncio.create_task(acting.run(note))
        self._noting.add(noting)
        noting.add_done_callback(self._was_noted)

    def _was_noted(self, noting: asyncio.Task[None]) -> None:
        self._noting.discard(noting)
        if not noting.cancelled():
            noting.exception()  # it is in the log, and noted a quarter of an hour later


def _proxy_key() -> str | None:
    """The key by which a proxy on this host is believed; None where none is.

    Raises:
        CredentialError: it is too short.
    """
    key = credentials.read(Credential.CONSOLE_PROXY_KEY)
    if key is not None and len(key) < SHORTEST_KEY:
        raise CredentialError(
            f"the credential {Credential.CONSOLE_PROXY_KEY} is too short: give at least {SHORTEST_KEY} characters, "
            "such as `openssl rand -hex 32` prints"
        )
    return key


class NameAndPassword(BaseModel):
    """What somebody signs in with."""

    name: str
    password: str


@router.post("/session", status_code=HTTPStatus.NO_CONTENT)
async def begin(request: Request, given: Annotated[NameAndPassword, Body()], found: Visitor) -> Response:
    """Sign in: the answer sets the cookie of a new session."""
    require_same_site(request)
    state: SigningIn = request.app.state.signing_in
    client = request.client.host if request.client else ""
    wrong = Problem(HTTPStatus.UNAUTHORIZED, "the name or the password is wrong")
    try:
        name = account_name(given.name, "name")
    except UsageError:
        raise wrong from None
    state.attempt(client, name)
    account = await state.account(name, given.password)
    token = secrets.token_urlsafe(32)

    def write(store: Store, _: float) -> bool:
        with store.transaction():
            if store.accounts.find(name) != account:  # it was changed meanwhile
                return False
            now = time.time()  # the host's clock alone, for it tells when the session ends
            store.accounts.end_old(now)
            store.accounts.end([found.digest] if found and found.digest else [])
            store.accounts.begin(digest_of(token), name, now, MOST_SESSIONS)
        return True

    if account is None or not await Acting.of(request).run(write):
        log.warning("somebody at %s could not sign in", client)
        raise wrong
    state.succeeded(client, name)
    log.info("%s signed in from %s", name, client)
    # A proxy elsewhere that ends TLS is not believed what it says of it; the browser that gets the cookie is.
    secure = "https" in {request.url.scheme, request.headers.get("origin", "").partition(":")[0]}
    answer = Response(None, HTTPStatus.NO_CONTENT, {"Cache-Control": "no-store"})
    answer.set_cookie(
        COOKIE, token, max_age=LONGEST_SECONDS, path=_path(request), secure=secure, httponly=True, samesite="strict"
    )
    return answer


@router.delete("/session", status_code=HTTPStatus.NO_CONTENT)
async def end(request: Request, found: Visitor) -> Response:
    """Sign out."""
    require_same_site(request)
    if found and found.digest:
        digest = found.digest
        if not hmac.compare_digest(request.headers.get("x-csrf-token", "").encode(), found.csrf.encode()):
            raise Problem(HTTPStatus.FORBIDDEN, "the page is of another session: load it anew")

        def write(store: Store, _: float) -> None:
            with store.transaction():
                store.accounts.end([digest])

        await Acting.of(request).run(write)
    answer = Response(None, HTTPStatus.NO_CONTENT, {"Cache-Control": "no-store"})
    answer.delete_cookie(COOKIE, path=_path(request), httponly=True, samesite="strict")
    return answer


def _path(request: Request) -> str:
    """Where the cookie goes: to the console, and not to whatever else is on this host."""
    return str(request.scope.get("root_path", "")) + ROOT
