"""Checks put to what they are to see: places, units, the database's shape, the way to a server, the network's values."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.backup import creating, restoring
from toolkit.backup.folder import Folder
from toolkit.checks import Check, Finding, Status
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import Result, causes, examine
from toolkit.checks.host import Host
from toolkit.checks.probes import rivals
from toolkit.checks.reach import ConnectError, UnresolvedError, reach
from toolkit.checks.remedies import Logs, Remedy, Restart, Sequence, Shell, Start
from toolkit.checks.targets import Systemd
from toolkit.checks.unit_results import outcome_of
from toolkit.commands import healthcheck
from toolkit.model import Document, Observation, Station
from toolkit.settings import load_lenient
from toolkit.store import open_for_writing, sqlite_schema

HOUR = 3600


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("WEATHER_ENV_FILE", str(tmp_path / "none"))
    for name in ("data", "backups", "reports"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("WEATHER_DB", str(tmp_path / "data/weather.db"))
    monkeypatch.setenv("WEATHER_BACKUPS", str(tmp_path / "backups"))
    monkeypatch.setenv("WEATHER_REPORTS", str(tmp_path / "reports"))
    return Host(load_lenient())


def found(host: Host, name: str) -> Finding:
    (result,) = examine(host, [BY_ID[name]])
    return result.finding


def remedy(host: Host, name: str) -> str:
    return examine(host, [BY_ID[name]])[0].command


def filled(host: Host, change: Callable[[int, int, dict[str, float | None]], None] = lambda *_: None) -> None:
    """Six hours of three stations and more, whose values differ; `change` gets the number, the hour and the values."""
    present = int(time.time()) // 600 * 600
    rows = []
    for step in range(36):
        for number in range(4):
            values: dict[str, float | None] = {
                "temp_out": 10.0 + number + (step % 7) / 10, "out_hum": 50.0 + (step % 5), "bar": 1010.0 + step / 10,
                "rain": 0.0, "wind_speed": 3.0 + number, "wind_dir": 22.5,
            }  # fmt: skip
            change(number, step, values)
            if not values:
                continue
            row = dict.fromkeys(Observation._fields[2:]) | values
            rows.append(Observation(present - (35 - step) * 600, f"s{number}", **row))
    stations = [Station(f"s{number}", None, None, 39.0, 22.0 + number, 5.0) for number in range(4)]
    with open_for_writing(host.settings.db) as store:
        store.add(Document(stations, rows), time.time())


# Places


@pytest.mark.parametrize(
    "place", ["data/weather.db", "reports", "data/weather.db.spool/lock", "backups/weather_x.db.zst"]
)
def test_a_link_is_a_finding_and_nothing_behind_it_is_given_away(host: Host, tmp_path: Path, place: str) -> None:
    canary = tmp_path / "canary"
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    if path.is_dir():
        path.rmdir()
        canary.mkdir()
    else:
        canary.touch()
    path.symlink_to(canary)
    seen = found(host, "places-plain")
    assert seen.ok is False
    assert "symbolic link" in seen.evidence
    for check in BY_ID.values():
        if check.area not in {"database", "permissions", "disk"}:
            continue
        for word in ("chown ", "install "):
            for part in remedy_of(host, check).split(" && "):
                assert word not in part or " -h" in part or str(path) not in part, part


@pytest.mark.parametrize("to", ["in a circle", "where this user may not look"])
def test_a_link_is_a_finding_wherever_it_leads(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    def refused(_host: Host, path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    path = Path(host.settings.reports)
    path.rmdir()
    path.symlink_to(path if to == "in a circle" else tmp_path)
    look = Host.look
    monkeypatch.setattr(Host, "look", lambda one, at: (refused if at == tmp_path else look)(one, at))
    seen = found(host, "places-plain")
    assert seen.ok is False
    assert "symbolic link" in seen.evidence


def remedy_of(host: Host, check: Check) -> str:
    results = examine(host, [check])
    return results[0].command if results and results[0].finding.ok is False else ""


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_file_is_told_at_once(host: Host, tmp_path: Path, kind: str) -> None:
    path = Path(str(host.settings.db))
    os.mkfifo(path) if kind == "fifo" else path.mkdir()
    begun = time.monotonic()
    results = examine(host, [check for check in BY_ID.values() if not check.on_feed])
    assert time.monotonic() - begun < 10
    first = causes(results)[0]
    assert first.result.check.id == "places-plain"
    assert not any(one.finding.evidence.startswith("the check itself failed") for one in results)


def test_names_in_remedies_are_quoted_and_no_terminal_obeys_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a b; touch pwned \x1b]0;x\x07"
    folder.mkdir()
    monkeypatch.setenv("WEATHER_ENV_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("WEATHER_DB", str(folder / "weather.db"))
    (folder / "weather.db").symlink_to("/dev/null")
    (result,) = examine(Host(load_lenient()), [BY_ID["places-plain"]])
    for text in (result.finding.evidence, result.command):
        assert text.isprintable()
    assert "touch" not in shlex.split(result.command)


# Units


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("200", "working folder does not exist"), ("203", "program cannot be run"), ("209", "standard output"),
        ("217", "user does not exist"), ("226", "view of the file system cannot be made: /none is not there"), ("243", "credential"),
        ("7", "exit code 7"),
    ],
)  # fmt: skip
def test_systemds_own_codes_are_words(code: str, words: str) -> None:
    unit = {
        "Result": "exit-code",
        "ExecMainStatus": code,
        "WorkingDirectory": "/nonexistent",
        "User": "none",
        "ReadWritePaths": "/ /none",
    }
    assert words in outcome_of(unit)
    assert code != "200" or "/nonexistent" in outcome_of(unit)
    assert words not in outcome_of({"Result": "protocol"})


# The database's shape


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DROP VIEW observations", "view observations is gone"),
        ("DROP VIEW observations; CREATE VIEW observations AS SELECT edit('x', 'vi') AS time", "is another one"),
        ("CREATE TRIGGER t BEFORE INSERT ON observation BEGIN SELECT RAISE(IGNORE); END", "trigger t"),
        ("DROP INDEX anomalies_ended", "index anomalies_ended is gone"),
        ("ALTER TABLE counters RENAME TO old; CREATE TABLE counters (name, label, count)", "counters is another one"),
    ],
)
def test_a_database_of_another_shape_is_told(host: Host, statement: str, told: str) -> None:
    filled(host)
    assert found(host, "database-shape").ok
    with closing(sqlite3.connect(str(host.settings.db))) as connection:
        connection.executescript(statement)
    seen = found(Host(load_lenient()), "database-shape")
    assert seen.ok is False
    assert told in seen.evidence


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ('ALTER TABLE observation RENAME TO "the old"; CREATE TABLE other (a)', "table observation is called the old"),
        ("DROP VIEW observations", "view observations is gone"),
        ('ALTER TABLE observation RENAME COLUMN bar TO "a b"', "table observation is another one"),
        ("ALTER TABLE counters RENAME TO old; ALTER TABLE old RENAME COLUMN label TO other", ""),
        (
            "DROP VIEW observations_qc; DROP VIEW observations; ALTER TABLE observation DROP COLUMN bar; "
            "ALTER TABLE observation ADD COLUMN other ANY",
            "",
        ),
        (
            "ALTER TABLE observation RENAME TO old; ALTER TABLE old RENAME TO observation",
            "table observation is another one",
        ),
        ("ALTER TABLE observation RENAME TO old; DROP INDEX anomalies_ended", ""),
    ],
)
def test_what_holds_no_row_is_made_anew_and_a_table_gets_its_name_back(host: Host, statement: str, told: str) -> None:
    filled(host)
    with closing(sqlite3.connect(str(host.settings.db))) as connection:
        before = connection.execute("SELECT * FROM observation").fetchall()
        connection.executescript(statement)
        seen = found(Host(load_lenient()), "database-shape")
        assert seen.ok is False
        assert seen.remedy
        command = seen.remedy.line(Systemd())
        assert ("sqlite_schema import mend;" in command) is bool(told)
        if told:
            assert told in seen.evidence
            code = shlex.split(command.partition(" && ")[0])[-1]
            subprocess.run([sys.executable, "-I", "-c", code], check=True)
            assert connection.execute("SELECT * FROM observation").fetchall() == before
            assert sqlite_schema.objects(connection).items() >= sqlite_schema.expected(sqlite_schema.VERSION).items()
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            with closing(sqlite3.connect(str(host.settings.db))) as another:
                assert another.execute("SELECT COUNT(*) FROM observations").fetchone() == (len(before),)


def test_a_database_that_was_brought_up_to_date_has_the_shape_of_a_new_one(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as connection:
        sqlite_schema.migrate(connection)
        assert sqlite_schema.differences(connection) == ([], [])


def test_the_remedy_for_another_schema_is_a_backup_that_can_be_restored(host: Host) -> None:
    filled(host)
    known = creating.create(Folder(host.settings.backups), host.settings.db)
    with closing(sqlite3.connect(str(host.settings.db), isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")
        newest = creating.create(Folder(host.settings.backups), host.settings.db)
        assert remedy(Host(load_lenient()), "database-schema") == f"weather-tool restore {known.name}"
        connection.execute("PRAGMA user_version = 0")
    assert newest.manifest.content.schema_version == 99
    assert "no version of their schema" in found(Host(load_lenient()), "database-schema").evidence
    assert restoring.restore(Folder(host.settings.backups), known.name, host.settings.db).backup == known


def test_a_database_without_a_log_is_told(host: Host) -> None:
    filled(host)
    assert found(host, "database-journal").ok
    with closing(sqlite3.connect(str(host.settings.db))) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    assert found(Host(load_lenient()), "database-journal").ok is False


# The way to a server


def test_a_resolver_that_does_not_answer_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    asleep = threading.Event()
    monkeypatch.setattr("toolkit.checks.reach.RESOLVER_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [asleep.wait(5)][:0])
    with pytest.raises(UnresolvedError, match=r"did not tell an address of feed\.example"):
        reach("http://feed.example/")
    asleep.set()


def test_who_takes_no_connection_is_named() -> None:
    with pytest.raises(ConnectError, match=r"127\.0\.0\.1 port 9 takes no connection: connection refused"):
        reach("http://127.0.0.1:9/")


# What a network says


def without_bar(_: int, step: int, values: dict[str, float | None]) -> None:
    if step >= 18:
        values["bar"] = None


def frozen(number: int, _: int, values: dict[str, float | None]) -> None:
    values |= {"temp_out": 10.0 + number, "out_hum": 50.0, "bar": 1010.0}


def all_alike(_: int, step: int, values: dict[str, float | None]) -> None:
    values |= {"temp_out": 10.0 + step % 3, "wind_speed": 3.0}


def doubled(number: int, step: int, values: dict[str, float | None]) -> None:
    if number == 3:
        values |= {"temp_out": 12.0 + (step % 7) / 10, "wind_speed": 5.0}


def in_fahrenheit(_: int, step: int, values: dict[str, float | None]) -> None:
    if step >= 30:
        values["temp_out"] = (values["temp_out"] or 0) * 1.8 + 32


@pytest.mark.parametrize(
    ("change", "name", "told"),
    [
        (without_bar, "variables-present", "no station has told bar"),
        (frozen, "values-alive", "repeat the same values"),
        (all_alike, "values-alive", "tell the same values: the feed"),
        (doubled, "values-alive", "s2 and s3 tell the same values"),
        (in_fahrenheit, "values-continue", "it is told in °F now, and read as °C"),
    ],
)
def test_what_no_weather_does_is_told(
    host: Host, change: Callable[[int, int, dict[str, float | None]], None], name: str, told: str
) -> None:
    filled(host, change)
    seen = found(host, name)
    assert seen.ok is False, seen
    assert told in seen.evidence


def rain_alone(_: int, __: int, values: dict[str, float | None]) -> None:
    values |= dict.fromkeys(("temp_out", "out_hum", "bar", "wind_speed", "wind_dir"))


def calm_wind_alone(_: int, __: int, values: dict[str, float | None]) -> None:
    values |= dict.fromkeys(("temp_out", "out_hum", "bar")) | {"wind_speed": 0.0}


def calm_without_direction(_: int, step: int, values: dict[str, float | None]) -> None:
    if step >= 18:
        values |= {"wind_speed": 0.0, "wind_dir": None}


def main_hours(_: int, step: int, values: dict[str, float | None]) -> None:
    """Every hour, with pressure every third hour and rain every sixth."""
    if step % 18:
        values["bar"] = None
    if step != 6:
        values["rain"] = None
    if step % 6:
        values.clear()


@pytest.mark.parametrize("change", [lambda *_: None, rain_alone, calm_wind_alone, calm_without_direction, main_hours])
def test_a_network_that_is_well_is_well(
    host: Host, change: Callable[[int, int, dict[str, float | None]], None]
) -> None:
    filled(host, change)
    names = (
        "variables-present",
        "values-alive",
        "values-continue",
        "values-possible",
        "hours-complete",
        "stations-located",
    )
    results = examine(host, [BY_ID[name] for name in names])
    assert [one.finding for one in results if one.finding.ok is False] == []


DELETED = "DELETE FROM observation WHERE time BETWEEN datetime('now', '-4 hours') AND datetime('now', '-2 hours')"


def test_what_no_sensor_says_and_hours_that_are_gone_are_told(host: Host) -> None:
    filled(host)
    creating.create(Folder(host.settings.backups), host.settings.db)
    with closing(sqlite3.connect(str(host.settings.db))) as connection:
        connection.execute(
            "UPDATE observation SET temp_out = -99990 WHERE time > datetime('now', '-1 hour') AND station = 1"
        )
        connection.execute(DELETED)
        connection.execute("UPDATE stations SET latitude = 0, longitude = 0 WHERE number = 2")
        connection.commit()
    host = Host(load_lenient())
    assert "-9999 °C, which no sensor measures" in found(host, "values-possible").evidence
    assert "no station has an observation between" in found(host, "hours-complete").evidence
    assert "stands for no place: s1" in found(host, "stations-located").evidence


def test_hours_that_are_gone_are_told_until_the_remedy_has_brought_them_back(host: Host) -> None:
    filled(host)
    folder = Folder(host.settings.backups)
    backup = creating.create(folder, host.settings.db)
    with closing(sqlite3.connect(str(host.settings.db))) as connection:
        connection.execute(DELETED)
        connection.commit()
    assert remedy(Host(load_lenient()), "hours-complete") == f"weather-tool restore {backup.name}"
    restoring.restore(folder, backup.name, host.settings.db)
    assert found(Host(load_lenient()), "hours-complete").ok


def test_hours_in_which_nothing_was_stored_are_told_only_if_the_log_says_otherwise(host: Host) -> None:
    filled(host, lambda _, step, values: values.clear() if 10 <= step <= 24 else None)
    assert found(host, "hours-complete").ok
    with closing(sqlite3.connect(str(host.settings.db))) as connection:
        connection.execute(
            "INSERT INTO collection_log (timestamp, status, stations_count, observations_count, message) "
            "SELECT datetime('now', '-2 hours'), status, 4, 4, '' FROM collection_log"
        )
        connection.commit()
    assert found(Host(load_lenient()), "hours-complete").ok is False


def every_two_hours(_: int, step: int, values: dict[str, float | None]) -> None:
    if step % 12:
        values.clear()


def of_a_source(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cadence: int) -> Host:
    """All stations belong to one of two sources, which tells with this cadence; the settings' own is ten minutes."""
    (tmp_path / "sources.toml").write_text(
        f'[[source]]\nname = "seldom"\nurl = "http://192.0.2.1/"\ncadence_seconds = {cadence}\n'
        '[[source]]\nname = "often"\nurl = "http://192.0.2.2/"\n'
    )
    monkeypatch.setenv("WEATHER_SOURCES_FILE", str(tmp_path / "sources.toml"))
    with closing(sqlite3.connect(str(host.settings.db))) as connection:
        connection.execute("UPDATE stations SET source = 'seldom'")
        connection.execute(
            "INSERT INTO collection_log (timestamp, status, stations_count, observations_count, message, source) "
            "SELECT datetime('now', '-150 minutes'), status, 4, 4, '', 'seldom' FROM collection_log"
        )
        connection.commit()
    return Host(load_lenient())


