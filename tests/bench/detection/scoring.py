"""Scores of a detector, from its alarms and the labels of the data.

An alarm is whatever an operator must look at: every anomaly that is not called weather, of all runs, where those of
one station's variable that lie less than an hour apart are one. It is right if a fault of that station (and of that
variable, where either names one) lies within it or beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tests.bench.detection.labelled import HOUR, Fault, Labelled
from toolkit.detector.report import Anomaly

WHOLE = "all"


@dataclass(frozen=True)
class Found:
    """An anomaly that some detector found in one run; times in seconds since the epoch.

    Attributes:
        anomaly: the same in the words of this toolkit's report, where it has one.
    """

    station: int
    variable: str
    start: float
    end: float
    class_: str
    run: float = 0.0
    test: str = ""
    anomaly: Anomaly | None = None


@dataclass
class Score:
    """Counts of one detector; those of several data sets can be added up.

    Attributes:
        clean_absent: those of `clean_alarms` in whose whole time the archive has nothing of what they name. Nobody put
            these silences in, so they count as false, but they are there.
    """

    alarms: int = 0
    right: int = 0
    faults: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    seen: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    delays: list[float] = field(default_factory=list)
    clean_alarms: int = 0
    clean_absent: int = 0
    clean_days: float = 0.0
    events: int = 0
    events_called_failure: int = 0

    def __iadd__(self, other: Score) -> Score:
        self.alarms += other.alarms
        self.right += other.right
        self.delays += other.delays
        for mine, theirs in ((self.faults, other.faults), (self.seen, other.seen)):
            for kind, number in theirs.items():
                mine[kind] += number
        self.clean_alarms += other.clean_alarms
        self.clean_absent += other.clean_absent
        self.clean_days += other.clean_days
        self.events += other.events
        self.events_called_failure += other.events_called_failure
        return self

    @property
    def recall(self) -> float:
        return sum(self.seen.values()) / max(1, sum(self.faults.values()))

    @property
    def precision(self) -> float:
        return self.right / max(1, self.alarms)

    @property
    def f1(self) -> float:
        both = self.recall + self.precision
        return 2 * self.recall * self.precision / both if both else 0.0

    @property
    def weather_called_failure(self) -> float:
        return self.events_called_failure / max(1, self.events)

    @property
    def false_per_100_days(self) -> float:
        return 100 * self.clean_alarms / max(self.clean_days, 1e-9)

    @property
    def absent_per_100_days(self) -> float:
        return 100 * self.clean_absent / max(self.clean_days, 1e-9)


def alarms(found: Iterable[Found]) -> list[Found]:
    """The anomalies that an operator must look at, those less than an hour apart joined."""
    return [_joined(group) for group in episodes(one for one in found if one.class_ != "weather_event")]


def episodes(found: Iterable[Found]) -> list[list[Found]]:
    """The anomalies of all runs, by station and variable, those less than an hour apart together."""
    of: dict[tuple[int, str], list[Found]] = defaultdict(list)
    for one in found:
        of[one.station, one.variable].append(one)
    groups = []
    for ones in of.values():
        ones.sort(key=lambda one: one.start)
        groups.append([ones[0]])
        for one in ones[1:]:
            if one.start - max(before.end for before in groups[-1]) < HOUR:
                groups[-1].append(one)
            else:
                groups.append([one])
    return groups


def _joined(group: Sequence[Found]) -> Found:
    """Several anomalies as one, in the words of the gravest and longest of them."""
    worst = max(group, key=lambda one: (one.class_ == "device_failure", one.end - one.start))
    start, end, run = group[0].start, max(one.end for one in group), min(one.run for one in group)
    return replace(worst, start=start, end=end, run=run)


def score(data: Labelled, found: Sequence[Found]) -> Score:
    """The score of what was found in data with faults."""
    result = Score()
    raised = alarms(found)
    result.alarms = len(raised)
    result.right = sum(fault_of(data, alarm) is not None for alarm in raised)
    for fault in data.faults:
        result.faults[fault.kind] += 1
        matching = [alarm for alarm in raised if _matches(alarm, fault, data.cadence)]
        if matching:
            result.seen[fault.kind] += 1
            result.delays.append((min(alarm.run for alarm in matching) - fault.start) / HOUR)
    return result


def score_clean(data: Labelled, found: Sequence[Found]) -> Score:
    """The score of what was found where nothing was wrong."""
    result = Score()
    raised = alarms(found)
    result.clean_alarms = len(raised)
    result.clean_absent = sum(absent(data, alarm) for alarm in raised)
    result.clean_days = (~data.silent).sum() * data.cadence / 86400
    failures = [one for one in found if one.class_ == "device_failure"]
    for row, start, end in events(data):
        result.events += 1
        result.events_called_failure += any(
            one.station == row and one.start <= end and one.end >= start for one in failures
        )
    return result


def events(data: Labelled) -> list[tuple[int, int, int]]:
    """Striking weather: (station, first, last) where within an hour it cools or warms by 3 K, or pressure or wind jump."""
    steps = max(1, HOUR // data.cadence)
    striking = np.zeros(data.silent.shape, dtype=bool)
    for name, limit in (("temp_out", 3), ("bar", 2.5), ("wind_speed", 20), ("out_hum", 15)):
        if name not in data.truth:
            continue
        change = np.abs(data.truth[name][:, steps:] - data.truth[name][:, :-steps])
        striking[:, steps:] |= np.nan_to_num(change) >= limit
    found = []
    for row, series in enumerate(striking):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], series.astype(int), [0]))))
        found += [(row, int(data.times[first]), int(data.times[after - 1])) for first, after in edges.reshape(-1, 2)]
    return found


def fault_of(data: Labelled, alarm: Found) -> Fault | None:
    """The fault that an alarm is right about; None for a false alarm."""
    return next((fault for fault in data.faults if _matches(alarm, fault, data.cadence)), None)


def absent(data: Labelled, alarm: Found) -> bool:
    """Whether what an alarm names gave nothing in all of its time."""
    during = (data.times >= alarm.start) & (data.times <= alarm.end)
    variables = data.values if alarm.variable == WHOLE else [alarm.variable]
    return bool(during.any()) and all(np.isnan(data.values[name][alarm.station, during]).all() for name in variables)


def _matches(alarm: Found, fault: Fault, cadence: int) -> bool:
    return (
        alarm.station == fault.station
        and (fault.variable is None or alarm.variable in {fault.variable, WHOLE})
        and alarm.start <= fault.end + cadence
        and alarm.end >= fault.start - cadence
    )
