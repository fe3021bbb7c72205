"""Retention, on each engine."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.clocks import YEAR, off
from tests.collector import service
from tests.conftest import Feed, Run, collection, feature
from tests.databases import query
from tests.feeds import parse
from toolkit.store import open_for_writing

DAY = 86400


def fill(db: str, days: int, stations: int) -> None:
    """One observation of each station a day, up to now."""
    now = int(time.time())
    with open_for_writing(db) as store:
        for day in range(days):
            at = now - day * DAY - 60
            store.add(parse(collection(*(feature(f"s{number}", ts=at) for number in range(stations)))), at)


@pytest.fixture
def reports(tmp_path: Path, environment: dict[str, str]) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    environment["WEATHER_REPORTS"] = str(folder)
    for name, age in (("0.json", 0), ("89.json", 89), ("91.json", 91), ("29.html", 29), ("31.html", 31)):
        report = folder / f"report_{name}"
        report.touch()
        os.utime(report, (time.time() - age * DAY,) * 2)
    (folder / "notes.txt").touch()
    os.utime(folder / "notes.txt", (0, 0))
    return folder


def test_what_is_older_goes_and_the_rest_stays(db: str, run: Run, reports: Path) -> None:
    fill(db, days=10, stations=3)
    would = run("maintain", "--dry-run", "--data-days", "4", WEATHER_DB=db)
    assert would.stdout == "would remove 18 observations, 2 reports\n"
    assert query(db, "SELECT COUNT(*) FROM observations") == [(30,)]
    done = run("maintain", "--data-days", "4", "--log-days", "2", "--json", WEATHER_DB=db)
    assert json.loads(done.stdout) == {"observations": 18, "log_lines": 8, "reports": 2}
    assert query(db, "SELECT COUNT(*) FROM observations") == [(12,)]
    assert query(db, "SELECT COUNT(*) FROM collection_log") == [(2,)]
    left = ["notes.txt", "report_0.json", "report_29.html", "report_89.json"]
    assert sorted(path.name for path in reports.iterdir()) == left


def test_nothing_is_removed_unless_asked(db: str, run: Run, reports: Path) -> None:
    fill(db, days=3, stations=1)
    assert run("maintain", "--report-days", "0", WEATHER_DB=db, WEATHER_PAGE_DAYS="0").stdout.startswith(
        "removed 0 observations, 0 lines"
    )
    assert query(db, "SELECT COUNT(*) FROM observations") == [(3,)]
    assert len(list(reports.iterdir())) == 6


def test_no_database_is_made(run: Run, environment: dict[str, str]) -> None:
    done = run("maintain")
    assert done.returncode == 1
    assert "there is no database" in done.stderr
    assert not Path(environment["WEATHER_DB"]).exists()


def test_a_collector_goes_on_meanwhile(
    db: str, run: Run, feed: Feed, environment: dict[str, str], tmp_path: Path, reports: Path
) -> None:
    environment |= {"WEATHER_DB": db, "WEATHER_CADENCE_SECONDS": "1"}
    fill(db, days=40, stations=2000)
    size = Path(db).stat().st_size if "://" not in db else 0
    with service(environment, tmp_path) as running:
        running.wait_for("1 new")
        feed.body = collection(feature("volos", ts=int(time.time())))
        assert run("maintain", "--data-days", "2").stdout.startswith("removed 76001 observations")
        running.wait_for("1 new")
        log = running.stop()
    assert "spool" not in log, log
    assert query(db, "SELECT COUNT(*) FROM observations WHERE station_id = 'volos'") == [(1,)]
    if size:
        assert Path(db).stat().st_size < size / 4


def test_what_is_no_report_of_ours_is_left_alone(db: str, run: Run, reports: Path) -> None:
    fill(db, days=1, stations=1)
    odd = [reports / f"report_{name}" for name in ("dangling.json", "folder.json", "pipe.html")]
    odd[0].symlink_to(reports / "nothing")
    odd[1].mkdir()
    os.mkfifo(odd[2])
    odd.append(reports / "report_19700101_000030.json")  # of a clock that was not set yet: its age is not known
    odd[3].touch()
    for path in odd:
        os.utime(path, (30, 30), follow_symlinks=False)
    done = run("maintain", WEATHER_DB=db)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(" 2 reports\n")
    assert all(os.path.lexists(path) for path in odd)


def test_a_clock_that_is_ahead_removes_nothing_that_is_not_old_beside_the_newest(
    db: str, run: Run, reports: Path
) -> None:
    fill(db, days=10, stations=1)
    ahead = off(10 * YEAR)
    done = run("maintain", "--data-days", "12", "--log-days", "12", "--json", WEATHER_DB=db, **ahead)
    assert json.loads(done.stdout) == {"observations": 0, "log_lines": 0, "reports": 2}
    assert "ages are reckoned from it, not from the clock" in done.stderr
    done = run("maintain", "--data-days", "4", WEATHER_DB=db, **off(None))
    assert done.returncode == 1
    assert "nothing is removed: this host's clock says 1970-01-01" in done.stderr
    assert query(db, "SELECT COUNT(*) FROM observations") == [(10,)]
