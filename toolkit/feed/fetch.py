"""Fetching the feed: with conditional requests, and with limits for time, size and redirects.

Whatever a server sends, the result is a document or a FeedError: no exception of a library leaves this module.
"""

from __future__ import annotations

import base64
import hashlib
import http
import http.client
import re
import signal
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any
from urllib.parse import unquote, unquote_plus, urljoin, urlsplit

import urllib3

from toolkit import __version__
from toolkit.address import SecretAddress, secret_in, shown, without_secrets
from toolkit.errors import UsageError
from toolkit.feed.errors import (
    AnswerError,
    FeedError,
    RetryLaterError,
    TooSlowError,
    UnreachableError,
    UntrustedError,
)
from toolkit.feed.freshness import fresh_for, http_time, retry_after
from toolkit.text import one_line

CHUNK = 64 * 1024
REDIRECTS = 5
MOST_INTERIM = 20
# The answers whose Retry-After counts.
RETRY_LATER = {429, 503}
# gzip is requested; some servers send deflate nevertheless.
ENCODINGS = {"gzip", "x-gzip", "deflate", "identity"}
# The longest header that is sent back to the server, in characters.
VALIDATOR_LENGTH = 1024
# How much of an answer that is not HTTP is shown, in characters.
BEGINNING = 60
# Shorter values of a query are not hidden in messages: they may be part of any message, such as a status.
SHORTEST = 4
# The alarm is repeated: Python swallows an exception that is raised in a finalizer.
ALARM_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """One document.

    Attributes:
        body: the document, unpacked.
        date: the server's time, seconds since the epoch; None if it sends none.
        modified: when the document was last modified, seconds since the epoch; None if the server does not say.
        fresh_for: for how many seconds it stays fresh; None if the server does not say.
        validators: `ETag` and `Last-Modified`, which conditional requests send back.
    """

    body: bytes
    date: float | None
    modified: float | None
    fresh_for: float | None
    validators: dict[str, str]


