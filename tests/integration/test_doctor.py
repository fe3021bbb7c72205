"""The doctor where nothing of the service is: as any user, on a machine of any kind, with anything broken."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import Feed, Run, collection, feature
from tests.integration.test_commands import stored_minutes_ago
from tests.postgresql import Server
from toolkit.checks import Check, Probe, Status, check, good, server_faults, unseen
from toolkit.checks.catalogue import AREAS, BY_ID, CHECKS
from toolkit.checks.diagnosis import Result, causes, examine, untold, verdict
from toolkit.checks.host import Host
from toolkit.checks.remedies import Shell
from toolkit.checks.targets import Systemd
from toolkit.database import PostgreSQLDatabase
from toolkit.settings import load_lenient
from toolkit.store import open_for_writing


def causes_of(run: Run, **environment: str) -> list[str]:
    return [one["id"] for one in json.loads(run("doctor", "--json", **environment).stdout)["causes"]]


def test_a_collector_that_stores_is_well(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    stored_minutes_ago(run, feed, environment, 1)
    done = run("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split()[1:] == ["of", done.stdout.split()[2], *done.stdout.split()[3:]]
    told = json.loads(run("doctor", "--json").stdout)
    assert (told["schema"], told["verdict"], told["causes"]) == ("weather-toolkit/doctor/1", "OK", [])
    assert {one["id"]: one["status"] for one in told["checks"]}["observations-fresh"] == "OK"


def test_the_cause_comes_first_and_its_symptoms_are_folded_under_it(
    run: Run, feed: Feed, environment: dict[str, str]
) -> None:
    stored_minutes_ago(run, feed, environment, 600)
    feed.status = 500
    done = run("doctor")
    assert done.returncode == 2
    lines = done.stdout.splitlines()
    assert lines[0] == "CRITICAL  feed-answers"
    assert "answers 500" in lines[1]
    assert lines[2].startswith("    mend it: ")
    assert lines[3].startswith("    therefore observations-fresh: ")


@pytest.mark.parametrize(
    ("setting", "value", "cause"),
    [
        ("WEATHER_FEED_URL", "http://127.0.0.1:9/", "feed-connects"),
        ("WEATHER_FEED_URL", "http://feed.invalid/", "feed-name"),
        ("WEATHER_FEED_URL", "ftp://feed/", "settings-valid"),
        ("WEATHER_WINDOW_HOURS", "many", "settings-valid"),
    ],
)
def test_a_wrong_setting_is_named(
    run: Run, feed: Feed, environment: dict[str, str], setting: str, value: str, cause: str
) -> None:
    stored_minutes_ago(run, feed, environment, 1)
    assert causes_of(run, **{setting: value})[:1] == [cause]


def test_where_the_address_of_the_feed_cannot_be_read_no_other_one_is_asked(
    run: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "settings").write_text('WEATHER_FEED_URL="http://127.0.0.1:9/\n')
    del environment["WEATHER_FEED_URL"]
    for one in ({"WEATHER_ENV_FILE": str(tmp_path / "settings")}, {"WEATHER_FEED_URL": "ftp://feed/"}):
        told = json.loads(run("doctor", "--json", **one).stdout)
        assert "settings-valid" in [cause["id"] for cause in told["causes"]]
        assert not [check for check in told["checks"] if check["id"].startswith("feed-")]


@pytest.mark.parametrize("wrong", ["missing", "empty", "no database", "newer"])
def test_a_broken_database_is_named_and_left_alone(
    run: Run, feed: Feed, environment: dict[str, str], tmp_path: Path, wrong: str
) -> None:
    db = Path(environment["WEATHER_DB"])
    if wrong == "empty":
        db.touch()
    elif wrong == "no database":
        db.write_text("observations of 2025\n" * 500)
    elif wrong == "newer":
        stored_minutes_ago(run, feed, environment, 1)
        with sqlite3.connect(db) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
    before = {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    expected = {"missing": "database-exists", "empty": "database-exists", "no database": "database-kind"}
    assert causes_of(run)[:1] == [expected.get(wrong, "database-schema")]
    assert run("healthcheck").returncode == 2
    assert {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in tmp_path.iterdir()} == before


def test_no_user_no_systemd_no_settings(run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    nobody = {"HOME": "/nonexistent", "PATH": "/nonexistent", "WEATHER_ENV_FILE": str(tmp_path / "none")}
    done = run("doctor", "--json", **nobody)
    assert (done.returncode, done.stderr) == (2, "")
    assert len(json.loads(done.stdout)["checks"]) > 10


def test_without_its_packages_the_doctor_says_so(environment: dict[str, str], tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parents[2] / "toolkit", tmp_path / "alone/toolkit")
    done = subprocess.run(
        [sys.executable, "-S", "-m", "toolkit", "doctor", "--json"], capture_output=True, text=True, check=False,
        env={**os.environ, **environment, "PYTHONPATH": str(tmp_path / "alone")}, cwd="/",
    )  # fmt: skip
    assert "packages-complete" in [one["id"] for one in json.loads(done.stdout)["causes"]], done.stderr


def test_an_area_alone_and_a_misspelt_one(run: Run) -> None:
    told = json.loads(run("doctor", "--area", "clock", "--json").stdout)
    assert {one["area"] for one in told["checks"]} <= {"clock"}
    wrong = run("doctor", "--area", "databse")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "there is no area 'databse'; did you mean database?" in wrong.stderr


@pytest.mark.parametrize("one", CHECKS, ids=lambda one: one.id)
def test_each_check_has_a_runbook_and_its_causes_exist(one: Check, run: Run) -> None:
    assert set(one.caused_by) <= set(BY_ID)
    assert one.invariant.endswith(".")
    assert one.problem.endswith(".")
    assert one.area in AREAS
    if one.id == "feed-current":
        assert run("doctor", "--explain", one.id).stdout.startswith(f"# {one.id}\n")


def test_no_failure_explains_itself_by_a_circle() -> None:
    results = [Result(check, good(""), Status.CRITICAL, check.remedy) for check in CHECKS]
    told = causes(results)
    assert told
    named = [cause.result.check.id for cause in told] + [one.check.id for cause in told for one in cause.explains]
    assert sorted(named) == sorted(BY_ID)


def test_a_probe_that_hangs_or_breaks_is_not_seen_and_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from toolkit.checks.host import Host

    never = threading.Event()
    monkeypatch.setattr("toolkit.checks.diagnosis.PATIENCE_SECONDS", 0.05)

    def broken(_: Host) -> None:
        raise ZeroDivisionError("by zero")

    def made(name: str, probe: Probe) -> Check:
        declared = check(
            id=name, area="clock", invariant=".", problem=".", severity=Status.CRITICAL, remedy=Shell("true")
        )
        return declared(probe)

    checks = [
        made("hangs", lambda _: unseen(str(never.wait()))),
        made("breaks", broken),
        made("stands", lambda _: good("so")),
    ]
    found = {one.check.id: one for one in examine(Host(load_lenient()), checks)}
    never.set()
    assert [found[name].status for name in ("hangs", "breaks", "stands")] == [3, 3, 0]
    assert verdict(found.values(), []) is Status.UNKNOWN
    assert untold(found.values()) == ["hangs"]
    assert verdict([found["breaks"], found["stands"]], []) is Status.OK
    assert "ZeroDivisionError: by zero" in found["breaks"].finding.evidence


def test_a_dead_station_is_seen_behind_living_ones(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    old = int((now - timedelta(hours=5)).timestamp())
    new = int(now.timestamp())
    feed.body = collection(feature("volos", ts=new), feature("volos-port", ts=new), feature("zagora", ts=old))
    assert run("collect", "--once").returncode == 0
    done = run("healthcheck")
    assert done.returncode == 1, done.stdout
    assert "zagora" in done.stdout


@pytest.mark.parametrize(
    ("put", "told"),
    [
        ("ALTER ROLE {role} CONNECTION LIMIT 0", "the role's CONNECTION LIMIT is reached"),
        ("ALTER ROLE {role} NOLOGIN", "the role may not log in"),
        ("ALTER DATABASE {name} ALLOW_CONNECTIONS false", "the database is closed to connections"),
        ("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC, {role}", "the role may not connect to the database"),
        (
            "ALTER DATABASE {name} OWNER TO {role}; ALTER ROLE {role} RENAME TO {role}_old",
            "the server has no such role: whoever owns the database was it before",
        ),
        ("ALTER SCHEMA {role} RENAME TO {role}_old", "are in the schema {role}_old: was it renamed?"),
        ("ALTER ROLE {role} SET search_path = public", "the setting search_path=public for ROLE {role}"),
        ("ALTER DATABASE {name} SET default_transaction_read_only = on", "on for DATABASE {name}"),
    ],
)
def test_what_was_done_to_a_servers_database_is_the_cause_and_its_remedy_mends_it(
    run: Run, postgresql: Server, put: str, told: str
) -> None:
    name = f"test_{uuid4().hex}"
    role = f"role_{name}"
    url = postgresql.database(name).replace("//postgres@", f"//{role}@")
    with psycopg.connect(postgresql.url("postgres"), autocommit=True) as administrator:
        administrator.execute(f"CREATE ROLE {role} LOGIN")
        administrator.execute(f"GRANT CONNECT ON DATABASE {name} TO {role}")
        # As it is deployed.
        administrator.execute(f"ALTER DATABASE {name} SET search_path TO {role}, public")
        with psycopg.connect(postgresql.url(name), autocommit=True) as inside:
            inside.execute(f"CREATE SCHEMA {role} AUTHORIZATION {role}")
        with open_for_writing(url):
            pass
        assert "database" not in areas_of(run, url)
        with psycopg.connect(postgresql.url(name if "SCHEMA" in put else "postgres"), autocommit=True) as putting:
            putting.execute(put.format(name=name, role=role))
        first = areas_of(run, url)["database"]
        assert told.format(name=name, role=role) in first["evidence"]
        words = shlex.split(first["remedy"].partition("  # ")[0].partition(" && ")[0])
        assert "RESET search_path" not in first["remedy"].replace(f"ROLE {role} RESET search_path", "")
        assert words[:6] == ["runuser", "-u", "postgres", "--", "psql", "-d"]
        with psycopg.connect(postgresql.url(words[6]), autocommit=True) as mending:
            for statement in words[8::2]:
                mending.execute(statement)
    assert "database" not in areas_of(run, url)


def test_a_server_is_on_this_host_where_its_address_is() -> None:
    here = {name: server_faults._is_here(PostgreSQLDatabase(f"postgresql://weather@{name}/weather"))
            for name in ("localhost", "127.0.0.2", "192.0.2.1", "no-such-host.invalid")}  # fmt: skip
    assert here == {"localhost": True, "127.0.0.2": True, "192.0.2.1": False, "no-such-host.invalid": False}


def test_a_servers_socket_tells_why_it_takes_no_password(postgresql: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' server lets everybody in: it is not by its answer to a password that this begins."""
    role, name = f"role_{uuid4().hex}", f"test_{uuid4().hex}"
    server = PostgreSQLDatabase(postgresql.database(name).replace("//postgres@", f"//{role}@"))
    monkeypatch.setattr(server_faults, "SOCKETS", postgresql.sockets)
    refused = f'FATAL: password authentication failed for user "{role}"'
    monkeypatch.setenv("WEATHER_DB", server.url)

    def told() -> str:
        return server_faults.refused(Host(load_lenient()), server, refused).evidence

    assert told().startswith("the server has no such role: ")
    with psycopg.connect(postgresql.url("postgres"), autocommit=True) as administrator:
        administrator.execute(f"CREATE ROLE {role} LOGIN")
        assert told().startswith("the password of this host is not that of the server's role")
        administrator.execute(f"ALTER ROLE {role} VALID UNTIL '2020-01-01'")
        found = server_faults.refused(Host(load_lenient()), server, refused)
        assert found.evidence.startswith(
            "the password of the server's role has expired (VALID UNTIL): the password was"
        )
        assert found.remedy
        administrator.execute(shlex.split(found.remedy.line(Systemd()))[-1])
        assert told().startswith("the password of this host is not that of the server's role")


def areas_of(run: Run, url: str) -> dict[str, dict[str, str]]:
    """The first finding of each area about a database, by area."""
    told = json.loads(run("doctor", "--json", "--area", "database", WEATHER_DB=url).stdout)
    return {one["area"]: one for one in reversed(told["causes"])}


def test_many_effects_of_one_cause_are_counted_rather_than_shown(capsys: pytest.CaptureFixture[str]) -> None:
    from toolkit.checks import bad
    from toolkit.checks.catalogue import CHECKS
    from toolkit.checks.diagnosis import Cause, Result
    from toolkit.commands import doctor

    first, *others = [Result(one, bad(f"evidence of {one.id}"), Status.WARNING, one.remedy) for one in CHECKS[:7]]
    for number, shown in ((4, 4), (6, 3)):
        doctor._show([], [Cause(first, others[:number])], everything=False)
        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("    therefore ")]
        assert sum("evidence of" in line for line in lines) == shown
        also = ", ".join(one.check.id for one in others[shown:number])
        assert not also or lines[-1] == f"    therefore also {also}: --all shows these {number - shown}"
    doctor._show([], [Cause(first, others)], everything=True)
    assert capsys.readouterr().out.count("    therefore ") == 6
