"""Fetching the feed: conditional, bounded in time and size, and clear about what went wrong."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import urllib3

from toolkit import __version__
from toolkit.feed.document import FeedError

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """One document as it came.

    Attributes:
        body: the document, unpacked.
        modified: when the server says it was made, seconds since the epoch; None if it does not say.
        max_age: for how many seconds the server says it stays current; None if it does not say.
        validators: the headers by which the server recognises this document.
    """

    body: bytes
    modified: float | None
    max_age: float | None
    validators: dict[str, str]


class Fetcher:
    """One feed over one kept connection, remembering which document it has."""

    def __init__(self, url: str, timeout: float, max_bytes: int) -> None:
        self._url = url
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._pool = urllib3.PoolManager(
            num_pools=1,
            headers={"User-Agent": f"weather-toolkit/{__version__}", "Accept-Encoding": "gzip"},
            retries=urllib3.Retry(connect=0, read=0, status=0, other=0, redirect=5, raise_on_redirect=True),
        )
        self._validators: dict[str, str] = {}

    def fetch(self) -> Fetched | None:
        """The current document; None if it is the one that was kept by `keep`.

        Raises:
            FeedError: no document: the reason in words.
        """
        deadline = time.monotonic() + self._timeout
        try:
            response = self._pool.request(
                "GET",
                self._url,
                headers={**self._pool.headers, **self._conditions()},
                timeout=urllib3.Timeout(total=self._timeout),
                preload_content=False,
            )
            try:
                return self._read(response, deadline)
            finally:
                # Not released to the pool: what was not read to its end must not be met by the next request.
                response.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise FeedError(f"the feed {self._url} is unreachable: {_reason(error)}") from error

    def _conditions(self) -> dict[str, str]:
        sent = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        return {sent[name]: value for name, value in self._validators.items()}

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> Fetched | None:
        if response.status == 304:
            return None
        if response.status != 200:
            raise FeedError(f"the feed {self._url} answers {response.status} {response.reason or ''}".rstrip())
        body = bytearray()
        for chunk in response.stream(CHUNK, decode_content=True):
            body += chunk
            if len(body) > self._max_bytes:
                raise FeedError(f"the feed {self._url} is larger than {self._max_bytes >> 20} MiB")
            if time.monotonic() > deadline:
                raise FeedError(f"the feed {self._url} took longer than {self._timeout:g} s")
        return Fetched(
            body=bytes(body),
            modified=_http_time(response.headers.get("Last-Modified")),
            max_age=_max_age(response.headers),
            validators={name: response.headers[name] for name in ("ETag", "Last-Modified") if name in response.headers},
        )

    def keep(self, document: Fetched) -> None:
        """The document is stored: ask from now on only for another one."""
        self._validators = document.validators


def _http_time(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None


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
