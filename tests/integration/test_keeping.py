"""What the store cannot take waits in the spool, and comes through in order."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import psycopg
import pytest

from tests.collector import service
from tests.conftest import Feed, Run, collection, feature
from tests.databases import query
from toolkit.collector.ingester import Ingester
from toolkit.collector.shared_store import SharedStore
from toolkit.collector.spool import RawDocument, Spool, held
from toolkit.content import as_file
from toolkit.errors import ToolkitError
from toolkit.feed.failures import Failures
from toolkit.feed.fetch import Fetched
from toolkit.feed.reader import DocumentReader, Form
from toolkit.store import open_for_writing

TIME = 1_763_827_200


@pytest.fixture
def quick(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "WEATHER_CADENCE_SECONDS": "1"}


def test_documents_wait_while_the_database_is_locked(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    with service(quick, tmp_path) as running:
        running.wait_for("1 new observations")
        holder = sqlite3.connect(quick["WEATHER_DB"], isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        for step, temperature in enumerate((1.0, 2.0, 3.0), start=1):
            feed.body = collection(feature("volos", ts=TIME + 600, temp_out=temperature))
            running.wait_for(f"{step} documents wait in the spool")
        holder.execute("ROLLBACK")
        holder.close()
        running.wait_for("stations")
        log = running.stop()
    assert query(quick["WEATHER_DB"], "SELECT time, temp_out FROM observations ORDER BY time") == [
        ("2025-11-22 16:00:00", 13.9),
        ("2025-11-22 16:10:00", 3.0),
    ]
    assert query(quick["WEATHER_DB"], "SELECT label, count FROM counters WHERE label IN ('new', 'corrected')") == [
        ("corrected", 2),
        ("new", 2),
    ]
    assert log.count("documents wait in the spool until") == 1, log
    assert log.count("well again") == 1


def test_what_waits_outlives_the_process(quick: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    with service(quick, tmp_path) as running:
        running.wait_for("1 new observations")
        holder = sqlite3.connect(quick["WEATHER_DB"], isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        feed.body = collection(feature("volos", ts=TIME + 600))
        running.wait_for("1 documents wait")
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait()
        holder.close()
    feed.status = 500
    with service(quick, tmp_path) as running:
        running.wait_for("failed attempts")
    assert query(quick["WEATHER_DB"], "SELECT COUNT(*) FROM observations") == [(2,)]


def test_a_store_that_is_not_there_at_the_start_is_waited_for(
    quick: dict[str, str], feed: Feed, tmp_path: Path
) -> None:
    folder = tmp_path / "late"
    quick["WEATHER_DB"] = str(folder / "weather.db")
    with service(quick, tmp_path) as running:
        running.wait_for("READY")
        running.wait_for("1 documents wait in the spool")
        folder.mkdir()
        running.wait_for("1 new observations")


def test_a_database_that_is_replaced_is_noticed(quick: dict[str, str], run: Run, feed: Feed, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    assert run("collect", "--once", WEATHER_DB=str(other), WEATHER_SPOOL=str(tmp_path / "other")).returncode == 0
    with service(quick, tmp_path) as running:
        running.wait_for("1 new observations")
        for suffix in ("-wal", "-shm"):
            Path(quick["WEATHER_DB"] + suffix).unlink()
        other.replace(quick["WEATHER_DB"])
        feed.body = collection(feature("volos", ts=TIME + 600))
        running.wait_for("1 new observations")
        assert query(quick["WEATHER_DB"], "SELECT COUNT(*) FROM observations") == [(2,)]


def test_a_second_collector_is_refused(quick: dict[str, str], run: Run, tmp_path: Path) -> None:
    with service(quick, tmp_path) as running:
        running.wait_for("READY")
        done = run("collect", "--once", "--verbose")
        assert done.returncode == 1
        assert done.stderr == (
            f"weather-tool: another collector (process {running.process.pid}) has the spool {quick['WEATHER_SPOOL']}: "
            "stop it first\n"
        )


def test_a_newer_database_is_refused_with_one_line(run: Run, environment: dict[str, str]) -> None:
    assert run("collect", "--once").returncode == 0
    connection = sqlite3.connect(environment["WEATHER_DB"])
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for words in (["collect"], ["collect", "--once"], ["healthcheck"]):
        done = run(*words)
        assert done.returncode == 2
        assert (done.stdout + done.stderr).count("\n") == 1
        assert "has schema 99" in done.stdout + done.stderr


def test_impossible_values_become_null_and_are_counted(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = collection(
        feature("volos", temp_out=71.3, out_hum=-1, bar=0),
        feature("zagora", ts=4_000_000_000),
        feature("amfissa", ts=946_684_800),
    )
    assert run("collect", "--once").stderr == "3 stations, 1 new observations, 5 left out\n"
    assert query(environment["WEATHER_DB"], "SELECT temp_out, out_hum, bar, rain FROM observations") == [
        (None, None, None, 0.2)
    ]
    counted = dict(query(environment["WEATHER_DB"], "SELECT label, count FROM counters WHERE name = 'left_out'"))
    assert counted == {
        "temp_out out of range": 1,
        "out_hum out of range": 1,
        "bar out of range": 1,
        "time in the future": 1,
        "impossible time": 1,
    }
    ((message,),) = query(environment["WEATHER_DB"], "SELECT message FROM collection_log")
    assert all(f"1 {reason}" in message for reason in counted)


def raw(text: str) -> RawDocument:
    return RawDocument(text.encode(), 1.5, 2.5)


def test_the_spool_is_bounded_and_gives_up_the_oldest(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 3000)
    for number in range(5):
        spool.put(raw(f"{number}" + os.urandom(700).hex()))
    assert spool.given_up > 0
    assert len(spool) == 5 - spool.given_up
    oldest = spool.oldest()
    assert oldest is not None
    assert as_file(oldest[1].content).read().startswith(str(spool.given_up).encode())
    spool.close()


def test_a_damaged_document_is_set_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1 << 20)
    spool.put(raw("first"))
    spool.put(raw("second"))
    first = min((tmp_path / "spool").glob("*.gz"))
    first.write_bytes(first.read_bytes()[:-5])
    oldest = spool.oldest()
    assert oldest is not None
    assert oldest[1] == raw("second")
    assert first.with_suffix(".damaged").exists()
    spool.remove(oldest[0])
    assert spool.oldest() is None
    spool.close()


def test_a_document_of_another_form_is_read_by_the_form_in_which_it_came(
    quick: dict[str, str], feed: Feed, tmp_path: Path
) -> None:
    with service(quick, tmp_path) as running:
        running.wait_for("1 new observations")
        holder = sqlite3.connect(quick["WEATHER_DB"], isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        feed.body = collection(feature("volos", ts=TIME + 600))
        running.wait_for("1 documents wait")
        running.stop()
        holder.close()
    # An older release kept the second one without its form, a newer one the third.
    folder = Path(quick["WEATHER_SPOOL"])
    for number, more in ((2, {}), (3, {"format": "grib", "fields": ""})):
        header = json.dumps({"collected": TIME + 660.0, "present": TIME + 660.0, **more})
        (folder / f"{number:012d}.gz").write_bytes(gzip.compress(header.encode() + b"\n" + feed.body))
    feed.body = b"station_id,time,temp_out\nzagora,2025-11-22T16:20:00Z,4\n"
    csv = {"WEATHER_FEED_FORMAT": "csv", "WEATHER_FEED_FIELDS": "station_id=station_id, time=time"}
    with service({**quick, **csv}, tmp_path) as running:
        running.wait_for("stations")
        while query(quick["WEATHER_DB"], "SELECT COUNT(*) FROM observations WHERE station_id = 'zagora'") != [(1,)]:
            running.wait_for("WATCHDOG")
        assert running.process.poll() is None
        log = running.stop()
    assert query(quick["WEATHER_DB"], "SELECT COUNT(*) FROM observations") == [(3,)]
    assert sorted(path.name for path in folder.glob("0*")) == ["000000000002.damaged", "000000000003.damaged"]
    assert "set aside as .damaged" in log
    assert "Traceback" not in log
    assert query(quick["WEATHER_DB"], "SELECT count FROM counters WHERE label = 'document set aside as damaged'") == [
        (2,)
    ]


@pytest.fixture
def refusing(db: str, run: Run) -> None:
    """A store that is well, and refuses whatever is told of one station."""
    assert run("collect", "--once", WEATHER_DB=db).returncode == 0
    if db.startswith("postgresql"):
        with psycopg.connect(db, autocommit=True) as server:
            server.execute("ALTER TABLE stations ADD CHECK (station_name_en <> 'Refused')")
    else:
        with sqlite3.connect(db) as connection:
            connection.execute(
                "CREATE TRIGGER refused BEFORE INSERT ON stations WHEN NEW.station_name_en = 'Refused' "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        connection.close()


def test_a_document_that_the_store_refuses_for_what_it_holds_keeps_nothing_back(
    quick: dict[str, str], db: str, refusing: None, run: Run, feed: Feed, tmp_path: Path
) -> None:
    quick["WEATHER_DB"] = db
    feed.body = collection(feature("refused", ts=TIME))
    once = run("collect", "--once", WEATHER_DB=db)
    assert (once.returncode, once.stderr.count("\n")) == (1, 2)
    assert "does not take the document" in once.stderr
    assert "set aside as .refused" in once.stderr
    with service(quick, tmp_path) as running:
        running.wait_for("does not take the document")
        feed.body = collection(feature("volos", ts=TIME + 600))
        running.wait_for("1 new observations")
        log = running.stop()
    assert "Traceback" not in log
    assert "documents wait" not in log
    assert len(list(Path(quick["WEATHER_SPOOL"]).glob("*.refused"))) == 2
    assert query(db, "SELECT count FROM counters WHERE label = 'document set aside as refused'") == [(1,)]
    assert query(db, "SELECT COUNT(*) FROM collection_log WHERE message LIKE '%does not take%'") == [(1,)]


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(b" " * (64 << 20)))


def _header(text: str) -> Callable[[Path], None]:
    return _holds(gzip.compress(text.encode() + b"\n{}"))


def _holds(content: bytes) -> Callable[[Path], None]:
    def put(path: Path) -> None:
        path.write_bytes(content)

    return put


@pytest.mark.parametrize(
    "spoil",
    [
        _cut_off,
        _folder,
        _pipe,
        _link,
        _bomb,
        _header('{"collected": NaN, "present": 1}'),
        _header('{"collected": 1e999, "present": 1}'),
        _header('{"collected": -1, "present": 1}'),
        _header('{"collected": null, "present": 1}'),
        _header('{"collected": "x", "present": 1}'),
        _header("[]"),
        _header("3"),
        _header("[" * 100_000),
        _header(""),
        _holds(b""),
        _holds(os.urandom(1000)),
    ],
)
def test_what_is_no_document_is_set_aside(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    spool = Spool(tmp_path / "spool", 1 << 20, 4 << 20)
    spool.put(raw("first"))
    spool.put(raw("second"))
    spool.close()
    first = tmp_path / "spool" / "000000000001.gz"
    spoil(first)
    spool = Spool(tmp_path / "spool", 1 << 20, 4 << 20)
    assert spool.oldest() == (2, raw("second"))
    assert first.with_suffix(".damaged").is_symlink() or first.with_suffix(".damaged").exists()
    assert spool.set_aside_counts == {"document set aside as damaged": 1}
    spool.remove(2)
    assert len(spool) == 0
    # A number is not given again while what was set aside has it.
    assert spool.put(raw("third")) == 3
    spool.close()


def test_what_is_set_aside_is_bounded(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1 << 20)
    for number in range(1, 121):
        spool.set_aside(spool.put(raw(str(number))), "refused", "a test")
    kept = sorted(path.name for path in (tmp_path / "spool").glob("*.refused"))
    assert (len(kept), kept[-1]) == (100, "000000000120.refused")
    spool.close()


@pytest.mark.parametrize("name", ["999999999999.gz", "9" * 200 + ".gz", ".x.gz", "x.gz"])
def test_names_that_are_none_of_ours_harm_nobody(tmp_path: Path, name: str) -> None:
    (tmp_path / "spool" / ".folder").mkdir(parents=True)
    (tmp_path / "spool" / name).write_bytes(b"")
    spool = Spool(tmp_path / "spool", 1 << 20)
    assert len(spool) == 0
    assert spool.put(raw("first")) == 1
    spool.close()


@pytest.mark.parametrize("put", [_folder, _pipe, _holds(b"\xff" * 5000)])
def test_a_lock_that_is_none_is_said_or_taken(tmp_path: Path, put: Callable[[Path], None]) -> None:
    lock = tmp_path / "spool" / "lock"
    lock.parent.mkdir()
    lock.touch()
    put(lock)
    try:
        with held(tmp_path / "spool"):
            pass
    except ToolkitError as error:
        assert "cannot be used" in str(error)


def test_a_reader_that_falls_over_a_document_costs_that_document(environment: dict[str, str], tmp_path: Path) -> None:
    class Falls:
        form = Form("geojson", "", "", "")

        def as_of(self, *_: str) -> Falls:
            return self

        def read_parts(self, document: BinaryIO, *_: object) -> None:
            raise MemoryError(document.read().decode())

    spool = Spool(tmp_path / "spool", 1 << 20)
    with (
        SharedStore(lambda: open_for_writing(environment["WEATHER_DB"])) as store,
        Ingester(store, spool, cast("DocumentReader", Falls())) as ingester,
    ):
        failures = Failures()
        failures.asked = 1
        assert ingester.ingest([Fetched(raw("first").content, None, None, None, {})], failures) is None
        assert "the document cannot be read: MemoryError: first" in str(failures.error())
        assert ingester.waiting == 0
        spool.put(raw("second"))
        ingester.drain()
        assert ingester.waiting == 0
    assert [path.name for path in (tmp_path / "spool").glob("0*")] == ["000000000001.damaged"]


def test_a_spool_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ToolkitError, match="cannot be used"):
        Spool(tmp_path / "file" / "spool", 1)
