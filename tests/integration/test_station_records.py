"""What the store of either engine keeps of stations: how the feed has described them, and their sensors' health."""

from __future__ import annotations

from tests.conftest import Run
from tests.databases import change, to_schema
from tests.postgresql import Server
from toolkit.model import Document, Station
from toolkit.store import Store, open_for_reading, open_for_writing
from toolkit.store.base import migrations
from toolkit.store.station_records import MOST_DESCRIPTIONS, Description, Facts, PlaceFact, SensorHealth

TIME = 1_763_827_200
DAY = 86_400
VOLOS = Station("volos", "Volos", "Βόλος", 39.37, 22.95, 52.0)
PYLOS = Station("pylos", None, None, None, None, None)


def tell(store: Store, at: float, *stations: Station) -> None:
    store.add(Document(list(stations), []), at)


def test_a_station_that_is_described_in_another_way_has_a_history(db: str) -> None:
    with open_for_writing(db) as store:
        tell(store, TIME, VOLOS, PYLOS)
        tell(store, TIME + 600, VOLOS, PYLOS)
        tell(store, TIME + DAY, VOLOS._replace(elevation=54.5), PYLOS)
        tell(store, TIME + 2 * DAY, Station("volos", None, "Βόλος Α", None, None, None))  # what it does not say stays
    with open_for_reading(db) as store:
        assert store.records.history("volos") == [
            Description("volos", TIME + 2 * DAY, "Volos", "Βόλος Α", 39.37, 22.95, 54.5),
            Description("volos", TIME + DAY, "Volos", "Βόλος", 39.37, 22.95, 54.5),
            Description("volos", TIME, "Volos", "Βόλος", 39.37, 22.95, 52.0),
        ]
        assert store.records.history("pylos") == [Description("pylos", TIME, None, None, None, None, None)]


def last_told(store: Store) -> dict[str, float | None]:
    return {one.station_id: one.last for one in store.statistics.seen()}


def test_that_a_station_is_told_of_is_written_once_an_hour(db: str) -> None:
    """Whatever else there is to write of it is written at once."""
    with open_for_writing(db) as store:
        tell(store, TIME, VOLOS, PYLOS)
        tell(store, TIME + 3000, VOLOS, PYLOS)
        assert last_told(store) == {"volos": TIME, "pylos": TIME}
        tell(store, TIME + 3300, VOLOS._replace(elevation=54.5), PYLOS)
        assert last_told(store) == {"volos": TIME + 3300, "pylos": TIME}
        tell(store, TIME + 3600, VOLOS._replace(elevation=54.5), PYLOS)
        assert last_told(store) == {"volos": TIME + 3300, "pylos": TIME + 3600}
        store.add(Document([PYLOS], [], source="mine"), TIME + 4200)
        assert last_told(store)["pylos"] == TIME + 4200
        assert store.owners()["pylos"] == "mine"
        store.add(Document([PYLOS], [], source="mine"), TIME + 4800)
        assert last_told(store)["pylos"] == TIME + 4200
        facts = {"pylos": Facts(places=[PlaceFact(TIME, None, "Pylos", 36.9, 21.7, 5.0)])}
        with store.transaction():
            store.records.declare(facts, TIME + 4900, "a test")
        store.add(Document([PYLOS], [], source="mine"), TIME + 5000)
        assert [one.latitude for one in store.stations()] == [36.9, 39.37]


def test_feeds_that_contradict_each_other_do_not_fill_the_store(db: str) -> None:
    with open_for_writing(db) as store:
        for cycle in range(MOST_DESCRIPTIONS + 20):
            tell(store, TIME + 600 * cycle, VOLOS._replace(elevation=float(cycle % 2)))
        history = store.records.history("volos")
    assert len(history) == MOST_DESCRIPTIONS
    assert history[0].since == TIME + 600 * (MOST_DESCRIPTIONS + 19)


def health(store: Store) -> dict[str, str]:
    return {one.variable: one.health for one in store.records.health("volos")}


def test_the_health_of_sensors_is_what_was_found_last(db: str) -> None:
    first, second = (SensorHealth("volos", name, TIME - DAY, TIME, "{}") for name in ("temp_out", "bar"))
    with open_for_writing(db) as store, store.transaction():
        store.records.keep_health([first, second], whole=True)
        assert sorted(store.records.health("volos")) == [second, first]
        store.records.keep_health([first._replace(health="1")], whole=False)
        assert health(store) == {"temp_out": "1", "bar": "{}"}
        store.records.keep_health([second], whole=True)
        assert health(store) == {"bar": "{}"}


def test_a_restore_loses_neither(run: Run, db: str) -> None:
    with open_for_writing(db) as store:
        tell(store, TIME, VOLOS)
        with store.transaction():
            store.records.keep_health([SensorHealth("volos", "bar", TIME - DAY, TIME, "old")], whole=True)
    assert run("backup", "create", WEATHER_DB=db).returncode == 0
    with open_for_writing(db) as store:
        tell(store, TIME + DAY, VOLOS._replace(elevation=54.5), PYLOS)
        with store.transaction():
            store.records.keep_health([SensorHealth("volos", "bar", TIME, TIME + DAY, "new")], whole=True)
    done = run("restore", "LATEST", WEATHER_DB=db)
    assert (done.returncode, "records" in done.stderr) == (0, False), done.stderr
    with open_for_reading(db) as store:
        assert [one.since for one in store.records.history("volos")] == [TIME + DAY, TIME]
        assert [one.since for one in store.records.history("pylos")] == [TIME + DAY]
        assert health(store) == {"bar": "new"}


def test_a_database_of_an_older_release_begins_with_what_it_knows(postgresql: Server, tmp_path: object) -> None:
    lite, server = f"{tmp_path}/weather.db", postgresql.database("test_station_records")
    for db, engine in ((lite, "sqlite"), (server, "postgresql")):
        with open_for_writing(db) as store:
            tell(store, TIME, VOLOS)
        before = next(at for at, text in enumerate(migrations(engine)) if "CREATE TABLE station_history" in text)
        if engine == "sqlite":
            to_schema(db, before)
        else:
            later = "sensor_health, daily, summarised, sources, station_places, station_sensors"
            change(db, f"DROP TABLE station_history, {later}")
            change(db, "ALTER TABLE stations DROP COLUMN wigos_id, DROP COLUMN source")
            change(db, "ALTER TABLE collection_log DROP COLUMN source, DROP COLUMN kind")
            change(db, f"UPDATE schema_version SET version = {before}")
        with open_for_writing(db) as store:
            assert store.records.history("volos") == [Description("volos", TIME, *VOLOS[1:6])]
