"""`weather-tool restore`: either the old database or the new one, whole, and nothing lost that can be read."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOOL, Run, collection, feature
from tests.feeds import parse
from tests.postgresql import Server
from toolkit.collector.spool import held
from toolkit.locking import writing
from toolkit.store import StoreError, open_for_writing

TIME = 1_763_827_200
STATIONS = 200

Store = Callable[..., None]


@pytest.fixture
def db(environment: dict[str, str], tmp_path: Path) -> Path:
    """Where the database is; the folder of backups is beside it."""
    environment["WEATHER_BACKUPS"] = str(tmp_path / "backups")
    return Path(environment["WEATHER_DB"])


@pytest.fixture
def store(db: Path) -> Store:
    """Store one document of every station, `step` cadences after TIME."""

    def put(*steps: int, prefix: str = "s", **values: object) -> None:
        with open_for_writing(str(db)) as opened:
            for step in steps:
                ts = TIME + 600 * step
                features = [feature(f"{prefix}{number}", ts=ts, **values) for number in range(STATIONS)]
                opened.add(parse(collection(*features)), ts + 60)

    return put


def rows(db: Path) -> int:
    connection = sqlite3.connect(db)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    (count,) = connection.execute("SELECT COUNT(*) FROM observations").fetchone()
    connection.close()
    return int(count)


def restore(run: Run, *words: str) -> dict[str, Any]:
    done = run("restore", "LATEST", "--json", *words)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def backup(run: Run) -> str:
    done = run("backup", "create", "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["file"])


def test_what_is_gone_comes_back(run: Run, db: Path, store: Store) -> None:
    store(0, 1, 2)
    backup(run)
    for part in db.parent.glob(db.name + "*"):
        if part.is_file():
            part.unlink()
    assert restore(run)["replaced"] is None
    assert rows(db) == 3 * STATIONS
    assert db.stat().st_mode & 0o777 == 0o600


def test_what_was_collected_after_the_backup_stays(run: Run, db: Path, store: Store) -> None:
    store(0, 1)
    backup(run)
    store(2, temp_out=7.5)
    store(3, prefix="new")
    store(1, temp_out=1.5)  # a correction that came later
    told = restore(run)
    assert rows(db) == 4 * STATIONS
    connection = sqlite3.connect(db)
    query = "SELECT temp_out, COUNT(*) FROM observations WHERE station_id LIKE 's%' GROUP BY time ORDER BY time"
    assert connection.execute(query).fetchall() == [(13.9, STATIONS), (13.9, STATIONS), (7.5, STATIONS)]
    assert connection.execute("SELECT COUNT(*) FROM stations").fetchone() == (2 * STATIONS,)
    new = "SELECT count FROM counters WHERE (name, label) = ('observations', 'new')"
    assert connection.execute(new).fetchone() == (4 * STATIONS,), "counters went back with the restore"
    connection.close()
    assert told["merged"] == 2 * STATIONS
    assert rows(Path(told["replaced"]) / db.name) == 4 * STATIONS


def test_a_variable_whose_column_was_renamed_is_said_to_be_missing_from_what_is_taken_over(
    run: Run, db: Path, store: Store
) -> None:
    store(0)
    backup(run)
    store(1)
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA legacy_alter_table = ON")  # or its views would keep it from it
        connection.execute("ALTER TABLE observation RENAME COLUMN bar TO pressure")
    told = restore(run)
    assert told["merged"] == STATIONS
    assert told["unreadable"] == ["bar: its table observation has no column of that name"]


def test_a_correction_that_came_after_the_backup_stays(run: Run, db: Path, store: Store) -> None:
    store(0, 1)
    backup(run)
    with open_for_writing(str(db)) as opened:
        opened.add(parse(collection(feature("s1", ts=TIME, temp_out=1.5))), TIME + 4000)
    assert restore(run)["merged"] == 1
    connection = sqlite3.connect(db)
    (read,) = connection.execute(
        "SELECT temp_out FROM observations WHERE station_id = 's1' AND time = '2025-11-22 16:00:00'"
    ).fetchone()
    connection.close()
    assert read == 1.5


def test_old_observations_that_were_imported_after_the_backup_stay(run: Run, db: Path, store: Store) -> None:
    store(0, 1)
    backup(run)
    store(-100_000)
    assert restore(run)["merged"] == STATIONS
    assert rows(db) == 3 * STATIONS


def test_newer_ones_can_be_discarded(run: Run, db: Path, store: Store) -> None:
    store(0, 1)
    backup(run)
    store(2)
    assert restore(run, "--discard-newer")["merged"] == 0
    assert rows(db) == 2 * STATIONS


def test_a_damaged_database_gives_what_can_be_read(run: Run, db: Path, store: Store) -> None:
    store(0, 1)
    backup(run)
    store(*range(2, 200))
    with sqlite3.connect(db) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    middle = db.stat().st_size // 4096 // 2 * 4096
    with db.open("r+b") as file:
        file.seek(middle)
        file.write(os.urandom(8192))
    told = restore(run)
    assert told["unreadable"]
    kept = rows(db)
    assert 150 * STATIONS < kept < 200 * STATIONS
    assert kept == told["observations"] + told["merged"]
    assert Path(told["replaced"], db.name).read_bytes()[middle : middle + 8192]


def test_what_cannot_be_read_of_a_longer_time_is_one_period(run: Run, db: Path, store: Store) -> None:
    store(0, 1)
    backup(run)
    store(*range(2, 400))
    with sqlite3.connect(db) as connection:
        connection.execute("ALTER TABLE observation RENAME TO observation_old")
    connection.close()
    (period,) = restore(run)["unreadable"]
    assert period.endswith(" to 2100-01-01 00:00:00 UTC")


def test_no_database_at_all_is_replaced(run: Run, db: Path, store: Store) -> None:
    store(0)
    backup(run)
    for part in db.parent.glob(db.name + "-*"):
        part.unlink()
    db.write_bytes(os.urandom(20_000))
    told = restore(run)
    assert told["unreadable"] == ["all of it: file is not a database"]
    assert rows(db) == STATIONS


def test_no_old_log_is_replayed(run: Run, db: Path, store: Store, tmp_path: Path) -> None:
    store(0)
    backup(run)
    with open_for_writing(str(db)) as opened:
        for step in range(1, 20):
            opened.add(parse(collection(feature("s1", ts=TIME + 600 * step))), TIME + 600 * step)
        log = db.with_name(db.name + "-wal")
        shutil.copy(log, tmp_path / "log")
    shutil.copy(tmp_path / "log", log)
    restore(run, "--discard-newer")
    assert not log.exists()
    assert rows(db) == STATIONS


def hurt(path: Path, change: Callable[[bytearray], None]) -> None:
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def test_a_damaged_backup_touches_nothing(run: Run, db: Path, store: Store, tmp_path: Path) -> None:
    store(0)
    name = backup(run)
    store(1)
    before = sorted(path.name for path in db.parent.glob("*weather*"))
    hurt(
        tmp_path / "backups" / name,
        lambda content: content.__setitem__(len(content) // 2, content[len(content) // 2] ^ 4),
    )
    done = run("restore", name)
    assert done.returncode == 1
    assert name in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in db.parent.glob("*weather*")) == before
    assert rows(db) == 2 * STATIONS


def test_a_running_collector_is_in_the_way(run: Run, db: Path, store: Store, environment: dict[str, str]) -> None:
    store(0)
    backup(run)
    with held(Path(environment["WEATHER_SPOOL"])):
        done = run("restore", "LATEST")
    assert done.returncode == 1
    assert done.stderr.endswith("stop it first: systemctl stop weather-collector.service\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["LATEST"], "there is no backup in "),
        (["weather_1.db.zst"], "there is no backup "),
        ([], "which backup? give LATEST"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(run: Run, db: Path, words: list[str], says: str) -> None:
    done = run("restore", *words)
    assert done.returncode != 0
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_killed_at_any_moment_it_is_the_old_or_the_new_one(
    run: Run, db: Path, store: Store, environment: dict[str, str]
) -> None:
    store(*range(10))
    backup(run)
    store(*range(10, 30))
    chance = random.Random(3)
    seen = set()
    for _ in range(20):
        command = [TOOL, "restore", "LATEST", "--discard-newer"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0.1, 0.5))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        seen.add(rows(db))
        store(*range(10, 30))
    assert seen <= {10 * STATIONS, 30 * STATIONS}
    restore(run)
    assert rows(db) == 30 * STATIONS
    assert not list(db.parent.glob(".*.restored*"))


def test_a_folder_that_is_not_there_is_named(run: Run, db: Path, store: Store) -> None:
    store(0)
    backup(run)
    done = run("restore", "LATEST", "--db", "/nowhere/weather.db")
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["weather-tool: there is no folder /nowhere to restore into"]


GUIDE = """
CREATE TABLE stations (station_id TEXT PRIMARY KEY, station_name_en TEXT, latitude REAL, longitude REAL);
CREATE TABLE observations (
    id INTEGER PRIMARY KEY, time TEXT, station_id TEXT, temp_out REAL, out_hum REAL, UNIQUE (time, station_id)
);
INSERT INTO stations VALUES ('volos', 'Volos', 39.3, 22.9);
INSERT INTO observations (time, station_id, temp_out, out_hum) VALUES
    ('2025-07-01 12:00:00', 'volos', 30.5, 40), ('2025-07-01 12:10:00', 'volos', 30.7, 41);