@pytest.mark.parametrize(("cadence", "jumped", "complete"), [(7200, True, True), (600, False, False)])
def test_how_often_stations_tell_is_by_their_source(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cadence: int, jumped: bool, complete: bool
) -> None:
    def change(number: int, step: int, values: dict[str, float | None]) -> None:
        every_two_hours(number, step, values)
        if step >= 24 and values:
            values["temp_out"] = 50.0

    filled(host, change)
    host = of_a_source(host, tmp_path, monkeypatch, cadence)
    assert (found(host, "values-continue").ok, found(host, "hours-complete").ok) == (not jumped, complete)


# Remedies


def test_a_remedy_runs_again_what_failed_of_its_cause() -> None:
    cause, job = BY_ID["reports-folder"], BY_ID["detector-succeeds"]
    wrong = Finding(False, "so")
    results = [Result(one, wrong, one.severity, one.remedy) for one in (cause, job)]
    (first,) = causes(results)
    assert first.result.check.id == "reports-folder"
    assert first.result.command.endswith(" && systemctl start weather-detector.service")


def test_a_service_that_cannot_be_started_keeps_no_other_from_it() -> None:
    cause, *effects = (BY_ID[name] for name in ("settings-readable", "collector-running", "jobs-succeed"))
    wrong = [(cause, Sequence(Shell("mend"), Restart("api"))), *((one, Start(one.id[:4])) for one in effects)]
    results = [Result(one, Finding(False, "so"), one.severity, remedy) for one, remedy in wrong]
    results[0].finding = replace(results[0].finding, explains=frozenset(one.id for one in effects))
    (first,) = causes(results)
    assert first.result.command == (
        "mend && systemctl restart weather-api.service; systemctl start weather-coll.service; "
        "systemctl start weather-jobs.service"
    )


