"""`weather-tool receive`."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from toolkit.cli.options import add_setting
from toolkit.errors import UsageError
from toolkit.push import PREFIX, PROTOCOLS, protocol_of
from toolkit.settings import Loaded
from toolkit.sources import sources_of

EXAMPLES = ("weather-tool receive", "weather-tool receive 127.0.0.1:8080")
# Stations keep no connection, and all report when a minute is over.
CONNECTIONS = 1000


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_setting(parser, "ADDRESS:PORT", "receiver_address")
    add_setting(parser, "--db", "db", "DATABASE")


def run(_args: argparse.Namespace, loaded: Loaded) -> int:
    """Receive until the process is told to stop."""
    from toolkit.api.server import serve
    from toolkit.collector.inbox import inbox_of
    from toolkit.receiver.application import Receiver
    from toolkit.receiver.keys import Keys
    from toolkit.receiver.writing import writer

    settings = loaded.settings
    sources = sources_of(settings)
    pushed = [one for one in sources if protocol_of(one.settings.feed_url)]
    if not pushed:
        given = " or ".join(PREFIX + one for one in PROTOCOLS)
        raise UsageError(f"stations push to no source: give one the url {given}")
    keys = Keys(pushed)
    limit = max(1 << 20, (settings.spool_mib << 20) // len(sources))
    with ExitStack() as held, ThreadPoolExecutor(1) as disk:
        writers = {one.name: held.enter_context(writer(inbox_of(one), limit, disk)) for one in pushed}
        receiver = Receiver(keys, writers, settings.receiver_reports_per_minute)
        serve(settings.receiver_address, receiver, "the receiver", CONNECTIONS)
    return 0
