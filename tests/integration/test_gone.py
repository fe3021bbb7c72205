"""A database that is gone is missed: none is made in its place until a person says so, and nothing is lost meanwhile."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.ledger import Ledger
from tests.collector import service
from tests.conftest import Feed, Run
from tests.postgresql import Server


def gone(db: Path) -> None:
    for path in db.parent.glob(f"{db.name}*"):
        if path.is_file():
            path.unlink()


def empty(db: Path) -> None:
    gone(db)
    db.touch()


def counted(db: str) -> int:
    with sqlite3.connect(db) as connection:
        number: int = connection.execute("SELECT COUNT(*) FROM observations").fetchone()[0]
    connection.close()
    return number


@pytest.fixture
def quick(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return {**environment, "WEATHER_CADENCE_SECONDS": "1", "WEATHER_BACKUPS": str(tmp_path / "backups")}


@pytest.mark.parametrize("lose", [gone, empty])
def test_documents_wait_until_the_database_is_back(
    run: Run, quick: dict[str, str], feed: Feed, tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    db = Path(quick["WEATHER_DB"])
    ledger = Ledger(feed, stations=20)
    ledger.publish()
    with service(quick, tmp_path) as running:
        running.wait_for("20 new")
        running.stop()
    assert run("backup", "create", **quick).returncode == 0
    lose(db)
    with service(quick, tmp_path) as running:
        said = running.wait_for("documents wait")
        assert "weather-tool restore LATEST" in said
        assert "weather-tool data new" in said
        ledger.publish()
        running.wait_for("2 documents wait")
        assert not db.exists() or not db.stat().st_size
        running.stop()
    for command in (("collect", "--once"), ("data", "import", "-")):
        refused = run(*command, **quick)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr
        assert "none is made in its place unasked" in refused.stderr
    told = json.loads(run("doctor", "--json", **quick).stdout)["causes"][0]
    assert (told["id"], told["remedy"]) == ("database-exists", "weather-tool restore LATEST")
    assert run("restore", "LATEST", **quick).returncode == 0
    with service(quick, tmp_path) as running:
        ledger.wait_until_stored(str(db), running)
        running.stop()
    ledger.compare(str(db))


def test_it_vanishes_under_a_collector_that_is_up(quick: dict[str, str], feed: Feed, tmp_path: Path, run: Run) -> None:
    db = Path(quick["WEATHER_DB"])
    ledger = Ledger(feed, stations=20)
    ledger.publish()
    with service(quick, tmp_path) as running:
        running.wait_for("20 new")
        gone(db)
        ledger.publish()
        running.wait_for("is gone, and there were observations in it")
        assert not db.exists()
        begun = run("data", "new", **quick)
        assert (begun.returncode, begun.stderr) == (0, "")
        running.wait_for("20 stations, 21 new")
        running.stop()
    again = run("data", "new", **quick)
    assert (again.returncode, "nothing is to be begun" in again.stderr) == (1, True)
    assert counted(str(db)) == 21


def test_a_backup_remembers_a_database_whose_whole_disk_is_gone(
    run: Run, quick: dict[str, str], tmp_path: Path
) -> None:
    quick["WEATHER_DB"] = str(tmp_path / "disk/weather.db")
    (tmp_path / "disk").mkdir()
    assert run("collect", "--once", **quick).returncode == 0
    assert run("backup", "create", **quick).returncode == 0
    for path in sorted((tmp_path / "disk").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert run("collect", "--once", **quick).returncode == 1
    # Another database is another matter: who names it says so.
    assert run("collect", "--once", **{**quick, "WEATHER_DB": str(tmp_path / "other.db")}).returncode == 0


def test_the_tables_of_a_server_are_gone(run: Run, quick: dict[str, str], postgresql: Server, tmp_path: Path) -> None:
    import psycopg

    quick |= {"WEATHER_DB": postgresql.database("gone"), "WEATHER_SPOOL": str(tmp_path / "spool")}
    assert run("collect", "--once", **quick).returncode == 0
    with psycopg.connect(quick["WEATHER_DB"]) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    refused = run("collect", "--once", **quick)
    assert (refused.returncode, "its tables are gone" in refused.stderr) == (1, True), refused.stderr
    assert run("data", "new", **quick).returncode == 0
    assert run("collect", "--once", **quick).returncode == 0
