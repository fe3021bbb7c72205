"""Internal consistency: what two sensors of one station report cannot both be true.

A rule counts only where the network keeps it, because what a field means differs from feed to feed. Where either of two
readings can be the wrong one, the one is blamed that moved when they began to contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np

from toolkit.quality.arrays import Bools, Floats, Ints, intervals, median, quantile
from toolkit.quality.base import (
    TAIWAN,
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
from toolkit.quality.blocks import by_rows
from toolkit.quality.criteria import Condition
from toolkit.quality.humidity import dew_point, frost_point
from toolkit.quality.packed import some_rows, there
from toolkit.variables import BY_NAME, Variable

Values = Mapping[str, Floats]
"""Values by variable, in the variable's unit, stations × slots."""


@dataclass(frozen=True, slots=True)
class ConsistencyThresholds(Thresholds):
    """When a rule is broken."""

    others: float = threshold(
        0.02,
        "",
        "share of a station's readings: where a quarter of the others break a rule in more, the feed means "
        "something else",
    )
    running: int = threshold(3, "readings", "so many successive readings break the rule")
    far: float = threshold(5.0, "accuracies of the sensor", "or one of them by so much")
    dry: float = threshold(40.0, "%", "no rain reaches the ground through air as dry as this")
    vane: float = threshold(30.0, "°", "a vane that turns by more than this, and one of 16 points, has felt a wind")
    vane_slots: int = threshold(12, "slots", "the time over which turns in a calm are counted")
    vane_share: float = threshold(0.4, "", "share of that time in which the vane may turn: a passing breath")
    before: int = threshold(6, "readings", "before a contradiction, and so many of it, tell which of the two has moved")
    of_network: int = threshold(100, "stations", "of the network tell what it moved by, where one has no neighbours")
    dew_point: float = threshold(1.0, "K", "a dew point differs by more from that of temperature and humidity",
                                 "the sensor's accuracy")  # fmt: skip
    humidity: float = threshold(2.0, "%", "and by more than so much humidity makes: it may be of another minute")
    gust_base: float = threshold(40.0, "km/h", "a gust is larger than this")
    gust_factor: float = threshold(2.5, "", "and so many times the mean wind",
                                   "gust factors over land are below 2, Harper et al. (2010), WMO/TD-1555")  # fmt: skip
    gust_usual: float = threshold(
        2.0, "", "and so many times what three in four gusts of the window reach: on a ridge, and in a storm between "
        "hills, gusts are many times the mean for hours", TAIWAN
    )  # fmt: skip
    outflow: float = threshold(1.5, "K", "a gust front changes the temperature by so much from the reading "
                               "before it to the one after")  # fmt: skip
    outflow_humidity: float = threshold(8.0, "%", "or the humidity by so much")
    gust_readings: int = threshold(6, "readings", "a gust that stays the same for so long is stuck")
    gust_mean: float = threshold(2.0, "accuracies of the sensor", "while the mean wind changes by so much")


LIMITS = ConsistencyThresholds()


class Rule(NamedTuple):
    """Something that cannot be.

    Attributes:
        variable: the variable that is blamed.
        others: what else has to be read to see it.
        excess: by how much each reading breaks the rule, stations × window slots: broken above 1. Differences are in
            accuracies of the sensor.
        text: the rule's breach in words.
        rival: what the variable contradicts, in its unit, where that may be wrong as well; None where it cannot.
    """

    variable: str
    others: tuple[str, ...]
    excess: Callable[[Values], Floats]
    text: str
    rival: Callable[[Values], Floats] | None = None


def _value(name: str) -> Callable[[Values], Floats]:
    return lambda values: values[name]


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


def _moist(values: Values) -> Floats:
    """The dew point of temperature and humidity in °C, stations × slots."""
    return dew_point(values["temp_out"], values["out_hum"])


def _another_dew_point(values: Values) -> Floats:
    """How far the dew point is from that of temperature and humidity, in what is possible.

    Below zero some stations give the temperature at which ice would form.
    """
    temperature, humidity = values["temp_out"], values["out_hum"]
    implied = dew_point(temperature, humidity)
    off = np.abs(values["dew_point"] - implied)
    off = np.where(implied < 0, np.minimum(off, np.abs(values["dew_point"] - frost_point(temperature, humidity))), off)
    of_humidity = implied - dew_point(temperature, humidity - LIMITS.humidity)
    return np.where(humidity > 2 * LIMITS.humidity, off / (LIMITS.dew_point + of_humidity), 0.0)


