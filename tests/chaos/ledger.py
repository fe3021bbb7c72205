"""What was offered, to be compared with what is stored."""

from __future__ import annotations

import random

from tests.collector import Service
from tests.conftest import Feed, collection, feature
from tests.databases import query
from toolkit.database import database

# How many a collector gives before a test no longer waits for it: there are five a second.
SIGNS_OF_LIFE = 300
START = 1_763_827_200
CADENCE = 600


class Ledger:
    """Publishes one document after another on a feed, and remembers what each offered."""

    def __init__(self, feed: Feed, stations: int, seed: int = 1) -> None:
        self._feed = feed
        self._names = [f"station{number:05d}" for number in range(stations)]
        self._random = random.Random(seed)
        self._offered: dict[tuple[int, str], float] = {}
        self.documents = 0

    def publish(self) -> int:
        """Offer the next refresh: every station anew, and a correction of one row of the last; returns its time."""
        time = START + self.documents * CADENCE
        self.documents += 1
        features = []
        for name in self._names:
            value = round(self._random.uniform(-10, 40), 1)
            self._offered[time, name] = value
            features.append(feature(name, ts=time, temp_out=value))
        if self.documents > 1:
            name, value = self._random.choice(self._names), round(self._random.uniform(-10, 40), 1)
            self._offered[time - CADENCE, name] = value
            features.append(feature(name, ts=time - CADENCE, temp_out=value))
        self._feed.body = collection(*features)
        return time

    def publish_until_fetched(self, running: Service) -> None:
        """Offer the next refresh, and wait until it has gone out."""
        self.publish()
        while self._feed.served != self._feed.body:
            running.wait_for("WATCHDOG")

    def wait_until_stored(self, db: str, running: Service) -> None:
        """Wait until as much is stored as was offered; that it is the same is for `compare` to say."""
        for _ in range(SIGNS_OF_LIFE):
            if query(db, "SELECT COUNT(*) FROM observations") == [(len(self._offered),)]:
                return
            running.wait_for("WATCHDOG")

    def compare(self, db: str) -> None:
        """Assert that exactly what was offered is stored, and that the counters tell the same story."""
        rows = query(db, f"SELECT {epoch(db)}, station_id, temp_out FROM observations")
        stored = {(time, name): value for time, name, value in rows}
        lost = set(self._offered) - set(stored)
        assert not lost, f"{len(lost)} of {len(self._offered)} observations are lost: {sorted(lost)[:3]}"
        assert len(rows) == len(stored), "observations are doubled"
        assert stored == self._offered, "observations are changed"
        counters = dict(query(db, "SELECT label, count FROM counters WHERE name = 'observations'"))
        assert counters["new"] == len(rows)
        ((logged,),) = query(db, "SELECT SUM(observations_count) FROM collection_log WHERE status = 'success'")
        assert logged == counters["new"] + counters.get("corrected", 0)
        if database(db).file:
            assert query(db, "PRAGMA integrity_check") == [("ok",)]


def epoch(db: str) -> str:
    """The expression for a row's time in seconds since the epoch."""
    return "extract(epoch FROM time)::int8" if database(db).file is None else "unixepoch(time)"
