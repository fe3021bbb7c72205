"""Debian's Firefox, driven by the W3C's WebDriver BiDi, which it speaks without a driver beside it."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websocket import WebSocket, create_connection

FIREFOX = "/usr/bin/firefox-esr"
# A profile in which nothing is asked of other servers, as far as one can choose.
PREFERENCES = {
    "app.update.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:9/",
}
SAYS = ("log.entryAdded", "network.beforeRequestSent")


class Firefox:
    """A tab of a browser.

    Attributes:
        said: what its pages said on the console, and the errors in them.
        asked: the addresses that its pages asked for.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=SAYS)
        self._tab = self.call("browsingContext.getTree")["contexts"][0]["context"]

    def call(self, method: str, **params: Any) -> Any:
        """The result of a command of WebDriver BiDi; events that come before it are kept.

        Raises:
            AssertionError: the browser refused it.
        """
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("method") == "log.entryAdded":
                self.said.append(str(message["params"]["text"]))
            elif message.get("method") == "network.beforeRequestSent":
                self.asked.append(str(message["params"]["request"]["url"]))
            elif message.get("id") == number:
                assert message["type"] == "success", message
                return message["result"]

    def open(self, url: str) -> None:
        """Show a page."""
        self.call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page, once it is settled: a number, a text, or whether something is so."""
        target = {"context": self._tab}
        answer = self.call("script.evaluate", expression=expression, target=target, awaitPromise=True)
        assert answer["type"] == "success", answer
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until an expression is true in the page.

        Raises:
            AssertionError: it was false for 30 s.
        """
        waiting = f"""new Promise(done => {{
            const ends = Date.now() + 30000;
            const look = () => {{
                const met = Boolean({condition});
                if (met || Date.now() > ends) done(met); else setTimeout(look, 20);
            }};
            look();
        }})"""
        assert self.evaluate(waiting), f"not so: {condition}; {self.said}"


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """A browser without a window, whose profile is in an empty folder; it ends with the block."""
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items())
    (folder / "user.js").write_text("".join(lines))
    found = folder / "WebDriverBiDiServer.json"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "TZ": "UTC"}
    command = [FIREFOX, "--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port", "0"]
    with (
        (folder / "firefox.log").open("w") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            while not found.exists() or not found.stat().st_size:
                assert process.poll() is None, (folder / "firefox.log").read_text()
                time.sleep(0.02)
            port = json.loads(found.read_text())["ws_port"]
            socket = create_connection(f"ws://127.0.0.1:{port}/session", timeout=60, suppress_origin=True)
            yield Firefox(socket)
            socket.close()
        finally:
            process.terminate()
