"""How sure a class is: the share of anomalies like this one whose class was right, on data whose faults are known.

A logistic function of what a report says of an anomaly, fitted by `python -m tests.bench.detection.confidence`.
docs/detection.md shows how well it holds on data that it was not fitted to.
"""

from __future__ import annotations

import math
from dataclasses import replace

from toolkit.detector.report import Anomaly, Class
from toolkit.times import parse
from toolkit.variables import BY_NAME, STATION

# By class and test, the log odds of being right where all features are 0; `all`: a silent station; "": any other test.
INTERCEPT: dict[tuple[Class, str], float] = {
    ("device_failure", ""): 1.79,
    ("device_failure", STATION): 3.54,
    ("device_failure", "consistency"): 2.15,
    ("device_failure", "direction"): 0.56,
    ("device_failure", "gauge"): 0.18,
    ("device_failure", "missing"): 0.70,
    ("device_failure", "noise"): 1.53,
    ("device_failure", "persistence"): 3.02,
    ("device_failure", "radiation"): -0.14,
    ("device_failure", "range"): 3.44,
    ("device_failure", "spatial"): 1.37,
    ("device_failure", "step"): 2.77,
    ("unverified", ""): -1.60,
    ("unverified", "persistence"): -0.07,
    ("unverified", "spatial"): -1.88,
    ("unverified", "step"): -2.85,
    ("weather_event", ""): 2.25,
    ("weather_event", "shared"): 2.24,
    ("weather_event", "spatial"): 2.53,
    ("weather_event", "step"): 1.99,
}
# By class, what a unit of each of the features adds to the log odds.
SLOPE: dict[Class, tuple[float, float, float]] = {
    "device_failure": (0.52, -0.22, -0.05),
    "unverified": (0.33, -0.56, 0.17),
    "weather_event": (-0.51, 0.24, -0.6),
}
# The most that log odds come to on a network that is left out of the fit: so much, and this share of them.
ELSEWHERE = (0.79, 0.48)


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
    odds = INTERCEPT.get((class_, kind), INTERCEPT.get((class_, ""), 0.0))
    odds += sum(slope * x for slope, x in zip(SLOPE.get(class_, (0.0, 0.0, 0.0)), features, strict=True))
    base, share = ELSEWHERE
    return 1 / (1 + math.exp(-min(odds, base + share * odds)))


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
