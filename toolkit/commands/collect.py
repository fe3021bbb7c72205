"""`weather-tool collect`."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit.cli.options import add_setting
from toolkit.collector import known_database
from toolkit.collector.spool import NotKeptError, held
from toolkit.errors import ToolkitError
from toolkit.feed.errors import AnswerError, PartialError
from toolkit.settings import Loaded, Settings, spool_folder
from toolkit.settings import Source as Origin
from toolkit.sources import Source, sources_of, spool_of
from toolkit.store import DocumentRefusedError, Store, StoreError

if TYPE_CHECKING:
    from toolkit.collector.shared_store import SharedStore

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
    from toolkit.collector.service import serve
    from toolkit.collector.shared_store import SharedStore

    settings = loaded.settings
    if loaded.origins["feed_url"].source is Origin.OPTION:  # that one source, and no other
        settings = replace(settings, sources_file=None)
    sources = sources_of(settings)
    store = SharedStore(lambda: _store(settings), [one.name for one in sources])
    with held(spool_folder(settings)), store:
        if args.once:
            _once(sources, store)
        else:
            serve(sources, store, settings)
    return 0


def _store(settings: Settings) -> Store:
    store = known_database.open_store(settings)
    try:
        known_database.remember(settings)
    except ToolkitError as error:  # a full disk, say: it is tried again at the next start
        log.warning("%s", error)
    return store


def _once(sources: Sequence[Source], store: SharedStore) -> None:
    """One cycle of each source.

    Raises:
        ToolkitError: not all of them could be stored; the message has a line for each that was not.
    """
    store.open()  # what fails at present comes again when the document is to be stored, which waits then
    failed = []
    for source in sources:
        try:
            _cycle(source, store, len(sources))
        except ToolkitError as error:
            if len(sources) == 1:
                raise
            failed.append(f"{source.name}: {error}")
    if failed:
        raise ToolkitError("\n".join(failed))


def _cycle(source: Source, store: SharedStore, number: int) -> None:
    from toolkit.collector.cycle import fetch_and_ingest
    from toolkit.collector.feed import documents_of
    from toolkit.collector.service import ingester_of

    addresses = documents_of(source, spool_of(source))
    with ingester_of(source, store, number, once=True) as ingester:
        brought = fetch_and_ingest(addresses, ingester)
    if brought is None:  # this is the first request, to which a server must not answer "not modified"
        raise AnswerError(f"the feed {addresses.shown} offers no document")
    _, result = brought
    if isinstance(result, DocumentRefusedError | PartialError | NotKeptError):
        raise result
    if isinstance(result, StoreError):
        raise ToolkitError(f"{result}; the document waits in the spool")
    log.info("%s%s", f"{source.name}: " if number > 1 else "", result)
