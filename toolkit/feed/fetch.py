"""Fetching the feed: conditional, bounded in time, size and redirects, and clear about what went wrong."""

from __future__ import annotations

import hashlib
import math
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import FrameType
from typing import Any
from urllib.parse import urljoin

import urllib3

from toolkit import __version__
from toolkit.errors import UsageError
from toolkit.feed.document import FeedError
from toolkit.settings import Settings

CHUNK = 64 * 1024
REDIRECTS = 5
UNTIL_NEXT_TIME = {429, 503}


@dataclass(frozen=True, slots=True)
class Fetched:
    """One document as it came.

    Attributes:
        body: the document, unpacked.
        date: what time it was at the server, seconds since the epoch; None if it does not say.
        modified: when the server says it was made, seconds since the epoch; None if it does not say.
        max_age: for how many seconds the server says it stays current; None if it does not say.
        validators: the headers by which the server recognises this document.
    """

    body: bytes
    date: float | None
    modified: float | None
    max_age: float | None
    validators: dict[str, str]


class RetryLaterError(FeedError):
    """The server asks to be left alone for `seconds`."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Fetcher:
    """One feed over one kept connection, remembering which document it has."""

    def __init__(
        self, url: str, timeout: float, max_bytes: int, ca_file: str | None = None, proxy: str | None = None
    ) -> None:
        if ca_file and not os.access(ca_file, os.R_OK):
            raise UsageError(f"WEATHER_FEED_CA_FILE={ca_file}: it cannot be read")
        self.url = url
        self._timeout = timeout
        self._max_bytes = max_bytes
        options: dict[str, Any] = {
            "num_pools": 2,
            "headers": {"User-Agent": f"weather-toolkit/{__version__}", "Accept-Encoding": "gzip"},
            "retries": False,
            "timeout": timeout,
            "ca_certs": ca_file,
        }
        self._pool = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
        self._validators: dict[str, str] = {}
        self._kept = b""

    def fetch(self) -> Fetched | None:
        """The current document; None if it is the one that was kept by `keep`.

        To be called from the main thread: SIGALRM bounds the whole, also a server that sends its headers letter by
        letter, which no time-out of a socket does.

        Raises:
            FeedError: no document: the reason in words.
        """
        try:
            with _time_limit(self._timeout):
                fetched = self._follow(self.url)
        except _OutOfTimeError:
            self._pool.clear()
            raise FeedError(f"the feed {self.url} took longer than {self._timeout:g} s") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise FeedError(f"the feed {self.url} is unreachable: {_reason(error)}") from error
        # A server that knows no conditional requests sends the same document again.
        return None if fetched and _digest(fetched.body) == self._kept else fetched

    def _follow(self, url: str) -> Fetched | None:
        for _ in range(REDIRECTS + 1):
            response = self._pool.request(
                "GET", url, headers={**self._pool.headers, **self._conditions()}, redirect=False, preload_content=False
            )
            try:
                target = response.get_redirect_location()
                if not target:
                    return self._read(response)
            finally:
                # Not released to the pool: what was not read to its end must not be met by the next request.
                response.close()
            target = urljoin(url, target)
            if not target.startswith(("https://",) if url.startswith("https://") else ("https://", "http://")):
                raise FeedError(f"the feed {self.url} redirects to {target}: that is not followed")
            url = target
        raise FeedError(f"the feed {self.url} redirects more than {REDIRECTS} times")

    def _conditions(self) -> dict[str, str]:
        sent = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        return {sent[name]: value for name, value in self._validators.items()}

    def _read(self, response: urllib3.BaseHTTPResponse) -> Fetched | None:
        if response.status == 304:
            return None
        if response.status != 200:
            message = f"the feed {self.url} answers {response.status} {response.reason or ''}".rstrip()
            seconds = _retry_after(response.headers.get("Retry-After"))
            if seconds is not None and response.status in UNTIL_NEXT_TIME:
                raise RetryLaterError(message, seconds)
            raise FeedError(message)
        body = bytearray()
        for chunk in response.stream(CHUNK, decode_content=True):
            body += chunk
            if len(body) > self._max_bytes:
                raise FeedError(f"the feed {self.url} is larger than {self._max_bytes >> 20} MiB")
        return Fetched(
            body=bytes(body),
            date=_http_time(response.headers.get("Date")),
            modified=_http_time(response.headers.get("Last-Modified")),
            max_age=_max_age(response.headers),
            validators={name: response.headers[name] for name in ("ETag", "Last-Modified") if name in response.headers},
        )

    def keep(self, document: Fetched) -> None:
        """The document is safe: ask from now on only for another one."""
        self._validators = document.validators
        self._kept = _digest(document.body)


def fetcher_of(settings: Settings, at_most: float = math.inf) -> Fetcher:
    """What fetches the feed that the settings name, with no more patience than `at_most` seconds.

    Raises:
        UsageError: the file of authorities cannot be read.
    """
    return Fetcher(
        settings.feed_url,
        min(settings.feed_timeout_seconds, at_most),
        settings.feed_max_mib << 20,
        settings.feed_ca_file,
        settings.feed_proxy,
    )


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


class _OutOfTimeError(Exception):
    """Raised by the alarm, wherever the fetch is."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def over(_number: int, _frame: FrameType | None) -> None:
        raise _OutOfTimeError

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _http_time(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None


def _retry_after(text: str | None) -> float | None:
    """Seconds, from a header that gives them or a date (RFC 9110, 10.2.3)."""
    if text and text.strip().isdecimal():
        return float(text)
    at = _http_time(text)
    return None if at is None else max(0.0, at - time.time())


def _max_age(headers: urllib3.HTTPHeaderDict) -> float | None:
    found = re.search(r"\bmax-age=(\d{1,9})\b", headers.get("Cache-Control", ""))
    return float(found[1]) if found else None


def _reason(error: BaseException) -> str:
    """The cause at the bottom of what urllib3 wraps, in a few words."""
    while (inner := getattr(error, "reason", None)) and isinstance(inner, BaseException):
        error = inner
    while not isinstance(error, OSError) and (error.__cause__ or error.__context__):
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return re.sub(r"<[^>]*>:? ?|\w+\(.*?\): ", "", str(error)) or type(error).__name__