class Fetcher:
    """Fetches one feed; it remembers the document that it fetched last.

    Attributes:
        shown: the feed's address without secrets, for people.
    """

    def __init__(
        self, url: str, timeout: float, max_bytes: int, ca_file: str | None = None, proxy: str | None = None
    ) -> None:
        self.shown = shown(url)
        self._secret = isinstance(url, SecretAddress)
        self._url, self._authorization = _split_user_information(url)
        self._timeout = timeout
        self._max_bytes = max_bytes
        options: dict[str, Any] = {
            "num_pools": 2,
            "headers": {"User-Agent": f"weather-toolkit/{__version__}", "Accept-Encoding": "gzip"},
            "retries": False,
            "timeout": timeout,
            "ca_certs": ca_file,
        }
        if proxy:
            through, authorization = _split_user_information(proxy)
            headers = {"Proxy-Authorization": authorization} if authorization else None
            self._pool: urllib3.PoolManager = urllib3.ProxyManager(through, proxy_headers=headers, **options)
        else:
            self._pool = urllib3.PoolManager(**options)
        self._secrets = _secrets(url) + (_secrets(proxy) if proxy else [])
        self._validators: dict[str, str] = {}
        self._acknowledged = b""
        self._led_to = self._url

    def fetch(self) -> Fetched | None:
        """The current document; None if it is the one that was passed to `acknowledge`.

        Must be called from the main thread. SIGALRM limits the time of the whole fetch; time-outs of sockets do not
        limit a server that sends its headers letter by letter.

        Raises:
            FeedError: there is no document; the subclass says of which kind the failure is.
        """
        try:
            with _time_limit(self._timeout), self._disconnected():
                fetched = self._follow()
        except FeedError:
            raise
        except _OutOfTimeError:
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise TooSlowError(self._message(f"took longer than {self._timeout:g} s")) from None
        except urllib3.exceptions.DecodeError as error:
            raise self._failed(
                f"says that its answer is packed, and it cannot be unpacked: {_reason(error)}"
            ) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if _wraps(error, http.client.IncompleteRead) and not _wraps(error, urllib3.exceptions.InvalidChunkLength):
                raise self._failed("ends its answer earlier than it says") from error
            kind = UntrustedError if _wraps(error, *_OF_TLS) else UnreachableError
            raise kind(self._message(f"{self._way()}is unreachable: {_reason(error)}")) from error
        except Exception as error:  # of a library, for an answer that nobody thought of
            raise self._failed(f"answers what cannot be read: {type(error).__name__}: {error}") from error
        # A server that does not support conditional requests sends the same document again.
        return None if fetched and _digest(fetched.body) == self._acknowledged else fetched

    @contextmanager
    def _disconnected(self) -> Iterator[None]:
        """Close all connections afterwards: the server might close an idle one just as the next fetch begins."""
        try:
            yield
        finally:
            pools = self._pool.pools
            for pool in [pools.get(key) for key in pools.keys()]:  # noqa: SIM118 - it is no dict
                if pool is not None:
                    pool.close()
            pools.clear()

    def _failed(self, what: str) -> AnswerError:
        return AnswerError(self._message(what))

    def _message(self, what: str) -> str:
        """A message of one line, without the secrets of the address, which the server may have sent back."""
        for secret in self._secrets:
            what = what.replace(secret, "…")
        return one_line(f"the feed {self.shown} {without_secrets(what)}")

    def _follow(self) -> Fetched | None:
        url = self._led_to = self._url
        for _ in range(REDIRECTS + 1):
            began = time.monotonic()
            response = self._pool.request("GET", url, headers=self._headers(url), redirect=False, preload_content=False)
            try:
                location = response.get_redirect_location()
                if not location:
                    return self._read(response, began)
            finally:
                # Not returned to the pool: the next request must not read the rest of this answer.
                response.close()
            url = self._led_to = self._target(url, location)
        raise self._failed(f"redirects more than {REDIRECTS} times")

    def _way(self) -> str:
        """Where a redirect has led to, as the beginning of a message; empty where there was none."""
        if self._led_to == self._url:
            return ""
        return f"redirects to {shown(SecretAddress(self._led_to) if self._secret else self._led_to)}, which "

    def _headers(self, url: str) -> dict[str, str]:
        headers = {**self._pool.headers, **self._conditions()}
        if self._authorization and _origin(url) == _origin(self._url):
            headers["Authorization"] = self._authorization
        return headers

    def _conditions(self) -> dict[str, str]:
        sent = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        return {sent[name]: value for name, value in self._validators.items()}

    def _target(self, url: str, location: str) -> str:
        """The address that a redirect leads to.

        Raises:
            AnswerError: it is not followed.
        """
        schemes = {"https"} if url.startswith("https://") else {"https", "http"}
        target = location
        try:
            target = urljoin(url, location)
            to = urlsplit(target)
            if to.scheme in schemes and to.hostname and "@" not in to.netloc and (to.port is None or to.port):
                return target
        except ValueError:
            pass
        raise self._failed(
            f"redirects to {shown(SecretAddress(target) if self._secret else target)}: that is not followed"
        )

    def _read(self, response: urllib3.BaseHTTPResponse, began: float) -> Fetched | None:
        if response.status == 304 and self._validators:
            return None
        headers = response.headers
        if response.status != 200:
            message = self._message(f"answers {response.status} {response.reason or ''}")
            pause = retry_after(headers.get("Retry-After"), time.time())
            if pause is not None and response.status in RETRY_LATER:
                raise RetryLaterError(message, pause)
            raise AnswerError(message)
        encoding = headers.get("Content-Encoding", "")
        if not {one.strip().lower() for one in encoding.split(",") if one.strip()} <= ENCODINGS:
            raise self._failed(f"answers in the encoding {encoding!r}, which was not asked for")
        _bound(response)
        body = bytearray()
        for chunk in response.stream(CHUNK, decode_content=True):
            body += chunk
            if len(body) > self._max_bytes:
                raise self._failed(f"is larger than {self._max_bytes >> 20} MiB")
        fresh = fresh_for(headers, time.time())
        return Fetched(
            body=bytes(body),
            date=http_time(headers.get("Date")),
            modified=http_time(headers.get("Last-Modified")),
            fresh_for=None if fresh is None else max(0.0, fresh - (time.monotonic() - began)),
            validators={
                name: headers[name] for name in ("ETag", "Last-Modified") if _can_be_sent(headers.get(name, ""))
            },
        )

    def acknowledge(self, document: Fetched) -> None:
        """The document is stored or in the spool: fetch only another one from now on."""
        self._validators = document.validators
        self._acknowledged = _digest(document.body)


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def _split_user_information(address: str) -> tuple[str, str]:
    """An address without user information, and the header that is made of that (RFC 7617)."""
    try:
        parts = urlsplit(address)
        user, _, host = parts.netloc.rpartition("@")
        authorization = f"Basic {base64.b64encode(unquote(user).encode()).decode()}" if user else ""
        return parts._replace(netloc=host, fragment="").geturl(), authorization
    except ValueError as error:
        raise UsageError(f"{shown(address)} is no address: {error}") from None