def _gust_without_cause(values: Values) -> Floats:
    """Whether a gust is far above the mean wind, while neither temperature nor humidity tells of a gust front.

    The mean may be of the last ten minutes of the hour whose gust it is: that of the readings beside it counts as well.
    What was before the first slot is not known; the run before has judged that. Where most gusts are nearly as high, it
    is a windy place.
    """
    mean = np.pad(values["wind_speed"], ((0, 0), (1, 1)), constant_values=((np.nan, np.nan), (np.inf, np.nan)))
    mean = reduce(np.fmax, (mean[:, :-2], mean[:, 1:-1], mean[:, 2:]))
    high = values["hi_speed"] > LIMITS.gust_base + LIMITS.gust_factor * mean
    if high.any():
        usual = np.nan_to_num(quantile(values["hi_speed"], 0.25))
        high &= values["hi_speed"] > LIMITS.gust_usual * usual[:, None]
    still = (_range(values["temp_out"], 3) < LIMITS.outflow) & (_range(values["out_hum"], 3) < LIMITS.outflow_humidity)
    return np.where(high & still, 2 * LIMITS.far, 0.0)


def _same_gust(values: Values) -> Floats:
    """Whether the gust stays the same while the mean wind changes."""
    gust, mean = values["hi_speed"], values["wind_speed"]
    same = np.zeros(gust.shape, dtype=bool)
    same[:, 1:] = (gust[:, 1:] == gust[:, :-1]) & (gust[:, 1:] > 0)
    found = np.zeros(gust.shape)
    for row in np.flatnonzero(same.sum(axis=1) >= LIMITS.gust_readings - 1):
        for first, after in intervals(same[row]):
            run = slice(first - 1, after)
            if after - first + 1 >= LIMITS.gust_readings and not np.isnan(mean[row, run]).all():
                changed = np.nanmax(mean[row, run]) - np.nanmin(mean[row, run])
                found[row, run] = 2.0 * (changed > LIMITS.gust_mean * BY_NAME["wind_speed"].accuracy)
    return found


