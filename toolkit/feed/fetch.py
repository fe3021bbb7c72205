"""Fetching the feed: with conditional requests, and with limits for time, size and redirects.

Whatever a server sends, the result is a document or a FeedError: no exception of a library leaves this module, not even
as the cause of one, for requests writes the whole address, with its secrets, into its own.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus, urljoin, urlsplit

import requests

from toolkit.address import SecretAddress, secret_in, shown, without_secrets
from toolkit.deadline import Deadline, within
from toolkit.errors import UsageError
from toolkit.feed.authorization import LARGEST_ANSWER, Authorization, TokenError
from toolkit.feed.errors import (
    AnswerError,
    FeedError,
    RetryLaterError,
    TooSlowError,
    UnreachableError,
    UntrustedError,
)
from toolkit.feed.freshness import fresh_for, http_time, retry_after
from toolkit.feed.reasons import cut_off, of_system, of_tls, reason
from toolkit.feed.session import Session
from toolkit.text import one_line

CHUNK = 64 * 1024
REDIRECTS = 5
# The answers whose Retry-After counts.
RETRY_LATER = {429, 503}
# gzip is requested; some servers send deflate nevertheless.
ENCODINGS = {"gzip", "x-gzip", "deflate", "identity"}
# The longest header that is sent back to the server, in characters.
VALIDATOR_LENGTH = 1024
# Shorter values of a query are not hidden in messages: they may be part of any message, such as a status.
SHORTEST = 4


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
        self,
        url: str,
        timeout: float,
        max_bytes: int,
        ca_file: str | None = None,
        proxy: str | None = None,
        who: Authorization | None = None,
    ) -> None:
        self.shown = shown(url)
        self._secret = isinstance(url, SecretAddress)
        self._url, self._authorization = _split_user_information(url)
        self._timeout = timeout
        self._max_bytes = max_bytes
        through, authorization = _split_user_information(proxy or "")
        self._who = who or Authorization({})
        self._session = Session(ca_file, through, authorization, self._who.certificate)
        self._secrets = _secrets(url) + (_secrets(proxy) if proxy else [])
        self._validators: dict[str, str] = {}
        self._acknowledged = b""
        self._led_to = self._url

    def fetch(self) -> Fetched | None:
        """The current document; None if it is the one that was passed to `acknowledge`.

        The time of the whole fetch is limited, in whichever thread it is.

        Raises:
            FeedError: there is no document; the subclass says of which kind the failure is.
        """
        with within(self._timeout) as deadline:
            try:
                fetched = self._follow(deadline)
                failure = None
            except FeedError as error:
                failure = error
            except Exception as error:  # of a library, for an answer that nobody thought of
                failure = self._failed(f"answers what cannot be read: {type(error).__name__}: {error}")
            if not deadline.left:  # a body that was cut off at that time may look complete
                failure = TooSlowError(self._message(f"took longer than {self._timeout:g} s"))
        if failure:
            raise failure from None
        # A server that does not support conditional requests sends the same document again.
        return None if fetched and _digest(fetched.body) == self._acknowledged else fetched

    def _failed(self, what: str) -> AnswerError:
        return AnswerError(self._message(what))

    def _message(self, what: str) -> str:
        """A message of one line, without the secrets of the address, which the server may have sent back."""
        for secret in [*self._who.hidden, *self._secrets]:
            what = what.replace(secret, "…")
        return one_line(f"the feed {self.shown} {without_secrets(what)}")

    def _follow(self, deadline: Deadline) -> Fetched | None:
        self._renew_token(deadline)
        renewed = False
        url = self._led_to = self._url
        for _ in range(REDIRECTS + 1):
            began = time.monotonic()
            try:
                with self._ask(url, deadline) as response:
                    if response.status_code == 401 and not renewed and self._who.refused():
                        renewed = True
                        continue
                    location = self._session.get_redirect_target(response)
                    if not location:
                        return self._read(response, began)
            finally:
                # A server might close an idle connection just as the next request begins.
                self._session.close()
                deadline.forget()
                if renewed:
                    self._renew_token(deadline)
            url = self._led_to = self._target(url, location)
        raise self._failed(f"redirects more than {REDIRECTS} times")

    def _renew_token(self, deadline: Deadline) -> None:
        """Ask for a token, if one is needed and there is none.

        Raises:
            FeedError: there is none to be had.
        """
        needed = self._who.token_request()
        if needed is None:
            return
        address, headers, body = needed
        try:
            with self._session.post(
                address, data=body, headers=headers, timeout=deadline.left + 1, stream=True, allow_redirects=False
            ) as response:
                answer = response.raw.read(LARGEST_ANSWER, decode_content=True)
                self._who.take_token(response.status_code, answer)
        except TokenError as error:
            raise self._failed(f"cannot be asked: {shown(address)} {error}") from None
        except Exception as error:
            raise UnreachableError(
                self._message(f"cannot be asked: {shown(address)}, which gives tokens, is unreachable: {reason(error)}")
            ) from None
        finally:
            self._session.close()
            deadline.forget()

    def _ask(self, url: str, deadline: Deadline) -> requests.Response:
        """The answer, of which nothing but the headers has been read."""
        try:
            mine = _origin(url) == _origin(self._url)
            return self._session.get(
                self._who.address(url) if mine else url,
                headers=self._headers(url),
                timeout=deadline.left + 1,
                stream=True,
                allow_redirects=False,
            )
        except Exception as error:  # requests passes on some of the errors of urllib3 and of http.client
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> UnreachableError:
        kind = UntrustedError if of_tls(error) else UnreachableError
        return kind(self._message(f"{self._way()}is unreachable: {reason(error)}"))

    def _way(self) -> str:
        """Where a redirect has led to, as the beginning of a message; empty where there was none."""
        if self._led_to == self._url:
            return ""
        return f"redirects to {shown(SecretAddress(self._led_to) if self._secret else self._led_to)}, which "

    def _headers(self, url: str) -> dict[str, str]:
        headers = self._conditions()
        if _origin(url) == _origin(self._url):
            headers |= {"Authorization": self._authorization} if self._authorization else {}
            headers |= self._who.headers()
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

    def _read(self, response: requests.Response, began: float) -> Fetched | None:
        if response.status_code == 304 and self._validators:
            return None
        headers = response.headers
        if response.status_code != 200:
            message = self._message(f"answers {response.status_code} {response.reason or ''}")
            pause = retry_after(headers.get("Retry-After"), time.time())
            if pause is not None and response.status_code in RETRY_LATER:
                raise RetryLaterError(message, pause)
            raise AnswerError(message)
        encoding = headers.get("Content-Encoding", "")
        if not {one.strip().lower() for one in encoding.split(",") if one.strip()} <= ENCODINGS:
            raise self._failed(f"answers in the encoding {encoding!r}, which was not asked for")
        body = self._body(response)
        fresh = fresh_for(response.raw.headers, time.time())
        return Fetched(
            body=body,
            date=http_time(headers.get("Date")),
            modified=http_time(headers.get("Last-Modified")),
            fresh_for=None if fresh is None else max(0.0, fresh - (time.monotonic() - began)),
            validators={
                name: headers[name] for name in ("ETag", "Last-Modified") if _can_be_sent(headers.get(name, ""))
            },
        )

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        try:
            for chunk in response.iter_content(CHUNK):
                body += chunk
                if len(body) > self._max_bytes:
                    raise self._failed(f"is larger than {self._max_bytes >> 20} MiB")
        except FeedError:
            raise
        except requests.exceptions.ContentDecodingError as error:
            what = f"says that its answer is packed, and it cannot be unpacked: {reason(error)}"
            raise self._failed(what) from None
        except Exception as error:
            if of_system(error):
                raise self._unreachable(error) from None
            if cut_off(error):
                raise self._failed("ends its answer earlier than it says") from None
            raise self._failed(f"answers what cannot be read: {reason(error)}") from None
        return bytes(body)

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
        name, _, password = map(unquote, user.partition(":"))
        authorization = f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}" if user else ""
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
    """Whether a header may be sent back to the server: a line break in it would begin another, a space is refused."""
    return bool(re.fullmatch(r"[\x21-\x7e][\x20-\x7e\xa0-\xff]*", validator)) and len(validator) <= VALIDATOR_LENGTH
