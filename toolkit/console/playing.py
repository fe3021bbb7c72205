"""Playing past time back in a process of its own: one at a time, with little priority, bounded in time and memory.

What it has made is kept while it is being looked at. The detector takes more memory than this service may.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import sys
import time
import zlib
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from toolkit.api.problems import too_busy
from toolkit.database import Database
from toolkit.text import one_line

# The longest that a process may work; what it has made by then is kept. It is begun anew for what was not asked for in
# a while.
SECONDS = 120.0
# What nobody asks for any more is ended after so long.
LEFT_SECONDS = 10.0
# What has been made is kept for so long at most: the settings may have changed, and late observations come.
KEPT_SECONDS = 600.0
# So much is kept, in bytes, and so many may wait.
KEPT_BYTES, WAITING = 16 << 20, 8
# So much memory a process may take: a run over 10,000 stations takes 0.4 GB. The service's unit has room for it.
MEMORY = 768 << 20
NICE = 15
LINE_BYTES = 64 << 20

log = logging.getLogger(__name__)

State = Literal["waiting", "playing", "done", "stopped", "failed"]


class PlaybackRequest(NamedTuple):
    """What is to be played back: see `weather-tool playback`; `end` in seconds since the epoch, `step` in minutes."""

    station: str | None
    end: int
    hours: float
    step: float
    everything: bool

    def words(self) -> list[str]:
        """The command's words."""
        told = f"--end={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(self.end))}"
        words = ["playback", "--json", told, f"--hours={self.hours}", f"--step={self.step}"]
        words += [] if self.station is None else [f"--station={self.station}"]
        return [*words, "--everything"] if self.everything else words


@dataclass(slots=True)
class Play:
    """What has been made of a request so far.

    Attributes:
        state: how far it is. `stopped`: it took too long; `failed`: see `why`.
        why: why it failed.
        runs: what each run says of all stations, in JSON.
        sensors: by the time of a run, what it says of the sensors of the station, in packed JSON.
        asked: when somebody asked for it last, of the monotonic clock.
        made: when the work on it began, likewise.
    """

    state: State = "waiting"
    why: str = ""
    runs: list[bytes] = field(default_factory=list)
    sensors: dict[int, bytes] = field(default_factory=dict)
    asked: float = 0.0
    made: float = 0.0

    @property
    def size(self) -> int:
        """How much memory it takes, in bytes."""
        return sum(map(len, self.runs)) + sum(map(len, self.sensors.values()))

    @property
    def over(self) -> bool:
        """Whether it is complete, or has failed."""
        return self.state in {"done", "stopped", "failed"}


class Playing:
    """The requested playbacks of a service; one at a time is being made."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._plays: OrderedDict[PlaybackRequest, Play] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def ask(self, wanted: PlaybackRequest, old: float = KEPT_SECONDS) -> Play:
        """What has been made of a request so far; a new request is begun, or waits for those before it.

        Args:
            wanted: what is to be played back.
            old: a playback that was made so many seconds ago is made anew.

        Raises:
            Problem: too many wait.
        """
        now = time.monotonic()
        play = self._plays.get(wanted)
        if play is not None and play.over and now - play.made > old:
            play = None
        if play is None:
            self._forget()
            if sum(one.state == "waiting" for one in self._plays.values()) >= WAITING:
                raise too_busy()
            play = self._plays[wanted] = Play(made=now)
        play.asked = now
        self._plays.move_to_end(wanted)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._make())
        return play

    async def _make(self) -> None:
        """Make what was requested, one playback after another, the oldest request first."""
        while True:
            self._forget()
            wanted = next((one for one, play in self._plays.items() if play.state == "waiting"), None)
            if wanted is None:
                return
            play = self._plays[wanted]
            play.state, play.made = "playing", time.monotonic()
            try:
                await self._run(wanted, play)
            except Exception as error:
                log.exception("a playback failed")
                play.state, play.why = "failed", f"it could not be played back: {type(error).__name__}"

    def _forget(self) -> None:
        """Forget what nobody waits for any more, and what is too much to be kept."""
        now = time.monotonic()
        for wanted, play in list(self._plays.items()):
            if play.state == "waiting" and now - play.asked > LEFT_SECONDS:
                del self._plays[wanted]
        size = sum(one.size for one in self._plays.values())
        for wanted, play in list(self._plays.items()):
            if size > KEPT_BYTES and play.over:
                size -= play.size
                del self._plays[wanted]

    async def _run(self, wanted: PlaybackRequest, play: Play) -> None:
        environment = {
            **os.environ,
            "WEATHER_DB": str(self._db),
            # One thread of arithmetic, and few heaps: memory is bounded by what is mapped.
            "OPENBLAS_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
        }
        environment.pop("NOTIFY_SOCKET", None)  # what it says is not this service's state
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "toolkit", *wanted.words(), env=environment, limit=LINE_BYTES,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        with suppress(OSError):  # the unit's sandbox allows nobody to change a priority
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
        with suppress(OSError):
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        reading = asyncio.create_task(self._read(process, play))
        try:
            while not reading.done():
                await asyncio.wait([reading], timeout=1)
                now = time.monotonic()
                if now - play.asked > LEFT_SECONDS:
                    self._plays.pop(wanted, None)  # who comes back has it begun anew
                    break
                if now - play.made > SECONDS:
                    play.state = "stopped"
                    break
            else:
                await self._end(process, play, reading.result())
        finally:
            reading.cancel()
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _read(self, process: asyncio.subprocess.Process, play: Play) -> bytes:
        """Read what the process prints into a playback; returns what it writes to standard error."""
        if process.stdout is None or process.stderr is None:
            raise ValueError("the process has no streams")
        saying = asyncio.create_task(process.stderr.read(1 << 16))
        try:
            while line := await process.stdout.readline():
                at, run, sensors = await asyncio.to_thread(_parted, line)
                play.sensors[at] = sensors
                play.runs.append(run)
            return await saying
        finally:
            saying.cancel()

    async def _end(self, process: asyncio.subprocess.Process, play: Play, said: bytes) -> None:
        code = await process.wait()
        if code == 0:
            play.state = "done"
            return
        text = one_line(said.decode("utf-8", "replace").strip().rpartition("\n")[2])
        log.warning("a playback ended with %s: %s", code, text)
        play.state = "failed"
        # A wrong request is told as it is; what is wrong with the machine is the log's.
        play.why = text.removeprefix("weather-tool: ") if code == 2 else ""


def _parted(line: bytes) -> tuple[int, bytes, bytes]:
    """A run, from a line that the command printed: its time, what it says of all stations, of the sensors of one."""
    step: dict[str, Any] = json.loads(line)
    sensors = json.dumps(step.pop("sensors"), ensure_ascii=False).encode()
    return step["at"], json.dumps(step, ensure_ascii=False).encode(), zlib.compress(sensors, 1)
