"""Radiation: more than the sun can give at its present height, or less than reaches the ground under any cloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from toolkit.model import Station
from toolkit.quality.arrays import Bools, Floats, Ints, intervals, median
from toolkit.quality.base import (
    TAIWAN,
    Evidence,
    Exclusion,
    FlaggedInterval,
    Preparation,
    Sample,
    Thresholds,
    threshold,
)
from toolkit.quality.contradiction import Contradictions, ContradictionTest, lasting, of_rows, some_at_a_time
from toolkit.quality.criteria import Condition
from toolkit.quality.sun import above_the_atmosphere, cosine_of_zenith
from toolkit.variables import Variable

_BSRN = "Long and Dutton (2002): BSRN global network recommended QC tests"


@dataclass(frozen=True, slots=True)
class RadiationThresholds(Thresholds):
    """What global radiation can be. The sun is taken where it is highest between one reading and the next."""

    possible: float = threshold(1.5, "", "of the irradiance above the atmosphere × μ^1.2, μ the cosine of the sun's "
                                "zenith angle: more is impossible, also where clouds reflect it", _BSRN)  # fmt: skip
    possible_base: float = threshold(100.0, "W/m²", "and so much more", _BSRN)
    rare: float = threshold(1.2, "", "the same: more is extremely rare, and lasts for minutes", _BSRN)
    rare_base: float = threshold(50.0, "W/m²", "and so much more", _BSRN)
    rare_hours: float = threshold(0.5, "h", "a reading or successive ones of so long cannot all be extremely rare",
                                  "broken clouds pass")  # fmt: skip
    night: float = threshold(-0.10, "", "the sun is set where μ is below this (six degrees, the end of civil twilight)",
                             "definition of civil twilight")  # fmt: skip
    dark: float = threshold(15.0, "W/m²", "more is impossible at night; a street lamp gives less than 1",
                            "the zero offset of a pyranometer of good quality, WMO-No. 8, vol. I, ch. 7")  # fmt: skip
    day: float = threshold(0.30, "", "it is day where μ is above this (17 degrees)")
    least: float = threshold(1.0, "W/m²", "less is impossible by day: under the thickest cloud 2 % of some hundreds "
                             "arrive")  # fmt: skip
    least_hours: float = threshold(1.0, "h", "for so long: snow on the dome slides off, an eclipse passes")
    bright: float = threshold(0.35, "", "while at the median neighbour this share of the irradiance above the "
                              "atmosphere arrived: some stations give 0 under thick cloud", TAIWAN)  # fmt: skip
    bright_km: float = threshold(60.0, "km", "of neighbours within this", TAIWAN)
    least_hours_alone: float = threshold(3.0, "h", "for so long where no neighbour measures radiation", TAIWAN)
    still_hours: float = threshold(1.5, "h", "a reading above `least` that stays the same for so long by day is stuck")
    still_readings: int = threshold(4, "readings", "and for so many readings")


LIMITS = RadiationThresholds()


@some_at_a_time
def judge(network: Sample, block: slice) -> Contradictions:
    """Which readings of some stations contradict the sun."""
    sample = network.part(block)
    series = sample.series
    window, hour = series.window, series.per_hour
    slots = min(window + 24 * hour, len(series.ends))  # a day more tells what it read when there was sun
    values, ends = series.values[:, -slots:], series.ends[-slots:]
    highest, lowest = _heights(sample.stations, ends, hour)
    above = _above(highest, ends)

    possible, rare = LIMITS.possible * above + LIMITS.possible_base, LIMITS.rare * above + LIMITS.rare_base
    too_much, often = values > possible, lasting(values > rare, round(LIMITS.rare_hours * hour))
    night = highest < LIMITS.night
    day = lowest > LIMITS.day
    nothing = _nothing(network, block, day & (values <= LIMITS.least))
    light, still = night & (values > LIMITS.dark), _still(network, block, slots) & day & ~nothing
    dead = _until_sun(nothing, values)
    reading, sun = "the reading", "the sun's height, as the cosine of its zenith angle"
    unit, nobody = series.variable.unit, np.zeros(len(values), dtype=bool)
    for met, since, what, *conditions in (
        (light, nobody, "light at night", Condition(reading, values, ">", LIMITS.dark, unit),
         Condition(sun, highest, "<", LIMITS.night)),
        (too_much & ~night, nobody, "more than is possible", Condition(reading, values, ">", possible, unit)),
        (often & ~night, nobody, "more than is likely for so long", Condition(reading, values, ">", rare, unit)),
        (nothing, dead[:, -window:].any(axis=1), "none by day, and none since",
         Condition(reading, values, "≤", LIMITS.least, unit), Condition(sun, lowest, ">", LIMITS.day)),
        (still, nobody, "the same reading for too long by day", Condition(sun, lowest, ">", LIMITS.day)),
    ):  # fmt: skip
        sample.note(met, *conditions, what=what, earlier=since)
    found = {
        "at night it reads {value} W/m²": light,
        "{value} W/m² is more than the sun can give at that height": (too_much | often) & ~night,
        "it reads no radiation by day": dead,
        "by day it has read {value} W/m² without a change": still,
    }
    return {text: flagged[:, -window:] & ~sample.silent for text, flagged in found.items()}


def _heights(stations: Sequence[Station], ends: Floats, per_hour: int) -> tuple[Floats, Floats]:
    """The highest and the lowest of the sun at some stations, as the cosine of its zenith angle, stations × slots.

    A reading may be of one moment or a mean, named by its beginning or its end; its slot ends up to a cadence later.

    Args:
        stations: where.
        ends: when the slots end, seconds since the epoch.
        per_hour: slots in an hour.
    """
    cadence = 3600.0 / per_hour if len(ends) < 2 else float(ends[-1] - ends[-2])
    latitude, longitude = np.array([(one.latitude, one.longitude) for one in stations], float).reshape(-1, 2).T
    found = [cosine_of_zenith(latitude, longitude, ends - ago * cadence) for ago in (-1, -0.5, 0, 0.5, 1, 1.5, 2)]
    return reduce(np.maximum, found), reduce(np.minimum, found)


def _above(highest: Floats, ends: Floats) -> Floats:
    """The irradiance above the atmosphere × μ^1.2 in W/m², of the sun's height μ; stations × slots."""
    found: Floats = above_the_atmosphere(ends) * np.maximum(highest, 0) ** 1.2
    return found


