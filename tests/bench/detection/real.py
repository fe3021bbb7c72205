"""How right the detector is on the archives of real networks: `make bench-detection NETWORKS=FOLDER`."""

from __future__ import annotations

import argparse
import csv
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.bench.detection import archive, tables
from tests.bench.detection.archive import Stretch
from tests.bench.detection.baseline import baseline
from tests.bench.detection.detectors import Detector, ours
from tests.bench.detection.faults import KINDS, put_in
from tests.bench.detection.labelled import Labelled
from tests.bench.detection.peers import ioos_qc, titanlib
from tests.bench.detection.scoring import Found, Score, alarms, fault_of, score, score_clean

DETECTORS: dict[str, Callable[[], Detector]] = {
    "ours": ours,
    "ioos_qc": ioos_qc,
    "titanlib": titanlib,
    "baseline": lambda: baseline("mad"),
}
STATION_DAYS = 80
"""One fault of each kind is put into so many days of a station."""


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


@dataclass(frozen=True)
class Result:
    """What a detector made of one stretch."""

    detector: str
    score: Score
    seconds: float
    alarms: list[Alarm]


def main() -> int:
    """Score detectors on networks and print the tables."""
    options = _options()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%F}")
    found: list[Alarm] = []
    with ProcessPoolExecutor(options.processes) as pool:
        for folder, name in _networks(options.networks):
            data = archive.read(folder, name, with_bad=not options.without_bad)
            chosen = [*archive.stretches(data, options.stretches, options.seed)]
            names = [one for one in options.detectors for _ in chosen]
            seeds = [options.seed + number for number in range(len(chosen))] * len(options.detectors)
            results = [*pool.map(_result, names, chosen * len(options.detectors), seeds)]
            _print(name, data, chosen, results)
            found += [alarm for one in results for alarm in one.alarms]
    if options.alarms:
        _write(options.alarms, found)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detection.real", description=__doc__)
    parser.add_argument("networks", nargs="+", type=Path, metavar="FOLDER[/NAME]",
                        help="a folder with networks, or one of them by its name")  # fmt: skip
    parser.add_argument("--stretches", type=int, default=4, help="with faults, of each network; as many more without")
    parser.add_argument("--seed", type=int, default=1, help="chooses the stretches and the faults")
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, default=list(DETECTORS))
    parser.add_argument("--without-bad", action="store_true", help="leave out the sensors in NAME.bad.csv")
    parser.add_argument("--alarms", type=Path, metavar="FILE", help="write all alarms to this CSV file")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    return parser.parse_args()


def _networks(places: Iterable[Path]) -> Iterable[tuple[Path, str]]:
    for place in places:
        if place.is_dir():
            found = archive.networks(place)
            if not found:
                sys.exit(f"there is no NAME.stations.csv in {place}")
            yield from ((place, name) for name in found)
        else:
            yield place.parent, place.name


def _result(name: str, stretch: Stretch, seed: int) -> Result:
    """The score of a detector on a stretch: as it is, and with faults if it is quiet."""
    detector = DETECTORS[name]()
    began = time.perf_counter()
    untouched = detector(stretch.weather)
    result = score_clean(stretch.weather, untouched)
    raised = _alarms(name, stretch.weather, untouched, "-")
    if stretch.quiet:
        data = with_faults(stretch.weather, seed)
        found = detector(data)
        result += score(data, found)
        raised += _alarms(name, data, found, "")
    return Result(name, result, time.perf_counter() - began, raised)


def with_faults(weather: Labelled, seed: int) -> Labelled:
    """A stretch with faults of every kind that its variables can have."""
    station_days = len(weather.stations) * weather.times.size * weather.cadence / archive.DAY
    return put_in(weather, seed, len(KINDS) * max(1, round(station_days / STATION_DAYS)), swap=False)


def _alarms(name: str, data: Labelled, found: Sequence[Found], right: str) -> list[Alarm]:
    rows = []
    for one in alarms(found):
        fault, anomaly = fault_of(data, one), one.anomaly
        rows.append(Alarm(
            data.name, name, data.stations[one.station].station_id, one.variable, _iso(one.start), _iso(one.end),
            round((one.end - one.start + data.cadence) / 3600, 2), one.test, one.class_,
            anomaly.value if anomaly else None, anomaly.expected if anomaly else None,
            anomaly.score if anomaly else None, fault.kind if fault else right, anomaly.reason if anomaly else "",
        ))  # fmt: skip
    return rows


def _print(name: str, data: Labelled, chosen: Sequence[Stretch], results: Sequence[Result]) -> None:
    of: dict[str, Score] = defaultdict(Score)
    seconds: dict[str, float] = defaultdict(float)
    for one in results:
        of[one.detector] += one.score
        seconds[one.detector] += one.seconds
    days = ", ".join(f"{one.weather.name.split()[-1]}{'' if one.quiet else ' (no faults)'}" for one in chosen)
    print(
        f"\n{name}: {len(data.stations)} stations, every {data.cadence / 60:.0f} min; {archive.DAYS} days from {days}"
    )
    tables.scores(name, of, seconds)
    for detector in of:
        untouched = [alarm for one in results if one.detector == detector for alarm in one.alarms if alarm.fault == "-"]
        if detector == "ours":
            tables.counts(f"{name}, alarms on untouched data by test, class and variable",
                          [(one.test, one.class_, one.variable) for one in untouched])  # fmt: skip
            tables.counts(f"{name}, the same by station and variable",
                          [(one.station, one.variable) for one in untouched])  # fmt: skip


def _write(path: Path, rows: Iterable[Alarm]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([name.rstrip("_") for name in Alarm._fields])
        writer.writerows(rows)


def _iso(epoch: float) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%FT%H:%MZ}"


if __name__ == "__main__":
    sys.exit(main())