def _secrets(address: str) -> list[str]:
    """The parts of an address that are hidden in messages, the longest first; the values of the query always are."""
    parts = urlsplit(address)
    pieces = []
    if isinstance(address, SecretAddress) or secret_in(address):
        pieces += [parts.netloc.rpartition("@")[0], parts.path, parts.query]
        pieces += [more for piece in pieces for more in re.split("[/:=&]", piece) if len(more) >= 6]
    values = re.findall("=([^&;]*)", parts.query)
    pieces += [value for value in [*values, *map(unquote_plus, values)] if len(value) >= SHORTEST]
    plain = [*pieces, *map(unquote, pieces)]
    return sorted({one for one in plain if len(one) > 1}, key=len, reverse=True)


def _origin(url: str) -> tuple[str, str]:
    return urlsplit(url)[:2]


def _can_be_sent(validator: str) -> bool:
    """Whether a header may be sent back to the server: a line break in it would begin another header."""
    return bool(re.fullmatch(r"[\x20-\x7e\xa0-\xff]+", validator)) and len(validator) <= VALIDATOR_LENGTH


class _Response(http.client.HTTPResponse):
    """A response after interim ones (RFC 9110, 15.2), of which the library knows only 100."""

    _interim = 0

    def _read_status(self) -> tuple[str, int, str]:
        version, status, why = super()._read_status()  # type: ignore[misc]
        if status // 100 != 1 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:
            return version, status, why
        self._interim += 1
        if self._interim > MOST_INTERIM:
            raise http.client.HTTPException(f"more than {MOST_INTERIM} answers come before the one that counts")
        return version, http.HTTPStatus.CONTINUE, why


urllib3.connection.HTTPConnection.response_class = _Response


class _Bounded:
    """The file that a response is read from, with limits for a chunk and for a line.

    Without them a chunk of the length -1, or a line that does not end, would fill the memory until the alarm.
    """

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, amount: int | None = None) -> bytes:
        if amount is None or amount < 0:
            raise ValueError("a length below zero")
        return bytes(self._file.read(amount))

    def readline(self, limit: int = -1) -> bytes:
        line = bytes(self._file.readline(CHUNK if limit < 0 else limit))
        if limit < 0 and len(line) == CHUNK:
            raise ValueError("a line without an end")
        return line


def _bound(response: urllib3.BaseHTTPResponse) -> None:
    inner = getattr(response, "_fp", None)  # of http.client, which has no public attribute for its file
    if inner is not None and getattr(inner, "fp", None) is not None:
        inner.fp = _Bounded(inner.fp)


class _OutOfTimeError(BaseException):
    """Raised by the alarm; a BaseException, so that no `except Exception` of a library catches it."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def over(_number: int, _frame: FrameType | None) -> None:
        raise _OutOfTimeError

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds, ALARM_AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


_OF_TLS = ssl.SSLError, urllib3.exceptions.SSLError


def _wraps(error: BaseException, *kinds: type[BaseException]) -> bool:
    """Whether an error is of one of these kinds, however deep urllib3 has wrapped it."""
    if isinstance(error, kinds):
        return True
    wrapped = (getattr(error, "reason", None), getattr(error, "original_error", None), error.__cause__)
    return any(_wraps(inner, *kinds) for inner in wrapped if isinstance(inner, BaseException))


def _reason(error: BaseException) -> str:
    """The cause of an error, which urllib3 wraps several times, in a few words."""
    while (inner := getattr(error, "reason", None)) and isinstance(inner, BaseException):
        error = inner
    while not isinstance(error, OSError) and (error.__cause__ or error.__context__):
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, http.client.RemoteDisconnected):
        return f"it speaks no HTTP/1: it begins with {str(error)[:BEGINNING].strip()!r}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return re.sub(r"<[^>]*>:? ?|\w+\(.*?\): ", "", str(error)) or type(error).__name__
