"""Backups, manifests and records that somebody made up: refused in one line, nothing of them is run or put in place."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.conftest import Run, collection, feature
from tests.databases import query
from tests.feeds import parse
from toolkit.backup.packing import unpack
from toolkit.errors import ToolkitError
from toolkit.store import open_for_writing

TIME = 1_763_827_200
NAME = "weather_20260101_000000.db.zst"


@pytest.fixture
def backups(environment: dict[str, str], tmp_path: Path) -> Path:
    """A folder of backups, and a database with one observation; each test puts its own backup there."""
    environment["WEATHER_BACKUPS"] = str(tmp_path / "backups")
    with open_for_writing(environment["WEATHER_DB"]) as store:
        store.add(parse(collection(feature("volos", ts=TIME))), TIME + 60)
    return tmp_path / "backups"


def checksummed(manifest: dict[str, Any]) -> str:
    body = {name: value for name, value in manifest.items() if name not in {"checksum", "pruned"}}
    text = json.dumps(body, sort_keys=True)
    return json.dumps({**body, "checksum": hashlib.sha256(text.encode()).hexdigest()})


def forge(run: Run, backups: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    """A backup whose manifest is right, of a database in which something was changed."""
    made = json.loads(run("backup", "create", "--json").stdout)
    packed, found = backups / made["file"], backups / "found.db"
    found.write_bytes(zstandard.ZstdDecompressor().decompressobj().decompress(packed.read_bytes()))
    with closing(sqlite3.connect(found, isolation_level=None)) as connection:
        change(connection)
    content = found.read_bytes()
    found.unlink()
    packed.write_bytes(zstandard.ZstdCompressor(write_checksum=True).compress(content))
    sha256 = hashlib.sha256(packed.read_bytes()).hexdigest()
    made |= {"sha256": sha256, "bytes": packed.stat().st_size, "bytes_unpacked": len(content)}
    packed.with_name(packed.name + ".json").write_text(checksummed(made))


def view(connection: sqlite3.Connection) -> None:
    """The view that everybody asks, with something else behind it, and without an end."""
    connection.execute("DROP VIEW observations")
    connection.execute(
        "CREATE VIEW observations AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    )


def table(connection: sqlite3.Connection) -> None:
    """A table that is a view."""
    connection.execute("DROP TABLE observation")
    connection.execute("CREATE VIEW observation AS SELECT * FROM stations")


FORGED: dict[str, tuple[str | Callable[[sqlite3.Connection], object], str]] = {
    "trigger": (
        "CREATE TRIGGER silent BEFORE INSERT ON observation BEGIN SELECT RAISE(IGNORE); END", "trigger silent is not"
    ),
    "view": (view, "view observations is another one"),
    "table": ("CREATE TABLE more (text)", "table more is not of this program"),
    "index": ("CREATE INDEX slow ON observation (abs(station))", "index slow is not of this program"),
    "column": ("ALTER TABLE stations ADD COLUMN more TEXT", "table stations is another one"),
    "gone": ("DROP TABLE counters", "table counters is gone"),
    "kind": (table, "table observation is gone"),
    "name": ('CREATE VIEW "a\x1b[31m\nb" AS SELECT 1', "b is not of this program"),
}  # fmt: skip


@pytest.mark.parametrize("what", FORGED)
def test_a_foreign_schema_is_named_and_nothing_is_put_in_place(
    run: Run, backups: Path, environment: dict[str, str], what: str
) -> None:
    change, says = FORGED[what]
    statement = str(change)
    forge(run, backups, change if callable(change) else lambda connection: connection.execute(statement))
    before = Path(environment["WEATHER_DB"]).read_bytes()
    for words in (("restore", "LATEST"), ("backup", "verify")):
        done = run(*words)
        assert done.returncode == 1
        assert says in done.stdout + done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert Path(environment["WEATHER_DB"]).read_bytes() == before


def test_what_was_added_to_the_database_is_left_out_of_a_backup(
    run: Run, backups: Path, environment: dict[str, str]
) -> None:
    with closing(sqlite3.connect(environment["WEATHER_DB"], isolation_level=None)) as connection:
        view(connection)
        connection.execute("CREATE TABLE mine (text)")
        connection.execute("CREATE INDEX mine_too ON stations (latitude)")
    done = run("backup", "create")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("is not of this program: left out of the backup") == 3
    assert run("restore", "LATEST").returncode == 0
    assert query(environment["WEATHER_DB"], "SELECT COUNT(*) FROM observations") == [(1,)]


def test_an_old_database_that_is_something_else_is_not_asked(
    run: Run, backups: Path, environment: dict[str, str]
) -> None:
    assert run("backup", "create").returncode == 0
    with closing(sqlite3.connect(environment["WEATHER_DB"], isolation_level=None)) as connection:
        table(connection)
    told = json.loads(run("restore", "LATEST", "--json").stdout)
    assert told["unreadable"] == ["all of it: observation is a view"]


WRONG: dict[str, object] = {
    "created_at": "yesterday", "bytes": -1, "bytes_unpacked": 0, "sha256": "x", "host": 7, "source": None, "file": "../x",
    "content": None, "program_version": [],
}  # fmt: skip
CONTENT: dict[str, object] = {"stations": 1.5, "observations": True, "first": 3, "last": {}, "schema_version": -1}


def kinds(whole: dict[str, Any]) -> dict[str, bytes]:
    """Manifests that are none."""
    found = {name: checksummed({**whole, name: value}).encode() for name, value in WRONG.items()}
    for name, value in CONTENT.items():
        found[f"content {name}"] = checksummed({**whole, "content": {**whole["content"], name: value}}).encode()
    found |= {"huge number": checksummed({**whole, "bytes_unpacked": 10**30}).encode(), "none": b"", "list": b"[]"}
    found |= {"deep": b"[" * 30_000, "bytes": b"\xff\xfe", "NaN": json.dumps({**whole, "bytes": float("nan")}).encode()}
    return {**found, "large": b" " * (100 << 20)}


def test_a_manifest_that_is_none_is_one_line_everywhere(run: Run, backups: Path) -> None:
    made = json.loads(run("backup", "create", "--json").stdout)
    whole = json.loads((backups / f"{made['file']}.json").read_text())
    wrong = kinds(whole)
    for number, content in enumerate(wrong.values()):
        name = f"weather_20260101_{number:06d}.db.zst"
        shutil.copy(backups / made["file"], backups / name)
        text = content.replace(made["file"].encode(), name.encode())
        (backups / f"{name}.json").write_bytes(text)
    odd = [backups / f"weather_20260102_{number:06d}.db.zst" for number in range(4)]
    os.mkfifo(odd[0])
    odd[1].mkdir()
    odd[2].symlink_to(backups / made["file"])
    shutil.copy(backups / made["file"], odd[3])
    os.mkfifo(f"{odd[3]}.json")
    number_wrong = len(wrong) + len(odd)
    listed = json.loads(run("backup", "list", "--json").stdout)
    assert [one["file"] for one in listed if "damaged" not in one] == [made["file"]]
    assert len(listed) == number_wrong + 1
    done = run("backup", "verify")
    assert done.stderr == f"weather-tool: {number_wrong} of {number_wrong + 1} backups cannot be restored\n"
    assert len(done.stdout.splitlines()) == number_wrong + 1
    assert run("backup", "prune", "--keep-daily", "1").returncode == 0
    assert len(json.loads(run("backup", "list", "--json").stdout)) == number_wrong + 1
    (backups / "drill.json").write_text('{"schema": 1, "ended_at": "soon"}')
    metrics = run("metrics").stdout
    assert f"weather_backups_damaged {number_wrong}.0" in metrics
    assert "weather_backup_age_seconds" in metrics
    assert "is not the record of a drill" in run("doctor", "--area", "backup").stdout
    assert run("restore", "LATEST").returncode == 0


def test_a_bomb_is_refused_before_the_disk_is_full(run: Run, backups: Path) -> None:
    made = json.loads(run("backup", "create", "--json").stdout)
    packed = backups / made["file"]
    packed.write_bytes(zstandard.ZstdCompressor().compress(bytes(300 << 20)))
    made |= {"bytes": packed.stat().st_size, "sha256": hashlib.sha256(packed.read_bytes()).hexdigest()}
    packed.with_name(packed.name + ".json").write_text(checksummed(made))
    done = run("restore", "LATEST")
    assert "does not unpack to the" in done.stderr
    packed.write_bytes(packed.read_bytes() * 2)  # what only its first part tells the size of
    made |= {"bytes": packed.stat().st_size, "bytes_unpacked": 300 << 20}
    packed.with_name(packed.name + ".json").write_text(checksummed(made))
    assert "unpacks to more than the" in run("restore", "LATEST").stderr


def test_a_backup_that_cannot_be_read_back_hides_no_other(run: Run, backups: Path) -> None:
    made = json.loads(run("backup", "create", "--json").stdout)
    kinds: dict[str, dict[str, Any]] = {
        "weather_20260101_000000.db.zst": {"bytes_unpacked": 1 << 50},
        "weather_20260101_000001.db.zst": {"content": {**made["content"], "stations": 7}},
    }
    for name, change in kinds.items():
        shutil.copy(backups / made["file"], backups / name)
        (backups / f"{name}.json").write_text(checksummed({**made, "file": name, **change}))
    done = run("backup", "verify")
    assert done.stderr == "weather-tool: 2 of 3 backups cannot be restored\n"
    assert f"whole: {made['file']}" in done.stdout
    assert f"weather_20260101_000000.db.zst does not unpack to the {1 << 50} bytes" in done.stdout
    assert "weather_20260101_000001.db.zst is not what was expected: stations is 1, not 7" in done.stdout


def test_a_full_disk_is_not_called_damage(tmp_path: Path) -> None:
    packed = tmp_path / NAME
    packed.write_bytes(zstandard.ZstdCompressor().compress(bytes(1 << 20)))
    with pytest.raises(ToolkitError, match="cannot unpack into /dev: no space left on device") as said:
        unpack(packed, Path("/dev/full"), "", 1 << 20)
    assert said.type is ToolkitError


def test_a_packed_database_of_something_else_is_refused(run: Run, backups: Path, tmp_path: Path) -> None:
    other = tmp_path / "weather_20250701_121500.db"
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE stations (station_id TEXT)")
        connection.execute(
            "CREATE VIEW observations AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT i AS time, i AS station_id FROM n WHERE i < 0"
        )
    packed = tmp_path / f"{other.name}.gz"
    packed.write_bytes(gzip.compress(other.read_bytes()))
    done = run("restore", str(packed))
    assert (done.returncode, "it has no tables stations and observations" in done.stderr) == (1, True)


def test_no_remedy_removes_what_a_newer_release_could_read(run: Run, tmp_path: Path) -> None:
    assert run("collect", "--once").returncode == 0
    folder = tmp_path / "backups"
    assert run("backup", "create", WEATHER_BACKUPS=str(folder)).returncode == 0
    (manifest,) = folder.glob("*.json")
    manifest.write_text(manifest.read_text().replace("weather-toolkit/backup/1", "weather-toolkit/backup/9"))
    told = json.loads(run("doctor", "--area", "backup", "--json", WEATHER_BACKUPS=str(folder)).stdout)
    (remedy,) = [one["remedy"] for one in told["causes"] if one["id"] == "backup-whole"]
    assert "rm " not in remedy
    move = remedy.replace("runuser -u weather -- ", "").rpartition(" && systemctl ")[0]
    subprocess.run(["sh", "-c", move], check=True)
    assert {one.name for one in (folder / "damaged").iterdir()} == {manifest.name, manifest.stem}
    assert "there is no backup" in run("backup", "list", WEATHER_BACKUPS=str(folder)).stdout
