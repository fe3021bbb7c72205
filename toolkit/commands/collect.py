"""`weather-tool collect`."""

from __future__ import annotations

import argparse
import logging

from toolkit.collector.cycle import run_cycle
from toolkit.collector.service import serve
from toolkit.feed.fetch import Fetcher
from toolkit.options import add_setting
from toolkit.settings import Loaded
from toolkit.store import open_for_writing

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--once", action="store_true", help="one cycle, then exit: 0 if the feed was stored, 1 if not")
    add_setting(parser, "--feed-url", "feed_url", "URL")
    add_setting(parser, "--db", "db", "PATH")
    parser.epilog = "examples:\n  weather-tool collect --once\n  weather-tool collect"


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Collect."""
    settings = loaded.settings
    fetcher = Fetcher(settings.feed_url, settings.feed_timeout_seconds, settings.feed_max_mib << 20)
    with open_for_writing(settings.db) as store:
        if args.once:
            log.info("%s", run_cycle(fetcher, store))
        else:
            serve(fetcher, store, settings.cadence_seconds)
    return 0
