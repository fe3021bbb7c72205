"""Cycles of a large network: `python -m tests.bench.largest URL FOLDER STATIONS CYCLES`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.bench.collecting import ingester_in
from toolkit.collector.cycle import fetch_and_ingest
from toolkit.collector.ingester import IngestResult
from toolkit.feed.addresses import Addresses
from toolkit.feed.fetch import Fetcher


def main(url: str, folder: str, stations: int, cycles: int) -> None:
    """Print the least CPU seconds of a cycle but the first, the peak of memory in MB, and how many rows were new."""
    fetcher = Fetcher(url, 60, 256 << 20, folder=Path(folder))
    taken, new = [], 0
    with ingester_in(Path(folder), stations) as ingester:
        for _ in range(cycles):
            began = time.process_time()
            brought = fetch_and_ingest(Addresses(fetcher), ingester)
            taken.append(time.process_time() - began)
            assert brought
            assert isinstance(brought[1], IngestResult), brought[1]
            new = brought[1].stored.new
    # ru_maxrss would be that of whoever started this process, if it had more.
    peak = int(Path("/proc/self/status").read_text(encoding="ascii").split("VmHWM:")[1].split()[0])
    print(min(taken[1:]), peak * 1024 / 1e6, new)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
