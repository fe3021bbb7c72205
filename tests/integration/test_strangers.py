"""What other accounts put where the service or root passes by: it is neither read nor followed."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import TOOL, Run
from tests.integration.conftest import Spoil

MODULE = Path("plugins/modules/weather_files.py").resolve()
NOBODY = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="it is about what root does")


@pytest.mark.parametrize("plant", [os.mkfifo, lambda path: path.write_bytes(b"backend: \xff\nfont.size: 99\n")])
def test_a_page_is_drawn_by_no_configuration_that_lies_about(
    environment: dict[str, str], spoil: Spoil, tmp_path: Path, plant: Callable[[Path], object]
) -> None:
    spoil("temp_out = temp_out + 15", "station_id = 'volos'", 2, 1.7)
    command = [TOOL, "report", "--html", "-", "--end=2025-11-22T16:00Z"]
    wanted = subprocess.run(command, env=environment, capture_output=True, timeout=120, check=True).stdout
    (tmp_path / "here").mkdir()
    for name in ("matplotlibrc", "fontlist-v390.json"):
        plant(tmp_path / "here" / name)
    hostile = {"MPLCONFIGDIR": str(tmp_path / "here"), "MATPLOTLIBRC": str(tmp_path / "here" / "matplotlibrc")}
    done = subprocess.run(
        command, env={**environment, **hostile}, cwd=tmp_path / "here", capture_output=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert drawings(done.stdout) == drawings(wanted) != []


def drawings(page: bytes) -> list[bytes]:
    return [part.partition(b"</svg>")[0] for part in page.split(b"<svg ")[1:]]


def make(path: Path, **more: str) -> dict[str, object]:
    """What the role's module says of one folder that is to be there."""
    folder = {"path": str(path), "owner": "nobody", "group": "nogroup", "mode": "0750", **more}
    given = json.dumps({"ANSIBLE_MODULE_ARGS": {"folders": [folder]}})
    done = subprocess.run([sys.executable, MODULE], input=given, capture_output=True, text=True, check=False)
    told: dict[str, object] = json.loads(done.stdout)
    return told


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A folder of root's, and in it one of the service's."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and folder != Path("/tmp") and folder != Path("/"):
            folder.chmod(0o755)
    assert make(tmp_path / "service").get("changed") is True
    return tmp_path / "service"


def test_what_is_as_wanted_is_left(service: Path) -> None:
    assert make(service).get("changed") is False
    assert (service.owner(), service.stat().st_mode & 0o777) == ("nobody", 0o750)


@as_root
def test_a_link_of_the_services_is_not_followed(service: Path, tmp_path: Path) -> None:
    canary = tmp_path / "roots"
    canary.mkdir(mode=0o700)
    link = service / "reports"
    link.symlink_to(canary)
    os.chown(link, NOBODY.pw_uid, NOBODY.pw_gid, follow_symlinks=False)
    for path in (link, link / "more"):
        assert f"reports is a link of nobody's to {canary}" in str(make(path).get("msg"))
    assert (canary.owner(), canary.stat().st_mode & 0o777, list(canary.iterdir())) == ("root", 0o700, [])


@as_root
@pytest.mark.parametrize("plant", [os.mkfifo, Path.touch])
def test_what_is_no_folder_is_named(service: Path, plant: Callable[[Path], object]) -> None:
    plant(service / "reports")
    assert "reports is root's and no folder" in str(make(service / "reports").get("msg"))


@as_root
def test_a_folder_of_roots_is_not_given_away_where_the_service_could_have_moved_it(service: Path) -> None:
    moved = service / "reports"
    moved.mkdir()
    (moved / "secret").touch()
    assert "belongs to root and is not empty" in str(make(moved).get("msg"))
    (moved / "secret").unlink()
    assert make(moved).get("changed") is True
    assert moved.owner() == "nobody"


@as_root
def test_a_link_of_roots_in_a_folder_of_roots_is_the_operators_will() -> None:
    with tempfile.TemporaryDirectory(dir=Path.home()) as name:  # not where everybody may write
        above = Path(name)
        (above / "disk").mkdir()
        (above / "data").symlink_to(above / "disk")
        assert make(above / "data" / "weather").get("changed") is True
        assert (above / "disk" / "weather").owner() == "nobody"


@pytest.mark.parametrize("ending", ["", "-wal", "-journal"])
@pytest.mark.parametrize(
    "command",
    [
        ("data", "latest"), ("detect", "--no-record"), ("backup", "create"), ("doctor",), ("metrics",), ("collect", "--once"),
    ],
    ids=lambda command: command[0],
)  # fmt: skip
def test_a_pipe_in_the_place_of_the_database_keeps_nobody_waiting(
    run: Run, environment: dict[str, str], ending: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    assert run("collect", "--once").returncode == 0
    place = Path(environment["WEATHER_DB"] + ending)
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    done = run(*command, WEATHER_BACKUPS=str(tmp_path / "backups"))
    assert "Traceback" not in done.stderr
