"""How sure a verdict is: the share of verdicts like it that were right, on data whose faults are known.

A logistic function of what a report says of an anomaly, fitted by `python -m tests.bench.detection.confidence`.
docs/detection.md shows how well it holds on data that it was not fitted to.
"""

from __future__ import annotations

import math
from dataclasses import replace

from toolkit.detector.report import Anomaly, Class
from toolkit.times import parse
from toolkit.variables import BY_NAME

# What is known of an anomaly; each is 0 where the report does not say it.
FEATURES = ("distance", "score", "neighbour", "doubt", "hours")
# By class and test, the log odds of being right where all features are 0; "" for any other test.
INTERCEPT: dict[tuple[Class, str], float] = {}
# By class, what a unit of each feature adds to the log odds.
SLOPE: dict[Class, tuple[float, ...]] = {}


def rated(anomaly: Anomaly) -> Anomaly:
    """The anomaly with its confidence."""
    return replace(anomaly, confidence=round(confidence(anomaly), 2))


def confidence(anomaly: Anomaly) -> float:
    """The probability, 0 to 1, that the class is right.

    Of a `weather_event`: that nothing is wrong with the station. Of any other class: that something is.
    """
    class_ = anomaly.class_
    odds = INTERCEPT.get((class_, anomaly.test), INTERCEPT.get((class_, ""), 0.0))
    odds += sum(slope * x for slope, x in zip(SLOPE.get(class_, ()), features(anomaly), strict=False))
    return 1 / (1 + math.exp(-odds))


def features(anomaly: Anomaly) -> tuple[float, ...]:
    """What a confidence rests on; see `FEATURES`.

    - distance: how far the worst reading is from what was expected, in steps that are suspicious for the variable;
    - score: the same in standard deviations of the residual;
    - neighbour: how far it is from what that neighbour implied which is nearest to it, in such steps;
    - doubt: how far apart the middle half of what neighbours implied is, in such steps;
    - hours: how long it lasts.

    All are logarithms to the base 2, so that twice as much counts the same everywhere.
    """
    hours = _log((parse(anomaly.end) - parse(anomaly.start)).total_seconds() / 3600, 0.5)
    scale = BY_NAME[anomaly.variable].scale if anomaly.variable in BY_NAME else None
    if scale is None or anomaly.value is None or anomaly.expected is None or anomaly.score is None:
        return 0.0, 0.0, 0.0, 0.0, hours

    def scaled(value: float) -> float:
        return (math.sqrt(max(value, 0.0)) if scale.root else value) / scale.step

    value = scaled(anomaly.value)
    distance = _log(abs(value - scaled(anomaly.expected)), 0.1)
    implied = sorted(scaled(one.implies) for one in anomaly.neighbours if one.implies is not None)
    if not implied:
        return distance, _log(anomaly.score, 1), 0.0, 0.0, hours
    nearest = _log(min(abs(value - one) for one in implied), 0.1)
    apart = implied[(3 * len(implied) - 1) // 4] - implied[len(implied) // 4]
    return distance, _log(anomaly.score, 1), nearest, _log(apart, 0.1), hours


def _log(size: float, least: float) -> float:
    return math.log2(max(size, least))
