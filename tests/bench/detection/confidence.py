"""How sure verdicts may be: `python -m tests.bench.detection.confidence FOLDER...`.

Verdicts on networks' archives, with faults and untouched, and on generated weather, some of it with faults of rain,
vanes, gusts, radiation and snow, are fitted by a logistic function, on one draw of stretches; on another draw it is
shown how many of those that it calls so sure are right. The picture is of verdicts on an archive that no fit has seen.
"""

from __future__ import annotations

import csv
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from matplotlib import pyplot
from scipy.optimize import minimize

from tests.bench.detection import archive, other_variables
from tests.bench.detection.detectors import ours
from tests.bench.detection.faults import put_in
from tests.bench.detection.labelled import Floats, Labelled
from tests.bench.detection.real import with_faults
from tests.bench.detection.scoring import WHOLE, absent, fault_of
from tests.bench.detection.weather import airports, autoregressive, simulated
from toolkit.detector import confidence
from toolkit.detector.report import Class

PICTURE = Path("docs") / "images" / "reliability.svg"
UNSEEN = Path("tests") / "unit" / "verdicts.csv"
"""Verdicts on twenty stations in Taiwan, three stretches with faults and three without of each of seeds 1 and 2."""
FITTED, SHOWN = 11, 12
"""The seeds of the two draws."""
STRETCHES = 4
FEW = 15
"""A test with fewer verdicts of a class has no odds of its own; one of a single network is left out."""
RIDGE = 2.0
"""Pulls the odds of a test, and the slopes, towards those of all tests and towards none: as much as so many verdicts."""


class Verdict(NamedTuple):
    """A verdict, and whether it was right."""

    network: str
    class_: str
    test: str
    features: tuple[float, ...]
    confidence: float
    right: bool


def main() -> None:
    """Print what belongs into toolkit/detector/confidence.py, and draw how well it holds."""
    folders = [Path(folder) for folder in sys.argv[1:]]
    fit([*verdicts(_data(folders, FITTED))])
    show([*verdicts(_data(folders, SHOWN))])
    draw(show([*unseen()]))


def unseen() -> Iterator[Verdict]:
    """The verdicts of `UNSEEN`, with the confidence of today."""
    with UNSEEN.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            of = float(row["distance"]), float(row["doubt"]), float(row["hours"])
            sure = confidence.probability(cast(Class, row["class"]), row["kind"], of)
            yield Verdict("unseen", row["class"], row["kind"], of, sure, row["right"] == "1")


def _data(folders: Iterable[Path], seed: int) -> Iterator[Labelled]:
    """Data with faults and without."""
    for folder in folders:
        for name in archive.networks(folder):
            whole = archive.read(folder, name, with_bad=False)
            for number, stretch in enumerate(archive.stretches(whole, STRETCHES, seed)):
                yield with_faults(stretch.weather, seed + number) if stretch.quiet else stretch.weather
    for weather in (simulated(seed), autoregressive(seed)):
        yield put_in(weather, seed)
    for weather in (simulated(seed + 50), airports(seed, days=9)):
        yield other_variables.put_in(weather, seed)


