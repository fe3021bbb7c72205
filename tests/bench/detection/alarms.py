"""Alarms as rows, for a file and for the eye."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.bench.detection.labelled import Labelled
from tests.bench.detection.scoring import Found, alarms, fault_of


class Alarm(NamedTuple):
    """A row of the file of alarms.

    Attributes:
        data: the network and the stretch, by its first day.
        fault: the kind of fault that it is right about; "" for a false alarm, "-" on untouched data.
    """

    data: str
    detector: str
    station: str
    variable: str
    start: str
    end: str
    hours: float
    test: str
    class_: str
    value: float | None
    expected: float | None
    score: float | None
    fault: str
    reason: str


def rows(name: str, data: Labelled, found: Sequence[Found], right: str) -> list[Alarm]:
    """The alarms of a detector on one stretch; `right` is what `fault` says where there is none."""
    listed = []
    for one in alarms(found):
        fault, anomaly = fault_of(data, one), one.anomaly
        listed.append(Alarm(
            data.name, name, data.stations[one.station].station_id, one.variable, _iso(one.start), _iso(one.end),
            round((one.end - one.start + data.cadence) / 3600, 2), one.test, one.class_,
            anomaly.value if anomaly else None, anomaly.expected if anomaly else None,
            anomaly.score if anomaly else None, fault.kind if fault else right, anomaly.reason if anomaly else "",
        ))  # fmt: skip
    return listed


def write(path: Path, alarms: Iterable[Alarm]) -> None:
    """Write alarms as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([name.rstrip("_") for name in Alarm._fields])
        writer.writerows(alarms)


def _iso(epoch: float) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%FT%H:%MZ}"
