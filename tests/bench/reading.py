"""Documents of a feed: time to read one."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figure import Figure
from tests.bufr import REPORT, written
from toolkit.feed import bufr
from toolkit.feed.entries import Entries


def bufr_message(_folder: Path) -> Iterator[Figure]:
    """A message of 500 stations, as SYNOP is exchanged; the first also loads the tables."""
    reports = [REPORT | {"001002": number, "012101": 270 + number % 30, "005001": number / 10} for number in range(500)]
    for kind, compressed in (("uncompressed", False), ("compressed", True)):
        message, took = written(["307080"], *reports, compressed=compressed), []
        for _ in range(5):
            began = time.process_time()
            entries = Entries()
            bufr.parse(io.BytesIO(message), entries)
            took.append(time.process_time() - began)
            assert len(entries.observations) == len(reports)
        against = f"{len(message) / 1000:.0f} kB; the first: {took[0] * 1000:.0f} ms"
        yield Figure(f"BUFR of 500 stations, {kind}, CPU", min(took) * 1000, "ms", 100, against=against)


BENCHES = (bufr_message,)
