"""Fetching the feed: with conditional requests, and with limits for time, size and redirects.

Whatever a server sends, the result is a document or a FeedError: no exception of a library leaves this module, not even
as the cause of one, for requests writes the whole address, with its secrets, into its own.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import math
import re
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote, unquote_plus, urljoin, urlsplit

import requests

from toolkit.address import SecretAddress, secret_in, shown, without_secrets
from toolkit.content import CHUNK, IN_MEMORY, Content, as_file, new_content
from toolkit.deadline import Deadline, within
from toolkit.durations import humanize
from toolkit.errors import UsageError
from toolkit.feed.authorization import LARGEST_ANSWER, Authorization, TokenError, TokenRequest
from toolkit.feed.errors import (
    DENIES,
    AnswerError,
    FeedError,
    InternalAddressError,
    RetryLaterError,
    TooSlowError,
    UnreachableError,
    UntrustedError,
)
from toolkit.feed.freshness import fresh_for, http_time, retry_after
from toolkit.feed.reasons import cut_off, of_system, of_tls, reason
from toolkit.feed.session import Session
from toolkit.text import one_line

log = logging.getLogger(__name__)

REDIRECTS = 5
# The answers whose Retry-After counts.
TOO_MANY = 429
RETRY_LATER = {TOO_MANY, 503}
# gzip is requested; some servers send deflate nevertheless.
ENCODINGS = {"gzip", "x-gzip", "deflate", "identity"}
# The longest header that is sent back to the server, in characters.
VALIDATOR_LENGTH = 1024
# An ETag that no server has given.
NOBODYS = {"ETag": '"of no document"'}
# Of so many addresses of a feed it is remembered what came last.
MOST_KNOWN = 20_000
# Shorter values of a query are not hidden in messages: they may be part of any message, such as a status.
SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Fetched:
    """One document.

    Attributes:
        content: the document, unpacked.
        date: the server's time, seconds since the epoch; None if it sends none.
        modified: when the document was last modified, seconds since the epoch; None if the server does not say.
        fresh_for: for how many seconds it stays fresh; None if the server does not say.
        validators: `ETag` and `Last-Modified`, which conditional requests send back.
        links: the headers `Link`.
        url: the address that was asked.
        led_to: the address that answered, where redirects led to another one; empty where none did.
        station: the id of the station that it is of, where the address says that; empty where it does not.
        page: the number of the page that it is.
        leads_on: whether it is followed by another page.
    """

    content: Content
    date: float | None
    modified: float | None
    fresh_for: float | None
    validators: dict[str, str]
    links: tuple[str, ...] = ()
    url: str = field(default="", repr=False)
    led_to: str = field(default="", repr=False)
    station: str = ""
    page: int = 1
    leads_on: bool = False

    @property
    def body(self) -> bytes:
        """All of the document, for one that is known to be short."""
        return as_file(self.content).read()

    @property
    def beginning(self) -> bytes:
        """As much of the document as memory holds easily."""
        return as_file(self.content).read(IN_MEMORY)


class _Known(NamedTuple):
    """What is remembered of an address: the document that was acknowledged last.

    Attributes:
        validators: what a conditional request sends back.
        digest: of the document.
        at: when all of it came last, by the monotonic clock.
    """

    validators: dict[str, str]
    digest: bytes
    at: float


class Fetcher:
    """Fetches addresses of one feed, also several at once; it remembers the document that it fetched last of each.

    Attributes:
        shown: the feed's address without secrets, for people.
        url: the address that is asked where none is named, without user information.
        who: what its server is told of who asks.
    """

    def __init__(
        self,
        url: str,
        timeout: float,
        max_bytes: int,
        ca_file: str | None = None,
        proxy: str | None = None,
        who: Authorization | None = None,
        folder: Path | None = None,
        *,
        public: bool = False,
        believed_for: float = math.inf,
    ) -> None:
        """`folder` is where long documents are put; by default it is that for temporary files.

        With `public` none is fetched from an internal address; see `Session`. For `believed_for` seconds the server is
        believed that a document is as it was; then all of it is fetched.
        """
        self.shown = shown(url)
        self._secret = isinstance(url, SecretAddress)
        self.url, self._authorization = _split_user_information(url)
        self._timeout = timeout
        self._max_bytes = max_bytes
        self.folder = folder
        through, authorization = _split_user_information(proxy or "")
        self._through = f", asked through the proxy {shown(through)}," if through else ""
        self.who = who or Authorization({})
        self._new_session = partial(Session, ca_file, through, authorization, self.who.certificate, public=public)
        self.new_session_elsewhere = partial(Session, ca_file, through, authorization, public=public)
        self._sessions: list[Session] = []
        self._secrets = _secrets(url) + (_secrets(proxy) if proxy else [])
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._believed_for = believed_for
        self._lied = False

    def fetch(self, url: str = "", *, conditional: bool = True) -> Fetched | None:
        """The current document; None if it is the one that was passed to `acknowledge`.

        The time of the whole fetch is limited, in whichever thread it is.

        Args:
            url: an address of the feed; its only one if empty.
            conditional: whether the server is asked for nothing but another document, and None may be returned.

        Raises:
            FeedError: there is no document; the subclass says of which kind the failure is.
        """
        url = url or self.url
        known = self._known.get(_digest(url.encode())) if conditional else None
        validators = known.validators if known and not self._lied else {}
        fetched = self._follow(url, validators, again=bool(known and time.monotonic() - known.at > self._believed_for))
        # A server that does not support conditional requests sends the same document again.
        return None if fetched and known and self.is_known(fetched) else fetched

    def denies(self) -> bool:
        """Whether its server says that there is nothing new to one who has no document of it.

        Raises:
            FeedError: it answers otherwise, and with no document.
        """
        return self._follow(self.url, NOBODYS) is None

    def _follow(self, url: str, validators: dict[str, str], *, again: bool = False) -> Fetched | None:
        """The document; None if its server says that it is the one of these validators.

        `again`: whether it is fetched all the same then; see `_not_believed`.
        """
        try:
            session = self._sessions.pop()
        except IndexError:
            session = self._new_session()
        with within(self._timeout) as deadline:
            one = _Fetch(self, url, validators, session, deadline)
            try:
                fetched = one.follow()
                if fetched is None and again:
                    one = _Fetch(self, url, {}, session, deadline)
                    fetched = self._not_believed(one.follow())
                failure = None
            except FeedError as error:
                failure = error
            except Exception as error:  # of a library, for an answer that nobody thought of
                failure = one.failed(f"answers what cannot be read: {type(error).__name__}: {error}")
            if not deadline.left:  # a body that was cut off at that time may look complete
                failure = TooSlowError(one.message(f"took longer than {self._timeout:g} s{one.how_far}"))
        self._sessions.append(session)
        if failure:
            raise failure from None
        return fetched

    def _not_believed(self, whole: Fetched | None) -> Fetched | None:
        """The document that a server has which has just said that there is nothing new."""
        if whole and self.is_known(whole):
            self.acknowledge(whole)  # it is believed again
        elif whole and not self._lied:
            self._lied = True
            log.warning("%s", self.message(whole.url, f"{DENIES}: from now on all of it is fetched each time"))
        return whole

    def is_known(self, document: Fetched) -> bool:
        """Whether this is the document of its address that was acknowledged last."""
        known = self._known.get(_digest(document.url.encode()))
        return known is not None and known.digest == _digest_of(document.content)

    def acknowledge(self, document: Fetched) -> None:
        """The document is stored or in the spool: fetch only another one of its address from now on."""
        key = _digest(document.url.encode())
        self._known[key] = _Known(document.validators, _digest_of(document.content), time.monotonic())
        self._known.move_to_end(key)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def message(self, url: str, what: str) -> str:
        """A message of one line, without the secrets of the address, which the server may have sent back."""
        own = [] if url == self.url else _secrets(SecretAddress(url) if self._secret else url)
        for secret in [*self.who.hidden, *self._secrets, *own]:
            what = what.replace(secret, "…")
        return one_line(f"the feed {self.shown_of(url)}{self._through} {without_secrets(what)}")

    def shown_of(self, url: str) -> str:
        """An address of the feed without secrets."""
        return self.shown if url == self.url else shown(SecretAddress(url) if self._secret else url)

    def is_own(self, url: str) -> bool:
        """Whether an address is at the feed's server: no other one is told who asks."""
        return origin(url) == origin(self.url)

    def authorization(self) -> dict[str, str]:
        """The headers that tell who asks."""
        return {**({"Authorization": self._authorization} if self._authorization else {}), **self.who.headers()}

    @property
    def max_bytes(self) -> int:
        """The size of the largest document that is taken."""
        return self._max_bytes


