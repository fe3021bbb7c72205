"""All addresses of a feed: one, or one for each station, each with its pages; several are asked at once."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from toolkit.address_template import filled
from toolkit.content import length_of
from toolkit.deadline import pause
from toolkit.feed.errors import AnswerError, FeedError, RetryLaterError, TooSlowError, UnreachableError
from toolkit.feed.failures import Failures
from toolkit.feed.fetch import Fetched, Fetcher
from toolkit.feed.pages import MOST, NextPage
from toolkit.feed.rate import Rate

# Documents are handed on when there are so many, or when they have so many bytes.
BATCH = 200
BATCH_BYTES = 1 << 20
# A server that asks for a longer pause, in seconds, is left alone for this cycle.
LONGEST_WAIT = 60.0
# What a server with too many requests wants that does not say how long, in seconds.
PAUSE = 10.0
# After so many addresses without an answer, one after the other, the rest is not asked.
SILENT = 20


class _Request(NamedTuple):
    """A request to be made.

    Attributes:
        url: the address.
        station: the id of the station that it is of; empty where it is of all.
        came: the addresses of the pages before it.
        again: whether it was made, and the server asked to make it later.
    """

    url: str
    station: str
    came: tuple[str, ...] = ()
    again: bool = False


class Addresses:
    """The addresses of one feed. One thread uses it.

    Args:
        fetcher: of the feed; its address may be a template.
        rows: the columns of the template for each station, by its id; None for a template of no station.
        next_page: where answers say where their next page is; None if they have one.
        concurrency: how many addresses are asked at once.
        per_minute: how many requests are made in a minute.
        wait: waits for some seconds; returns whether to stop. None: nothing stops it.

    Attributes:
        advance: is called after each answer.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        rows: Mapping[str, Mapping[str, str]] | None = None,
        next_page: NextPage | None = None,
        concurrency: int = 1,
        per_minute: float = 6000,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self.fetcher = fetcher
        self.advance: Callable[[], None] = lambda: None
        self._rows = rows
        self._next_page = next_page
        self._concurrency = concurrency
        self._rate = Rate(per_minute)
        self._wait = wait or _sleep

    def __len__(self) -> int:
        return 1 if self._rows is None else len(self._rows)

    @property
    def shown(self) -> str:
        """The address without secrets, for people."""
        return self.fetcher.shown

    @property
    def single(self) -> bool:
        """Whether there is one address, and answers have one page."""
        return self._rows is None and self._next_page is None

    def batches(self, failures: Failures) -> Iterator[Sequence[Fetched]]:
        """The new documents, some at once; what failed is added to `failures`.

        Raises:
            FeedError: it is to stop.
        """
        batch: list[Fetched] = []
        size = 0
        for one in self._documents(failures):
            batch.append(one)
            size += length_of(one.content)
            if len(batch) >= BATCH or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def acknowledge(self, document: Fetched) -> None:
        """The document is stored or in the spool; see `Fetcher`."""
        self.fetcher.acknowledge(document)

    def _requests(self) -> deque[_Request]:
        template, now = self.fetcher.url, time.time()
        if self._rows is None:
            return deque([_Request(filled(template, {}, now), "")])
        return deque(_Request(filled(template, row, now), station) for station, row in self._rows.items())

    def _documents(self, failures: Failures) -> Iterator[Fetched]:
        todo = self._requests()
        failures.asked = len(todo)
        answers: queue.SimpleQueue[tuple[_Request, Fetched | FeedError | None]] = queue.SimpleQueue()
        pending = silent = 0
        while todo or pending:
            if todo and pending < self._concurrency:
                if why := self._why_not(silent):
                    self._give_up(todo, why, failures)
                    continue
                if self._wait(self._rate.delay()):
                    raise FeedError("the fetch was stopped")
                self._rate.take()
                self._begin(todo.popleft(), answers, apart=failures.asked > 1)
                pending += 1
                continue
            request, answer = answers.get()
            pending -= 1
            self.advance()
            silent = silent + 1 if isinstance(answer, UnreachableError | TooSlowError) else 0
            if isinstance(answer, FeedError):
                if not self._later(request, answer, todo, failures):
                    failures.add(request.station, answer, later_page=bool(request.came))
            elif answer is not None:
                following = self._following(request, answer, failures)
                todo.extendleft(following)
                if self._next_page is None or not self.fetcher.is_known(answer):
                    page = len(request.came) + 1
                    yield replace(answer, station=request.station, page=page, leads_on=bool(following))

    def _why_not(self, silent: int) -> FeedError | None:
        """Why no more requests are made in this cycle."""
        if (pause := self._rate.delay()) > LONGEST_WAIT and pause > self._rate.interval:
            return RetryLaterError(f"the feed {self.fetcher.shown} asks to be left alone for {pause:.0f} s", pause)
        if silent >= SILENT:
            return UnreachableError(f"the feed {self.fetcher.shown} does not answer {silent} requests in a row")
        return None

    def _give_up(self, todo: deque[_Request], why: FeedError, failures: Failures) -> None:
        for request in todo:
            failures.add(request.station, why, later_page=bool(request.came))
        todo.clear()

    def _begin(
        self, request: _Request, answers: queue.SimpleQueue[tuple[_Request, Fetched | FeedError | None]], *, apart: bool
    ) -> None:
        def fetch() -> None:
            answer: Fetched | FeedError | None
            try:
                answer = self.fetcher.fetch(request.url, conditional=self._next_page is None)
            except FeedError as error:
                answer = error
            except Exception as error:  # a bug: whoever waits for the answer must get one
                answer = FeedError(f"an error of this program: {type(error).__name__}: {error}")
            answers.put((request, answer))

        if apart and self._concurrency > 1:
            threading.Thread(target=fetch, name="fetch", daemon=True).start()
        else:
            fetch()

    def _later(self, request: _Request, error: FeedError, todo: deque[_Request], failures: Failures) -> bool:
        """Whether the request is made again in this cycle, when the pause that the server wants is over."""
        if not isinstance(error, RetryLaterError) or self.single:
            return False
        self._rate.pause(error.seconds or PAUSE)
        again = not request.again and (failures.asked > 1 or bool(request.came)) and error.seconds <= LONGEST_WAIT
        if again:
            todo.appendleft(request._replace(again=True))
        return again

    def _following(self, request: _Request, page: Fetched, failures: Failures) -> list[_Request]:
        """The request of the next page, if there is one."""
        if self._next_page is None:
            return []
        came = (*request.came, request.url)
        try:
            url = self._next_page.of(page)
            if url in came:
                raise ValueError("leads back to a page that came before")
            if url and len(came) == MOST:
                raise ValueError(f"has more than {MOST} pages")
        except ValueError as error:
            failures.add(request.station, AnswerError(self.fetcher.message(request.url, str(error))), later_page=True)
            return []
        except FeedError as error:
            failures.add(request.station, error, later_page=True)
            return []
        return [_Request(url, request.station, came)] if url else []


def _sleep(seconds: float) -> bool:
    if seconds > 0:
        pause(seconds)
    return False
