"""Clocks lie: no observation, no backup and no report is lost, and what is wrong is said. The rule is docs/clocks.md."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.clocks import DAY, HOUR, OFF, YEAR, off
from tests.conftest import TOOL, Feed, Run, collection, feature
from tests.databases import query
from tests.feeds import parse
from toolkit import clock, times
from toolkit.backup.folder import Backup, newest_first
from toolkit.backup.manifest import Content, Manifest
from toolkit.store import open_for_writing

KEEP = ("--prune", "--keep-daily", "3")


@pytest.fixture
def db(environment: dict[str, str], tmp_path: Path) -> str:
    """A database that is not there yet, with short retention of everything."""
    environment |= {"WEATHER_BACKUPS": str(tmp_path / "backups"), "WEATHER_REPORTS": str(tmp_path / "reports")}
    environment |= {"WEATHER_DATA_DAYS": "10", "WEATHER_REPORT_DAYS": "10", "WEATHER_PAGE_DAYS": "10"}
    return environment["WEATHER_DB"]


def observe(db: str, *days_ago: float) -> None:
    """Store an observation of some days ago, at the time."""
    with open_for_writing(db) as store:
        for days in days_ago:
            at = int(time.time() - days * DAY - HOUR)
            store.add(parse(collection(feature("volos", ts=at))), at + 60)


def listed(run: Run) -> list[tuple[str, int]]:
    told = json.loads(run("backup", "list", "--json").stdout)
    return [(one["file"], one["content"]["observations"]) for one in told]


def number(db: str) -> int:
    return int(query(db, "SELECT COUNT(*) FROM observations")[0][0])


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of ten days up to an hour ago, and the backups of the last three nights."""
    folder = tmp_path_factory.mktemp("history")
    db = str(folder / "weather.db")
    observe(db, 9, 8, 7, 6, 5, 4, 3)
    command = [TOOL, "backup", "create", "--folder", str(folder / "backups"), "--db", db]
    for days in (3, 2, 1):
        subprocess.run(command, check=True, env={**os.environ, **off(-days * DAY)}, stdout=subprocess.DEVNULL)
        observe(db, days - 1)
    return folder


@pytest.mark.parametrize("name", OFF)
def test_a_night_with_a_wrong_clock_loses_nothing(
    run: Run, db: str, feed: Feed, history: Path, tmp_path: Path, name: str
) -> None:
    shift = OFF[name]
    behind = shift is None or shift <= -DAY
    shutil.copytree(history, tmp_path, dirs_exist_ok=True)
    before, held = listed(run), number(db)
    feed.body = collection(feature("volos", ts=int(time.time())))
    wrong = off(shift)

    stored = run("collect", "--once", **wrong)
    assert "1 new observations" in stored.stderr, stored.stderr
    made = run("backup", "create", *KEEP, **wrong)
    assert made.returncode == 0, made.stderr
    kept = run("maintain", **wrong)
    assert kept.returncode == (1 if behind else 0), kept.stderr
    assert ("nothing is removed: this host's clock says" in kept.stderr) is behind
    assert run("backup", "prune", "--keep-daily", "3", **wrong).returncode == (1 if behind else 0)
    run("detect", "--save", str(tmp_path / "reports/report_%Y%m%d_%H%M%S.json"), **wrong)
    (report,) = (tmp_path / "reports").glob("*.json")
    ends = times.parse(json.loads(report.read_text())["window"]["end"]).timestamp()
    assert abs(ends - time.time() - max(shift or 0, 0)) < HOUR, (
        "the newest observation is the present for a clock behind"
    )
    assert run("restore", "--drill", **wrong).returncode == 0

    assert number(db) == held + 1
    newest = listed(run)[0]
    if name == "+10y":
        assert newest == before[0], "what is dated ten years ahead is not LATEST"
    else:
        assert newest == (made.stdout.partition(",")[0], held + 1)
    # A night more is a night less of the oldest, but not for a clock that nobody believes.
    # Of a day the newest is kept: soon after midnight a clock that is an hour behind makes another one of yesterday.
    nights = [one for one in before[:2] if one[0][:16] != newest[0][:16]]
    assert set(before if behind or name == "+10y" else nights) <= set(listed(run))
    assert run("maintain").returncode == 0
    assert report.exists()


# Which findings a clock that is off by so much has, besides that of the feed's server.
FOUND = {
    "+10y": ["observations-fresh", "backup-recent"],
    "1970": ["clock-after-release", "observations-not-ahead", "backup-not-ahead", "backup-recent"],
}


