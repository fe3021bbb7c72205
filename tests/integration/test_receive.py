"""Stations that push: the receiver and the collector as processes, and real HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.collector import Service, service
from tests.conftest import Run
from tests.databases import query
from tests.ports import free_port

KEY, PIER, PASSKEY = "one-key-of-all", "pier-has-its-own", "0123456789ABCDEF0123456789ABCDEF"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Receiver:
    """One that runs: where, and how it answers."""

    def __init__(self, port: int, process: Service) -> None:
        self.port, self.process = port, process

    def ask(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> str:
        """The status and the text of an answer."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as client:
            client.request(method, path, body, {**(FORM if body is not None else {}), **(headers or {})})
            answer = client.getresponse()
            return f"{answer.status} {answer.read().decode()}"

    def wunderground(self, station: str, key: str, client: str = "", **more: str) -> str:
        said = {"ID": station, "PASSWORD": key, "dateutc": "2025-11-22 16:00:00", "tempf": "50", **more}
        headers = {"X-Forwarded-For": client} if client else {}
        return self.ask("GET", f"/weatherstation/updateweatherstation.php?{urlencode(said)}", headers=headers)

    def ecowitt(self, key: str, **more: str) -> str:
        said = {"PASSKEY": key, "dateutc": "2025-11-22 16:00:00", "tempf": "68", "stationtype": "GW1000", **more}
        return self.ask("POST", "/data/report/", urlencode(said))

    def count(self, outcome: str) -> float:
        """How many reports became this, by the metrics."""
        lines = self.ask("GET", "/metrics").splitlines()
        return sum(float(line.split()[-1]) for line in lines if f'outcome="{outcome}"' in line and "_total{" in line)


