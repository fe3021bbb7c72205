"""A detection report. These types are its schema: the JSON form has the same fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from toolkit import times
from toolkit.store import StoredAnomaly

SCHEMA = "weather-toolkit/report/2"

Class = Literal["device_failure", "weather_event", "suspected", "unverified"]
"""A fault; weather; one of the two; or nothing that can be told without neighbours."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time that was looked at.

    Attributes:
        start: after this, ISO 8601 in UTC.
        end: up to this and including it.
        hours: how long that is.
    """

    start: str
    end: str
    hours: float


@dataclass(frozen=True, slots=True)
class Stations:
    """How many stations.

    Attributes:
        total: there are.
        with_data: had enough data to be judged.
        anomalous: had an anomaly.
    """

    total: int
    with_data: int
    anomalous: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A neighbour that was compared with.

    Attributes:
        station_id: which.
        distance_km: how far away, in km.
        value: what it measured when the anomaly was worst; None if nothing.
        implies: what that implies for the station, by the usual difference of the two.
        correlation: Pearson's correlation over the window; None if too few readings are common to both.
    """

    station_id: str
    distance_km: float
    value: float | None
    implies: float | None
    correlation: float | None


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Successive readings of a station that are not what they should be.

    Attributes:
        station_id: where.
        variable: which of its variables; `all` where the station as a whole is silent, or lacks most of them.
        start: the first such reading, ISO 8601 in UTC.
        end: the last.
        value: the reading that is farthest off, in the variable's unit; None where there is none.
        expected: what was expected then; None where nothing can be.
        score: how far that is off, in standard deviations of the residual; None where nothing is expected.
        test: which test found it, or which temporal method.
        class: what it is.
        reason: why it is so classified, in a sentence.
        correlation: the median of the neighbours' correlations; None if there are none.
        neighbours: the neighbours that were compared with, nearest first.
        confidence: the probability that the class is right, 0 to 1; of `weather_event` that nothing is wrong with the
            station, of the others that something is.
    """

    station_id: str
    variable: str
    start: str
    end: str
    value: float | None
    expected: float | None
    score: float | None
    test: str
    class_: Class
    reason: str
    correlation: float | None
    neighbours: list[Neighbour]
    confidence: float | None = None

    def stored(self) -> StoredAnomaly:
        """The same as a store keeps it."""
        return StoredAnomaly(
            self.station_id, self.variable, times.epoch_of(self.start), times.epoch_of(self.end), self.class_,
            self.test, self.value, self.expected, self.score, self.reason, self.confidence,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Insufficient:
    """What could not be judged.

    Attributes:
        station_id: of which station.
        variable: which of its variables; `all` where the station as a whole is meant.
        reason: why, in a sentence.
    """

    station_id: str
    variable: str
    reason: str


@dataclass(frozen=True, slots=True)
class AppliedException:
    """A sensor that was judged otherwise than the settings say for all, by an exception of theirs.

    Attributes:
        station_id: of which station.
        variable: which of its variables; `all` for all of them.
        effect: what the exception changes, in a phrase.
        reason: why, as the settings say.
        until: when it ends, ISO 8601 in UTC; None where it does not.
    """

    station_id: str
    variable: str
    effect: str
    reason: str
    until: str | None

    def __str__(self) -> str:
        until = f" until {self.until}" if self.until else ""
        return f"{self.station_id}, {self.variable}: {self.effect}{until}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Report:
    """What one detection run found.

    Attributes:
        schema: the name and version of this form.
        generated_at: when the run was, ISO 8601 in UTC.
        window: the time that was looked at.
        method: `combined`, or the name of a temporal method.
        stations: how many were judged.
        anomalies: what was found, in order of time.
        insufficient: what could not be judged.
        exceptions: what was judged otherwise than the rest.
    """

    schema: str
    generated_at: str
    window: Window
    method: str
    stations: Stations
    anomalies: list[Anomaly]
    insufficient: list[Insufficient]
    exceptions: list[AppliedException] = field(default_factory=list)