@pytest.mark.parametrize("name", FOUND)
def test_what_is_wrong_is_found_and_no_age_is_taken_for_fresh(run: Run, db: str, feed: Feed, name: str) -> None:
    observe(db, -0.04)
    feed.body = collection(feature("volos", ts=int(time.time())))
    assert run("backup", "create").returncode == 0
    wrong = off(OFF[name])
    metrics = run("metrics", **wrong).stdout  # those of the doctor's checks, too
    failed = re.findall(r'^weather_check_status\{.*check="([^"]+)".*\} [12]\.0$', metrics, re.MULTILINE)
    assert set(FOUND[name]) <= set(failed)
    health = run("healthcheck", **wrong)
    assert (health.returncode, "0 seconds old" in health.stdout) == (2, False)
    shift = 30 - time.time() if OFF[name] is None else OFF[name]
    for age in ("weather_data_age_seconds", "weather_backup_age_seconds"):
        (value,) = re.findall(rf"^{age} (\S+)$", metrics, re.MULTILINE)
        assert float(value) == pytest.approx(shift, abs=HOUR / 2)


def test_a_clock_that_went_back_overwrites_no_report(run: Run, db: str, tmp_path: Path) -> None:
    observe(db, 0)
    for _ in range(2):
        run("detect", "--save", str(tmp_path / "reports/report_%Y%m%d_%H%M%S.json"), **off(None))
    assert len(list((tmp_path / "reports").iterdir())) == 2
    for _ in range(2):
        run("detect", "--save", str(tmp_path / "newest.json"))
    assert len(list(tmp_path.glob("newest*"))) == 1


@pytest.mark.parametrize(
    ("host", "server", "newest", "present"),
    [
        (0, None, None, 0),
        (0, DAY, None, DAY),
        (0, 6 * YEAR, None, 0),  # a server of years ahead is not believed
        (-6 * YEAR, 0, None, 0),  # a host that is before its own release is not
        (-30 * DAY, 0, 0, 0),  # nor one that is long before what it has kept
        (-30 * DAY, 0, None, -30 * DAY),
        (0, 6 * YEAR, 7 * DAY + 600, 0),  # what a wrong server brought about in the store is no ladder
        (10 * YEAR, 0, 0, 10 * YEAR),
    ],
)
def test_whose_time_is_believed(host: float, server: float | None, newest: float | None, present: float) -> None:
    base = clock.RELEASED + YEAR
    known = [moment if moment is None else base + moment for moment in (server, newest)]
    assert clock.present(base + host, *known) == base + present


@pytest.mark.parametrize(
    ("server", "newest", "stations", "present"),
    [
        (None, None, 6 * DAY, 6 * DAY),
        (-2 * YEAR, None, 6 * DAY, 6 * DAY),  # a server of 1970
        (YEAR, None, 60, 60),  # one of years ahead
        (0, None, 6 * DAY, 0),  # a server that is believed has the word
        (None, None, 8 * DAY, 0),
        (None, 8 * DAY, 8 * DAY, 8 * DAY),
    ],
)
def test_stations_tell_the_present_where_no_server_does(
    server: float | None, newest: float | None, stations: float, present: float
) -> None:
    base = clock.RELEASED + YEAR
    known = [moment if moment is None else base + moment for moment in (server, newest, stations)]
    assert clock.present(base, *known) == base + present


@pytest.mark.parametrize("shift", [-HOUR, -DAY, None])
@pytest.mark.parametrize("date", ["", "Thu, 01 Jan 1970 00:00:30 GMT"])
def test_a_clock_behind_loses_nothing_of_a_server_without_one(
    run: Run, db: str, feed: Feed, monkeypatch: pytest.MonkeyPatch, shift: float | None, date: str
) -> None:
    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda *_: date)
    now = int(time.time())
    told = {"volos": now, "larissa": now - 60, "trikala": now + 3 * YEAR, "old": clock.RELEASED - YEAR}
    feed.body = collection(*(feature(name, ts=int(at)) for name, at in told.items()))
    assert "3 new observations, 1 left out" in run("collect", "--once", **off(shift)).stderr
    doctor = run("doctor", "--all", **off(shift)).stdout
    assert not re.search(r"OK +(clock-right|feed-current|observations-fresh)\b", doctor), doctor


