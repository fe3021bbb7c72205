"""Checks put to what tells people: addresses that apprise can use, apprise itself, and the units that call it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit import credentials
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import Result, examine
from toolkit.checks.host import Host
from toolkit.checks.unit_files import TOOL
from toolkit.settings import load_lenient


@pytest.fixture
def addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The credential with whom to tell."""
    monkeypatch.setenv("WEATHER_ENV_FILE", str(tmp_path / "none"))
    monkeypatch.setenv(credentials.VARIABLE, str(tmp_path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setattr("toolkit.checks.probes.incidents.TRY_SECONDS", 60.0)  # however busy the machine is
    return tmp_path / "apprise_urls"


def named() -> list[Result]:
    return examine(Host(load_lenient()), [BY_ID["people-named"]])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("json://127.0.0.1/\n", None),
        ("# nobody yet\n", "the credential apprise_urls names nobody"),
        ("jsno://planted:secret@127.0.0.1/\n", "apprise cannot use one of the addresses"),
        ("json://127.0.0.1/\njsno://planted:secret@127.0.0.1/\n", "apprise cannot use one of the addresses"),
    ],
)
def test_addresses_that_apprise_cannot_use_are_told_before_there_is_something_to_tell(
    addresses: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str | None
) -> None:
    assert named() == []
    addresses.write_text(text)
    monkeypatch.setattr("toolkit.checks.diagnosis.PATIENCE_SECONDS", 60.0)
    monkeypatch.setattr("toolkit.checks.diagnosis.ALL_SECONDS", 60.0)
    (result,) = named()
    assert result.finding.ok is (told is None)
    assert told is None or told in result.finding.evidence
    assert "secret" not in result.finding.evidence + result.command


def test_apprise_that_is_not_there_is_told(addresses: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses.write_text("json://127.0.0.1/\n")
    monkeypatch.setenv("PATH", str(addresses.parent))
    (result,) = named()
    assert "apprise is not installed" in result.finding.evidence
    assert "apt-get install" in result.command


def test_a_unit_that_is_to_tell_people_and_does_not_is_told_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEATHER_ENV_FILE", str(tmp_path / "none"))
    (tmp_path / "jobs.json").write_text(json.dumps({"scheduler": "systemd", "jobs": {}}))
    monkeypatch.setattr("toolkit.checks.host.deployment.JOBS_FILE", tmp_path / "jobs.json")
    monkeypatch.setattr("toolkit.checks.probes.units.UNITS", tmp_path)
    unit = tmp_path / "weather-alert@.service"

    def genuine() -> Result:
        host = Host(load_lenient())
        host.once("units", lambda: {"weather-collector.service": {"LoadState": "masked"}})
        return examine(host, [BY_ID["units-genuine"]])[0]

    unit.write_text(f"[Service]\nExecStart={TOOL} alert %i\n")
    assert genuine().finding.ok
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    result = genuine()
    assert f"{unit} has weather-alert@.service run /bin/true" in result.finding.evidence
    subprocess.run(shlex.split(result.command.partition(" && ")[0]), check=True)
    assert genuine().finding.ok
