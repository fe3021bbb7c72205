"""Documents of a feed: time to read one."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.collecting import TIME
from tests.bench.figure import Figure
from tests.bufr import REPORT, written
from toolkit.feed import bufr
from toolkit.feed.entries import Entries

LONG = 500_000_000


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


def long_csv(folder: Path) -> Iterator[Figure]:
    """A CSV file of 500 MB, fetched and stored by a process that does nothing else."""
    size, stations, rows = 0, 1000, 0
    with (folder / "long.csv").open("w", encoding="ascii") as file:
        size += file.write("time,station_id,temp_out,out_hum,bar,rain,wind_speed,wind_dir\n")
        while size < LONG:
            at = TIME + 600 * (rows // stations)
            lines = (
                f"{at},station{one:05d},{one % 30}.{rows % 10},{one % 100},{1000 + one % 30}.5,0.0,{one % 60}.25,{one % 360}\n"
                for one in range(stations)
            )
            size += file.write("".join(lines))
            rows += stations
    command = [sys.executable, "-m", "tests.bench.long", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    peak, cpu, stored = map(float, done.stdout.split())
    assert stored == rows
    against = f"{rows / 1e6:.1f} million observations; {cpu:.0f} s of CPU"
    yield Figure(f"CSV of {size / 1e6:.0f} MB stored, peak of memory", peak, "MB", 100, against=against)


BENCHES = (bufr_message, long_csv)