def _nothing(network: Sample, block: slice, zero: Bools) -> Bools:
    """Where some stations give nothing by day for too long, stations × slots.

    Args:
        network: the variable at all stations.
        block: which stations.
        zero: where they give nothing by day.
    """
    series, near, slots = network.series, network.neighbours, zero.shape[1]
    hour, ends = series.per_hour, series.ends[-slots:]
    asked = near.exists[block] & (near.km[block] <= LIMITS.bright_km) & series.measured[near.rows[block]]

    def arrived(rows: Ints) -> Floats:
        """The share of the irradiance above the atmosphere that arrived at some stations, stations × slots."""
        highest, _ = _heights([network.stations[row] for row in rows.tolist()], ends, hour)
        share: Floats = series.values[rows, -slots:] / np.maximum(_above(highest, ends), 1.0)
        return share

    found = lasting(zero, round(LIMITS.least_hours * hour))
    for row in np.flatnonzero(found.any(axis=1)):
        others = near.rows[block][row, asked[row]]
        around = median(arrived(others).T) if len(others) else np.full(slots, np.nan)
        for first, after in intervals(found[row]):
            known = around[first:after][~np.isnan(around[first:after])]
            if len(known):
                found[row, first:after] = known.mean() >= LIMITS.bright
            else:
                found[row, first:after] = after - first >= LIMITS.least_hours_alone * hour
    return found


def _until_sun(nothing: Bools, values: Floats) -> Bools:
    """From a day without radiation on, until there is some: the night between two such days is no proof of a repair.

    Some stations report nothing at night.
    """
    slot = np.arange(values.shape[1])
    since, sun = (np.maximum.accumulate(np.where(seen, slot, -1), axis=1) for seen in (nothing, values > LIMITS.least))
    dead: Bools = since > sun
    return dead


class Radiation(ContradictionTest):
    """Global radiation against the height of the sun; clouds are not judged."""

    name = "radiation"
    standard_name = "physically possible and extremely rare limits"
    source = "Long and Dutton (2002), for the BSRN; Long and Shi (2008); WMO-No. 8, vol. I, ch. 7"
    finds = "radiation at night, more than the sun can give, none by day, a reading that is stuck by day"
    limit = "the sun's height at the station"
    thresholds = LIMITS
    evidence = Evidence.CONCLUSIVE
    exclusion = Exclusion.NEVER
    preparation = Preparation(judge, of_rows)

    def applies(self, variable: Variable) -> bool:
        """To global solar radiation."""
        return variable.standard_name == "surface_downwelling_shortwave_flux_in_air"

    def distance(self, interval: FlaggedInterval, residual: Floats) -> Floats:
        """The largest reading is shown."""
        return interval.series.values[interval.row, interval.slots]


def _still(network: Sample, block: slice, window: int) -> Bools:
    """Some stations' readings that are part of a run of one value which is too long, stations × the last slots.

    Where another station repeats that value at the same time, the network has put it there in the place of what was
    measured: no two sensors are stuck at one value.

    Args:
        network: the variable at all stations.
        block: which stations.
        window: how many slots.
    """
    series, near, hour = network.series, network.neighbours, network.series.per_hour
    values = series.values[block]
    least = max(round(LIMITS.still_hours * hour), LIMITS.still_readings)
    same = np.zeros(values.shape, dtype=bool)
    same[:, 1:] = (values[:, 1:] == values[:, :-1]) & (values[:, 1:] > LIMITS.least)
    found = np.zeros(values.shape, dtype=bool)
    for row in np.flatnonzero(same.any(axis=1)):
        others = near.rows[block][row, near.exists[block][row]]
        for first, after in intervals(same[row]):
            if after - first + 1 >= least:
                there = series.values[others, first - 1 : after] == values[row, first]
                found[row, first - 1 : after] = not (there[:, 1:] & there[:, :-1]).any()
    return found[:, -window:]
