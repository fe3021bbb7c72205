"""Checks of settings that cannot be read, stand for nothing, or do not fit; and of a Python that is damaged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit import damaged
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import Result, examine
from toolkit.checks.host import Host
from toolkit.settings import load_lenient


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "weather.env"
    monkeypatch.setenv("WEATHER_ENV_FILE", str(path))
    return path


def seen(name: str) -> Result:
    (result,) = examine(Host(load_lenient()), [BY_ID[name]])
    return result


@pytest.mark.parametrize(
    ("content", "left"),
    [
        ('\ufeffWEATHER_CADENCE_SECONDS="300"\n'.encode(), 300),
        ('# of Windows\nWEATHER_CADENCE_SECONDS="300"\n'.encode("utf-16"), 300),
        (
            b'<<<<<<< HEAD\nWEATHER_CADENCE_SECONDS="300"\n||||||| base\n=======\n'
            b'WEATHER_CADENCE_SECONDS="60"\n>>>>>>> other\nWEATHER_LOG_DAYS="5"\n',
            300,
        ),
        (b'what is this\nWEATHER_CADENCE_SECONDS="300"\nand this\n', 300),
        (b'WEATHER_BACKUPS="$BACKUP_ROOT/weather"\n', 600),
        (b'WEATHER_BACKUPS="{{ folder }}/weather"\n', 600),
    ],
)
def test_a_file_of_settings_that_cannot_be_read_is_mended(file: Path, content: bytes, left: int) -> None:
    file.write_bytes(content)
    found = seen("settings-valid")
    assert found.finding.ok is False
    subprocess.run(["bash", "-c", found.command.partition(" && systemctl")[0]], check=True)
    assert seen("settings-valid").finding.ok
    assert load_lenient().settings.cadence_seconds == left


def test_settings_that_do_not_fit_are_named(file: Path) -> None:
    assert seen("settings-fit").finding.ok
    file.write_text('WEATHER_WINDOW_HOURS="0.5"\n')
    found = seen("settings-fit")
    assert found.finding.ok is False
    assert "WEATHER_WINDOW_HOURS=0.5: a window of detection has 3 observations" in found.finding.evidence
    file.write_text('WEATHER_BACKUP_KEEP_DAILY="0"\n')
    assert "every backup but the newest is removed" in seen("settings-fit").finding.evidence
    file.write_text('WEATHER_DATA_DAYS="1"\nWEATHER_WINDOW_HOURS="48"\n')
    found = seen("settings-fit")
    assert "looks at 48 hours, and observations are kept for 24 (the default: WEATHER_WINDOW_HOURS=6)" in (
        found.finding.evidence
    )
    for quiet, ok in (("22:00-07:00", True), ("00:01-00:00", False)):
        file.write_text(f'WEATHER_NOTIFY_QUIET_HOURS="{quiet}"\n')
        assert seen("settings-fit").finding.ok is ok
    file.write_text('WEATHER_DATA_DAYS="1"\nWEATHER_WINDOW_HOURS="48"\n')
    # Whoever wanted to keep a day of observations still does.
    subprocess.run(["bash", "-c", found.command.partition(" && systemctl")[0]], check=True)
    assert file.read_text() == 'WEATHER_DATA_DAYS="1"\n# WEATHER_WINDOW_HOURS="48"\n'
    assert seen("settings-fit").finding.ok


def test_two_services_at_one_address_are_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = {"exporter": {"command": "metrics --serve"}, "api": {"command": "api"}}
    (file.parent / "jobs.json").write_text(json.dumps({"jobs": jobs}))
    monkeypatch.setattr("toolkit.checks.host.deployment.JOBS_FILE", file.parent / "jobs.json")
    file.write_text('WEATHER_API_ADDRESS="127.0.0.1:9105"\n')
    assert "WEATHER_API_ADDRESS=127.0.0.1:9105: two services are" in seen("settings-fit").finding.evidence


@pytest.mark.parametrize(
    ("words", "begins"), [("doctor", "CRITICAL  python-runs"), ("healthcheck", "WEATHER CRITICAL")]
)
def test_a_damaged_library_is_named_in_the_form_of_the_command(
    words: str, begins: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ModuleNotFoundError("No module named 'sqlite3'", name="sqlite3")
    monkeypatch.setattr(sys, "argv", ["weather-tool", words])
    assert damaged.report(error) == 2
    said = capsys.readouterr().out
    assert said.startswith(begins)
    assert "sqlite3" in said
    assert damaged.PYTHON_AGAIN in said


def test_a_damaged_module_of_json_is_told_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["weather-tool", "doctor", "--json"])
    with monkeypatch.context() as damaged_library:
        damaged_library.setitem(sys.modules, "json", None)
        assert (
            damaged.report(SyntaxError("'(' was never \"closed\"", ("/usr/lib/python3/json/decoder.py", 1, 1, ""))) == 2
        )
    told = json.loads(capsys.readouterr().out)
    assert (
        "/usr/lib/python3/json/decoder.py cannot be imported: SyntaxError: '(' was never"
        in told["causes"][0]["evidence"]
    )
    assert told["checks"][0]["remedy"] == damaged.PYTHON_AGAIN


def test_a_file_of_certificates_that_the_service_cannot_read_is_given_back_to_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch(mode=0o600)
    file.write_text(f'WEATHER_FEED_CA_FILE="{authority}"\n')
    access = os.access
    reads = lambda path, mode: access(path, mode) and (path != str(authority) or authority.stat().st_mode & 0o004)  # noqa: E731
    monkeypatch.setattr("os.access", reads)
    found = seen("settings-valid")
    assert f"{authority}: the service user cannot read it: root's, mode 0600" in found.finding.evidence
    subprocess.run(["bash", "-c", found.command.partition(" && systemctl")[0]], check=True)
    assert seen("settings-valid").finding.ok
    authority.unlink()
    assert "there is no such file" in seen("settings-valid").finding.evidence


def test_a_package_that_is_gone_is_the_releases(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["weather-tool", "doctor", "--json"])
    assert damaged.report(ModuleNotFoundError("No module named 'urllib3'", name="urllib3")) == 2
    (cause,) = json.loads(capsys.readouterr().out)["causes"]
    assert cause["remedy"] == damaged.RELEASE_AGAIN
