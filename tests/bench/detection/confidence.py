"""How sure verdicts may be: `python -m tests.bench.detection.confidence FOLDER... [--unseen FOLDER/NAME...]`.

Verdicts on networks' archives and on generated weather, with faults of all variables and untouched, are fitted by a
logistic function, on one draw of stretches; on another draw it is shown how many of those that it calls so sure are
right. The picture is of verdicts on archives that no fit has seen. An alarm counts once, however many runs it lasts:
each of their verdicts counts as so much less.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from matplotlib import pyplot
from scipy.optimize import minimize

from tests.bench.detection import archive, other_variables
from tests.bench.detection.detectors import ours
from tests.bench.detection.faults import KINDS, put_in
from tests.bench.detection.labelled import Floats, Labelled
from tests.bench.detection.real import with_faults
from tests.bench.detection.scoring import WHOLE, Found, absent, episodes, fault_of
from tests.bench.detection.weather import airports, autoregressive, simulated
from toolkit.detector import confidence
from toolkit.detector.report import Class

PICTURE = Path("docs") / "images" / "reliability.svg"
UNSEEN = Path("tests") / "unit" / "verdicts.csv"
"""Verdicts on archives that no fit has seen."""
UNSEEN_SEEDS, UNSEEN_STRETCHES = (1, 2), 3
"""So many stretches of each with faults, and as many without."""
FITTED, SHOWN = 11, 12
"""The seeds of the two draws."""
STRETCHES = 4
FEW = 5
"""A test with fewer alarms of a class has no odds of its own."""
RIDGE = 8.0
"""Pulls the odds of a test, and the slopes, towards those of all tests and towards none: as much as so many alarms. Of
1, 2, 4, 8 and 16 this one and the next held best on networks that were left out of the fit."""
LEVELS = (0.3, 0.5, 0.7, 0.85, 0.95)
SIGNS: dict[bool, list[tuple[float | None, float | None]]] = {
    False: [(0, None), (None, 0), (None, None)],
    True: [(None, 0), (0, None), (None, None)],
}
"""The least and the most of the slopes; of weather or not: a failure is the surer the farther the reading is from every
neighbour, and no surer where neighbours disagree; weather the other way."""


class Verdict(NamedTuple):
    """A verdict, whether it was right, and how much it counts."""

    network: str
    class_: str
    test: str
    features: tuple[float, ...]
    confidence: float
    right: bool
    weight: float


def main() -> None:
    """Print what belongs into toolkit/detector/confidence.py, and draw how well it holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detection.confidence", description=__doc__)
    parser.add_argument("fitted", nargs="*", type=Path, metavar="FOLDER[/NAME]", help="archives that it is fitted to")
    parser.add_argument("--unseen", nargs="+", type=Path, metavar="FOLDER[/NAME]",
                        help=f"archives that it is judged by from now on: their verdicts are kept in {UNSEEN}")  # fmt: skip
    options = parser.parse_args()
    if options.unseen:
        keep(verdicts(one for seed in UNSEEN_SEEDS for one in of_archives(options.unseen, UNSEEN_STRETCHES, seed)))
    if options.fitted:
        fit([*verdicts(_data(options.fitted, FITTED))])
        show([*verdicts(_data(options.fitted, SHOWN))])
    draw(show([*unseen()]))


def unseen() -> Iterator[Verdict]:
    """The verdicts of `UNSEEN`, with the confidence of today."""
    with UNSEEN.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            of = float(row["distance"]), float(row["doubt"]), float(row["hours"])
            sure = confidence.probability(cast(Class, row["class"]), row["kind"], of)
            yield Verdict("unseen", row["class"], row["kind"], of, sure, row["right"] == "1", float(row["weight"]))


def keep(found: Iterable[Verdict]) -> None:
    """Write verdicts to `UNSEEN`."""
    with UNSEEN.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["network", "class", "kind", "distance", "doubt", "hours", "right", "weight"])
        for one in found:
            features = [round(feature, 2) for feature in one.features]
            writer.writerow([one.network, one.class_, one.test, *features, int(one.right), round(one.weight, 4)])


def of_archives(places: Iterable[Path], stretches: int, seed: int) -> Iterator[Labelled]:
    """Stretches of archives, the quiet ones with faults."""
    for folder, name in archive.named(places):
        whole = archive.read(folder, name, with_bad=False)
        for number, stretch in enumerate(archive.stretches(whole, stretches, seed)):
            yield with_all_faults(stretch.weather, seed + number) if stretch.quiet else stretch.weather


def _data(places: Iterable[Path], seed: int) -> Iterator[Labelled]:
    """Data with faults and without, of archives and generated."""
    yield from of_archives(places, STRETCHES, seed)
    for weather in (simulated(seed), autoregressive(seed)):
        yield put_in(weather, seed)
    for weather in (simulated(seed + 50), airports(seed, days=9)):
        yield other_variables.put_in(weather, seed)


def with_all_faults(weather: Labelled, seed: int) -> Labelled:
    """A stretch with faults of every kind, those of rain, vanes, gusts, radiation, dew point and snow as many as others."""
    data = with_faults(weather, seed)
    each = len(data.faults) // len(KINDS)
    others = other_variables.put_in(data, seed, max(1, each))
    return replace(others, faults=[*data.faults, *others.faults])