@pytest.fixture
def settings(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Three sources that stations push to."""
    sources = (("open", "wunderground"), ("quay", "wunderground"), ("gateways", "ecowitt"))
    (tmp_path / "sources.toml").write_text(
        "".join(f'[[source]]\nname = "{name}"\nurl = "push:{protocol}"\n' for name, protocol in sources)
    )
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials/source_secrets").write_text(
        f'open = "{KEY}"\nquay = "pier={PIER}\\nmole=mole-has-another"\ngateways = "garden={PASSKEY}"\n'
    )
    return {
        **environment,
        "WEATHER_SOURCES_FILE": str(tmp_path / "sources.toml"),
        "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"),
    }


@contextmanager
def receiving(settings: dict[str, str], folder: Path) -> Iterator[Receiver]:
    folder.mkdir(exist_ok=True)
    port = free_port()
    with service(settings, folder, does=("receive", f"127.0.0.1:{port}")) as running:
        running.wait_for("READY=1")
        yield Receiver(port, running)


@pytest.fixture
def receiver(settings: dict[str, str], tmp_path: Path) -> Iterator[Receiver]:
    with receiving(settings, tmp_path / "receiver") as found:
        yield found


def kept(tmp_path: Path) -> str:
    """Everything that waits."""
    return "".join(path.read_text() for path in sorted((tmp_path / "spool").rglob("*.reports")))


def collect(run: Run, settings: dict[str, str], *, fails: bool = False) -> str:
    done = run("collect", "--once", **settings)
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr


def test_reports_of_both_protocols_are_stored_and_no_key_is_kept(
    receiver: Receiver, run: Run, settings: dict[str, str], tmp_path: Path, db: str
) -> None:
    assert receiver.wunderground("harbour", KEY, softwaretype=f"x {KEY} y") == "200 success\n"
    assert receiver.wunderground("pier", PIER, received="1", station_id="other") == "200 success\n"
    assert receiver.ecowitt(PASSKEY, name="Ελλάδα\nline=2") == "200 OK\n"
    # What is answered is on the disk: one file each, for none waited for another.
    assert len(list((tmp_path / "spool").rglob("*.reports"))) == 3
    waiting = kept(tmp_path)
    collect(run, {**settings, "WEATHER_DB": db})
    found = query(db, "SELECT station_id, temp_out FROM observations ORDER BY station_id")
    assert found == [("garden", 20.0), ("harbour", 10.0), ("pier", 10.0)]
    owners = query(db, "SELECT station_id, source FROM stations ORDER BY station_id")
    assert owners == [("garden", "gateways"), ("harbour", "open"), ("pier", "quay")]
    assert kept(tmp_path) == ""
    log = receiver.process.stop()
    assert receiver.process.process.returncode == 0
    for secret in (KEY, PIER, PASSKEY):
        assert secret not in waiting + log


def test_the_doctor_tells_of_reports_that_wait_for_a_source_that_is_no_more(
    receiver: Receiver, run: Run, settings: dict[str, str], tmp_path: Path
) -> None:
    def found() -> dict[str, str]:
        checks = json.loads(run("doctor", "--json", "--area", "data quality", **settings).stdout)["checks"]
        return next(one for one in checks if one["id"] == "inbox-empty")

    assert receiver.wunderground("harbour", KEY) == "200 success\n"
    assert receiver.wunderground("pier", PIER) == "200 success\n"
    assert found()["status"] == "OK"
    receiver.process.stop()
    file = tmp_path / "sources.toml"
    file.write_text(file.read_text().replace('"quay"', '"key"'))
    told = found()
    inbox = tmp_path / "spool/quay/inbox"
    assert told["status"] == "WARNING"
    assert told["evidence"].startswith(f"1 files of reports wait in {inbox}, and quay is no source any more")
    assert f"ls -l {inbox}" in told["remedy"]
    file.write_text(file.read_text().replace('"key"', '"quay"'))
    (waiting,) = (tmp_path / "spool/open/inbox").glob("*.reports")
    os.utime(waiting, (1, 1))
    assert found()["evidence"].endswith("/open/inbox: the collector does not take them")
    collect(run, settings, fails=True)  # the gateways have sent nothing
    assert found()["status"] == "OK"


def test_a_wrong_key_is_refused_without_saying_what_is_wrong_and_counted(receiver: Receiver, tmp_path: Path) -> None:
    refused = {
        receiver.wunderground("pier", "mole-has-another"),
        receiver.wunderground("mole", PIER),
        receiver.wunderground("nobody", "guessed-by-me"),
        receiver.wunderground("", KEY),
        receiver.wunderground("pier", ""),
        receiver.wunderground("garden", PASSKEY),
        receiver.ecowitt(KEY),
        receiver.ecowitt("", ID="garden", PASSWORD=KEY),
        receiver.ecowitt("%00", station_id="garden"),
    }
    assert refused == {"401 the station or its key is not known\n"}
    assert receiver.count("wrong key") == 9
    assert kept(tmp_path) == ""
    log = receiver.process.stop()
    assert log.count("reports refused: 1 wrong key") == 1
    assert "guessed-by-me" not in log
    assert PIER not in log


def test_what_a_client_may_send_is_bounded(receiver: Receiver, tmp_path: Path) -> None:
    assert receiver.ecowitt(PASSKEY, x="y" * 9000).startswith("413 ")
    assert receiver.wunderground("a", KEY, x="é" * 3000).startswith("413 ")
    assert receiver.wunderground("a", KEY, **{f"f{number}": "1" for number in range(400)}).startswith("400 ")
    assert receiver.wunderground("a", KEY, x="y" * 20_000).startswith("4")
    assert receiver.ask("GET", "/data/report/").startswith("405 ")
    assert receiver.ask("HEAD", "/weatherstation/updateweatherstation.php").startswith("405 ")
    assert receiver.ask("GET", "/").startswith("404 ")
    place = ("127.0.0.1", receiver.port)
    with socket.create_connection(place, 30) as body, socket.create_connection(place, 30) as head:
        body.sendall(b"POST /data/report/ HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nPASSKEY=")
        head.sendall(b"GET /weatherstation/updateweatherst")
        assert body.recv(100).startswith(b"HTTP/1.1 408 ")
        with suppress(ConnectionResetError):
            assert head.recv(100) == b""
    assert kept(tmp_path) == ""
    assert receiver.wunderground("a", KEY) == "200 success\n"


def test_one_client_cannot_take_the_others_share(receiver: Receiver) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda key: receiver.wunderground("a", key, "203.0.113.1"), ["wrong-key", KEY] * 600))
    assert {one[:3] for one in answers[::2]} == {"401", "429"}
    assert {one[:3] for one in answers[1::2]} == {"200", "429"}
    assert receiver.wunderground("a", KEY, "203.0.113.2") == "200 success\n"
    assert receiver.count("too many") == sum(one.startswith("429") for one in answers)


def test_a_full_inbox_refuses_and_takes_again_when_there_is_room(
    settings: dict[str, str], run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "spool/open/inbox"
    folder.mkdir(parents=True)
    # 64 MiB divided by three sources.
    settings["WEATHER_SPOOL_MIB"] = "3"
    report = b"tempf=50&dateutc=2025-11-22+16%3A00%3A00&station_id=early&received=1763827200\n"
    (folder / "000000000007.reports").write_bytes(report + b"\n" * (1 << 20))
    with receiving(settings, tmp_path / "receiver") as receiver:
        assert receiver.wunderground("late", KEY) == "507 there is no room for reports\n"
        assert receiver.wunderground("pier", PIER) == "200 success\n"
        assert receiver.count("no room") == 1
        collect(run, settings, fails=True)  # nothing has come from the gateways
        while receiver.wunderground("late", KEY).startswith("507"):
            pass
        assert f"no room: more than 1 MiB of reports wait in {folder}: see to the collector" in receiver.process.log
        assert sorted(one.name for one in folder.glob("*.reports")) == ["000000000008.reports"]
    found = query(settings["WEATHER_DB"], "SELECT station_id FROM stations ORDER BY station_id")
    assert found == [("early",), ("pier",)]


def test_a_disk_that_takes_nothing_is_said(receiver: Receiver, tmp_path: Path) -> None:
    folder = tmp_path / "spool/open/inbox"
    folder.rename(tmp_path / "moved")
    folder.write_text("a file")
    assert receiver.wunderground("a", KEY) == "503 the report cannot be kept\n"
    folder.unlink()
    (tmp_path / "moved").rename(folder)
    assert receiver.wunderground("a", KEY) == "200 success\n"
    assert "reports refused: 1 not written: cannot write" in receiver.process.stop()


def test_nothing_that_was_answered_is_lost_when_either_is_killed_at_any_moment(
    settings: dict[str, str], run: Run, tmp_path: Path, db: str
) -> None:
    settings["WEATHER_DB"] = db
    answered: list[str] = []

    def push(receiver: Receiver, begin: int) -> None:
        def one(number: int) -> None:
            station = f"s{number}"
            try:
                answer = receiver.wunderground(station, KEY, f"192.0.2.{number % 250}", dateutc="now")
            except (OSError, http.client.HTTPException):
                return  # not answered: nothing was promised
            assert answer == "200 success\n"
            answered.append(station)
            if number % 60 == 59 and begin:
                os.kill(receiver.process.process.pid, signal.SIGKILL)

        with ThreadPoolExecutor(10) as pool:
            list(pool.map(one, range(begin, begin + 120)))

    for round_ in range(3):
        with (
            receiving(settings, tmp_path / "receiver") as receiver,
            service(settings, tmp_path) as collector,
        ):
            collector.wait_for("READY=1")
            push(receiver, round_ * 120)
            if round_ != 1:
                collector.wait_for("new observations")
            collector.process.kill()
    assert len(answered) > 200
    run("collect", "--once", **settings)
    found = query(db, "SELECT station_id FROM observations")
    assert len(found) == len(set(found))
    assert set(answered) <= {station for (station,) in found}
    assert kept(tmp_path) == ""


def test_while_the_store_fails_reports_wait_in_the_spool(
    receiver: Receiver, run: Run, settings: dict[str, str], tmp_path: Path
) -> None:
    receiver.wunderground("a", KEY)
    broken = {**settings, "WEATHER_DB": str(tmp_path / "none/weather.db")}
    (tmp_path / "none").write_text("no folder")
    collect(run, broken, fails=True)
    assert kept(tmp_path) == ""
    assert len(list((tmp_path / "spool/open").glob("*.gz"))) == 1
    receiver.wunderground("b", KEY)
    collect(run, settings, fails=True)  # nothing has come from the others
    assert query(settings["WEATHER_DB"], "SELECT station_id FROM observations ORDER BY 1") == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("secrets", "says"),
    [
        ("", "has no key of them: give it in weather_source_secrets, as only: KEY, or STATION=KEY"),
        ('only = "short"', "is wrong in line 1 of the source only: give KEY, or STATION=KEY"),
        ('only = "a=long-enough-1\\nlong-enough-2"', "is wrong in line 2 of the source only"),
        ('only = "a b=long-enough-1"', "is wrong in line 1 of the source only"),
    ],
)
def test_a_key_that_cannot_be_used_is_said_without_it(
    run: Run, environment: dict[str, str], tmp_path: Path, secrets: str, says: str
) -> None:
    (tmp_path / "sources.toml").write_text('[[source]]\nname = "only"\nurl = "push:wunderground"\n')
    (tmp_path / "source_secrets").write_text(secrets)
    done = run(
        "receive",
        "127.0.0.1:1",
        WEATHER_SOURCES_FILE=str(tmp_path / "sources.toml"),
        CREDENTIALS_DIRECTORY=str(tmp_path),
    )
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert "long-enough" not in done.stderr
    assert "short" not in done.stderr


def test_one_key_for_two_stations_is_refused(run: Run, settings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "credentials/source_secrets").write_text(
        f'open = "{KEY}"\nquay = "pier={PIER}"\ngateways = "garden={PASSKEY}\\nroof={PASSKEY}"\n'
    )
    done = run("receive", "127.0.0.1:1", **settings)
    assert done.returncode == 1
    assert "has one key for garden of gateways and for roof of gateways: give each its own" in done.stderr
    assert PASSKEY not in done.stderr


def test_who_cannot_receive_says_why(run: Run, receiver: Receiver, settings: dict[str, str]) -> None:
    done = run("receive")
    assert (done.returncode, done.stdout) == (2, "")
    assert "stations push to no source: give one the url push:wunderground or push:ecowitt" in done.stderr
    done = run("receive", "127.0.0.1:1", **settings)
    assert done.returncode == 1
    assert "another receiver is at work" in done.stderr
    done = run("collect", "--once", WEATHER_FEED_URL="push:davis")
    assert (done.returncode, "give push:wunderground or push:ecowitt" in done.stderr) == (2, True)
    done = run("collect", "--once", WEATHER_FEED_URL="push:ecowitt")
    assert (done.returncode, "has the format ecowitt" in done.stderr) == (2, True)
    done = run("feed", "try", "--name", "open", **settings)
    assert (done.returncode, "nothing is fetched" in done.stderr) == (2, True)