"""


def guides_own(folder: Path) -> Path:
    """A backup as the guide's script makes one, and leaves it."""
    made = folder / "weather_20250701_121500.db"
    connection = sqlite3.connect(made)
    connection.executescript(GUIDE)
    connection.close()
    subprocess.run(["gzip", made], check=True)
    return made.with_name(made.name + ".gz")


@pytest.mark.parametrize(("words", "hour"), [((), 12), (("--timezone", "Europe/Athens"), 9)])
def test_the_guides_own_backups_are_taken(
    run: Run, db: Path, tmp_path: Path, words: tuple[str, ...], hour: int
) -> None:
    packed = guides_own(tmp_path)
    done = run("restore", str(packed), *words, TZ="UTC")
    assert done.returncode == 0, done.stderr
    assert rows(db) == 2
    connection = sqlite3.connect(db)
    newest = connection.execute("SELECT MAX(time), MAX(temp_out) FROM observations").fetchone()
    connection.close()
    assert newest == (f"2025-07-01 {hour:02d}:10:00", 30.7)
    assert packed.name in done.stdout
    assert list((tmp_path / "backups").glob("*weather*")) == []


def test_a_database_of_ours_that_was_packed_by_gzip_keeps_its_times(
    run: Run, db: Path, store: Store, tmp_path: Path
) -> None:
    store(0, 1)
    packed = tmp_path / "weather_20251122_180000.db"
    with sqlite3.connect(db) as connection:
        connection.execute("VACUUM INTO ?", [str(packed)])
    connection.close()
    subprocess.run(["gzip", packed], check=True)
    store(2)
    done = run("restore", f"{packed}.gz", "--discard-newer", TZ="Europe/Athens")
    assert done.returncode == 0, done.stderr
    assert rows(db) == 2 * STATIONS


