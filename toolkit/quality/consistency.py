"""Internal consistency: what two sensors of one station report cannot both be true.

A rule counts only where the network keeps it, because what a field means differs from feed to feed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from toolkit.quality.arrays import Bools, Floats, intervals
from toolkit.quality.base import (
    Evidence,
    Exclusion,
    FlaggedInterval,
    Preparation,
    QualityTest,
    Sample,
    Thresholds,
    WorstReading,
    threshold,
)
from toolkit.variables import BY_NAME, Variable

Values = Mapping[str, Floats]
"""The window's values by variable, in the variable's unit, stations × window slots."""


@dataclass(frozen=True, slots=True)
class ConsistencyThresholds(Thresholds):
    """When a rule is broken."""

    others: float = threshold(
        0.02, "", "share of other stations' readings: where more break a rule, the feed means something else"
    )
    running: int = threshold(3, "readings", "so many successive readings break the rule")
    far: float = threshold(5.0, "accuracies of the sensor", "or one of them by so much")
    dry: float = threshold(40.0, "%", "no rain reaches the ground through air as dry as this")
    vane: float = threshold(20.0, "°", "a vane that turns by more than this has felt a wind")
    vane_slots: int = threshold(12, "slots", "the time over which turns in a calm are counted")
    vane_share: float = threshold(0.4, "", "share of that time in which the vane may turn: a passing breath")


LIMITS = ConsistencyThresholds()


class Rule(NamedTuple):
    """Something that cannot be.

    Attributes:
        variable: the variable that is blamed.
        others: what else has to be read to see it.
        excess: by how much each reading breaks the rule, stations × window slots: broken above 1. Differences are in
            accuracies of the sensor.
        text: the rule's breach in words.
    """

    variable: str
    others: tuple[str, ...]
    excess: Callable[[Values], Floats]
    text: str


def _above(one: str, other: str) -> Callable[[Values], Floats]:
    """By how much `one` is above `other`, in accuracies of the sensor."""
    accuracy = BY_NAME[one].accuracy
    return lambda values: (values[one] - values[other]) / accuracy


def _turning_in_a_calm(values: Values) -> Floats:
    turned = np.abs(np.diff(values["wind_dir"], axis=1, prepend=np.nan))
    turned = np.minimum(turned, 360 - turned)
    calm = values["wind_speed"] == 0
    return np.where(calm, _share(calm & (turned > LIMITS.vane), LIMITS.vane_slots) / LIMITS.vane_share, 0.0)


def _rain_in_dry_air(values: Values) -> Floats:
    """Whether rain was added from one reading to the next while the air was dry at both.

    In many feeds rain is the total of the day: it stays above zero in dry air until midnight, when it begins anew.
    """
    added = np.diff(values["rain"], axis=1, prepend=np.nan) > 0
    dry = values["out_hum"] < LIMITS.dry
    dry[:, 1:] &= dry[:, :-1]
    return np.where(added & dry, 2.0, 0.0)


def _share(flagged: Bools, width: int) -> Floats:
    """The share of flagged slots among the last `width`, stations × slots."""
    summed = np.cumsum(np.hstack([np.zeros((len(flagged), width)), flagged]), axis=1)
    share: Floats = (summed[:, width:] - summed[:, :-width]) / width
    return share


RULES = (
    Rule("temp_out", ("hi_temp",), _above("temp_out", "hi_temp"), "temp_out is above hi_temp"),
    Rule("temp_out", ("low_temp",), _above("low_temp", "temp_out"), "temp_out is below low_temp"),
    Rule("wind_speed", ("hi_speed",), _above("wind_speed", "hi_speed"), "wind_speed is above the gust, hi_speed"),
    Rule("wind_speed", ("wind_dir",), _turning_in_a_calm, "the vane turns while wind_speed is 0"),
    Rule("rain", ("out_hum",), _rain_in_dry_air, f"rain in air of less than {LIMITS.dry:g} % humidity"),
)


class Broken(NamedTuple):
    """Readings that break a rule, stations × window slots, and for each station the rule in words ("" if none)."""

    flagged: Bools
    rules: list[str]


def broken_rules(sample: Sample) -> Broken:
    """Which readings of a variable break which rule."""
    variable, values = sample.series.variable.name, sample.values
    flagged = np.zeros(values[variable].shape, dtype=bool)
    texts = [""] * len(flagged)
    for rule in RULES:
        if rule.variable != variable:
            continue
        excess = np.nan_to_num(rule.excess(values))
        broken = excess > 1
        readings = ~np.isnan(values[variable]) & ~np.isnan(values[rule.others[0]])
        breaking = broken.sum(axis=1)
        others = (breaking.sum() - breaking) / np.maximum(readings.sum() - readings.sum(axis=1), 1)
        for row in np.flatnonzero((breaking > 0) & (others < LIMITS.others)):
            for first, after in intervals(broken[row]):
                if after - first >= LIMITS.running or excess[row, first:after].max() >= LIMITS.far:
                    flagged[row, first:after] = True
                    texts[row] = rule.text
    return Broken(flagged, texts)


class Consistency(QualityTest):
    """Two sensors of a station that contradict each other."""

    name = "consistency"
    standard_name = "internal consistency"
    source = "WMO-No. 8, vol. V, ch. 1; MADIS level 2"
    finds = "two sensors of a station that contradict each other"
    limit = "rules that the network keeps"
    thresholds = LIMITS
    evidence = Evidence.CONCLUSIVE
    exclusion = Exclusion.NEVER
    preparation = Preparation(broken_rules)

    def applies(self, variable: Variable) -> bool:
        """To the variables that a rule blames."""
        return any(rule.variable == variable.name for rule in RULES)

    def needs(self, variable: Variable) -> set[str]:
        """The other variables of its rules."""
        return {other for rule in RULES if rule.variable == variable.name for other in rule.others}

    def run(self, sample: Sample, prepared: Broken) -> Bools:
        """Flag readings that break a rule, stations × window slots."""
        return prepared.flagged

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: Broken) -> str:
        """The rule."""
        return prepared.rules[interval.row]
