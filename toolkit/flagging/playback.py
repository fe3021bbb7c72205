"""Past time as the detector saw it, run by run: with what had been collected by then, by the settings in force now."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from toolkit.detector.explaining import Explaining, Sensor
from toolkit.detector.report import Report
from toolkit.detector.run import detect, judged_variables, needed_besides
from toolkit.errors import UsageError
from toolkit.flagging.remembered import AsCollected
from toolkit.settings import Settings
from toolkit.store import Span, Store

MOST_STEPS = 200
"""So many runs are played back at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """A run.

    Attributes:
        at: when it is made, and up to when it looks; seconds since the epoch.
        late: how many observations of its window were collected, or corrected, after it. They are left out, unless all
            that is stored was asked for.
        observations: how many there are of its window, these among them.
        report: what it finds at all stations.
        sensors: why it says so of the station that is explained.
    """

    at: int
    late: int
    observations: int
    report: Report
    sensors: list[Sensor]


def moments(end: float, hours: float, minutes: float) -> list[int]:
    """When the runs are: at `end`, and every so many minutes in the hours before, in order.

    Raises:
        UsageError: they are too many, or none.
    """
    if not (minutes > 0 and hours >= 0 and hours * 60 / minutes < MOST_STEPS):
        raise UsageError(
            f"{hours:g} hours in steps of {minutes:g} minutes: give from 1 to {MOST_STEPS} steps, "
            "with fewer hours or longer steps"
        )
    number = int(hours * 60 / minutes)
    return [round(end - place * minutes * 60) for place in range(number, -1, -1)]


def play(
    store: Store, settings: Settings, at: Sequence[float], station: str | None, *, everything: bool = False
) -> Iterator[Step]:
    """Make runs as they were made at some times. Nothing is written.

    Args:
        store: open for reading.
        settings: those in force; of exceptions those that held at the time.
        at: the times, seconds since the epoch.
        station: the station to explain; None for none.
        everything: also with what was collected later.

    Raises:
        UsageError: there is no such station.
    """
    variables = judged_variables(settings)
    source = AsCollected(store, [*variables, *needed_besides(variables)])
    for end in at:
        source.at = end
        late, number = source.late(Span(end - settings.window_hours * 3600, end))
        if everything:
            source.at = math.inf
        explaining = None if station is None else Explaining(station)
        report = detect(source, settings, end, explaining=explaining)
        yield Step(round(end), late, number, report, explaining.sensors if explaining else [])


def as_json(one: Any) -> Any:
    """A dataclass of reports as JSON has it: `class` is a keyword in Python."""
    return asdict(one, dict_factory=lambda items: {name.rstrip("_"): value for name, value in items})