def test_a_remedy_runs_nothing_twice() -> None:
    wrong = [Finding(False, "so", remedy) for remedy in (Shell("mend"), Start("collector"), Restart("collector"))]
    checks = [BY_ID[name] for name in ("service-user", "units-start", "collector-running")]
    results = [
        Result(one, seen, one.severity, seen.remedy or one.remedy) for one, seen in zip(checks, wrong, strict=True)
    ]
    (first, *_) = causes(results)
    assert first.result.command == "mend && systemctl start weather-collector.service"


@pytest.mark.parametrize("remedy", [Shell("du -xah {} | sort -h", "/srv"), Logs("collector")])
def test_the_health_check_advises_nothing_that_cannot_be_typed_or_only_shows_logs(
    remedy: Remedy, capsys: pytest.CaptureFixture[str]
) -> None:
    check = BY_ID["disk-logs-space"]
    assert healthcheck._report([Result(check, Finding(False, "no room"), check.severity, remedy)]) == 2
    assert capsys.readouterr().out == "WEATHER CRITICAL - no room (try: weather-tool doctor)\n"


def test_the_health_check_makes_what_is_critical_and_quick() -> None:
    made = {check.id: check.in_healthcheck for check in BY_ID.values() if check.in_healthcheck}
    assert {"collector-running", "collector-enabled", "collector-responds", "database-unlocked"} <= made.keys()
    assert {"places-plain", "system-places", "backup-whole", "database-sound", "database-continues"} <= made.keys()
    assert not any(BY_ID[name].on_feed for name in made)
    assert all(check.probe is not BY_ID[name].probe for name, check in made.items() if check.costly)
    critical = {check.id for check in BY_ID.values() if check.severity is Status.CRITICAL and not check.on_feed}
    assert critical <= made.keys(), "the doctor would be CRITICAL and the health check OK"


