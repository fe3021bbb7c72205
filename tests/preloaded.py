"""Commands as processes of their own, forked by a server (multiprocessing's) that has imported their modules.

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
from pathlib import Path

# What is read when Python, a library of C or a dynamic linker starts, and never again.
AT_START = ("FAKETIME", "LANG", "LC_", "LD_", "OPENBLAS_", "PYTHON")
SECONDS = 120
_SERVER = multiprocessing.get_context("forkserver")
# The commands that tests run most, and what they import later.
_SERVER.set_forkserver_preload(
    [f"toolkit.commands.{name}" for name in ("collect", "data", "detect", "backup", "restore", "incidents", "doctor")]
    + ["toolkit.detector.run", "toolkit.store.sqlite", "tests.preloaded"]
)


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command, which is weather-tool and its words, to its end; its standard input is empty.

    Raises:
        subprocess.TimeoutExpired: it took longer than `SECONDS`; it has been killed.
    """
    if _at_start(environment) != _at_start(dict(os.environ)):
        return subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    with tempfile.TemporaryDirectory(prefix="weather-command-") as folder:
        streams = [Path(os.devnull), Path(folder) / "stdout", Path(folder) / "stderr"]
        process = _SERVER.Process(target=_command, args=(command, environment, Path.cwd(), streams))
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, SECONDS)
        return subprocess.CompletedProcess(command, process.exitcode, streams[1].read_text(), streams[2].read_text())


def _at_start(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(AT_START)}


def _command(command: list[str], environment: dict[str, str], folder: Path, streams: list[Path]) -> None:
    """Become the command, in the process that the server has forked."""
    from toolkit.cli.entry import main

    for number, flags in enumerate((os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)):
        opened = os.open(streams[number], flags)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for as long as the process lives, as the others
    sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = command
    try:
        sys.exit(main())
    finally:
        atexit._run_exitfuncs()  # which multiprocessing leaves out
