"""How right the detector is on the archives of real networks: `make bench-detection NETWORKS=FOLDER`."""

from __future__ import annotations

import argparse
import os
import platform
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.detection import archive, pictures, tables
from tests.bench.detection.alarms import Alarm, rows, write
from tests.bench.detection.archive import Stretch
from tests.bench.detection.baseline import baseline
from tests.bench.detection.detectors import Detector, ours
from tests.bench.detection.faults import KINDS, put_in
from tests.bench.detection.labelled import Labelled
from tests.bench.detection.peers import Limits, ioos_qc, learnt, titanlib
from tests.bench.detection.scoring import Score, score, score_clean
from toolkit.errors import UsageError

DETECTORS: dict[str, Callable[[Mapping[str, Limits]], Detector]] = {
    "ours": lambda _: ours(),
    "ioos_qc": ioos_qc,
    "titanlib": titanlib,
    "baseline": lambda _: baseline("mad"),
}
"""Given the limits that a user would set for the network."""
STATION_DAYS = 80
"""One fault of each kind is put into so many days of a station."""


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
        for folder, name in archive.named(options.networks):
            data = archive.read(folder, name, with_bad=not options.without_bad)
            chosen = [*archive.stretches(data, options.stretches, options.seed)]
            limits = learnt(data)
            waiting = [
                pool.submit(_result, detector, stretch, options.seed + number, limits)
                for detector in options.detectors
                for number, stretch in enumerate(chosen)
            ]
            results = [one.result() for one in waiting]
            _print(name, data, chosen, results)
            if options.pictures:
                _draw(options, name, chosen, results)
            found += [alarm for one in results for alarm in one.alarms]
    if options.alarms:
        write(options.alarms, found)
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
    parser.add_argument("--pictures", type=Path, metavar="FOLDER",
                        help="draw a random sample of our alarms on untouched data")  # fmt: skip
    parser.add_argument("--sample", type=int, default=24, help="how many of each network are drawn")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    return parser.parse_args()


def _result(name: str, stretch: Stretch, seed: int, limits: Mapping[str, Limits]) -> Result:
    """The score of a detector on a stretch: as it is, and with faults if it is quiet."""
    detector = DETECTORS[name](limits)
    began = time.perf_counter()
    untouched = detector(stretch.weather)
    result = score_clean(stretch.weather, untouched)
    raised = rows(name, stretch.weather, untouched, "-")
    if stretch.quiet:
        data = with_faults(stretch.weather, seed)
        found = detector(data)
        result += score(data, found)
        raised += rows(name, data, found, "")
    return Result(name, result, time.perf_counter() - began, raised)


def with_faults(weather: Labelled, seed: int) -> Labelled:
    """A stretch with faults of every kind that its variables can have."""
    station_days = len(weather.stations) * weather.times.size * weather.cadence / archive.DAY
    return put_in(weather, seed, len(KINDS) * max(1, round(station_days / STATION_DAYS)), swap=False)


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


def _draw(options: argparse.Namespace, name: str, chosen: Sequence[Stretch], results: Sequence[Result]) -> None:
    data = {stretch.weather.name: stretch.weather for stretch in chosen}
    untouched = [alarm for one in results if one.detector == "ours" for alarm in one.alarms if alarm.fault == "-"]
    shown = random.Random(options.seed).sample(untouched, min(options.sample, len(untouched)))
    pictures.draw(options.pictures, name, [(alarm, data[alarm.data]) for alarm in shown])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UsageError as error:
        sys.exit(str(error))
