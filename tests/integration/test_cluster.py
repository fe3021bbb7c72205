"""A cluster that judges: real schedulers and workers, TLS, and kills."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster import Piece, Running, authority, credentials, running
from tests.collector import service
from tests.conftest import TOOL, Run
from tests.integration.conftest import END
from toolkit.checks import Status
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import examine
from toolkit.checks.host import Host
from toolkit.cluster.connection import encrypted_or_here
from toolkit.cluster.judging import Cluster, connected
from toolkit.cluster.told import ALL, NONE, PART, share, told
from toolkit.settings import load_lenient
from toolkit.times import from_epoch, iso

ROOT = Path(__file__).parents[2]
FAULTS = (
    "station=zagora,variable=temp_out,kind=spike,at=-40m,for=20m",
    "station=volos,variable=temp_out,kind=noise,at=-6h",
    "station=makrinitsa,variable=bar,kind=offset,at=-2h",
    "station=sparti,kind=silent,at=-3h",
)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority(tmp_path_factory.mktemp("authority") / "own")


@pytest.fixture(scope="module")
def cluster(signed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A cluster of two workers, by TLS."""
    folder = tmp_path_factory.mktemp("cluster")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WEATHER_")}
    environment = {**clean, "WEATHER_ENV_FILE": "/dev/null", **credentials(signed, folder / "member")}
    with running(environment, folder) as one:
        yield one


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Callable[[int], Piece]]:
    """Makes work that ends when it is told to."""
    made: list[Piece] = []

    def make(number: int) -> Piece:
        made.append(Piece(tmp_path, str(number)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def detected(run: Run, **variables: str) -> tuple[dict[str, object], str]:
    """The report of a run, without when it was made, and what was said besides."""
    done = run("detect", "--json", "--no-record", "--end", iso(from_epoch(END)), **variables)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    del report["generated_at"]
    return report, done.stderr


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_cluster_says_what_one_machine_says(
    cluster: Running,
    run: Run,
    fill: Callable[..., None],
    engine: str,
    request: pytest.FixtureRequest,
    environment: dict[str, str],
) -> None:
    if engine == "postgresql":
        environment["WEATHER_DB"] = request.getfixturevalue("postgresql").database("cluster")
    fill(*FAULTS, hours=30)
    alone, _ = detected(run)
    assert alone["anomalies"]
    judged, said = detected(run, **cluster.environment, WEATHER_DB=environment["WEATHER_DB"])
    assert judged == alone
    assert said == ""


def test_a_network_without_a_cluster_loads_nothing_of_dask(
    run: Run, fill: Callable[..., None], environment: dict[str, str]
) -> None:
    fill(hours=12)
    words = [sys.executable, "-X", "importtime", TOOL, "detect", "--no-record", "--end", iso(from_epoch(END))]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert "toolkit.detector.run" in done.stderr  # what is loaded is listed there
    assert "toolkit.cluster" not in done.stderr
    assert " distributed" not in done.stderr


def test_a_worker_that_dies_costs_one_more_try(
    cluster: Running, held: Callable[[int], Piece], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", cluster.environment["CREDENTIALS_DIRECTORY"])
    pieces = [held(number) for number in range(4)]
    with connected(cluster.address) as client:
        used = Cluster(client, 2)

        def kill() -> None:
            os.kill(pieces[0].begun(), signal.SIGKILL)
            for one in pieces:
                one.end()

        killing = threading.Thread(target=kill)
        killing.start()
        assert list(used.apply(subprocess.call, [one.words for one in pieces])) == [0, 0, 0, 0]
        killing.join()
    assert (used.away, used.here) == (4, 0)
    assert [one.message for one in caplog.records if one.name.startswith("toolkit")] == []


def test_work_that_kills_every_worker_is_done_here(
    cluster: Running, held: Callable[[int], Piece], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", cluster.environment["CREDENTIALS_DIRECTORY"])
    monkeypatch.setattr("toolkit.cluster.judging.RESULT_SECONDS", 600)  # three workers begin anew before there is one
    poison = held(0)
    poison.words[2] += f"; test $PPID = {os.getpid()} || kill -9 $PPID"
    with connected(cluster.address) as client:
        used = Cluster(client, 2)
        results = used.apply(subprocess.call, [["true"], poison.words, ["false"]])
        assert next(results) == 0  # it is here: a worker that died with it would be one that it killed
        poison.end()
        assert list(results) == [0, 1]
    # The last piece may have waited each time for the worker that died, and is done here then, too.
    said = sorted(one.message for one in caplog.records if one.name.startswith("toolkit"))
    assert len(said) == used.here <= 2
    assert said[0].startswith("piece 2: 3 workers that had it died, the last one ")
    assert said[0].endswith("; it is judged on this machine")


def test_where_the_scheduler_dies_this_machine_does_the_rest(
    signed: Path,
    held: Callable[[int], Piece],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    member = credentials(signed, tmp_path / "member")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", member["CREDENTIALS_DIRECTORY"])
    environment = {**os.environ, "WEATHER_ENV_FILE": "/dev/null"}
    pieces = [held(number) for number in range(6)]
    with running(environment, tmp_path / "cluster", processes=1) as own:
        with connected(own.address) as client:
            used = Cluster(client, 1)
            pieces[0].end()
            pieces[1].end()

            def kill() -> None:
                pieces[2].begun()  # it was handed out after the first result had come
                own.scheduler.process.kill()
                for one in pieces[2:]:
                    one.end()

            killing = threading.Thread(target=kill)
            killing.start()
            assert list(used.apply(subprocess.call, [one.words for one in pieces])) == [0] * 6
            killing.join()
        assert (used.away in {1, 2}, used.away + used.here) == (True, 6)
        # The result of the piece before may be lost on its way, which is told, too.
        *_, said = [one.message for one in caplog.records if one.levelno == logging.WARNING]
        assert said == "the cluster is lost: the scheduler is gone; it is judged on this machine"
        # Its worker waits for another scheduler, and works for it.
        own.workers.wait_for("Waiting for the scheduler")
        again = tmp_path / "again"
        again.mkdir()
        does = ("cluster", "scheduler", own.address.removeprefix("tls://"), "--dask", own.address)
        with service(environment, again, does=does):
            own.workers.wait_for("judge for")
            assert "weather-toolkit" not in own.workers.stop()


def test_a_cluster_that_is_away_is_told_and_the_run_goes_on(
    run: Run, fill: Callable[..., None], tmp_path: Path
) -> None:
    fill(*FAULTS, hours=30)
    alone, _ = detected(run)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        judged, said = detected(run, WEATHER_DASK="tcp://127.0.0.1:1", NOTIFY_SOCKET=str(tmp_path / "notify"))
        status = systemd.recv(4096).decode().removeprefix("STATUS=")
    assert judged == alone
    assert share(status) == NONE
    assert "all was judged on this machine" in status
    assert said == (
        "warning: the scheduler at tcp://127.0.0.1:1 does not answer: connection refused; it is judged on this machine\n"
    )


def test_how_much_the_cluster_judged_is_the_first_word() -> None:
    assert share(told(4, 0, "tls://a:1")) == ALL
    assert share(told(3, 1, "tls://a:1")) == PART


def test_workers_of_another_release_judge_nothing(
    run: Run, fill: Callable[..., None], environment: dict[str, str], tmp_path: Path
) -> None:
    fill(hours=12)
    shutil.copytree(ROOT / "toolkit", tmp_path / "other/toolkit")
    with (tmp_path / "other/toolkit/model.py").open("a") as code:
        code.write("# another release\n")
    own = {**environment, "PYTHONPATH": str(tmp_path / "other")}
    with running(own, tmp_path / "cluster", scheme="tcp", processes=1) as cluster:
        judged, said = detected(run, WEATHER_DASK=cluster.address)
        status = run("cluster", "status", WEATHER_DASK=cluster.address)
    assert judged["stations"]
    assert "warning: 1 workers are not of this release, 1." in said
    assert ": deploy one release to all hosts\n" in said
    assert "no worker of this release" in said.splitlines()[-1]
    assert said.endswith("it is judged on this machine\n")
    assert status.returncode == 1
    assert "0 of 1 workers are of this release" in status.stdout


def test_who_has_no_certificate_of_the_cluster_is_refused(
    cluster: Running, run: Run, fill: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = credentials(authority(tmp_path / "stranger"), tmp_path / "strangers")
    half = tmp_path / "half"
    half.mkdir()
    (half / "cluster_tls").write_text((tmp_path / "strangers/key").read_text())
    plain = cluster.address.replace("tls", "tcp")
    tried = {
        "asks for the credential cluster_tls": {"CREDENTIALS_DIRECTORY": ""},
        "has 1 private keys and 0 certificates": {"CREDENTIALS_DIRECTORY": str(half)},
        "does not answer": stranger,
        f"the scheduler at {plain} does not answer": {"WEATHER_DASK": plain},
    }
    for why, variables in tried.items():
        done = run("cluster", "status", **{**cluster.environment, **variables})
        assert done.returncode == 1, why
        (line,) = done.stderr.splitlines()
        assert why in line, line
    done = run("cluster", "status", **cluster.environment)
    assert done.returncode == 0
    assert "2 of 2 workers are of this release" in done.stdout


def test_the_doctor_sees_the_scheduler_and_who_reaches_it(cluster: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str, **variables: str) -> tuple[Status, str]:
        for variable, value in {**cluster.environment, **variables}.items():
            monkeypatch.setenv(variable, value)
        (one,) = examine(Host(load_lenient()), [BY_ID[name]])
        return one.status, one.finding.evidence

    assert found("cluster-answers") == (Status.OK, f"{cluster.address} answers")
    assert found("cluster-answers", WEATHER_DASK="tls://127.0.0.1:1") == (
        Status.WARNING, "tls://127.0.0.1:1: connection refused",
    )  # fmt: skip
    assert found("cluster-encrypted")[0] is Status.OK
    status, told = found("cluster-encrypted", WEATHER_DASK="tcp://weather-2:8786")
    assert status is Status.WARNING
    assert told.startswith("WEATHER_DASK=tcp://weather-2:8786: give it certificates")


@pytest.mark.parametrize(
    ("address", "safe"),
    [("tcp://127.0.0.1:8786", True), ("tcp://localhost:8786", True), ("tcp://[::1]:8786", True), ("tls://a:1", True),
     ("tcp://10.0.0.1:8786", False), ("tcp://weather-1:8786", False)],
)  # fmt: skip
def test_what_stays_on_this_machine_needs_no_certificate(address: str, safe: bool) -> None:
    assert encrypted_or_here(address) is safe


@pytest.mark.parametrize(
    "address", ["tcp:127.0.0.1:8786", "http://a:8786", "tls://a", "tls://a:0", "tls://a:b", "tls://a:1/x"]
)
def test_an_address_that_is_none_is_named(run: Run, address: str) -> None:
    done = run("settings", WEATHER_DASK=address)
    assert done.returncode == 2
    assert "give tls://HOST:PORT or tcp://HOST:PORT" in done.stderr
