from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import TOOL, Feed, Run, collection, feature
from tests.databases import query, to_schema
from tests.postgresql import Server
from toolkit.store.sqlite_schema import VERSION


def stored_minutes_ago(run: Run, feed: Feed, environment: dict[str, str], minutes: float) -> None:
    now = datetime.now(UTC)
    feed.body = collection(feature("volos", ts=int(now.timestamp())))
    assert run("collect", "--once").returncode == 0
    connection = sqlite3.connect(environment["WEATHER_DB"], isolation_level=None)
    connection.execute("UPDATE observations SET time = ?", (f"{now - timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}",))
    connection.close()


@pytest.mark.parametrize(
    ("minutes", "code", "says"),
    [(0, 0, "OK"), (14, 0, "OK"), (16, 2, "16 minutes old"), (-180, 2, "3 hours in the future")],
)
def test_health_is_judged_on_the_time_of_observation_in_utc(
    run: Run, feed: Feed, environment: dict[str, str], minutes: float, code: int, says: str
) -> None:
    stored_minutes_ago(run, feed, environment, minutes)
    for zone in ("UTC", "Europe/Athens", "America/New_York"):
        done = run("healthcheck", TZ=zone)
        assert done.returncode == code, done.stdout
        assert re.fullmatch(
            rf"WEATHER (OK|CRITICAL) - .*{says}.* \| age=\d+s;900;900;0 stations=1;;;0;1\n|WEATHER OK - .*\n",
            done.stdout,
        )
        assert says in done.stdout


def test_looking_at_health_creates_nothing_and_names_the_cause(run: Run, tmp_path: Path) -> None:
    done = run("healthcheck")
    assert done.returncode == 2
    assert "there is no database" in done.stdout
    (tmp_path / "weather.db").touch()
    assert "is empty" in run("healthcheck").stdout
    assert [file.name for file in tmp_path.iterdir()] == ["weather.db"]
    assert (tmp_path / "weather.db").stat().st_size == 0


def test_a_locked_database_is_called_locked(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    stored_minutes_ago(run, feed, environment, 0)
    holder = sqlite3.connect(environment["WEATHER_DB"], isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("INSERT INTO collection_log VALUES ('', '', 0, 0, '', NULL, NULL)")
    done = run("healthcheck")
    holder.execute("ROLLBACK")
    holder.close()
    assert done.returncode == 2
    assert "write lock" in done.stdout


def test_settings_are_shown_with_their_origin(run: Run, environment: dict[str, str]) -> None:
    Path(environment["WEATHER_ENV_FILE"]).write_text("WEATHER_WINDOW_HOURS=12\nWEATHER_WINDW_HOURS=3\n")
    done = run("settings", "--json")
    shown = json.loads(done.stdout)
    assert shown["WEATHER_WINDOW_HOURS"] == {"value": "12", "from": f"{environment['WEATHER_ENV_FILE']} line 1"}
    assert shown["WEATHER_CADENCE_SECONDS"] == {"value": "600", "from": "default"}
    assert "did you mean WEATHER_WINDOW_HOURS?" in done.stderr
    assert "WEATHER_WINDOW_HOURS\t12\t" in run("settings").stdout


def test_help_teaches_and_a_misspelt_command_is_corrected(run: Run) -> None:
    commands = run("--help").stdout
    for name in ("collect", "detect", "healthcheck", "settings", "simulate"):
        assert name in commands
        assert run(name, "--help").returncode == 0
    done = run("colect")
    assert (done.returncode, done.stderr) == (2, "weather-tool: there is no command 'colect'; did you mean collect?\n")
    assert run().returncode == 2


@pytest.mark.parametrize("words", [["--help"], ["healthcheck"], ["collect", "--help"]])
def test_what_must_start_fast_loads_nothing_heavy(environment: dict[str, str], words: list[str]) -> None:
    code = f"import sys; sys.argv[1:] = {words!r}\nfrom toolkit.cli.main import main\ntry: main()\nexcept SystemExit: pass\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"numpy", "pandas", "statsmodels", "scipy", "rich", "requests"}


def test_a_reader_that_leaves_is_no_error(environment: dict[str, str]) -> None:
    script = f"{TOOL} settings | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {script}"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_simulate_serves_the_feed_with_the_headers_of_a_good_server(environment: dict[str, str]) -> None:
    words = [
        TOOL,
        "simulate",
        "--port",
        "0",
        "--start=-7h",
        "--speed",
        "300",
        "--fault",
        "station=volos,kind=silent,at=-8h",
    ]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().split()[0].rstrip(":")
        with urllib.request.urlopen(url) as answer:
            document = json.load(answer)
            assert answer.headers["Last-Modified"]
            assert answer.headers["Cache-Control"] in {"max-age=1", "max-age=2"}
            etag = answer.headers["ETag"]
        assert len(document["features"]) == 13
        request = urllib.request.Request(url, headers={"If-None-Match": etag})
        try:
            urllib.request.urlopen(request).close()
        except urllib.error.HTTPError as error:
            assert error.code == 304
            error.close()
        process.terminate()
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--fault", "station=volos,kind=melted"], "kind=melted: give one of spike"),
        (["--replay", "/none.csv"], "cannot read the recording /none.csv"),
        (["--stations", "/none.csv"], "cannot read the stations in /none.csv"),
        (["--start", "soon"], "'soon' is not a time"),
        (["--speed", "0"], "must be above 0"),
    ],
)
def test_simulate_names_what_is_wrong(run: Run, words: list[str], says: str) -> None:
    done = run("simulate", "--once", *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_said(run: Run, feed: Feed) -> None:
    done = run("simulate", "--port", str(feed.port))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{feed.port}: " in done.stderr


def test_a_release_can_be_tried_before_it_runs(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    assert "there is no database yet" in run("preflight").stdout
    assert run("collect", "--once").returncode == 0
    assert json.loads(run("preflight", "--json").stdout)["schema"] == {"now": VERSION, "after": VERSION}
    to_schema(environment["WEATHER_DB"], 2)
    connection = sqlite3.connect(environment["WEATHER_DB"], isolation_level=None)
    assert f"schema 2 becomes {VERSION}" in run("preflight").stdout
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    connection.execute("CREATE TABLE anomalies (a)")
    done = run("preflight")
    assert (done.returncode, f"the step from schema 2 to {VERSION} fails: " in done.stderr) == (1, True)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    done = run("preflight")
    assert done.returncode == 3
    assert f"has schema {VERSION + 1}, this release knows up to {VERSION}" in done.stderr
    assert run("preflight", WEATHER_WINDOW_HOURS="many").returncode == 2


def test_a_database_that_backups_could_not_carry_is_refused_before_it_is_filled(run: Run, postgresql: Server) -> None:
    db = postgresql.database("ascii", "SQL_ASCII")
    for command in (("preflight",), ("collect", "--once")):
        done = run(*command, WEATHER_DB=db)
        assert done.returncode != 0
        assert "has the encoding SQL_ASCII, which backups cannot carry" in done.stderr
    assert query(db, "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_a_gate_waits_until_nothing_is_critical_and_no_longer_than_it_may(
    run: Run, feed: Feed, environment: dict[str, str]
) -> None:
    stored_minutes_ago(run, feed, environment, 60)
    done = run("healthcheck", "--wait", "1")
    assert (done.returncode, done.stdout.splitlines()[-1].startswith("not so within 1 s")) == (2, True)
    stored_minutes_ago(run, feed, environment, 1)
    assert run("healthcheck", "--wait", "1").returncode == 0
