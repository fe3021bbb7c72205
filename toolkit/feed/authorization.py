"""Telling the feed's server who asks: by headers, parameters, tokens and certificates."""

from __future__ import annotations

import base64
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from toolkit.authorization import Way
from toolkit.text import decoded, one_line

# A token is renewed when so much of its time is left, in seconds, and at the latest when a tenth of it is.
RENEWED_BEFORE = 60.0
# How long a token is used whose answer does not say for how long it may be (RFC 6749, 5.1, recommends to say it).
UNSAID_SECONDS = 300.0
LARGEST_ANSWER = 64 << 10


class Token(NamedTuple):
    """An access token and until when it is used, by the monotonic clock."""

    text: str
    until: float


class TokenRequest(NamedTuple):
    """The request for a token (RFC 6749, 4.4.2)."""

    address: str
    headers: dict[str, str]
    body: str


class TokenError(Exception):
    """The server gives no token: why, without secrets."""


class Authorization:
    """What a source says of who asks.

    Args:
        secrets: the secret of each way; see `toolkit.authorization.secrets`.

    Attributes:
        certificate: PEM text of a certificate and its key; empty where there is none.
        renewing: held by whoever asks for a token.
    """

    def __init__(self, secrets: Mapping[Way, str]) -> None:
        self._headers: dict[str, str] = {}
        self._parameters: list[tuple[str, str]] = []
        self._oauth2: tuple[Way, str, str] | None = None
        self._token: Token | None = None
        self.renewing = threading.Lock()
        self.certificate = ""
        self._hidden: list[str] = []
        self._tokens: deque[str] = deque(maxlen=2)  # an answer to the one before may still come
        for way, secret in secrets.items():
            self._add(way, secret)

    def _add(self, way: Way, secret: str) -> None:
        if way.kind == "certificate":
            self.certificate = secret
            return
        self._hide(secret)
        match way.kind:
            case "header":
                self._headers[way.name] = secret
            case "query":
                self._parameters.append((way.name, secret))
            case "bearer":
                self._headers["Authorization"] = f"Bearer {secret}"
            case "basic":
                self._headers["Authorization"] = self._basic(secret)
            case "oauth2":
                self._oauth2 = way, secret.partition(":")[0], self._basic(secret)

    def _basic(self, secret: str) -> str:
        """The value of a header (RFC 7617)."""
        coded = base64.b64encode(secret.encode()).decode()
        self._hide(secret.partition(":")[2], coded)
        return f"Basic {coded}"

    def _hide(self, *secrets: str) -> None:
        self._hidden += [form for one in secrets for form in _forms(one)]

    @property
    def hidden(self) -> list[str]:
        """What no message may have in it, the longest first."""
        tokens = [form for one in self._tokens for form in _forms(one)]
        return sorted({*self._hidden, *tokens}, key=len, reverse=True)

    def address(self, url: str) -> str:
        """An address with the parameters that it does not have yet."""
        present = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
        added = urlencode([pair for pair in self._parameters if pair[0] not in present])
        parts = urlsplit(url)
        return parts._replace(query="&".join(filter(None, (parts.query, added)))).geturl() if added else url

    def headers(self) -> dict[str, str]:
        """The headers of a request."""
        token = self.token
        return {**self._headers, **({"Authorization": f"Bearer {token}"} if token else {})}

    def token_request(self) -> TokenRequest | None:
        """The request for a new token; None while there is one, or where none is needed."""
        if self._oauth2 is None or (self._token and time.monotonic() < self._token.until):
            return None
        from oauthlib.oauth2 import BackendApplicationClient

        way, client, basic = self._oauth2
        body = BackendApplicationClient(client).prepare_request_body(scope=way.scope or None)
        headers = {
            "Authorization": basic,
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        return TokenRequest(way.name, headers, str(body))

    def take_token(self, status: int, body: bytes) -> None:
        """Take the answer to such a request.

        Raises:
            TokenError: there is no token in it.
        """
        from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error

        try:
            if status != 200 and status // 100 != 4:  # of a refusal the body says why
                raise ValueError
            answer = BackendApplicationClient("").parse_request_body_response(decoded(body))
            seconds = answer.get("expires_in")
            text, lasts = str(answer["access_token"]), UNSAID_SECONDS if seconds is None else float(seconds)
        except OAuth2Error as error:
            raise TokenError(f"answers {status} and gives no token: {one_line(str(error), 200)}") from None
        except (ValueError, TypeError, KeyError, RecursionError, Warning):
            raise TokenError(f"answers {status} and gives no token") from None
        if not text.isascii() or not text.isprintable() or str(answer.get("token_type", "bearer")).lower() != "bearer":
            raise TokenError("gives a token that is none of kind bearer (RFC 6750)")
        self._tokens.append(text)
        self._token = Token(text, time.monotonic() + max(lasts - RENEWED_BEFORE, lasts / 10))

    @property
    def token(self) -> str:
        """The present token; empty where there is none."""
        token = self._token
        return token.text if token else ""

    def refuse(self, token: str) -> bool:
        """The server does not take a token: it is used no more. Returns True."""
        if self.token == token:
            self._token = None
        return True


def _forms(secret: str) -> list[str]:
    """How a secret may be written in a message."""
    return [form for form in (secret, quote(secret, safe=""), urlencode({"": secret})[1:]) if len(form) > 1]
