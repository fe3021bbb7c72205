"""What a collector of 14 stations needs: `python -m tests.bench.small URL FOLDER CYCLES`.

It imports what the command imports and nothing more, for its memory is what is measured.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import toolkit.cli
import toolkit.commands.collect  # noqa: F401
from tests.feeds import noa
from toolkit.collector.cycle import fetch_and_ingest
from toolkit.collector.ingester import Ingester, IngestResult
from toolkit.collector.shared_store import SharedStore
from toolkit.collector.spool import Spool
from toolkit.feed.addresses import Addresses
from toolkit.feed.fetch import Fetcher
from toolkit.store import open_for_writing


def resident() -> float:
    """This process's memory, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main(url: str, folder: str, cycles: int) -> None:
    """Print CPU seconds, and memory after a tenth of the cycles and after all."""
    fetcher = Fetcher(url, 30, 16 << 20)
    early = 0.0
    spool = Spool(Path(folder) / "spool", 64 << 20)
    with (
        SharedStore(lambda: open_for_writing(f"{folder}/weather.db")) as store,
        Ingester(store, spool, noa()) as ingester,
    ):
        began = time.process_time()
        for cycle in range(cycles):
            brought = fetch_and_ingest(Addresses(fetcher), ingester)
            assert brought
            assert isinstance(brought[1], IngestResult)
            if cycle == cycles // 10:
                early = resident()
        print(time.process_time() - began, early, resident())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