def test_a_server_whose_clock_is_behind_is_named_and_not_the_hosts(
    run: Run, db: str, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda *_: formatdate(now - 2400, usegmt=True))
    feed.body = collection(*(feature(name, ts=int(now) - 60) for name in ("volos", "larissa", "trikala")))
    run("collect", "--once")
    doctor = run("doctor", "--area", "clock").stdout
    assert "the feed server's clock is 40 minutes behind this host's" in doctor
    assert "timedatectl set-ntp" not in doctor


def test_an_import_by_a_host_of_1970_takes_the_rows_of_today(run: Run, db: str, tmp_path: Path) -> None:
    now = time.time()
    rows = [f"{times.stored(now - hours * HOUR)},volos,1" for hours in range(48)]
    rows += [f"{times.stored(now)},larissa,1", f"{times.stored(now + YEAR)},trikala,1"]
    (tmp_path / "i.csv").write_text("\n".join(["time,station_id,temp_out", *rows]))
    done = run("data", "import", str(tmp_path / "i.csv"), **off(None))
    assert number(db) == 49, done.stderr


def test_a_server_of_years_ahead_is_not_believed(run: Run, db: str, feed: Feed) -> None:
    ahead = int(time.time()) + 6 * YEAR
    feed.headers = {"Date": formatdate(ahead, usegmt=True)}
    feed.body = collection(feature("volos", ts=ahead), feature("larissa", ts=int(time.time())))
    run("collect", "--once")
    assert query(db, "SELECT station_id FROM observations JOIN stations USING (station_id)") == [("larissa",)]
    (message,) = query(db, "SELECT message FROM collection_log")[0]
    assert "1 time in the future" in message


def test_a_correction_after_the_clock_was_ahead_is_taken(db: str, run: Run, request: pytest.FixtureRequest) -> None:
    """Also by PostgreSQL, where an older document does not change a row of a newer one."""
    now = int(time.time()) - HOUR
    for store_of in (db, request.getfixturevalue("postgresql").database("ahead")):
        with open_for_writing(store_of) as store:
            store.add(parse(collection(feature("volos", ts=now))), now + DAY)
            store.add(parse(collection(feature("volos", ts=now, temp_out=1.5))), now + 60)
            store.log_failure("of a wrong clock", now + YEAR, "feed")
            store.log_failure("of the right one", now + 120, "feed")
            assert store.log(1)[0].message == "of the right one"
        assert query(store_of, "SELECT temp_out FROM observations") == [(1.5,)]
    # A restore takes over the later word, whatever the clock said of it.
    with open_for_writing(db) as store:
        store.add(parse(collection(feature("volos", ts=now))), now + DAY)
        assert run("backup", "create").returncode == 0
        store.add(parse(collection(feature("volos", ts=now, temp_out=2.5))), now + 60)
    assert run("restore", "LATEST", **off(None)).returncode == 0
    assert query(db, "SELECT temp_out FROM observations") == [(2.5,)]


def backup_of(created: float, last: float) -> Backup:
    held = Content(1, 1, times.stored(last), times.stored(last), 1)
    return Backup(Path("x"), Manifest("", "x", times.iso(times.from_epoch(created)), "", "", "", 1, 1, held, ""))


@pytest.mark.parametrize(
    ("made", "order"),  # days from now: each one's date, and its newest observation
    [
        ([(-2, -2), (-1, -1)], "10"),
        ([(-2, -2), (365, -3), (-1, -1)], "201"),  # a clock that was a year ahead
        ([(-2, -2), (2, -1.5), (-1, -1)], "210"),  # one that was four days ahead
        ([(-1, -1), (1, -1)], "01"),  # of two that hold the same
        ([(-2, -1), (-1, -1)], "10"),  # the feed was down
        ([(-2, -2), (-1, 2000)], "10"),  # an observation of years ahead tells nothing
        ([(0.5, 0.5), (0.2, 0.2)], "01"),  # this host is behind
    ],
)
def test_which_backup_is_the_newest(made: list[tuple[float, float]], order: str) -> None:
    now = clock.RELEASED + YEAR
    backups = [backup_of(now + created * DAY, now + last * DAY) for created, last in made]
    assert "".join(str(backups.index(one)) for one in newest_first(backups, now)) == order


def test_which_backup_is_the_newest_for_a_host_in_1970() -> None:
    base = clock.RELEASED + YEAR
    backups = [backup_of(base, base - DAY), backup_of(base + DAY, base)]
    assert newest_first(backups, 30) == backups[::-1]
