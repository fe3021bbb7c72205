"""Fetch and store `long.csv` of a folder: `python -m tests.bench.long FOLDER`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from toolkit.collector.cycle import fetch_and_ingest
from toolkit.collector.ingester import Ingester, IngestResult
from toolkit.collector.shared_store import SharedStore
from toolkit.collector.spool import Spool
from toolkit.feed.addresses import Addresses
from toolkit.feed.fetch import Fetcher
from toolkit.feed.reader import DocumentReader
from toolkit.mapping import FieldMapping
from toolkit.model import Bounds
from toolkit.store import open_for_writing


def main(folder: Path) -> None:
    """Print the peak of memory in MB, CPU seconds, and how many observations were new."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout
    port = server.stdout.readline().split("port ")[1].split()[0]
    spool = Spool(folder / "spool", 64 << 20)
    reader = DocumentReader("csv", "", FieldMapping(), "", {}, Bounds())
    fetcher = Fetcher(f"http://127.0.0.1:{port}/long.csv", 600, 1 << 30, folder=folder / "spool")
    try:
        with (
            SharedStore(lambda: open_for_writing(f"{folder}/weather.db")) as store,
            Ingester(store, spool, reader) as ingester,
        ):
            brought = fetch_and_ingest(Addresses(fetcher), ingester)
    finally:
        server.kill()
    assert brought
    assert isinstance(brought[1], IngestResult), brought[1]
    # ru_maxrss would be that of whoever started this process, if it had more.
    peak = int(Path("/proc/self/status").read_text(encoding="ascii").split("VmHWM:")[1].split()[0])
    print(peak * 1024 / 1e6, time.process_time(), brought[1].stored.new)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
