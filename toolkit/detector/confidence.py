"""How sure a class is: the share of anomalies like this one whose class was right, on data whose faults are known.

A logistic function of what a report says of an anomaly, fitted by `python -m tests.bench.detection.confidence`.
docs/detection.md shows how well it holds on data that it was not fitted to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from toolkit.detector.report import Anomaly, Class
from toolkit.times import parse
from toolkit.variables import BY_NAME, STATION


@dataclass(frozen=True, slots=True)
class Odds:
    """The log odds that verdicts of one class are right.

    Attributes:
        tests: by test, where all features are 0; `all`: of a silent station.
        other: the same of any other test.
        slopes: what a unit of each of the features adds.
    """

    tests: Mapping[str, float]
    other: float
    slopes: Sequence[float]


MODEL: dict[str, Odds] = {
    "device_failure": Odds(
        {
            STATION: 2.5, "consistency": 2.61, "direction": 2.2, "gauge": 2.43, "missing": 2.7, "noise": 2.39,
            "persistence": 2.39, "radiation": 2.18, "rain_rate": 2.65, "range": 2.76, "spatial": 1.95, "step": 2.27,
        },
        2.42,
        (0.26, 0.0, 0.05),
    ),
    "unverified": Odds({"persistence": -1.58, "spatial": -1.9, "step": -2.08}, -1.83, (0.16, -0.39, 0.34)),
    "weather_event": Odds({"shared": 2.21, "spatial": 2.73, "step": 1.98}, 2.32, (-0.33, 0.29, -0.56)),
}  # fmt: skip


def rated(anomaly: Anomaly) -> Anomaly:
    """The anomaly with its confidence."""
    return replace(anomaly, confidence=round(confidence(anomaly), 2))


def confidence(anomaly: Anomaly) -> float:
    """The probability, 0 to 1, that the class is right.

    Of a `weather_event`: that nothing is wrong with the station. Of any other class: that something is.
    """
    return probability(anomaly.class_, kind(anomaly), features(anomaly))


def probability(class_: Class, kind: str, features: tuple[float, float, float]) -> float:
    """The probability of a class by what `kind` and `features` give of an anomaly, 0 to 1."""
    return 1 / (1 + math.exp(-log_odds(MODEL, class_, kind, features)))


def log_odds(model: Mapping[str, Odds], class_: str, kind: str, features: Sequence[float]) -> float:
    """The log odds of a verdict by a model of each class; 0 where it does not know the class."""
    of = model.get(class_)
    if of is None:
        return 0.0
    return of.tests.get(kind, of.other) + sum(slope * x for slope, x in zip(of.slopes, features, strict=True))


def kind(anomaly: Anomaly) -> str:
    """What the odds go by: the test, or `all` for a station that is silent as a whole."""
    return STATION if anomaly.variable == STATION else anomaly.test


def features(anomaly: Anomaly) -> tuple[float, float, float]:
    """What a confidence rests on, each as a logarithm to the base 2: twice as much counts the same everywhere.

    Returns:
        How far the worst reading is from what that neighbour implied which agrees with it most, or from what was
        expected where no neighbour was asked; how far apart the middle half of what neighbours implied is; and for how
        many hours the anomaly lasts. The first two are counted in steps that are suspicious for the variable, and are 0
        where nothing was expected.
    """
    hours = _log((parse(anomaly.end) - parse(anomaly.start)).total_seconds() / 3600, 0.5)
    scale = BY_NAME[anomaly.variable].scale if anomaly.variable in BY_NAME else None
    if scale is None or anomaly.value is None or anomaly.expected is None:
        return 0.0, 0.0, hours

    def scaled(value: float) -> float:
        return (math.sqrt(max(value, 0.0)) if scale.root else value) / scale.step

    value = scaled(anomaly.value)
    implied = sorted(scaled(one.implies) for one in anomaly.neighbours if one.implies is not None)
    nearest = min(abs(value - one) for one in implied or [scaled(anomaly.expected)])
    doubt = implied[(3 * len(implied) - 1) // 4] - implied[len(implied) // 4] if implied else 0.0
    return _log(nearest, 0.1), _log(doubt, 0.1), hours


def _log(size: float, least: float) -> float:
    return math.log2(max(size, least))
