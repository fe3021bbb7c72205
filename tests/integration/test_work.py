"""That twice as much costs twice as much: work is counted, not timed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.databases import change, to_schema
from toolkit.database import database
from toolkit.model import Document, Observation, Station
from toolkit.store import Selection, Store, open_for_reading, open_for_writing
from toolkit.store.postgresql_store import PostgreSQLStore
from toolkit.store.sqlite_store import SQLiteStore

TIME = 1_763_827_200
SLOTS = 5
NOTHING = [None] * (len(Observation._fields) - 3)
# Twice the size may cost this much more: what grows with the square costs four times as much.
TWICE = 2.6


def document(names: list[str], at: int) -> Document:
    return Document(
        [Station(name, None, None, None, None, None) for name in names],
        [Observation(at, name, 12.5, *NOTHING) for name in names],
    )


def emptied(db: str) -> None:
    """Nothing in the tables, and nothing of what was."""
    if database(db).file:
        Path(db).unlink(missing_ok=True)
        return
    with open_for_writing(db):
        pass
    change(db, "TRUNCATE observations, newest, stations")


def fill(db: str, reporting: int, retired: int) -> None:
    """Stations that report, after a fifth as many that were taken down."""
    with open_for_writing(db) as store:
        store.add(document([f"old{number:05d}" for number in range(retired)], TIME - 90 * 86400), TIME - 90 * 86400)
        for slot in range(SLOTS):
            store.add(document([f"s{number:05d}" for number in range(reporting)], TIME + 600 * slot), TIME + 600 * slot)
        store.tidy(lambda: None)


def work(store: Store, call: Callable[[], object]) -> int:
    """What a call costs: instructions of SQLite's virtual machine, or pages that PostgreSQL touched."""
    if isinstance(store, SQLiteStore):
        done = [0]

        def count() -> int:
            done[0] += 10
            return 0

        store._connection.set_progress_handler(count, 10)
        call()
        store._connection.set_progress_handler(None, 0)
        return done[0]
    assert isinstance(store, PostgreSQLStore)
    # PostgreSQL does so by itself after a while, before a count or after it.
    store._query("VACUUM ANALYZE observations, newest, stations")
    pages = "SELECT SUM(pg_stat_get_xact_blocks_fetched(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    with store._connection.transaction():
        # Tables as small as these are read whole; in large ones it goes by the keys.
        store._connection.execute("SET LOCAL enable_seqscan TO off")
        before = store._query(pages)[0][0]
        call()
        return int(store._query(pages)[0][0] - before)


CALLS: dict[str, Callable[[Store], object]] = {
    "latest": lambda store: store.latest(),
    "stations": lambda store: store.stations(),
    "extents": lambda store: store.extents(),
    "count": lambda store: store.count(Selection(start=TIME)),
}


def test_twice_the_network_is_twice_the_work(db: str) -> None:
    costs = []
    for reporting in (400, 800):
        emptied(db)
        fill(db, reporting, reporting // 5)
        with open_for_reading(db) as store:
            costs.append({name: work(store, lambda call=call: call(store)) for name, call in CALLS.items()})  # type: ignore[misc]
    for name in CALLS:
        assert costs[0][name] > 0
        assert costs[1][name] < TWICE * costs[0][name], f"{name}: {costs[0][name]}, then {costs[1][name]}"


def test_what_is_new_costs_the_same_however_many_were_taken_down(tmp_path: Path) -> None:
    costs = []
    for retired in (100, 10_000):
        db = str(tmp_path / f"{retired}.db")
        fill(db, 14, retired)
        with open_for_writing(db) as store:
            costs.append(work(store, lambda store=store: store.add(document(["s00001"], TIME + 9000), TIME + 9000)))  # type: ignore[misc]
    assert costs[1] < 1.5 * costs[0]


def test_the_newest_of_a_station_is_told_whatever_was_done_to_its_rows(db: str) -> None:
    def latest() -> dict[str, int]:
        with open_for_reading(db) as store:
            return {one.station_id: (one.time - TIME) // 600 for one in store.latest()}

    fill(db, 2, 1)
    before = TIME - 90 * 86400
    assert latest() == {"old00000": -90 * 144, "s00000": 4, "s00001": 4}
    change(db, "DELETE FROM observations WHERE station_id = 's00001' AND time >= '2025-11-22 16:30:00'")
    assert latest()["s00001"] == 2
    change(
        db,
        "INSERT INTO observations (time, station_id, temp_out, collected_at) "
        "VALUES ('2025-11-22 17:00:00', 's00000', 1.0, '2025-11-22 17:01:00')",
    )
    assert latest()["s00000"] == 6
    with open_for_writing(db) as store:
        store.tidy(lambda: None)
        assert latest() == {"old00000": -90 * 144, "s00000": 6, "s00001": 2}
        store.add(document(["s00000"], TIME), TIME)  # an import of what is older
        store.add(Document([Station("mute", None, None, None, None, None)], []), TIME)
        assert latest() == {"old00000": -90 * 144, "s00000": 6, "s00001": 2}
        store.remove_before(before + 1, before, lambda: None)
        assert latest() == {"s00000": 6, "s00001": 2}
        change(db, "DELETE FROM observations WHERE station_id = 's00001'")
        store.tidy(lambda: None)
        assert latest() == {"s00000": 6}
        store.add(document(["s00001", "new"], TIME + 600), TIME + 600)
    assert latest() == {"s00000": 6, "s00001": 1, "new": 1}


def test_what_one_station_has_takes_no_walk_over_what_others_have(db: str) -> None:
    """After the nightly maintenance nothing is searched for, also of stations whose rows are gone, or never were."""
    fill(db, 50, 10)
    with open_for_writing(db) as store:
        store.add(Document([Station("mute", None, None, None, None, None)], []), TIME)
        store.remove_before(TIME - 80 * 86400, 0, lambda: None)
        store.tidy(lambda: None)
        costs = []
        for slots in (range(100), range(100, 300)):
            for slot in slots:
                at = TIME + 600 * slot
                store.add(document([f"s{number:05d}" for number in range(50)], at), at)
            costs.append(work(store, store.latest))
    assert costs[1] < 1.5 * costs[0]


def test_the_station_of_a_reading_is_its_own_while_others_come(db: str) -> None:
    fill(db, 3, 0)
    with open_for_reading(db) as store, store.snapshot():
        names = [station.station_id for station in store.stations()]
        with open_for_writing(db) as other:
            other.add(document(["a", "s00000"], TIME + 9000), TIME + 9000)
        assert [station.station_id for station in store.stations()] == names
        assert len(store.numbers()) == len(names)
    with open_for_reading(db) as store:
        assert [station.station_id for station in store.stations()] == ["a", *names]


def test_a_database_from_before_is_as_fast(tmp_path: Path) -> None:
    """What the step to this schema leaves to maintenance is told all the same."""
    db = str(tmp_path / "weather.db")
    fill(db, 3, 2)
    to_schema(db, 3)
    with open_for_writing(db) as store:
        assert [one.station_id for one in store.latest()] == ["old00000", "old00001", "s00000", "s00001", "s00002"]
        slow = work(store, store.latest)
        store.tidy(lambda: None)
        assert work(store, store.latest) < slow
        assert len(store.latest()) == 5
