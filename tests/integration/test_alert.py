"""People are told once that a job fails, and once that it is well again: through apprise, to a real webhook."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

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
