"""`weather-tool restore --drill` and the off-site copies, in a real restic repository."""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOOL, Run, collection, feature
from tests.feeds import parse
from toolkit.store import open_for_writing

TIME = 1_763_827_200
SECRET = "a long: \\ secret"


@pytest.fixture
def backups(environment: dict[str, str], tmp_path: Path) -> Path:
    """An empty folder of backups, and a database with seven hours of four stations."""
    environment["WEATHER_BACKUPS"] = str(tmp_path / "backups")
    with open_for_writing(environment["WEATHER_DB"]) as store:
        for step in range(42):
            ts = TIME + 600 * step
            document = parse(collection(*(feature(f"s{number}", ts=ts) for number in range(4))))
            store.add(document, ts + 60)
    return tmp_path / "backups"


@pytest.fixture
def offsite(environment: dict[str, str], tmp_path: Path) -> Path:
    """Where the off-site copies go: nothing is there yet."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "restic_password").write_text(SECRET)
    environment["CREDENTIALS_DIRECTORY"] = str(credentials)
    environment["WEATHER_RESTIC_REPOSITORY"] = str(tmp_path / "offsite")
    return tmp_path / "offsite"


def begin(repository: Path) -> Path:
    """Make a repository."""
    told = {**os.environ, "RESTIC_PASSWORD": SECRET}
    subprocess.run(["restic", "--no-cache", "-r", repository, "init"], env=told, check=True, capture_output=True)
    return repository


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with nothing in it, to be copied: restic takes seconds of the processor to make one."""
    return begin(tmp_path_factory.mktemp("begun") / "offsite")


@pytest.fixture
def repository(offsite: Path, begun: Path) -> Path:
    """Where the off-site copies go: a repository with nothing in it."""
    return Path(shutil.copytree(begun, offsite))


