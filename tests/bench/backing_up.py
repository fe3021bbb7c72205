"""Backup and restore of a large database, beside the guide's script, while a collector writes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figure import Figure
from tests.bench.storing import DAYS, START, fill, repeat
from toolkit.model import Document, Observation, Station
from toolkit.store import open_for_writing

YEARS = 21  # of 14 stations: a gigabyte


class Writer(threading.Thread):
    """A collector that stores an observation every second; how long each took."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._stop_asked = threading.Event()
        self.longest = 0.0

    def run(self) -> None:
        nothing = [None] * (len(Observation._fields) - 3)
        step = 0
        with open_for_writing(str(self._path)) as store:
            while not self._stop_asked.wait(1.0):
                step += 1
                time_ = START + (YEARS + 2) * DAYS * 86400 + step
                began = time.perf_counter()
                one = Observation(time_, "volos", 12.5, *nothing)
                store.add(Document([Station("volos", None, None, None, None, None)], [one]), time_)
                self.longest = max(self.longest, time.perf_counter() - began)

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


def tool(*words: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "toolkit", *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def shell(script: str) -> float:
    began = time.perf_counter()
    subprocess.run(["sh", "-ec", script], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def a_gigabyte(folder: Path) -> Iterator[Figure]:
    """Create and restore, verification included."""
    db, backups = folder / "weather.db", folder / "backups"
    fill(db)
    repeat(db, YEARS)
    size = db.stat().st_size / 1e6
    where = ("--db", str(db), "--folder", str(backups))

    theirs = shell(f"sqlite3 {db} \".backup '{folder}/guide.db'\" && gzip {folder}/guide.db")
    writer = Writer(db)
    writer.start()
    ours = tool("backup", "create", *where)
    writer.stop()
    packed = sum(path.stat().st_size for path in backups.glob("weather_*")) / 1e6
    gzipped = (folder / "guide.db.gz").stat().st_size / 1e6
    against = f"the guide's, without verification: {theirs:.1f} s; ours: {ours:.1f} s, {size:,.0f} MB"
    yield Figure("backup of a gigabyte, times faster", theirs / ours, "x", 4, True, against)
    # Packing that takes less room than gzip's takes twice the time of this one (lazy matching), on a small board, too.
    yield Figure("the same, packed", packed, "MB", 1.06 * gzipped, against=f"gzip's {gzipped:,.0f} MB")
    yield Figure("longest commit meanwhile", writer.longest * 1000, "ms", 250, against="one a second")

    # Both restore where the database is lost.
    shutil.move(folder / "guide.db.gz", folder / "there.db.gz")
    theirs = shell(
        f"gunzip {folder}/there.db.gz && cp {folder}/there.db {folder}/restored.db && "
        f"sqlite3 {folder}/restored.db 'PRAGMA integrity_check'"
    )
    for part in folder.glob("weather.db*"):
        if part.is_file():
            part.unlink()
    ours = tool("restore", "LATEST", *where)
    against = f"gunzip, cp, integrity_check: {theirs:.1f} s; ours: {ours:.1f} s"
    yield Figure("restore of a gigabyte, times faster", theirs / ours, "x", 2, True, against)


BENCHES = (a_gigabyte,)
