"""A lab's feed: `weather-tool simulate` in the background, where the lab's hosts reach it.

python -m lab.feed start [OPTION...]   start it anew with these options of `weather-tool simulate`
python -m lab.feed stop                stop it
python -m lab.feed stop --all          stop those of all labs

LAB_NAME names the lab, as for lab.sh. Stopping needs nothing but Python.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

LAB = Path(__file__).parent
LAB_NAME = os.environ.get("LAB_NAME", "weather-lab")
STATE = LAB.parent / ".lab"
LOG = STATE / f"{LAB_NAME}-feed.log"
_RUNNING = STATE / f"{LAB_NAME}-feed.json"


class FeedError(Exception):
    """The feed did not start; the message says why."""


def start(options: Sequence[str], name: str = "") -> None:
    """Start the feed anew with options of `weather-tool simulate`.

    Raises:
        FeedError: it did not start.
    """
    stop()
    gateway = subprocess.run([LAB / "lab.sh", "gateway"], capture_output=True, text=True, check=False)
    if gateway.returncode:
        raise FeedError("the lab has no network: make clean, then try again")
    command = [str(Path(sys.executable).parent / "weather-tool"), "simulate", "--address", gateway.stdout.strip()]
    with LOG.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*command, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    while "http://" not in LOG.read_text(encoding="utf-8"):
        if process.poll() is not None:
            raise FeedError(f"the feed did not start: {LOG.read_text(encoding='utf-8').strip()}")
        time.sleep(0.05)
    _RUNNING.write_text(json.dumps({"name": name, "pid": process.pid}), encoding="utf-8")


def name() -> str | None:
    """The name of the feed that was started last, running or not."""
    return str(json.loads(_RUNNING.read_text(encoding="utf-8"))["name"]) if _RUNNING.exists() else None


def age() -> float | None:
    """For how many seconds the feed has been running; None when it does not."""
    if _RUNNING.exists() and _is_ours(_pid(_RUNNING)):
        return time.time() - _RUNNING.stat().st_mtime
    return None


def stop(running: Path = _RUNNING) -> None:
    """Stop a feed, of this lab unless another is given, if it runs, and forget it."""
    if running.exists() and _is_ours(pid := _pid(running)):
        os.kill(pid, signal.SIGTERM)
        while _is_ours(pid):
            time.sleep(0.05)
    running.unlink(missing_ok=True)


def _pid(running: Path) -> int:
    return int(json.loads(running.read_text(encoding="utf-8"))["pid"])


def _is_ours(pid: int) -> bool:
    # The number may have been given to another process since.
    try:
        return b"simulate" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except FileNotFoundError:
        return False


def _main(arguments: Sequence[str]) -> int | str:
    match arguments:
        case ["start", *options]:
            try:
                start(options)
            except FeedError as error:
                return f"lab: {error}"
        case ["stop"]:
            stop()
        case ["stop", "--all"]:
            for running in STATE.glob("*-feed.json"):
                stop(running)
        case _:
            return __doc__ or ""
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
