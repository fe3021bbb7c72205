"""Running the jobs when they are due, in a container: what cron or systemd does on a host."""

from __future__ import annotations

import logging
import random
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.schedules import is_due

# As TimeoutStartSec of the units.
LIMIT_SECONDS = 15 * 60
STOP_SECONDS = 8

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    until: float


@dataclass(slots=True)
class Scheduler:
    """Runs `weather-tool COMMAND` for each job that is due; a job is never run twice at the same time.

    Attributes:
        jobs: by name, each with `command` and `schedule`.
    """

    jobs: Mapping[str, Mapping[str, Any]]
    _running: dict[str, _Running] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _timers: list[threading.Timer] = field(default_factory=list)
    _lock: Any = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; jobs that are running then are terminated."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        minute = _next_minute(datetime.now())  # noqa: DTZ005 - schedules are in local time, as cron's
        log.info("%d jobs: %s", len(self.jobs), ", ".join(self.jobs))
        while not self._stop.wait(min(1.0, max(0.0, (minute - datetime.now()).total_seconds()))):  # noqa: DTZ005
            self._reap()
            now = datetime.now()  # noqa: DTZ005
            minute = awaited(minute, now)
            if now < minute:
                continue
            for name, job in self.jobs.items():
                if is_due(job["schedule"], minute):
                    self._begin_later(name, job)
            minute = after(minute, datetime.now())  # noqa: DTZ005
        self._end_all()

    def begin(self, name: str, job: Mapping[str, Any]) -> None:
        """Start a job, unless it is running."""
        with self._lock:
            if name in self._running and self._running[name].process.poll() is None:
                log.warning("%s: the last run is still at work", name)
                return
            command = [sys.executable, "-P", "-m", "toolkit", *shlex.split(str(job["command"]))]
            log.info("%s: %s", name, job["command"])
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603
            self._running[name] = _Running(process, time.monotonic() + LIMIT_SECONDS)

    def _begin_later(self, name: str, job: Mapping[str, Any]) -> None:
        delay = random.uniform(0, seconds(job["schedule"].get("random_delay", "0")))  # noqa: S311
        timer = threading.Timer(delay, self.begin, (name, job))
        timer.daemon = True
        timer.start()
        self._timers = [one for one in self._timers if one.is_alive()] + [timer]

    def _reap(self) -> None:
        with self._lock:
            for name, one in list(self._running.items()):
                code = one.process.poll()
                if code is None and time.monotonic() > one.until:
                    log.error("%s: ended after %d s", name, LIMIT_SECONDS)
                    one.process.kill()
                elif code is not None:
                    del self._running[name]
                    log.log(logging.ERROR if code else logging.INFO, "%s: exit code %d", name, code)

    def _end_all(self) -> None:
        for timer in self._timers:
            timer.cancel()
        for one in self._running.values():
            one.process.terminate()
        for one in self._running.values():
            try:
                one.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()


def awaited(minute: datetime, now: datetime) -> datetime:
    """The minute to wait for: the given one, unless the clock was set back and it is far away now."""
    if minute - now <= timedelta(minutes=1):
        return minute
    log.warning("the clock was set back: going on from %s", now.isoformat(" ", "seconds"))
    return _next_minute(now)


def after(minute: datetime, now: datetime) -> datetime:
    """The minute after one whose jobs were started. Minutes that the clock skips are left out."""
    return _next_minute(max(minute, now - timedelta(minutes=1)))


def _next_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def seconds(text: str) -> float:
    """A delay of `weather_jobs`: a number of seconds, or with s, min or h.

    Raises:
        ToolkitError: it is no delay.
    """
    number = str(text).rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = {"": 1, "s": 1, "min": 60, "h": 3600}.get(str(text)[len(number) :])
    if unit is None or not number.strip().isdecimal():
        raise ToolkitError(f"{text!r} is no delay: such as 90s, 30min, 1h")
    return int(number) * unit
