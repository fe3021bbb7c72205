"""`weather-tool backup`: what is made, what is found damaged, what is kept."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOOL, Run, collection, feature
from tests.feeds import parse
from toolkit.backup.folder import Backup, Folder
from toolkit.backup.manifest import Content, Manifest
from toolkit.backup.pruning import Keep, kept_of
from toolkit.store import open_for_writing
from toolkit.store.sqlite_schema import VERSION

TIME = 1_763_827_200


@pytest.fixture
def backups(environment: dict[str, str], tmp_path: Path) -> Path:
    """An empty folder of backups, which the command uses."""
    environment["WEATHER_BACKUPS"] = str(tmp_path / "backups")
    return tmp_path / "backups"


@pytest.fixture
def filled(environment: dict[str, str]) -> Path:
    """A database with two observations of each of 50 stations."""
    path = Path(environment["WEATHER_DB"])
    with open_for_writing(str(path)) as store:
        for step in range(2):
            features = [feature(f"s{number}", ts=TIME + 600 * step, temp_out=number / 10) for number in range(50)]
            store.add(parse(collection(*features)), TIME + 600 * step + 60)
    return path


def create(run: Run, *words: str) -> dict[str, Any]:
    done = run("backup", "create", "--json", *words)
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_a_backup_says_what_it_holds(run: Run, filled: Path, backups: Path) -> None:
    made = create(run)
    assert made["content"] == {
        "stations": 50, "observations": 100, "first": "2025-11-22 16:00:00", "last": "2025-11-22 16:10:00",
        "schema_version": VERSION,
    }  # fmt: skip
    assert names(backups) == [made["file"], made["file"] + ".json"]
    assert {(backups / name).stat().st_mode & 0o077 for name in names(backups)[:1]} == {0}
    assert json.loads(run("backup", "list", "--json").stdout)[0]["file"] == made["file"]
    done = run("backup", "verify", "LATEST")
    assert done.stdout.startswith(f"whole: {made['file']}, ")
    assert "100 observations of 50 stations" in done.stdout


def test_a_backup_of_a_database_that_is_written_is_of_one_moment(run: Run, filled: Path, backups: Path) -> None:
    stop = threading.Event()
    documents = 0

    def write() -> None:
        nonlocal documents
        with open_for_writing(str(filled)) as store:
            while not stop.is_set():
                documents += 1
                ts = TIME + 3600 + 600 * documents
                store.add(parse(collection(*(feature(f"s{number}", ts=ts) for number in range(50)))), ts + 60)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        held = [create(run, "--folder", str(backups / str(number)))["content"]["observations"] for number in range(3)]
    finally:
        stop.set()
        writer.join()
    assert [number % 50 for number in held] == [0, 0, 0]
    assert held[0] < held[2]
    assert documents > 3


def renamed(made: dict[str, Any], **new: object) -> Manifest:
    """The manifest of a backup under another name."""
    known = {key: value for key, value in made.items() if key not in {"pruned", "checksum"}}
    return Manifest(**{**known, "content": Content(**made["content"]), **new})


def damage(path: Path, chance: random.Random) -> str:
    content = bytearray(path.read_bytes())
    if chance.random() < 0.3:
        length = chance.randrange(len(content))
        path.write_bytes(content[:length])
        return f"cut at {length}"
    place, bit = chance.randrange(len(content)), chance.randrange(8)
    content[place] ^= 1 << bit
    path.write_bytes(content)
    return f"bit {bit} of byte {place}"


def test_any_damage_is_found(run: Run, filled: Path, backups: Path, tmp_path: Path) -> None:
    made = create(run)
    chance = random.Random(5)
    hurt = tmp_path / "hurt"
    hurt.mkdir()
    what = {}
    for number in range(200):
        name = f"weather_20260101_{number:06d}.db.zst"
        shutil.copy(backups / made["file"], hurt / name)
        (hurt / f"{name}.json").write_text(renamed(made, file=name).as_text())
        where = hurt / (name if chance.random() < 0.7 else f"{name}.json")
        what[name] = f"{where.suffix}: {damage(where, chance)}"
    done = run("backup", "verify", "--folder", str(hurt), "--json")
    assert done.returncode == 1
    assert done.stderr == "weather-tool: 200 of 200 backups cannot be restored\n"
    assert [what[one["file"]] for one in json.loads(done.stdout) if not one["damaged"]] == []


def test_a_backup_that_cannot_be_made_leaves_those_that_were(run: Run, filled: Path, backups: Path) -> None:
    create(run)
    before = names(backups)
    page = 3 * 4096 + 40
    with filled.open("r+b") as file:
        file.seek(page)
        file.write(os.urandom(3000))
    done = run("backup", "create", "--prune", "--keep-daily", "0")
    assert done.returncode == 1
    assert str(filled) in done.stderr
    assert names(backups) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["create", "--db", "/nowhere/weather.db"], "cannot open the database /nowhere/weather.db: no such file"),
        (["create", "--folder", "/proc/backups"], "cannot write to /proc/backups"),
        (["create", "--keep-daily", "-1"], "--keep-daily='-1': give a whole number from 0 to 3660"),
        (["create", "--db", "postgresql://weather@127.0.0.1:1/weather"], "cannot be used: connection"),
        (["fetch"], "set WEATHER_RESTIC_REPOSITORY"),
        (["verify"], "weather-tool backup create"),
        (["verify", "weather_x.db.zst"], "there is no backup "),
        (["verify", "LATEST"], "there is no backup in "),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    run: Run, filled: Path, backups: Path, words: list[str], says: str
) -> None:
    done = run("backup", *words)
    assert done.returncode != 0
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_database_of_another_program_is_refused(run: Run, environment: dict[str, str], backups: Path) -> None:
    with sqlite3.connect(environment["WEATHER_DB"]) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    done = run("backup", "create")
    assert "is not a database of this service" in done.stderr
    assert names(backups) == []


def test_two_at_once_do_not_meet(run: Run, filled: Path, backups: Path) -> None:
    with Folder(str(backups)).locked():
        done = run("backup", "create")
    assert done.returncode == 1
    assert "another backup or restore is at work" in done.stderr


@pytest.mark.parametrize("words", [("backup", "create", "--wait", "300"), ("restore", "--drill", "--wait", "300")])
def test_jobs_wait_for_the_end_of_another_one(
    run: Run, filled: Path, backups: Path, environment: dict[str, str], words: tuple[str, ...]
) -> None:
    create(run)
    with Folder(str(backups)).locked():
        waiting = subprocess.Popen([TOOL, *words], env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert waiting.stderr
        said = waiting.stderr.readline().decode()
    _, errors = waiting.communicate()
    assert f"another backup or restore is at work in {backups} (" in said
    assert said.endswith("): wait for its end: for at most 300 s\n")
    assert (waiting.returncode, errors) == (0, b"")


def test_an_interrupted_backup_leaves_nothing_that_looks_like_one(
    run: Run, filled: Path, backups: Path, environment: dict[str, str]
) -> None:
    create(run)
    (backups / ".weather_packed.zst").write_bytes(b"half of it")
    (backups / "weather_20260101_000000.db.zst.json").write_text("{}")
    listed = json.loads(run("backup", "list", "--json").stdout)
    assert len(listed) == 1
    assert "damaged" not in listed[0]
    assert run("backup", "prune").returncode == 0
    assert names(backups) == [listed[0]["file"], listed[0]["file"] + ".json"]


def test_a_backup_killed_at_any_moment(filled: Path, backups: Path, environment: dict[str, str], run: Run) -> None:
    chance = random.Random(7)
    for _ in range(12):
        process = subprocess.Popen([TOOL, "backup", "create"], env=environment, stdout=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0.05, 0.5))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    done = run("backup", "verify", "--json")
    if backups.exists() and any(backups.glob("weather_*.zst")):
        assert {one["damaged"] for one in json.loads(done.stdout)} == {None}


def taken(days_ago: list[float]) -> Iterator[Backup]:
    last = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    for days in days_ago:
        at = last - timedelta(days=days)
        made = Manifest("", f"{days:g}", f"{at:%Y-%m-%dT%H:%M:%SZ}", "", "", "", 1, 1, Content(0, 0, None, None, 3), "")
        yield Backup(Path(f"{days:g}"), made)


@pytest.mark.parametrize(
    ("keep", "days_ago", "kept"),
    [
        (Keep(7, 0, 0), [0, 1, 2, 3, 4, 5, 6, 7, 8], "0 1 2 3 4 5 6"),
        (Keep(2, 0, 0), [0, 0.1, 1, 1.05, 2], "0 1"),
        (Keep(2, 0, 0), [30, 40, 50], "30 40"),
        (Keep(0, 0, 0), [3, 4], "3"),
        (Keep(1, 3, 0), [0, 1, 2, 3, 8, 9, 15, 30], "0 2 9"),
        (Keep(1, 0, 2), [0, 10, 23, 24, 60], "0 24"),
    ],
)
def test_what_is_kept(keep: Keep, days_ago: list[float], kept: str) -> None:
    assert " ".join(one.name for one in kept_of(list(taken(days_ago)), keep)) == kept


def test_prune_never_counts_on_a_damaged_backup(run: Run, filled: Path, backups: Path) -> None:
    first = create(run)
    second = "weather_20990101_000000.db.zst"
    newer = renamed(first, file=second, created_at="2099-01-01T00:00:00Z")
    (backups / f"{second}.json").write_text(newer.as_text())
    shutil.copy(backups / first["file"], backups / second)
    content = bytearray((backups / second).read_bytes())
    content[len(content) // 2] ^= 1
    (backups / second).write_bytes(content)
    done = run("backup", "prune", "--keep-daily", "1", "--json")
    assert json.loads(done.stdout) == {"kept": [first["file"]], "removed": [], "damaged": [second]}
    assert (backups / second).exists()


def test_prune_keeps_what_was_made_last_though_it_holds_less(run: Run, filled: Path, backups: Path) -> None:
    first = create(run)["file"]
    with open_for_writing(str(filled)) as store:
        store.add(parse(collection(feature("s1", ts=TIME + 7200))), TIME + 7260)
    most = create(run)["file"]
    assert run("restore", first, "--discard-newer").returncode == 0
    made = create(run, "--prune", "--keep-daily", "1")
    assert made["pruned"] == [first]
    assert json.loads(run("backup", "prune", "--keep-daily", "1", "--json").stdout)["removed"] == []
    assert set(names(backups)) == {name + ending for name in (most, made["file"]) for ending in ("", ".json")}


def test_prune_keeps_a_backup_for_the_release_before(run: Run, filled: Path, backups: Path) -> None:
    """After a step of the schema the newest backup that the release before can read, of the many of a day."""
    first = create(run)
    for minutes, steps in ((1, 0), (2, 1), (3, 1), (4, 2)):
        file = f"weather_{minutes}.db.zst"
        older = first["content"] | {"schema_version": VERSION - steps}
        at = datetime.fromisoformat(first["created_at"]) - timedelta(minutes=minutes)
        manifest = renamed(first, file=file, created_at=f"{at:%Y-%m-%dT%H:%M:%SZ}", content=Content(**older))
        (backups / f"{file}.json").write_text(manifest.as_text())
        shutil.copy(backups / first["file"], backups / file)
    done = run("backup", "prune", "--keep-daily", "1", "--json")
    assert json.loads(done.stdout)["kept"] == [first["file"], "weather_2.db.zst"]


def test_prune_reads_back_what_says_that_it_is_the_newest(run: Run, filled: Path, backups: Path) -> None:
    made = create(run)
    name = "weather_20260101_000000.db.zst"
    shutil.copy(backups / made["file"], backups / name)
    later = Content(**made["content"])._replace(last=f"{datetime.now(UTC) + timedelta(minutes=30):%Y-%m-%d %H:%M:%S}")
    (backups / f"{name}.json").write_text(renamed(made, file=name, content=later).as_text())
    done = run("backup", "prune", "--keep-daily", "1", "--json")
    assert json.loads(done.stdout) == {"kept": [made["file"]], "removed": [], "damaged": [name]}
