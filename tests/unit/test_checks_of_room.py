"""What the doctor says fills a file system, and what it has taken away to make room, on a small file system."""

from __future__ import annotations

import os
import runpy
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.checks import filled
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import Result, examine
from toolkit.checks.host import Host
from toolkit.settings import load_lenient

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a file system is mounted by root only")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the database, on a file system of 8 MiB; what is moved elsewhere is moved to another one."""
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    monkeypatch.setenv("WEATHER_ENV_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("WEATHER_DB", str(folder / "weather.db"))
    monkeypatch.setenv("WEATHER_BACKUPS", str(tmp_path / "backups"))
    monkeypatch.setattr(filled, "ELSEWHERE", elsewhere)
    monkeypatch.setattr(filled, "SPARE_BYTES", 0)
    monkeypatch.setattr(Host, "is_ours", lambda _host, path: path == folder)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=200", "weather-test", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def seen(name: str) -> Result:
    return examine(Host(load_lenient()), [BY_ID[name]])[0]


def test_a_file_that_is_not_the_services_is_named_and_moved_elsewhere(data: Path, tmp_path: Path) -> None:
    (data / "weather.db").write_bytes(b"x" * (1 << 20))
    assert seen("disk-data-space").finding.ok
    (data / "core [1]").write_bytes(b"x" * (7 << 20))
    found = seen("disk-data-space")
    assert (
        f"the largest file that is seen on it is {data}/core [1] with 7 MB, which is root's" in found.finding.evidence
    )
    subprocess.run(["bash", "-c", found.command], check=True)
    assert (tmp_path / "elsewhere/core [1]").exists()
    assert seen("disk-data-space").finding.ok


def test_a_link_that_comes_in_the_place_of_the_folder_moves_nothing(data: Path, tmp_path: Path) -> None:
    canary = tmp_path / "system/core [1]*"
    canary.parent.mkdir()
    canary.touch()
    (data / canary.name).write_bytes(b"x" * (8 << 20))
    command = seen("disk-data-space").command
    subprocess.run(["umount", data], check=True)
    data.rmdir()
    data.symlink_to(canary.parent)
    try:
        subprocess.run(["bash", "-c", command], check=False)
        assert canary.exists()
    finally:
        data.unlink()
        data.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "weather-test", data], check=True)


def test_databases_that_were_replaced_are_taken_away_but_for_the_last(data: Path) -> None:
    for number in range(3):
        (data / f"weather.db.replaced-{number}").mkdir()
        (data / f"weather.db.replaced-{number}/weather.db").write_bytes(b"x" * (5 << 19))
    found = seen("disk-data-space")
    assert found.finding.ok is False
    subprocess.run(["bash", "-c", found.command.removeprefix("runuser -u weather -- ")], check=True)
    assert [one.name for one in data.iterdir()] == ["weather.db.replaced-2"]
    assert seen("disk-data-space").finding.ok


def test_of_what_is_the_services_or_elsewhere_nothing_is_taken_away(data: Path) -> None:
    (data / "weather.db").write_bytes(b"x" * (8 << 20))
    found = seen("disk-data-space")
    assert found.finding.evidence.endswith(f"{data}/weather.db with 8 MB")
    assert found.command.startswith("du -xah ")
    (data / "weather.db").unlink()
    (data / "others").mkdir()
    (data / "others/file").write_bytes(b"x" * (8 << 20))
    assert seen("disk-data-space").command.startswith("du -xah ")


def test_a_folder_that_has_all_inodes_is_named_and_moved_elsewhere(data: Path, tmp_path: Path) -> None:
    (data / "many").mkdir()
    for number in range(196):
        (data / f"many/{number}").touch()
    found = seen("disk-data-inodes")
    assert f"196 files and folders are in {data}/many, which is root's" in found.finding.evidence
    subprocess.run(["bash", "-c", found.command], check=True)
    assert (tmp_path / "elsewhere/many/7").exists()
    assert seen("disk-data-inodes").finding.ok


def test_where_secrets_cannot_be_handed_over_the_launcher_says_what_fills_the_folder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    launcher = runpy.run_path("roles/weather/files/weather-tool", run_name="launcher")
    for name, path in {"RUN": data, "CREDENTIALS": tmp_path / "credentials"}.items():
        monkeypatch.setitem(launcher["no_copies"].__globals__, name, path)
    (data / "core.1234").write_bytes(b"x" * (7 << 20))
    said, command = launcher["no_copies"](OSError(28, "No space left on device"))
    assert said.endswith(f"takes nothing: No space left on device; {data}/core.1234 has 7 MiB")
    assert command == f"mv -t /var/tmp -- {data}/core.1234"
    assert launcher["say"]("temporary-folders", said, command, ["healthcheck"]) == 2
    assert capsys.readouterr().out == f"WEATHER CRITICAL - {said} (try: {command})\n"
    (data / "core.1234").unlink()
    assert launcher["no_copies"](OSError(28, "No space left on device"))[1].startswith(f"df -h {data}; df -i {data}; ")
