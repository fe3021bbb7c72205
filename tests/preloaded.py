"""Commands and services as processes of their own, forked by a server (multiprocessing's) that has imported their modules.

A command has the words, environment, working folder, standard streams and exit code that it is given. What it does not do
is start Python and import modules, which is most of what a short command costs. What belongs to a start (closed streams,
missing packages, what is imported when, limits, a wrong clock) is tested by running `TOOL` itself.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.shared import MEMORY

# What is read when Python, a library of C or a dynamic linker starts, and never again.
AT_START = ("FAKETIME", "LANG", "LC_", "LD_", "OPENBLAS_", "PYTHON")
SECONDS = 120
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.importing", "tests.preloaded"])


def run(command: list[str], environment: dict[str, str], said: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command, which is weather-tool and its words, to its end; `said` is its standard input.

    Raises:
        subprocess.TimeoutExpired: it took longer than `SECONDS`; it has been killed.
    """
    if not forks(environment):
        return subprocess.run(
            command,
            env=environment,
            input=said,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    with tempfile.TemporaryDirectory(prefix="weather-command-", dir=MEMORY) as folder:
        streams = [Path(folder) / name for name in ("stdin", "stdout", "stderr")]
        streams[0].write_text(said)
        process = Forked(command, environment, streams)
        try:
            code = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        return subprocess.CompletedProcess(command, code, streams[1].read_text(), streams[2].read_text())


def forks(environment: dict[str, str]) -> bool:
    """Can a command with this environment be forked? A process has what is read at its start from where it began."""
    return at_start(environment) == at_start(os.environ)


class Forked:
    """A command that is running, with those methods of `subprocess.Popen` that tests use.

    Args:
        command: weather-tool and its words.
        environment: of which `forks` is true.
        streams: the files that are its standard input, output and error.
    """

    def __init__(self, command: list[str], environment: dict[str, str], streams: list[Path]) -> None:
        self.args = command
        self._process = _SERVER.Process(target=_command, args=(command, environment, Path.cwd(), streams))
        self._process.start()
        self.pid = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()


def at_start(environment: Mapping[str, str]) -> dict[str, str]:
    """Of an environment that which counts when a process starts."""
    return {name: value for name, value in environment.items() if name.startswith(AT_START)}


def _command(command: list[str], environment: dict[str, str], folder: Path, streams: list[Path]) -> None:
    """Become the command, in the process that the server has forked."""
    from toolkit.cli.entry import main

    for number, flags in enumerate((os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)):
        opened = os.open(streams[number], flags)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for as long as the process lives, as the others
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = command
    try:
        sys.exit(main())
    finally:
        atexit._run_exitfuncs()  # which multiprocessing leaves out
