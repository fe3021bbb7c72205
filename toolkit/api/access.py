"""Who may ask, and how often: bearer tokens, a rate limit for each client, and what a proxy on this host says."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from hashlib import sha256
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolkit import credentials
from toolkit.api import problems
from toolkit.api.clients import Limit, believe_proxy, network
from toolkit.api.problems import Problem
from toolkit.credentials import Credential, CredentialError

OPEN = ("/health", "/metrics")
"""What monitoring asks: without a token, and as often as it likes."""
CONSOLE = "/console"
"""What people see in a browser: without a token, for it has accounts (`console.people`)."""

# A token that is shorter can be guessed, and RFC 6750 knows these characters alone.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{16,512}=*")
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
        believe_proxy(scope, headers)
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