class _Fetch:
    """One fetch of one address."""

    def __init__(
        self, feed: Fetcher, url: str, validators: dict[str, str], session: Session, deadline: Deadline
    ) -> None:
        self._feed = feed
        self._url = self._led_to = url
        self._validators = validators
        self._session = session
        # No other server than the feed's is shown our certificate.
        self._elsewhere = feed.new_session_elsewhere() if feed.who.certificate else session
        self._deadline = deadline
        self._answered = False

    def failed(self, what: str) -> AnswerError:
        """The error for an answer that is no document."""
        return AnswerError(self.message(what))

    def message(self, what: str) -> str:
        """A message of one line, without secrets."""
        return self._feed.message(self._url, what)

    @property
    def how_far(self) -> str:
        """How far it came within the time, as the end of a message; empty where its server has not answered."""
        return ": its server answers, and sends the document too slowly, or not to its end" if self._answered else ""

    def follow(self) -> Fetched | None:
        """The document, also where redirects lead to it; None if the server says that it is the known one."""
        url = self._url
        token = self._token()
        for _ in range(REDIRECTS + 1):
            began = time.monotonic()
            try:
                with self._ask(url) as response:
                    refused = response.status_code == 401 and token and self._feed.who.refuse(token)
                    location = self._session.get_redirect_target(response)
                    if not (location or refused):
                        return self._read(response, began)
            finally:
                # A server might close an idle connection just as the next request begins.
                self._session_for(url).close()
                self._deadline.forget()
            if refused:
                self._token()
                token = ""  # a new one that is refused, too, is the answer
                continue
            url = self._led_to = self._target(url, location or "")
        raise self.failed(f"redirects more than {REDIRECTS} times")

    def _token(self) -> str:
        """The token that tells who asks, a new one if need be; empty where none is needed.

        Raises:
            FeedError: there is none to be had.
        """
        who = self._feed.who
        if not who.renewing.acquire(timeout=self._deadline.left):  # one of several threads asks for it
            raise TooSlowError(self.message("gives no token in time"))
        try:
            needed = who.token_request()
            if needed is not None:
                self._ask_for_token(needed)
            return who.token
        finally:
            who.renewing.release()

    def _ask_for_token(self, needed: TokenRequest) -> None:
        session = self._session_for(needed.address)
        try:
            with session.post(
                needed.address,
                data=needed.body,
                headers=needed.headers,
                timeout=self._deadline.left + 1,
                stream=True,
                allow_redirects=False,
            ) as response:
                answer = response.raw.read(LARGEST_ANSWER, decode_content=True)
                self._feed.who.take_token(response.status_code, answer)
        except TokenError as error:
            raise self.failed(f"cannot be asked: {shown(needed.address)} {error}") from None
        except Exception as error:
            what = f"{shown(needed.address)}, which gives tokens, is unreachable: {reason(error)}"
            raise UnreachableError(self.message(f"cannot be asked: {what}")) from None
        finally:
            session.close()
            self._deadline.forget()

    def _session_for(self, url: str) -> Session:
        return self._session if self._feed.is_own(url) else self._elsewhere

    def _ask(self, url: str) -> requests.Response:
        """The answer, of which nothing but the headers has been read."""
        asked = self._feed.who.address(url) if self._feed.is_own(url) else url
        try:
            return self._session_for(url).get(
                asked, headers=self._headers(url), timeout=self._deadline.left + 1, stream=True, allow_redirects=False
            )
        except InternalAddressError as error:
            raise InternalAddressError(self.message(f"{self._way()}is refused: {error}")) from None
        except Exception as error:  # requests passes on some of the errors of urllib3 and of http.client
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> UnreachableError:
        kind = UntrustedError if of_tls(error) else UnreachableError
        return kind(self.message(f"{self._way()}is unreachable: {reason(error)}"))

    def _way(self) -> str:
        """Where a redirect has led to, as the beginning of a message; empty where there was none."""
        return "" if self._led_to == self._url else f"redirects to {self._feed.shown_of(self._led_to)}, which "

    def _headers(self, url: str) -> dict[str, str]:
        sent = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        headers = {sent[name]: value for name, value in self._validators.items()}
        return {**headers, **self._feed.authorization()} if self._feed.is_own(url) else headers

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
        raise self.failed(f"redirects to {self._feed.shown_of(target)}: that is not followed")

    def _read(self, response: requests.Response, began: float) -> Fetched | None:
        if response.status_code == 304 and self._validators:
            return None
        headers = response.headers
        if response.status_code != 200:
            message = self.message(f"answers {response.status_code} {response.reason or ''}")
            pause = retry_after(headers.get("Retry-After"), time.time())
            if pause is None and response.status_code == TOO_MANY:
                pause = 0.0
            if pause is not None and response.status_code in RETRY_LATER:
                asked = f" and asks to be left alone for {humanize(pause)}" if pause else ""
                raise RetryLaterError(f"{message}{asked}", pause)
            raise AnswerError(message)
        encoding = headers.get("Content-Encoding", "")
        if not {one.strip().lower() for one in encoding.split(",") if one.strip()} <= ENCODINGS:
            raise self.failed(f"answers in the encoding {encoding!r}, which was not asked for")
        content = self._content(response)
        fresh = fresh_for(response.raw.headers, time.time())
        return Fetched(
            content=content,
            date=http_time(headers.get("Date")),
            modified=http_time(headers.get("Last-Modified")),
            fresh_for=None if fresh is None else max(0.0, fresh - (time.monotonic() - began)),
            validators={
                name: headers[name] for name in ("ETag", "Last-Modified") if _can_be_sent(headers.get(name, ""))
            },
            links=tuple(response.raw.headers.getlist("Link")),
            url=self._url,
            led_to="" if self._led_to == self._url else self._led_to,
        )

    def _content(self, response: requests.Response) -> BinaryIO:
        content, length = new_content(self._feed.folder), 0
        self._answered = bool(self._deadline.left)  # else it is the end of the time that has ended the headers
        try:
            for chunk in response.iter_content(CHUNK):
                length += len(chunk)
                if length > self._feed.max_bytes:
                    raise self.failed(f"is larger than {self._feed.max_bytes >> 20} MiB")
                self._write(content, chunk)
        except FeedError:
            raise
        except requests.exceptions.ContentDecodingError as error:
            what = f"says that its answer is packed, and it cannot be unpacked: {reason(error)}"
            raise self.failed(what) from None
        except Exception as error:
            if of_system(error):
                raise self._unreachable(error) from None
            if cut_off(error):
                raise self.failed("ends its answer earlier than it says") from None
            raise self.failed(f"answers what cannot be read: {reason(error)}") from None
        return content

    def _write(self, content: BinaryIO, chunk: bytes) -> None:
        try:
            content.write(chunk)
        except OSError as error:
            where = self._feed.folder or "the folder for temporary files"
            raise self.failed(f"answers a long document, which {where} does not take: {reason(error)}") from None


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()


def _digest_of(content: Content) -> bytes:
    file, found = as_file(content), hashlib.blake2b(digest_size=16)
    while chunk := file.read(CHUNK):
        found.update(chunk)
    return found.digest()


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


def origin(url: str) -> tuple[str, str | None, int | None]:
    """The scheme, the host and the port of an address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _can_be_sent(validator: str) -> bool:
    """Whether a header may be sent back to the server: a line break in it would begin another, a space is refused."""
    return bool(re.fullmatch(r"[\x21-\x7e][\x20-\x7e\xa0-\xff]*", validator)) and len(validator) <= VALIDATOR_LENGTH
