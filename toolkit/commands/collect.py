"""`weather-tool collect`."""

from __future__ import annotations

import argparse
import logging
from typing import TYPE_CHECKING

from toolkit.cli.options import add_setting
from toolkit.collector import known_database
from toolkit.collector.ingester import Ingester
from toolkit.collector.spool import Spool
from toolkit.errors import ToolkitError
from toolkit.feed.errors import AnswerError
from toolkit.settings import Loaded, Settings, spool_folder
from toolkit.store import DocumentRefusedError, Store, StoreError, StoreRefusedError

if TYPE_CHECKING:
    from toolkit.feed.fetch import Fetcher

log = logging.getLogger(__name__)

EXAMPLES = (
    "weather-tool collect --once",
    "weather-tool collect",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--once", action="store_true", help="one cycle, then exit: 0 if the feed was stored, 1 if not")
    add_setting(parser, "--feed-url", "feed_url", "URL")
    add_setting(parser, "--db", "db", "DATABASE")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Collect."""
    from toolkit.collector.feed import fetcher_of, reader_of
    from toolkit.collector.service import serve

    settings = loaded.settings
    fetcher = fetcher_of(settings)
    spool = Spool(spool_folder(settings), settings.spool_mib << 20, settings.feed_max_mib << 20)
    with Ingester(lambda: _store(settings), spool, reader_of(settings)) as ingester:
        if args.once:
            _once(fetcher, ingester)
        else:
            serve(fetcher, ingester, settings.cadence_seconds, settings.feed_pause_seconds)
    return 0


def _store(settings: Settings) -> Store:
    store = known_database.open_store(settings)
    try:
        known_database.remember(settings)
    except ToolkitError as error:  # a full disk, say: it is tried again at the next start
        log.warning("%s", error)
    return store


def _once(fetcher: Fetcher, ingester: Ingester) -> None:
    from toolkit.collector.cycle import fetch_and_ingest

    try:
        ingester.open()
    except StoreError as error:  # it comes again when the document is to be stored, which waits then
        if isinstance(error, StoreRefusedError):
            raise
    brought = fetch_and_ingest(fetcher, ingester)
    if brought is None:  # this is the first request, to which a server must not answer "not modified"
        raise AnswerError(f"the feed {fetcher.shown} offers no document")
    _, result = brought
    if isinstance(result, DocumentRefusedError):
        raise result
    if isinstance(result, StoreError):
        raise ToolkitError(f"{result}; the document waits in the spool")
    log.info("%s", result)
