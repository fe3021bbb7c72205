"""A detection report: its Python types are its schema; the JSON form is these, field by field."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

SCHEMA = "weather-toolkit/report/1"

Class = Literal["device_failure", "weather_event", "suspected", "unverified"]
"""Whether neighbours saw it: no, yes, perhaps, or there are none to ask."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time that was judged: after `start` up to and including `end`, ISO 8601 in UTC."""

    start: str
    end: str
    hours: float


@dataclass(frozen=True, slots=True)
class Stations:
    """How many stations there are, how many had enough data to be judged, and how many had an anomaly."""

    total: int
    with_data: int
    anomalous: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A station that was asked, and Pearson's correlation with it over the window."""

    station_id: str
    correlation: float


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One stretch of readings that the station's own past does not explain.

    Attributes:
        station_id: where.
        variable: which of its variables.
        start: the first such reading, ISO 8601 in UTC.
        end: the last.
        value: the reading that deviates most, in the variable's unit.
        expected: what the test expected there.
        score: how far that is off, in the test's standard deviations.
        test: the temporal method.
        class: the verdict.
        correlation: the median of the neighbours' correlations; None if none could be asked.
        neighbours: who was asked.
    """

    station_id: str
    variable: str
    start: str
    end: str
    value: float
    expected: float
    score: float
    test: str
    class_: Class
    correlation: float | None
    neighbours: list[Neighbour]


@dataclass(frozen=True, slots=True)
class Insufficient:
    """A station, or one of its variables, that could not be judged, and why."""

    station_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What one detection run found."""

    schema: str
    generated_at: str
    window: Window
    method: str
    stations: Stations
    anomalies: list[Anomaly]
    insufficient: list[Insufficient]

    def as_json(self) -> str:
        """The report as JSON text."""
        # `class` is a keyword in Python and the name in JSON.
        content = asdict(self, dict_factory=lambda items: {name.rstrip("_"): value for name, value in items})
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