def record(backups: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((backups / "drill.json").read_text())
    return told


def well(run: Run, *words: str) -> str:
    done = run(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_backup_is_restored_and_used(run: Run, backups: Path, environment: dict[str, str]) -> None:
    well(run, "backup", "create")
    before = Path(environment["WEATHER_DB"]).read_bytes()
    told = json.loads(well(run, "restore", "--drill", "--json"))
    assert told == record(backups)
    assert (told["observations"], told["wrong"], told["offsite"]) == (168, None, None)
    assert 0 < told["restore_seconds"] <= told["seconds"]
    assert told["anomalies"] is not None
    assert Path(environment["WEATHER_DB"]).read_bytes() == before
    assert not list(backups.glob(".weather_*"))


def test_a_backup_that_cannot_be_restored_fails_the_drill(run: Run, backups: Path) -> None:
    well(run, "backup", "create")
    well(run, "restore", "--drill")
    (packed,) = backups.glob("*.zst")
    content = bytearray(packed.read_bytes())
    content[len(content) // 2] ^= 1
    packed.write_bytes(content)
    done = run("restore", "--drill")
    assert done.returncode == 1
    assert packed.name in done.stderr
    assert packed.name in record(backups)["wrong"]


def test_a_drill_that_had_to_wait_says_nothing_of_the_backups(run: Run, backups: Path) -> None:
    well(run, "backup", "create")
    well(run, "restore", "--drill")
    before = record(backups)
    with (backups / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run("restore", "--drill")
    assert (done.returncode, record(backups)) == (1, before)
    assert "is at work" in done.stderr


def test_a_drill_without_any_backup_fails(run: Run, backups: Path) -> None:
    done = run("restore", "--drill")
    assert done.returncode == 1
    assert done.stderr.endswith("weather-tool backup create\n")
    assert record(backups)["backup"] is None


def test_all_comes_back_from_another_place(
    run: Run, backups: Path, offsite: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    well(run, "backup", "create")
    well(run, "backup", "create")
    assert json.loads(well(run, "restore", "--drill", "--json"))["offsite"] is True
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in offsite.rglob("*") if path.is_file())

    # The host is lost: on a new one there is nothing but the settings and the credentials.
    environment["WEATHER_BACKUPS"], environment["WEATHER_DB"] = str(tmp_path / "new"), str(tmp_path / "new.db")
    environment["WEATHER_SPOOL"] = str(tmp_path / "new.spool")
    assert "2 backups came" in well(run, "backup", "fetch")
    assert "0 backups came" in well(run, "backup", "fetch")
    well(run, "backup", "verify")
    assert "168 observations" in well(run, "restore", "LATEST")
    assert json.loads(well(run, "data", "summary", "--json"))["observations"] == 168


def test_old_copies_are_forgotten_as_here(run: Run, backups: Path, repository: Path, tmp_path: Path) -> None:
    for _ in range(3):
        well(run, "backup", "create", "--prune", "--keep-daily", "1")
    well(run, "backup", "fetch", "--folder", str(tmp_path / "new"))
    assert len(list((tmp_path / "new").glob("*.zst"))) == 1


def test_another_host_at_work_in_the_repository_is_waited_for(
    run: Run, backups: Path, repository: Path, environment: dict[str, str]
) -> None:
    well(run, "backup", "create")
    theirs = {**environment, "RESTIC_PASSWORD_FILE": str(Path(environment["CREDENTIALS_DIRECTORY"], "restic_password"))}
    other = subprocess.Popen(["restic", "-r", repository, "backup", "--stdin"], env=theirs, stdin=subprocess.PIPE)
    assert other.stdin
    other.stdin.write(bytes(1_000_000))  # it reads when it has locked the repository
    drill = subprocess.Popen([TOOL, "restore", "--drill"], env=environment, stderr=subprocess.PIPE)
    assert drill.stderr
    said = drill.stderr.readline().decode()
    other.communicate()
    _, errors = drill.communicate()
    assert f"off-site copy: restic check of {repository}: " in said
    assert f"already locked by PID {other.pid} " in said
    assert (other.returncode, drill.returncode, errors) == (0, 0, b"")
    assert record(backups)["offsite"] is True


@pytest.mark.parametrize("instead", [Path.mkdir, begin])  # an empty folder: its disk is not mounted
def test_no_copy_goes_to_what_took_the_place_of_the_repository(
    run: Run, backups: Path, repository: Path, instead: Callable[[Path], object]
) -> None:
    well(run, "backup", "create")
    repository.rename(repository.with_name("away"))
    instead(repository)
    there = sorted(repository.rglob("*"))
    done = run("backup", "create")
    assert done.returncode == 1
    assert "where the last copy went at 20" in done.stderr
    assert done.stderr.rstrip().endswith(f"is its disk mounted? To begin anew: rm {backups}/offsite.json")
    assert len(list(backups.glob("*.zst"))) == 2
    assert sorted(repository.rglob("*")) == there
    if there:
        (backups / "offsite.json").unlink()
        well(run, "backup", "create")


def test_damage_in_another_place_fails_a_drill(run: Run, backups: Path, repository: Path) -> None:
    well(run, "backup", "create")
    chance = random.Random(2)
    for packed in (path for path in (repository / "data").rglob("*") if path.is_file()):
        packed.chmod(0o600)
        content = bytearray(packed.read_bytes())
        content[chance.randrange(len(content))] ^= 4
        packed.write_bytes(content)
        os.truncate(packed, len(content) - 1)
    done = run("restore", "--drill")
    assert done.returncode == 1
    assert "off-site copy: restic check" in done.stderr
    assert record(backups)["offsite"] is False


@pytest.mark.parametrize(("wrong", "says"), [("password", "wrong password"), ("none", "no password for it in ")])
def test_what_is_wrong_is_said_and_the_backup_is_there(
    run: Run, backups: Path, repository: Path, environment: dict[str, str], wrong: str, says: str
) -> None:
    well(run, "backup", "create")
    password = Path(environment["CREDENTIALS_DIRECTORY"], "restic_password")
    if wrong == "password":
        password.write_text("another")
    else:
        password.unlink()
    done = run("backup", "create")
    assert done.returncode != 0
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert len(list(backups.glob("*.zst"))) == 2