def _range(readings: Floats, width: int) -> Floats:
    """The largest less the smallest of the readings around each; NaN where one is missing. Stations × slots."""
    padded, slots = np.pad(readings, ((0, 0), (width // 2, width // 2)), mode="edge"), readings.shape[1]
    parts = [padded[:, first : first + slots] for first in range(width)]
    return reduce(np.maximum, parts) - reduce(np.minimum, parts)


def _share(flagged: Bools, width: int) -> Floats:
    """The share of flagged slots among the last `width`, stations × slots."""
    summed = np.cumsum(np.hstack([np.zeros((len(flagged), width)), flagged]), axis=1)
    share: Floats = (summed[:, width:] - summed[:, :-width]) / width
    return share


RULES = (
    Rule("temp_out", ("hi_temp",), _above("temp_out", "hi_temp"), "temp_out is above hi_temp", _value("hi_temp")),
    Rule("hi_temp", ("temp_out",), _above("temp_out", "hi_temp"), "hi_temp is below temp_out", _value("temp_out")),
    Rule("temp_out", ("low_temp",), _above("low_temp", "temp_out"), "temp_out is below low_temp", _value("low_temp")),
    Rule("low_temp", ("temp_out",), _above("low_temp", "temp_out"), "low_temp is above temp_out", _value("temp_out")),
    Rule("wind_speed", ("hi_speed",), _above("wind_speed", "hi_speed"), "wind_speed is above the gust, hi_speed",
         _value("hi_speed")),
    Rule("hi_speed", ("wind_speed",), _above("wind_speed", "hi_speed"), "hi_speed is below the mean, wind_speed",
         _value("wind_speed")),
    Rule("hi_speed", ("wind_speed",), _same_gust, "hi_speed stays the same while wind_speed changes"),
    Rule("hi_speed", ("wind_speed", "temp_out", "out_hum"), _gust_without_cause,
         "hi_speed is far above wind_speed, and neither temp_out nor out_hum changed"),
    Rule("dew_point", ("temp_out", "out_hum"), _another_dew_point,
         "dew_point is not that of temp_out and out_hum", _moist),
    Rule("dew_point", ("temp_out",), _above("dew_point", "temp_out"),
         "dew_point is above temp_out", _value("temp_out")),
    Rule("wind_speed", ("wind_dir",), _turning_in_a_calm, "the vane turns while wind_speed is 0"),
    Rule("rain", ("out_hum",), _rain_in_dry_air, f"rain in air of less than {LIMITS.dry:g} % humidity"),
)  # fmt: skip


class Broken(NamedTuple):
    """Readings that break a rule, stations × window slots, and for each station the rule in words ("" if none)."""

    flagged: Bools
    rules: list[str]

    def of_rows(self, rows: Ints) -> Broken:
        """Those of some stations."""
        return Broken(self.flagged[rows], [self.rules[row] for row in rows.tolist()])


def broken_rules(sample: Sample) -> Broken:
    """Which readings of a variable break which rule."""
    variable = sample.series.variable.name
    rules = [rule for rule in RULES if rule.variable == variable]
    there_, window = there(sample.values, variable), slice(-sample.series.window, None)
    flagged = np.zeros(there_[:, window].shape, dtype=bool)
    before = max(0, sample.series.values.shape[1] - sample.series.window)
    texts = [""] * len(flagged)
    for rule in rules:
        excess = _excess(rule, sample.values, window, len(flagged))
        broken = excess > 1
        readings = (there_ & there(sample.values, rule.others[0]))[:, window].sum(axis=1)
        share = np.where(readings > 0, broken.sum(axis=1) / np.maximum(readings, 1), np.nan)
        by_rule = np.zeros_like(flagged)
        known, often = ~np.isnan(share), share > LIMITS.others
        all_known, all_often = np.count_nonzero(known), np.count_nonzero(often)
        for row in np.flatnonzero(share > 0):
            if (all_often - int(often[row])) * 4 >= all_known - int(known[row]) > 0:
                continue
            for first, after in intervals(broken[row]):
                if after - first < LIMITS.running and excess[row, first:after].max() < LIMITS.far:
                    continue
                if rule.rival is None or _moved_more(sample, rule, int(row), before + after - 1):
                    by_rule[row, first:after] = True
                    texts[row] = rule.text
        blamed = ", and it is the one that moved" if rule.rival else ""
        sample.note(by_rule, Condition("by so much of what is possible", excess, ">", 1), what=rule.text + blamed)
        flagged |= by_rule
    return Broken(flagged, texts)


def _excess(rule: Rule, values: Values, window: slice, stations: int) -> Floats:
    """By how much each reading breaks a rule, 0 where that is not known; stations × window slots."""

    def of(rows: slice) -> list[Floats]:
        of_rule = (rule.variable, *rule.others)
        return [np.nan_to_num(rule.excess({name: some_rows(values, name, (rows, window)) for name in of_rule}))]

    (found,) = by_rows(of, stations)
    return found


def _moved_more(sample: Sample, rule: Rule, row: int, last: int) -> bool:
    """Whether a variable moved more than its rival since they contradict each other.

    What its neighbours moved by is no fault. Where it cannot be told, the variable that follows is not blamed.

    Args:
        sample: the variable.
        rule: what is broken.
        row: the station.
        last: the last slot that breaks the rule.
    """
    near = sample.neighbours.rows[row : row + 1][sample.neighbours.close[row : row + 1]]
    if not len(near):
        stations = len(sample.series.values)
        near = np.linspace(0, stations - 1, min(stations, LIMITS.of_network)).astype(np.int64)
        near = near[near != row]
    values = {name: some_rows(sample.values, name, [row, *near]) for name in (rule.variable, *rule.others)}
    whole = np.flatnonzero(np.nan_to_num(rule.excess(values)[0, : last + 1], nan=2.0) <= 1)
    if not len(whole):
        return not BY_NAME[rule.variable].follows
    first = int(whole[-1]) + 1

    def moved(of: Callable[[Values], Floats]) -> float:
        """By how much something moved, the median of some slots against that of those before."""

        def change(values: Values) -> Floats:
            readings = of(values)
            since = median(readings[:, first : min(last + 1, first + LIMITS.before)])
            return since - median(readings[:, max(0, first - LIMITS.before) : first])

        own, *others = map(float, change(values))
        known = [one for one in others if not np.isnan(one)]
        return abs(own - (float(np.median(known)) if known else 0.0))

    by_own, by_rival = moved(_value(rule.variable)), moved(rule.rival or _value(rule.variable))
    if np.isnan(by_own) or np.isnan(by_rival) or by_own == by_rival:
        return not BY_NAME[rule.variable].follows
    return by_own > by_rival


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
    follows = True
    preparation = Preparation(broken_rules, Broken.of_rows)

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