@pytest.mark.parametrize("place", [4, 200, -4])
def test_a_damaged_one_of_the_guides_is_refused(run: Run, db: Path, store: Store, tmp_path: Path, place: int) -> None:
    store(0)
    packed = guides_own(tmp_path)
    if place == 4:
        packed.write_bytes(packed.read_bytes()[:300])
    else:
        hurt(packed, lambda content: content.__setitem__(place, content[place] ^ 1))
    done = run("restore", str(packed))
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert rows(db) == STATIONS


def test_a_backup_of_the_other_engine_is_refused(run: Run, db: Path, store: Store, postgresql: Server) -> None:
    store(0)
    backup(run)
    done = run("restore", "LATEST", "--db", postgresql.database("of_the_other_engine"))
    assert done.returncode == 1
    assert " is of SQLite and " in done.stderr


def test_who_comes_second_is_told_who_is_at_work_and_since_when(run: Run, db: Path, store: Store) -> None:
    store(0)
    backup(run)
    holder = sqlite3.connect(db, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")  # the first one waits for it
    environment = {**os.environ, "WEATHER_DB": str(db)}
    first = subprocess.Popen([TOOL, "restore", "LATEST", "--folder", str(db.parent / "backups")], env=environment)
    lock = db.parent / "backups" / ".lock"
    while str(first.pid) not in lock.read_text():
        assert first.poll() is None
    for words in (("restore", "LATEST"), ("backup", "create"), ("backup", "prune")):
        done = run(*words)
        assert done.returncode == 1
        expected = rf"weather-tool restore LATEST, process {first.pid} of \w+, since 20[-\dT:]+Z\): wait for its end\n"
        assert re.search(expected, done.stderr), done.stderr
    first.send_signal(signal.SIGTERM)
    assert first.wait() == 143
    holder.close()
    assert rows(db) == STATIONS


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_restore_and_the_collector_is_started_again(
    run: Run, db: Path, store: Store, environment: dict[str, str], number: signal.Signals
) -> None:
    """As root's part of weather-tool sees it: it is asked by the words of systemctl."""
    store(0)
    backup(run)
    holder = sqlite3.connect(db, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    root, other = socket.socketpair()
    root.settimeout(60)
    environment["COLLECTOR_ASKED_BY"] = str(other.fileno())
    process = subprocess.Popen([TOOL, "restore", "LATEST"], env=environment, pass_fds=[other.fileno()])
    other.close()
    asked = []
    while "start" not in asked:
        asked.append(root.recv(16).decode())
        root.send(b"\0")
        if asked[-1] == "stop":
            process.send_signal(number)
    root.close()
    assert process.wait() == 128 + number
    assert asked[-2:] == ["stop", "start"]
    holder.close()
    assert not list(db.parent.glob(".*.restored*"))
    assert not list((db.parent / "backups").glob(".weather_*"))
    assert rows(db) == STATIONS


def test_nothing_is_stored_into_a_database_while_it_is_replaced(run: Run, db: Path, store: Store) -> None:
    store(0)
    backup(run)
    with open_for_writing(str(db)) as opened:
        assert restore(run)["merged"] == 0
        with pytest.raises(StoreError, match="was replaced while it was in use"):
            opened.add(parse(collection(feature("s1", ts=TIME + 600))), TIME + 660)


@pytest.mark.parametrize("words", [("maintain",), ("data", "import", "x.csv")])
def test_a_restore_and_what_else_writes_tell_each_other(
    run: Run, db: Path, store: Store, words: tuple[str, ...]
) -> None:
    store(0)
    backup(run)
    folder = Path(f"{db.parent}/spool")
    with writing(folder, alone=True):  # as a restore
        done = run(*words) if words[0] == "maintain" else run("data", "import", str(imported(db.parent)))
        assert done.returncode == 1
        assert re.search(rf"is at work in the database \(.*process {os.getpid()} of \w+, since 20", done.stderr)
    with writing(folder):
        assert re.search(rf"\(.*process {os.getpid()} of \w+, since 20", run("restore", "LATEST").stderr)


def imported(folder: Path) -> Path:
    path = folder / "x.csv"
    path.write_text("time,station_id,temp_out\n2025-11-22 10:00:00,a,1\n")
    return path
