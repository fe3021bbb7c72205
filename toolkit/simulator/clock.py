"""The simulated clock, and the time of the observation that is the latest by it."""

from __future__ import annotations

import math


class Clock:
    """Simulated time: from `start`, `speed` times as fast as real time, until it has caught up with real time.

    Args:
        start: seconds since the epoch.
        speed: simulated seconds per real second.
        cadence: seconds of simulated time between observations while behind real time.
        live_cadence: seconds between observations once real time is reached.
        began: the real time at which the clock stood at `start`, in seconds since the epoch.
    """

    def __init__(self, start: float, speed: float, cadence: float, live_cadence: float, began: float) -> None:
        self._start = start
        self._speed = speed
        self._cadence = cadence
        self._live_cadence = live_cadence
        self._began = began

    def observed(self, real: float) -> tuple[int, float]:
        """The time of the latest observation at real time `real`, and the seconds until the next."""
        simulated = self._start + (real - self._began) * self._speed
        if simulated >= real:
            latest = math.floor(real / self._live_cadence) * self._live_cadence
            return int(latest), latest + self._live_cadence - real
        latest = math.floor(simulated / self._cadence) * self._cadence
        return int(latest), (latest + self._cadence - simulated) / self._speed
