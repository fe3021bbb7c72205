"""Who may ask, and how often: bearer tokens, a rate limit for each client, and what a proxy on this host says."""

from __future__ import annotations

import hmac
import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import sha256
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolkit import credentials
from toolkit.api import problems
from toolkit.api.problems import Problem
from toolkit.credentials import Credential, CredentialError

OPEN = ("/health", "/metrics")
"""What monitoring asks: without a token, and as often as it likes."""
CONSOLE = "/console"
"""What people see in a browser: without a token, for it has accounts (`console.people`)."""

# A token that is shorter can be guessed, and RFC 6750 knows these characters alone.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{16,512}=*")
# So many clients are remembered: of more, those that asked longest ago are forgotten.
CLIENTS = 10_000
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]{1,64}){1,8}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


def tokens() -> list[bytes]:
    """The digests of the tokens of the credential `api_tokens`; none where everybody may ask.

    Raises:
        CredentialError: it has none, or a line that is no token.
    """
    text = credentials.read(Credential.API_TOKENS)
    if text is None:
        return []
    found = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in found if line and not line.startswith("#")]
    for number, line in lines:
        if not _TOKEN.fullmatch(line):
            raise CredentialError(
                f"the credential {Credential.API_TOKENS} is wrong in line {number}: give a token of at least 16 "
                "letters, digits and -._~+/, such as `openssl rand -hex 32` prints"
            )
    if not lines:
        raise CredentialError(f"the credential {Credential.API_TOKENS} has no token: give one a line, or remove it")
    return [sha256(line.encode()).digest() for _, line in lines]


class Limit:
    """How many requests each client may send in a minute, and how many of them at once (all, if not given)."""

    def __init__(self, per_minute: float, at_once: float | None = None) -> None:
        self._per_second, self._most = per_minute / 60, float(per_minute if at_once is None else at_once)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> int:
        """Count a request: 0 where it may be answered, else the seconds until the next one may."""
        if not self._most:
            return 0
        now = time.monotonic()
        left, then = self._left.pop(client, (self._most, now))
        left = min(self._most, left + (now - then) * self._per_second)
        allowed = left >= 1
        self._left[client] = (left - allowed, now)
        if len(self._left) > CLIENTS:
            self._left.popitem(last=False)
        return 0 if allowed else max(1, round((1 - left) / self._per_second))

    def give_back(self, client: str) -> None:
        """Do not count the last request of a client."""
        left, then = self._left.get(client, (self._most, 0.0))
        self._left[client] = (min(self._most, left + 1), then)


def network(address: str) -> str:
    """The address of a client; of IPv6 its network, for one client has all of it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and not found.ipv4_mapped:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address


class Access:
    """Lets a request through to the application, or answers why not."""

    def __init__(self, app: ASGIApp, digests: Iterable[bytes], limit: Limit) -> None:
        self._app, self._digests, self._limit = app, list(digests), limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        _believe_proxy(scope, headers)
        head = scope["method"] == "HEAD"
        if head:
            scope["method"] = "GET"

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                out["X-Content-Type-Options"] = "nosniff"
            elif head and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        refusal = self._refusal(scope, headers)
        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        if not _HOST.fullmatch(headers.get("host", "")):
            return problems.answer(HTTPStatus.BAD_REQUEST, "the header Host is missing or is no host")
        if scope["path"] in OPEN:
            return None
        client = network((scope.get("client") or ("",))[0])
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if self._digests and path != CONSOLE and not path.startswith(f"{CONSOLE}/"):
            kind, _, token = headers.get("authorization", "").partition(" ")
            digest = sha256(token.strip().encode("latin-1", "replace")).digest()
            known = [hmac.compare_digest(digest, one) for one in self._digests]
            if kind.lower() != "bearer" or not any(known):
                if wait := self._limit.wait(client):
                    return _refused(too_many(wait))
                wrong = ', error="invalid_token"' if kind else ""
                return problems.answer(
                    HTTPStatus.UNAUTHORIZED,
                    "the token is not one of this service's" if kind else "send a token: Authorization: Bearer TOKEN",
                    {"WWW-Authenticate": f'Bearer realm="weather"{wrong}'},
                )
            client = digest.hex()
        wait = self._limit.wait(client)
        return _refused(too_many(wait)) if wait else None


def too_many(wait: int) -> Problem:
    """The client sent too many requests: the next one is answered in `wait` seconds."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"too many requests: the next is answered in {wait} s",
        {"Retry-After": str(wait)},
    )


def _refused(problem: Problem) -> ASGIApp:
    return problems.answer(problem.status, problem.detail, problem.headers)


def _believe_proxy(scope: Scope, headers: Headers) -> None:
    """Take the client, the scheme and the path's prefix from a proxy on this host; nobody else is believed."""
    client = scope.get("client")
    if not client or client[0] not in {"127.0.0.1", "::1"}:
        return
    scope.setdefault("state", {})["from_this_host"] = True
    if told := headers.get("x-forwarded-for", "").rpartition(",")[2].strip():
        scope["client"] = (told[:64], 0)
    if (scheme := headers.get("x-forwarded-proto", "")) in {"http", "https"}:
        scope["scheme"] = scheme
    prefix = headers.get("x-forwarded-prefix", "").rstrip("/")
    if _PREFIX.fullmatch(prefix):
        scope["root_path"] = prefix
        scope["path"] = prefix + scope["path"]
