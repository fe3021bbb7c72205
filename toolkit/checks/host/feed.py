"""What the feed answers now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.address import shown
from toolkit.checks.host.facts import Facts, fact
from toolkit.checks.reach import reach
from toolkit.content import as_file

if TYPE_CHECKING:
    from toolkit.feed.fetch import Fetched
    from toolkit.model import Document

# How long the feed may take to answer. The collector's own limit is longer than people want to wait for a doctor.
FEED_SECONDS = 5.0


class Feed(Facts):
    """The feed's document of this moment."""

    @fact
    def fetched(self) -> Fetched:
        """The document as it came. The main thread has to ask first: the time limit is a signal.

        Raises:
            ToolkitError: there is none.
        """
        from toolkit.collector.feed import fetcher_of
        from toolkit.feed.errors import AnswerError
        from toolkit.sources import ONLY, Source

        reach(self.settings.feed_proxy or self.settings.feed_url)
        fetched = fetcher_of(Source(ONLY, self.settings), FEED_SECONDS).fetch()
        if fetched is None:
            raise AnswerError(f"the feed {shown(self.settings.feed_url)} offers no document")
        return fetched

    @fact
    def document(self) -> Document:
        """The same, read.

        Raises:
            FeedError: it is no document of a feed.
        """
        from toolkit.collector.feed import first_station, reader_of

        return reader_of(self.settings).read_first(as_file(self.fetched.content), first_station(self.settings))