def test_jobs_of_a_host_say_whether_they_need_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = tmp_path / "jobs.json"
    jobs.write_text(json.dumps({"jobs": {"collector": {"command": "collect", "network": True}}}))
    monkeypatch.setattr("toolkit.checks.host.deployment.JOBS_FILE", jobs)
    assert Host(load_lenient()).jobs["collector"].network


@pytest.mark.parametrize("ours", [True, False])
def test_a_second_collector_is_told_from_the_one_that_cron_keeps_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ours: bool
) -> None:
    jobs, tool = tmp_path / "jobs.json", tmp_path / "weather-tool"
    jobs.write_text(json.dumps({"scheduler": "cron", "jobs": {"collector": {"command": "collect"}}}))
    tool.write_text("import sys\nprint(flush=True)\nsys.stdin.read()\n")
    (tmp_path / "collector.pid").write_text(str(os.getpid() if ours else 1))
    monkeypatch.setattr("toolkit.checks.host.deployment.JOBS_FILE", jobs)
    monkeypatch.setattr("toolkit.checks.probes.rivals.CRON_RUN", tmp_path)
    # As the host's command begins it: in a session of its own.
    with subprocess.Popen(
        [sys.executable, tool, "collect"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        others = [pid for pid, _ in rivals.second_collectors(Host(load_lenient()))]
        assert (process.pid in others) is not ours
        process.kill()


def test_no_two_checks_give_figures_of_one_name() -> None:
    root = Path(__file__).parents[2] / "toolkit/checks"
    names = [name for file in root.rglob("*.py") for name in re.findall(r'\{"(\w+)": f"', file.read_text("utf-8"))]
    assert len(names) == len(set(names)) > 2
