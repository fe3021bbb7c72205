"""The sources of observations, and what each answers now."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from toolkit.address import shown
from toolkit.checks.host.facts import Facts, fact
from toolkit.checks.reach import reach
from toolkit.content import as_file
from toolkit.errors import ToolkitError
from toolkit.settings import Loaded
from toolkit.sources import Source, sources_of

if TYPE_CHECKING:
    from toolkit.feed.fetch import Fetched
    from toolkit.model import Document

# How long a source may take to answer. The collector's own limit is longer than people want to wait for a doctor.
FEED_SECONDS = 5.0
# How long all of them may take, and how many are asked at once.
ALL_FEEDS_SECONDS, AT_ONCE = 6.5, 64


class SourceSeen(Facts):
    """A source that is fetched, and its document of this moment.

    Attributes:
        source: that it is.
        name: of the source.
        settings: as they are for it.
        is_told: whether its document is there, or the reason why it is not; what is late, or let go again, is not told.
    """

    def __init__(self, source: Source, loaded: Loaded) -> None:
        super().__init__(loaded)
        self.source = source
        self.name, self.settings = source
        self.at = time.monotonic()
        self.is_told = True

    @fact
    def fetched(self) -> Fetched:
        """The document as it came.

        Raises:
            ToolkitError: there is none.
        """
        from toolkit.collector.feed import fetcher_of
        from toolkit.feed.errors import AnswerError

        reach(self.settings.feed_proxy or self.settings.feed_url)
        fetched = fetcher_of(self.source, FEED_SECONDS).fetch()
        if fetched is None:
            raise AnswerError(f"the feed {shown(self.settings.feed_url)} offers no document")
        return fetched

    @fact
    def denies(self) -> bool:
        """Whether its server says that nothing is new to one who has nothing; see `Fetcher.denies`."""
        from toolkit.collector.feed import fetcher_of

        try:
            return fetcher_of(self.source, FEED_SECONDS).denies()
        except ToolkitError:
            return False

    @fact
    def document(self) -> Document:
        """The same, read.

        Raises:
            FeedError: it is no document of a feed.
        """
        from toolkit.collector.feed import first_station, reader_of

        return reader_of(self.settings).read_first(as_file(self.fetched.content), first_station(self.settings))

    def let_go(self) -> None:
        """Keep what checks found, and not the document."""
        self.is_told = False
        for name in ("fetched", "document"):
            self._known.pop(name, None)


class Feed(Facts):
    """The sources, and the documents of those that are fetched."""

    def __init__(self, loaded: Loaded) -> None:
        super().__init__(loaded)
        # Those that were seen so lately that they are not to be asked again.
        self.seen_lately: tuple[SourceSeen, ...] = ()

    @fact
    def _listed(self) -> tuple[tuple[Source, ...], str]:
        try:
            return sources_of(self.settings), ""
        except ToolkitError as error:
            return (), str(error)

    @property
    def sources(self) -> tuple[Source, ...]:
        """All of them; none where the file that lists them cannot be used."""
        return self._listed[0]

    @property
    def sources_problem(self) -> str:
        """Why the file that lists them cannot be used; empty where it can."""
        return self._listed[1]

    @fact
    def feeds(self) -> tuple[SourceSeen, ...]:
        """Those that are fetched, over HTTP. Where the settings do not tell the address, the default's is not asked."""
        lately = {one.name: one for one in self.seen_lately}
        known = self.loaded.tells("feed_url")
        told = [one for one in self.sources if known or one.settings.feed_url != self.settings.feed_url]
        asked = [one for one in told if urlsplit(one.settings.feed_url).scheme in {"http", "https"}]
        return tuple(
            seen if (seen := lately.get(one.name)) and seen.settings == one.settings else SourceSeen(one, self.loaded)
            for one in asked
        )

    def fetch(self) -> None:
        """Fetch and read them, many at once; who has not answered after some seconds is not waited for."""
        waiting = deque(one for one in self.feeds if one not in self.seen_lately)

        def work() -> None:
            with suppress(IndexError):
                while time.monotonic() < end:
                    one = waiting.popleft()
                    with suppress(Exception):  # the checks meet it again
                        one.document  # noqa: B018 - looked up

        end = time.monotonic() + ALL_FEEDS_SECONDS
        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(len(waiting), AT_ONCE))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        for one in self.feeds:
            one.is_told = one.is_told and one.knows("document")
