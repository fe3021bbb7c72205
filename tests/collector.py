"""A collector, or another service, that runs as systemd would run it."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import preloaded
from tests.conftest import TOOL


class Service:
    """A running service, with the socket on which systemd would listen."""

    def __init__(
        self, environment: dict[str, str], folder: Path, *command: str, does: tuple[str, ...] = ("collect",)
    ) -> None:
        (folder / "notify").unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "notify"))
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._log = folder / "service.log"
        env = {**environment, "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "400000"}
        self.process: subprocess.Popen[bytes] | preloaded.Forked
        if command or not preloaded.forks(env):
            with self._log.open("w") as log:
                self.process = subprocess.Popen([*command, TOOL, *does], env=env, stderr=log)
        else:
            self._log.write_bytes(b"")
            nothing = Path(os.devnull)
            self.process = preloaded.Forked([TOOL, *does], env, [nothing, nothing, self._log])
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        """Read at once whatever the service says, as systemd does, whether or not a test waits for it."""
        while message := self._socket.recv(65536):
            self._said.put(message.decode())

    def wait_for(self, word: str) -> str:
        """Wait until the service tells systemd something with this word in it."""
        while True:
            try:
                message = self._said.get(timeout=60)
            except queue.Empty:
                raise AssertionError(f"{word!r} was not said; the log: {self.log}") from None
            if word in message:
                return message

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text()

    def stop(self) -> str:
        """Stop it as systemd does; returns its log."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=120)
        return self.log

    def close(self) -> None:
        """Kill it, if it still runs."""
        self.process.kill()
        self.process.wait()
        self._socket.shutdown(socket.SHUT_RDWR)  # then nothing more is to be read
        self._listener.join()
        self._socket.close()


@contextmanager
def service(
    environment: dict[str, str], folder: Path, *command: str, does: tuple[str, ...] = ("collect",)
) -> Iterator[Service]:
    """A service that is running, and `does` this; `command` is what it is run by."""
    running = Service(environment, folder, *command, does=does)
    try:
        yield running
    finally:
        running.close()
