"""The report of a network's performance. These types are its schema: the JSON form has the same fields.

What each figure means, and where its definition is from: docs/network-performance.md.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA = "weather-toolkit/network/1"


@dataclass(frozen=True, slots=True)
class Period:
    """The month.

    Attributes:
        month: as YYYY-MM, in UTC.
        start: when it begins, ISO 8601 in UTC; observations are later than this.
        end: when the next one begins, or the present if the month is not over; observations are up to this.
        over: whether the month is over.
    """

    month: str
    start: str
    end: str
    over: bool


@dataclass(frozen=True, slots=True)
class Timeliness:
    """How long after their time observations were collected. Those collected before their time do not count.

    Attributes:
        median_seconds: the median delay, in seconds; None without observations.
        p95_seconds: the delay that 95 % of them do not exceed.
        within_15_min: the share with a delay of up to 15 minutes, the WMO's goal.
        within_30_min: of up to 30 minutes, its breakthrough.
        within_2_h: of up to two hours, its threshold.
        early: how many observations were collected before their time: a clock is wrong.
    """

    median_seconds: float | None
    p95_seconds: float | None
    within_15_min: float | None
    within_30_min: float | None
    within_2_h: float | None
    early: int


@dataclass(frozen=True, slots=True)
class Tested:
    """What one quality-control test flagged.

    Attributes:
        test: which.
        values: how many values.
        share: of the values that arrived.
    """

    test: str
    values: int
    share: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the values are that arrived.

    Attributes:
        flagged: how many values the detector flagged, as a fault or as suspect.
        flagged_share: of the values that arrived.
        tests: the same by test, the most first.
        bias: the mean difference from what the neighbours imply, in the variable's unit; None where that cannot be
            told. Of several sensors the median of its size.
        spread: the standard deviation of that difference. Of several sensors the median.
    """

    flagged: int
    flagged_share: float
    tests: list[Tested]
    bias: float | None
    spread: float | None


@dataclass(frozen=True, slots=True)
class Sensor:
    """One variable at one station.

    Attributes:
        station_id: where.
        variable: what it measures.
        expected: how many values were expected.
        received: how many arrived.
        availability: received as a share of expected, at most 1.
        quality: how good they are.
        lost_hours: for how many hours it gave no values while the station sent observations.
        flagged_hours: for how many hours its values were flagged.
    """

    station_id: str
    variable: str
    expected: int
    received: int
    availability: float
    quality: Quality
    lost_hours: float
    flagged_hours: float


@dataclass(frozen=True, slots=True)
class Station:
    """One station.

    Attributes:
        station_id: which.
        name: its name; None if it has none.
        interval_seconds: how often it is expected to report.
        expected: how many observations were expected, from when it was first seen.
        received: how many arrived.
        availability: received as a share of expected, at most 1.
        lost_hours: for how many hours it sent nothing.
        timeliness: how late its observations were.
        sensors: its sensors.
    """

    station_id: str
    name: str | None
    interval_seconds: float
    expected: int
    received: int
    availability: float
    lost_hours: float
    timeliness: Timeliness
    sensors: list[Sensor]


@dataclass(frozen=True, slots=True)
class Variable:
    """All sensors of one variable.

    Attributes:
        variable: which.
        sensors: how many there are.
        expected: how many values were expected of them.
        received: how many arrived.
        availability: received as a share of expected; what one sends too often makes up for no other.
        quality: how good they are.
    """

    variable: str
    sensors: int
    expected: int
    received: int
    availability: float
    quality: Quality


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the whole network.

    Attributes:
        date: which, ISO 8601 in UTC.
        expected: how many observations were expected.
        received: how many arrived.
        availability: received as a share of expected; what one station sends too often makes up for no other.
    """

    date: str
    expected: int
    received: int
    availability: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a sensor cost: the hours without good data.

    Attributes:
        station_id: where.
        variable: what it measures; `all` for the station as a whole, whose silence is not counted for each sensor.
        lost_hours: for how many hours nothing arrived.
        flagged_hours: for how many hours what arrived was flagged.
        hours: the two together.
    """

    station_id: str
    variable: str
    lost_hours: float
    flagged_hours: float
    hours: float


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident that the month had a part of.

    Attributes:
        id: its number.
        station_id: where; None for the network.
        variable: which sensor; `all` for the station as a whole.
        kind: the kind of trouble.
        severity: how bad it is.
        state: what has become of it by now.
        started: since when there is trouble, ISO 8601 in UTC.
        ended: until when; None while it lasts.
        hours: how long that is, up to the end of the period if it lasts longer.
        hours_to_acknowledge: from when it was opened until somebody acknowledged it; None if nobody has.
        hours_to_repair: from its start to its last bad reading; None if it is not resolved, was dismissed, or was
            maintenance.
    """

    id: int
    station_id: str | None
    variable: str
    kind: str
    severity: str
    state: str
    started: str
    ended: str | None
    hours: float
    hours_to_acknowledge: float | None
    hours_to_repair: float | None


@dataclass(frozen=True, slots=True)
class Incidents:
    """The month's incidents.

    Attributes:
        opened: how many were opened in it.
        resolved: how many were resolved in it.
        dismissed: how many people dismissed in it: weather, or where the sensor stands.
        lasting: how many of them last at its end.
        mean_hours_to_acknowledge: the mean of those that were acknowledged in it; None if none was.
        mean_hours_to_repair: the mean of those that were resolved in it; None if none was.
        all: every incident that it had a part of, the longest first; dismissed ones are left out.
    """

    opened: int
    resolved: int
    dismissed: int
    lasting: int
    mean_hours_to_acknowledge: float | None
    mean_hours_to_repair: float | None
    all: list[Incident]


@dataclass(frozen=True, slots=True)
class Network:
    """The whole network.

    Attributes:
        stations: how many stations were expected to report.
        sensors: how many sensors they have.
        cadence_seconds: how often a station is expected to report (WEATHER_CADENCE_SECONDS).
        typical_seconds: how often a typical one does; None if too little is known.
        expected: how many observations were expected.
        received: how many arrived.
        availability: received as a share of expected; what one station sends too often makes up for no other.
        flagged_share: the share of values that were flagged.
        timeliness: how late observations were.
    """

    stations: int
    sensors: int
    cadence_seconds: float
    typical_seconds: float | None
    expected: int
    received: int
    availability: float
    flagged_share: float
    timeliness: Timeliness


@dataclass(frozen=True, slots=True)
class Performance:
    """How a network performed in a month.

    Attributes:
        schema: the name and version of this form.
        generated_at: when it was computed, ISO 8601 in UTC.
        period: the month.
        network: the whole network.
        variables: each variable.
        days: each day.
        costs: the ten sensors that cost most.
        incidents: the incidents.
        stations: each station, the least available first.
    """

    schema: str
    generated_at: str
    period: Period
    network: Network
    variables: list[Variable]
    days: list[Day]
    costs: list[Cost]
    incidents: Incidents
    stations: list[Station]
