"""What tests of `weather-tool notify` share: incidents in a real store, and real receivers."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests import preloaded
from tests.conftest import TOOL
from toolkit.incidents import evidence, telling
from toolkit.settings import load
from toolkit.store import open_for_reading, open_for_writing
from toolkit.store.incidents import Incident, Message

NOW = int(time.time())
SEEN = {"detector": {"reason": "7 of 7 neighbours differ", "value": 31.2, "expected": 13.4, "ended": "2026-11-23"}}
INCIDENT = Incident(
    id=0, station_id="volos", variable="temp_out", kind="data_wrong", symptoms="spatial,drift", severity="warning",
    state="open", started=NOW - 90_000, ended=NOW - 600, opened=NOW - 300, acknowledged=None, resolved=None,
    judged=NOW - 600, assignee=None, verdict=None, part_of=None, reopened=0, confidence=0.9,
    evidence=evidence.written(SEEN),
)  # fmt: skip


class Receiver:
    """A webhook that hears, refuses, or lets its callers wait."""

    def __init__(self) -> None:
        self.heard: list[dict[str, str]] = []
        self.status = 200
        self.holding: threading.Event | None = None
        self.called = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if receiver.status == 200:
                    receiver.heard.append(told)
                receiver.called.set()
                if receiver.holding:
                    receiver.holding.wait(30)
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self._server.server_address[1]}/"

    @property
    def titles(self) -> list[str]:
        return [one["title"].split(": ", 1)[1] for one in self.heard]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Service:
    """The command `notify` with its store and its credentials."""

    def __init__(self, db: str, folder: Path, environment: dict[str, str]) -> None:
        self.db, self._folder = db, folder
        path = f"{Path(TOOL).parent}:{os.environ['PATH']}"
        self.environment = {**environment, "WEATHER_DB": db, "CREDENTIALS_DIRECTORY": str(folder), "PATH": path}
        with open_for_writing(db):
            pass

    def name(self, *urls: str, credential: str = "apprise_urls") -> None:
        (self._folder / credential).write_text("# whom to tell\n\n" + "\n".join(urls) + "\n")

    def happens(self, action: str, incident: Incident = INCIDENT, at: float = NOW, **settings: str) -> Incident:
        """Write an incident, and what people are to be told of it, as the detector and the command do."""
        declared = load({}, {f"WEATHER_NOTIFY_{name.upper()}": value for name, value in settings.items()}).settings
        with open_for_writing(self.db) as store, store.transaction():
            if incident.id:
                store.incidents.change([incident])
            else:
                incident = incident._replace(id=store.incidents.add(incident))
            store.incidents.tell(telling.messages([(incident, action)], declared, at))
        return incident

    def later(self, seconds: float) -> None:
        """Let time pass: all that is in the outbox is that much older."""
        with open_for_writing(self.db) as store, store.transaction():
            store.incidents.change_messages(
                one._replace(due=one.due - seconds, written=one.written - seconds,
                             tried=None if one.tried is None else one.tried - seconds)
                for one in self.outbox
            )  # fmt: skip

    @property
    def outbox(self) -> list[Message]:
        with open_for_reading(self.db) as store:
            return store.incidents.messages(["waiting", "sending", "sent", "cancelled"])

    @property
    def states(self) -> dict[str, str]:
        return {one.event: one.state for one in self.outbox}

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [TOOL, "notify", *words], env={**self.environment, **variables}, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def notify(self, *words: str, **variables: str) -> tuple[int, str]:
        done = preloaded.run([TOOL, "notify", *words], {**self.environment, **variables})
        return done.returncode, done.stdout + done.stderr