def verdicts(data: Iterable[Labelled]) -> Iterator[Verdict]:
    """Every anomaly of every run."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(_verdicts, data):
            yield from found


def _verdicts(data: Labelled) -> list[Verdict]:
    return of_runs(data, ours()(data))


def of_runs(data: Labelled, found: Sequence[Found]) -> list[Verdict]:
    """The verdicts of all runs on some data, those of one alarm, or of one piece of weather, together as much as one."""
    weather = [one.class_ == "weather_event" for one in found]
    of_each = [episodes(itertools.compress(found, kind)) for kind in (weather, [not one for one in weather])]
    return [
        _verdict(data, one, 1 / len(group)) for groups in of_each for group in groups for one in group if one.anomaly
    ]


def _verdict(data: Labelled, one: Found, weight: float) -> Verdict:
    assert one.anomaly is not None
    # What is absent is absent, whoever made it so; anything else on untouched data counts as weather.
    silent = one.variable == WHOLE or (one.test == "missing" and absent(data, one))
    wrong = silent or fault_of(data, one) is not None
    return Verdict(
        data.name.split()[0],
        one.class_,
        confidence.kind(one.anomaly),
        confidence.features(one.anomaly),
        confidence.confidence(one.anomaly),
        wrong != (one.class_ == "weather_event"),
        weight,
    )


def fit(found: Sequence[Verdict]) -> None:
    """Print the odds and slopes of each class, and how well those hold on each network that are fitted to the others."""
    elsewhere = []
    for network in sorted({one.network for one in found}):
        model = model_of([one for one in found if one.network != network])
        for one in found:
            if one.network == network:
                odds = confidence.log_odds(model, one.class_, one.test, one.features)
                elsewhere.append(one._replace(confidence=1 / (1 + np.exp(-odds))))
    print("each network by a fit to the others:")
    show(elsewhere)
    for class_, of in model_of(found).items():
        tests = {test: round(odds, 2) for test, odds in of.tests.items()}
        print(f"{class_!r}: Odds({tests}, {of.other:.2f}, {tuple(round(slope, 2) for slope in of.slopes)}),")


def model_of(found: Sequence[Verdict]) -> dict[str, confidence.Odds]:
    """The odds of each class, fitted to some verdicts."""
    models = {}
    for class_ in sorted({one.class_ for one in found}):
        of_it = [one for one in found if one.class_ == class_]
        number: dict[str, float] = defaultdict(float)
        for one in of_it:
            number[one.test] += one.weight
        tests = sorted(test for test in number if number[test] >= FEW)
        own = np.array([[one.test == test for test in tests] for one in of_it], dtype=np.float64)
        design = np.hstack([np.ones((len(of_it), 1)), own, np.array([one.features for one in of_it])])
        signs = [(None, None)] * (1 + len(tests)) + SIGNS[class_ == "weather_event"]
        odds = _logistic(design, of_it, signs)
        base, of_tests, slopes = float(odds[0]), odds[1 : 1 + len(tests)].tolist(), odds[1 + len(tests) :].tolist()
        by_test = {test: base + more for test, more in zip(tests, of_tests, strict=True)}
        models[class_] = confidence.Odds(by_test, base, slopes)
    return models


def _logistic(design: Floats, found: Sequence[Verdict], bounds: Sequence[tuple[float | None, float | None]]) -> Floats:
    """The coefficients of a logistic regression, the first of which is not pulled towards 0."""
    right = np.array([one.right for one in found], dtype=np.float64)
    weight = np.array([one.weight for one in found])

    def loss(odds: Floats) -> tuple[float, Floats]:
        each = design @ odds
        share = 1 / (1 + np.exp(-each))
        value = weight @ (np.logaddexp(0, each) - right * each) + RIDGE / 2 * (odds[1:] ** 2).sum()
        return float(value), design.T @ (weight * (share - right)) + RIDGE * np.concatenate(([0], odds[1:]))

    return np.asarray(minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x)


def show(found: Sequence[Verdict]) -> list[tuple[float, float, float]]:
    """Print how many verdicts are right by their confidence: its mean, the share and the number, counted as alarms."""
    called = np.array([one.confidence for one in found])
    right = np.array([one.right for one in found])
    weight = np.array([one.weight for one in found])
    bins = np.searchsorted(LEVELS, called, side="right")
    print("\nconfidence, alarms, share right")
    points = []
    for level in np.unique(bins):
        part = bins == level
        mean, share = (float(np.average(of[part], weights=weight[part])) for of in (called, right))
        points.append((mean, share, float(weight[part].sum())))
        print(f"{mean:>10.2f}{points[-1][2]:>10.0f}{share:>12.2f}")
    return points


def draw(points: Sequence[tuple[float, float, float]]) -> None:
    """Draw what `show` found."""
    figure, axis = pyplot.subplots(figsize=(4.2, 4), layout="constrained")
    axis.plot([0, 1], [0, 1], color="0.8", linewidth=1)
    axis.plot([x for x, _, _ in points], [y for _, y, _ in points], color="#1f77b4", marker="o")
    for x, y, number in points:
        axis.annotate(f"{number:.0f}", (x, y), textcoords="offset points", xytext=(6, -10), fontsize=7, color="0.4")
    axis.set_xlabel("confidence (numbers: alarms)")
    axis.set_ylabel("share that was right")
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
