"""Who looks, and who may act: what every resource of the console demands.

Looking follows the API: where that demands tokens, people must sign in to look. Acting always needs a person who has
signed in and is an operator. Who that is, says the cookie of a session (`console.session`), or a proxy on this host.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from fastapi import Depends, Request

from toolkit.api.answers import Content
from toolkit.api.problems import Problem
from toolkit.errors import ToolkitError, UsageError
from toolkit.store import Store
from toolkit.store.accounts import IDLE_SECONDS, LONGEST_SECONDS, Role, account_name

COOKIE = "weather_session"
# A session of later than this after now began by a clock that was wrong.
_AHEAD_SECONDS = 60
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_CSRF = "X-CSRF-Token"


class Person(NamedTuple):
    """Who has signed in.

    Attributes:
        name: as histories have it.
        role: what the person may do.
    """

    name: str
    role: Role


class Visit(NamedTuple):
    """A person's request.

    Attributes:
        person: who.
        csrf: what the person's page sends with each action, and another site's does not know.
        digest: of the session; None where a proxy says who it is.
    """

    person: Person
    csrf: str
    digest: str | None


def digest_of(token: str) -> str:
    """What the store has of a session's token."""
    return sha256(token.encode()).hexdigest()


async def visit(request: Request) -> Visit | None:
    """Whose request it is; None for somebody who has not signed in.

    Raises:
        ToolkitError: the store cannot be read.
    """
    return await _told_by_proxy(request) or await _of_session(request)


async def _of_session(request: Request) -> Visit | None:
    token = request.cookies.get(COOKIE, "")
    if not _TOKEN.fullmatch(token):
        return None
    digest = digest_of(token)

    def find(store: Store) -> Content:
        found = store.accounts.session(digest)
        if found is None:
            raise _Unknown  # and not kept: whoever sends others and others fills no memory
        return Content([json.dumps(found).encode()], "")

    try:
        kept = await request.app.state.answers.get(("session", digest), find, pack=False)
    except _Unknown:
        return None
    name, role, started, seen = json.loads(kept.body)
    now = time.time()
    if not (
        now - LONGEST_SECONDS < started <= now + _AHEAD_SECONDS and now - IDLE_SECONDS < seen <= now + _AHEAD_SECONDS
    ):
        return None
    request.app.state.signing_in.note_seen(request.app.state.acting, digest, seen)
    return Visit(Person(name, role), _derived(token.encode(), "csrf"), digest)


async def has_accounts(request: Request) -> bool:
    """Whether somebody could sign in with a password; where the store cannot be read somebody may try."""
    return await accounts_known(request) is not False


async def accounts_known(request: Request) -> bool | None:
    """Whether there are accounts with passwords; None where the store cannot be read, so that nobody can sign in."""

    def look(store: Store) -> Content:
        return Content([json.dumps(any(one.password for one in store.accounts.all())).encode()], "")

    try:
        kept = await request.app.state.answers.get(("accounts",), look, pack=False)
    except ToolkitError:
        return None
    return bool(json.loads(kept.body))


class _Unknown(Exception):  # noqa: N818 - it is no error
    """There is no such session."""


async def _told_by_proxy(request: Request) -> Visit | None:
    """The person whom a proxy on this host names, if it sends the key; somebody without an account may only look."""
    key = request.app.state.signing_in.proxy_key
    told = request.headers.get("x-forwarded-user", "")
    given = request.headers.get("x-forwarded-key", "")
    if not (key and told and getattr(request.state, "from_this_host", False)):
        return None
    if not hmac.compare_digest(given.encode(), key.encode()):
        return None
    try:
        name = account_name(told.encode("latin-1").decode("utf-8"), "X-Forwarded-User")
    except (UsageError, UnicodeDecodeError):
        return None

    def find(store: Store) -> Content:
        found = store.accounts.find(name)
        return Content([json.dumps(found.role if found else "viewer").encode()], "")

    kept = await request.app.state.answers.get(("account", name), find, pack=False)
    return Visit(Person(name, json.loads(kept.body)), _derived(key.encode(), f"csrf of {name}"), None)


def _derived(key: bytes, purpose: str) -> str:
    return hmac.new(key, purpose.encode(), sha256).hexdigest()


Visitor = Annotated[Visit | None, Depends(visit)]


async def person(found: Visitor) -> Person | None:
    """Who sends a request; None for somebody who has not signed in."""
    return found and found.person


async def reader(request: Request, who: Annotated[Person | None, Depends(person)]) -> Person | None:
    """Who looks: everybody, or where the API has tokens a person who has signed in.

    Raises:
        Problem: one must sign in.
    """
    if request.app.state.closed and who is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "sign in to look")
    return who


async def operator(request: Request, found: Visitor) -> Person:
    """Who acts, by a request that no other site can have sent.

    Raises:
        Problem: one must sign in, or may only look, or another site sent it.
    """
    require_same_site(request)
    if found is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "sign in to act")
    if not hmac.compare_digest(request.headers.get(_CSRF, "").encode(), found.csrf.encode()):
        raise Problem(HTTPStatus.FORBIDDEN, "the page is of another session: load it anew")
    if found.person.role != "operator":
        raise Problem(HTTPStatus.FORBIDDEN, f"{found.person.name} may look, and not act: an operator's account can")
    return found.person


def require_same_site(request: Request) -> None:
    """Refuse what the page of another site sent.

    Browsers say where a request is from: by Sec-Fetch-Site over TLS and on the same machine, else by Origin.

    Raises:
        Problem: it is from elsewhere.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    elsewhere = origin is not None and urlsplit(origin).netloc.lower() != request.headers["host"].lower()
    if site not in {None, "same-origin"} or (site is None and elsewhere):
        raise Problem(HTTPStatus.FORBIDDEN, "another site sent this: open the console itself")


Reader = Annotated[Person | None, Depends(reader)]
Operator = Annotated[Person, Depends(operator)]