def verdicts(data: Iterable[Labelled]) -> Iterator[Verdict]:
    """Every anomaly of every run."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(_verdicts, data):
            yield from found


def _verdicts(data: Labelled) -> list[Verdict]:
    found = []
    for one in ours()(data):
        if one.anomaly is None:
            continue
        # What is absent is absent, whoever made it so; anything else on untouched data counts as weather.
        silent = one.variable == WHOLE or (one.test == "missing" and absent(data, one))
        wrong = silent or fault_of(data, one) is not None
        found.append(Verdict(
            data.name.split()[0], one.class_, confidence.kind(one.anomaly), confidence.features(one.anomaly), confidence.confidence(one.anomaly),
            wrong != (one.class_ == "weather_event"),
        ))  # fmt: skip
    return found


def fit(found: Sequence[Verdict]) -> None:
    """Print the odds and slopes of each class, and what is left of them on networks that are left out of a fit."""
    elsewhere = np.zeros(len(found))
    for network in {one.network for one in found}:
        model = _model([one for one in found if one.network != network])
        for place, one in enumerate(found):
            if one.network == network:
                elsewhere[place] = confidence.log_odds(model, one.class_, one.test, one.features)
    right = np.array([one.right for one in found], dtype=np.float64)
    base, share = _logistic(np.column_stack([np.ones(len(found)), elsewhere]), right)
    print(f"ELSEWHERE: ({base:.2f}, {share:.2f})")
    for class_, of in _model(found).items():
        tests = {test: round(odds, 2) for test, odds in of.tests.items()}
        print(f"{class_!r}: Odds({tests}, {of.other:.2f}, {tuple(round(slope, 2) for slope in of.slopes)}),")


def _model(found: Sequence[Verdict]) -> dict[str, confidence.Odds]:
    """The odds of each class, fitted to some verdicts."""
    models = {}
    for class_ in sorted({one.class_ for one in found}):
        networks = {(one.test, one.network) for one in found if one.class_ == class_}
        known = {test for test, number in Counter(test for test, _ in networks).items() if number > 1}
        of_it = [one for one in found if one.class_ == class_ and one.test in known]
        tests = sorted(test for test, number in Counter(one.test for one in of_it).items() if number >= FEW)
        own = np.array([[one.test == test for test in tests] for one in of_it], dtype=np.float64)
        features = np.array([one.features for one in of_it])
        if not of_it:
            continue
        right = np.array([one.right for one in of_it], dtype=np.float64)
        odds = _logistic(np.hstack([np.ones((len(of_it), 1)), own, features]), right)
        base, of_tests, slopes = float(odds[0]), odds[1 : 1 + len(tests)].tolist(), odds[1 + len(tests) :].tolist()
        by_test = {test: base + more for test, more in zip(tests, of_tests, strict=True)}
        models[class_] = confidence.Odds(by_test, base, slopes)
    return models


def _logistic(design: Floats, right: Floats) -> Floats:
    """The coefficients of a logistic regression, the first of which is not pulled towards 0."""

    def loss(odds: Floats) -> tuple[float, Floats]:
        each = design @ odds
        share = 1 / (1 + np.exp(-each))
        value = np.logaddexp(0, each).sum() - right @ each + RIDGE / 2 * (odds[1:] ** 2).sum()
        return float(value), design.T @ (share - right) + RIDGE * np.concatenate(([0], odds[1:]))

    return np.asarray(minimize(loss, np.zeros(design.shape[1]), jac=True).x)


def show(found: Sequence[Verdict]) -> list[tuple[float, float, int]]:
    """Print how many verdicts of each tenth of confidence are right: the mean confidence, the share and the number."""
    called = np.array([one.confidence for one in found])
    right = np.array([one.right for one in found])
    bins = np.minimum((called * 10).astype(int), 9)
    print("\nconfidence, verdicts, share right")
    points = []
    for tenth in np.unique(bins):
        part = bins == tenth
        points.append((float(called[part].mean()), float(right[part].mean()), int(part.sum())))
        print(f"{points[-1][0]:>10.2f}{points[-1][2]:>10}{points[-1][1]:>12.2f}")
    print(f"sure of 0.85 to 0.95: {right[(called >= 0.85) & (called < 0.95)].mean():.2f} right")
    return points


def draw(points: Sequence[tuple[float, float, int]]) -> None:
    """Draw what `show` found."""
    figure, axis = pyplot.subplots(figsize=(4.2, 4), layout="constrained")
    axis.plot([0, 1], [0, 1], color="0.8", linewidth=1)
    axis.plot([x for x, _, _ in points], [y for _, y, _ in points], color="#1f77b4", marker="o")
    for x, y, number in points:
        axis.annotate(str(number), (x, y), textcoords="offset points", xytext=(6, -10), fontsize=7, color="0.4")
    axis.set_xlabel("confidence (numbers: verdicts)")
    axis.set_ylabel("share that was right")
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
