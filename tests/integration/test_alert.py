"""People are told once that a job fails, and once that it is well again: through apprise, to a real webhook.

An alert goes out whatever a feed wrote into the evidence, and whatever lies in the folder of episodes.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.answers import answering
from tests.conftest import TOOL, Run


@pytest.fixture
def told() -> Iterator[tuple[int, list[dict[str, str]]]]:
    heard: list[dict[str, str]] = []

    class People(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), People)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_address[1], heard
    server.shutdown()
    thread.join()
    server.server_close()


def test_once_for_each_episode(run: Run, told: tuple[int, list[dict[str, str]]], tmp_path: Path) -> None:
    port, heard = told
    (tmp_path / "apprise_urls").write_text(f"json://127.0.0.1:{port}/\n")
    episodes = tmp_path / "episodes"
    episodes.mkdir()
    path = f"{Path(TOOL).parent}:{os.environ['PATH']}"

    def alert(*words: str) -> int:
        options = ("--episodes", str(episodes))
        return run("alert", *words, *options, CREDENTIALS_DIRECTORY=str(tmp_path), PATH=path).returncode

    assert alert("backup", "--over") == 0
    assert heard == []
    for _ in range(3):
        assert alert("backup") == 0
    assert [one["title"].split(": ")[1] for one in heard] == ["weather-backup failed"]
    assert "mend it: " in heard[0]["message"]
    for _ in range(2):
        assert alert("backup", "--over") == 0
    assert [one["title"].split(": ")[1] for one in heard[1:]] == ["weather-backup is well again"]
    assert alert("backup") == 0
    assert len(heard) == 3


def test_nobody_hears_is_a_failure_and_the_next_try_tells(
    run: Run, told: tuple[int, list[dict[str, str]]], tmp_path: Path
) -> None:
    port, heard = told
    urls = tmp_path / "apprise_urls"
    urls.write_text("json://127.0.0.1:9/\n")
    path = f"{Path(TOOL).parent}:{os.environ['PATH']}"
    words = ("alert", "backup", "--episodes", str(tmp_path))
    done = run(*words, CREDENTIALS_DIRECTORY=str(tmp_path), PATH=path)
    assert (done.returncode, "nobody could be told" in done.stderr) == (1, True)
    urls.write_text(f"json://127.0.0.1:{port}/\n")
    assert run(*words, CREDENTIALS_DIRECTORY=str(tmp_path), PATH=path).returncode == 0
    assert len(heard) == 1


Alert = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def alert(run: Run, told: tuple[int, list[dict[str, str]]], tmp_path: Path) -> Alert:
    """Run the command with people who listen, on episodes in `tmp_path`/episodes."""
    (tmp_path / "apprise_urls").write_text(f"json://127.0.0.1:{told[0]}/\n")
    (tmp_path / "episodes").mkdir()
    path = f"{Path(TOOL).parent}:{os.environ['PATH']}"

    def call(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        options = ("--episodes", str(tmp_path / "episodes"))
        environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "PATH": path, **variables}
        return run("alert", *words, *options, **environment)

    return call


def test_a_feed_cannot_silence_an_alert(alert: Alert, told: tuple[int, list[dict[str, str]]]) -> None:
    with answering() as server:
        server.answer = b"HTTP/1.1 500 \x00nul \x1b[31m\xff\r\rSTOPPING=1 " + b"x" * 9000 + b"\r\n\r\n"
        done = alert("backup", WEATHER_FEED_URL=server.url)
    assert done.returncode == 0, done.stderr
    message = told[1][0]["message"]
    assert r"answers 500 \x00nul \x1b[31m" in message
    assert not set(message) & set("\x00\x1b\r")
    assert not set(done.stderr) & set("\x00\x1b\r")


@pytest.mark.parametrize("job", ["../backup", "..", "", "x" * 300, "a\nb"])
def test_a_job_is_a_name(alert: Alert, told: tuple[int, list[dict[str, str]]], job: str) -> None:
    done = alert(job)
    assert (done.returncode, done.stderr.count("\n"), told[1]) == (2, 1, [])


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("put", [_folder, _pipe, _link, _dangling])
def test_what_is_no_episode_stops_no_alert(
    alert: Alert, told: tuple[int, list[dict[str, str]]], tmp_path: Path, put: Callable[[Path], None]
) -> None:
    put(tmp_path / "episodes" / "backup")
    assert alert("backup").returncode == 0
    assert alert("backup").returncode == 0
    assert [one["title"].split(": ")[1] for one in told[1]] == ["weather-backup failed"]
    (tmp_path / "episodes" / "backup").unlink()
    put(tmp_path / "episodes" / "backup")
    assert alert("backup", "--over").returncode == 0
    assert alert("backup", "--over").returncode == 0
    assert [one["message"] for one in told[1][1:]] == ["It had failed since a time that is not known."]


def test_what_an_episode_says_is_bounded(alert: Alert, told: tuple[int, list[dict[str, str]]], tmp_path: Path) -> None:
    (tmp_path / "episodes" / "backup").write_bytes(b"\x00\xff" * 1_000_000)
    assert alert("backup", "--over").returncode == 0
    assert len(told[1][0]["message"]) < 200


def test_a_doctor_that_fails_stops_no_alert(
    alert: Alert, told: tuple[int, list[dict[str, str]]], tmp_path: Path
) -> None:
    # Whoever imports the checks falls over it: a package that a broken release lacks.
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['toolkit.checks.diagnosis'] = None")
    assert alert("backup", PYTHONPATH=str(tmp_path)).returncode == 0
    assert "The doctor failed: " in told[1][0]["message"]
