"""Gauge: rain that several close neighbours contradict for hours.

Rain is ragged: a shower of one station is weather. What no shower does is to spare one station for hours of rain at all
others around, or to fall on one for most of a day while all others and the air are dry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toolkit.quality.arrays import Bools, Floats, mean
from toolkit.quality.base import Evidence, Exclusion, Preparation, Sample, Thresholds, threshold
from toolkit.quality.blocks import by_rows
from toolkit.quality.contradiction import Contradictions, ContradictionTest, lasting, longest, of_rows
from toolkit.quality.criteria import Condition
from toolkit.quality.packed import some_rows
from toolkit.quality.rainfall import amounts, counts_up, hourly, resets
from toolkit.variables import Variable

_TAIWAN = "eleven gauges in the north of Taiwan, 21 months of hourly reports"
_BEIJING = "seven gauges within 60 km around Beijing, 22 months: hardly ever by nature"


@dataclass(frozen=True, slots=True)
class GaugeThresholds(Thresholds):
    """How long neighbours have to contradict a gauge, and how clearly."""

    km: float = threshold(60.0, "km", "neighbours within this are asked", _BEIJING)
    neighbours: int = threshold(3, "neighbours", "so many at least; one of them may be wrong itself")
    zero_hours: int = threshold(12, "h", "a gauge that has counted nothing is compared over so long at most")
    zero_wet_hours: int = threshold(5, "h", "all neighbours but one had rain in so many hours meanwhile", _BEIJING)
    zero_mm: float = threshold(5.0, "mm", "and so much", _BEIJING)
    freezing: float = threshold(2.0, "°C", "in colder air a gauge without a heater holds snow: it is no fault")
    lone_hours: int = threshold(6, "h", "it rained without a dry hour here alone for so long", _BEIJING)
    drizzle: float = threshold(
        1.0, "mm", "an hour with so much, in air of `burst_dry` and more, is rain: drizzle and drips give less",
        "Glossary of Meteorology of the American Meteorological Society: 1 mm in an hour and more usually is rain"
    )  # fmt: skip
    lone_hours_dry: int = threshold(3, "h", "the same where the air was dry")
    dry: float = threshold(75.0, "%", "air is dry below this: nine in ten hours of rain are above 80 %", _BEIJING)
    burst: float = threshold(10.0, "mm", "a single reading adds so much here alone, in air of less than `burst_dry`")
    burst_dry: float = threshold(80.0, "%", "a cloudburst leaves moister air", _BEIJING)
    reset: float = threshold(0.75, "", "share of the other totals that were reset within an hour")
    held: float = threshold(2.0, "mm", "a total that went on is so much larger than what fell anywhere since: less may "
                            "have fallen again")  # fmt: skip


LIMITS = GaugeThresholds()


class Around(NamedTuple):
    """Rain at the neighbours that a gauge is compared with, stations × hours.

    Attributes:
        enough: whether there are enough with a known amount.
        second_most: all but one, which may be wrong itself, had no more.
    """

    enough: Bools
    second_most: Floats


def judge(sample: Sample) -> Contradictions:
    """What neighbours contradict."""
    series = sample.series
    window, per_hour = series.window, series.per_hour
    fell = amounts(series.values)
    (rain,) = by_rows(lambda rows: [hourly(fell[rows], per_hour)], len(fell))
    hours = min(rain.shape[1], max(LIMITS.zero_hours, -(-window // per_hour)) + LIMITS.lone_hours)
    rain = rain[:, rain.shape[1] - hours :]
    near = sample.neighbours
    asked = near.close & (near.km <= LIMITS.km) & series.measured[near.rows]
    # A hill has rain that the plain beside it has not: that it rained there is enough to believe a gauge.
    also = near.exists & (near.km <= LIMITS.km) & series.measured[near.rows]

    def some(rows: slice) -> list[npt.NDArray[Any]]:
        air = [_hourly_mean(some_rows(sample.values, name, rows), per_hour) for name in ("out_hum", "temp_out")]
        beside, anywhere = (
            _around(np.where(these[rows][:, :, None], rain[near.rows[rows]], np.nan)) for these in (asked, also)
        )
        return [beside.enough, anywhere.second_most, *(one[:, -hours:] for one in air)]

    enough, second_most, humidity, temperature = by_rows(some, len(rain))
    around = Around(enough, second_most)

    def slots(of_hours: Bools) -> Bools:
        found = np.repeat(of_hours, per_hour, axis=1)[:, -window:]
        return np.pad(found, ((0, 0), (window - found.shape[1], 0)))

    zeros = np.zeros(rain.shape, dtype=bool)
    if asked.sum(axis=1).max(initial=0) >= LIMITS.neighbours:
        zeros = _zeros(sample, np.where(temperature < LIMITS.freezing, np.nan, rain), rain, humidity, asked)
    alone = around.enough & (rain > 0) & (around.second_most == 0)
    alone_dry = alone & (humidity < LIMITS.dry)
    drips = alone & ~((rain >= LIMITS.drizzle) & (humidity >= LIMITS.burst_dry))
    lone, lone_dry = lasting(drips, LIMITS.lone_hours), lasting(alone_dry, LIMITS.lone_hours_dry)
    for met, hours_alone, least, what in (
        (lone, drips, LIMITS.lone_hours, "a little rain here alone"),
        (lone_dry, alone_dry, LIMITS.lone_hours_dry, "rain here alone in dry air"),
    ):
        sample.note(
            met.any(axis=1),
            Condition("hours of it without a pause", longest(hours_alone), "≥", least, "h"),
            Condition("neighbours that were asked", asked.sum(axis=1), "≥", LIMITS.neighbours),
            what=what,
        )
    lone |= lone_dry
    there = series.there[:, -series.window :]
    dry = slots(around.enough & _still(around.second_most))
    return {
        "it has counted nothing": slots(zeros) & there,
        "it counts rain without a pause": slots(lone) & there,
        "it counted {value} mm at once in dry air": _bursts(sample, fell, dry),
        "its total was not reset": _held(sample) & there,
    }


class Gauge(ContradictionTest):
    """A clogged or dripping gauge, snow that melts in it, a burst that nobody else saw, a total that is not reset."""

    name = "gauge"
    standard_name = "spatial consistency"
    source = "de Vos et al. (2019), PWSQC (faulty zeros, high influx); RainfallQC; WMO-No. 8, vol. I, ch. 6"
    finds = "a clogged or dripping rain gauge, melting snow, a burst in dry air, a total that is not reset"
    limit = "hours of rain, or without any, at all close neighbours"
    thresholds = LIMITS
    evidence = Evidence.NOT_SHARED
    exclusion = Exclusion.NEVER
    preparation = Preparation(judge, of_rows)

    def applies(self, variable: Variable) -> bool:
        """To rain."""
        return variable.standard_name == "thickness_of_rainfall_amount"

    def needs(self, variable: Variable) -> set[str]:
        """What tells whether the air was dry, or frost."""
        return {"out_hum", "temp_out"}


def _around(rain: Floats) -> Around:
    """Summarise the neighbours' rain in mm, stations × neighbours × hours, with NaN where it is not known."""
    known = np.count_nonzero(~np.isnan(rain), axis=1)
    ordered = np.sort(rain, axis=1)  # NaNs come last
    at = np.maximum(known - 1, 0)[:, None]
    return Around(known >= LIMITS.neighbours, np.take_along_axis(ordered, np.maximum(at - 1, 0), 1)[:, 0])


def _zeros(sample: Sample, own: Floats, rain: Floats, humidity: Floats, asked: Bools) -> Bools:
    """The hours of rain at a station's neighbours in which it counted nothing, where they are too many.

    Args:
        sample: where it is noted.
        own: the rain of each station, NaN in frost; stations × hours.
        rain: the same with that of frost.
        humidity: likewise, in %.
        asked: which of them are asked; stations × neighbours.
    """
    hours = own.shape[1]
    # Since the last hour with rain, or without a reading.
    since = np.where((own == 0).all(axis=1), 0, hours - np.argmax(own[:, ::-1] != 0, axis=1))
    since = np.maximum(since, hours - LIMITS.zero_hours)
    counts = np.arange(hours) >= since[:, None]

    def rained(rows: Any) -> tuple[Bools, Floats]:
        """In which hours that count it rained at the neighbours of some stations, and how much in all."""
        # What falls on others does not fall here while the air is dry.
        near = np.where((humidity[rows] < LIMITS.dry)[:, None], 0.0, rain[sample.neighbours.rows[rows]])
        return counts[rows][:, None] & (near > 0), np.nansum(np.where(counts[rows][:, None], near, 0), axis=2)

    def but_one(rows: slice) -> list[npt.NDArray[Any]]:
        wet, fell = rained(rows)
        number = np.where(asked[rows], wet.sum(axis=2), np.iinfo(np.int64).max)
        return [np.sort(one, axis=1)[:, 1] for one in (number, np.where(asked[rows], fell, np.inf))]

    number, total = by_rows(but_one, len(own))
    enough = asked.sum(axis=1)
    clogged = (enough >= LIMITS.neighbours) & (number >= LIMITS.zero_wet_hours) & (total >= LIMITS.zero_mm)
    sample.note(
        clogged,
        Condition(
            "hours of rain at all neighbours but one since it counted any", number, "≥", LIMITS.zero_wet_hours, "h"
        ),
        Condition("rain of all but one meanwhile", total, "≥", LIMITS.zero_mm, "mm"),
        Condition("neighbours that were asked", enough, "≥", LIMITS.neighbours),
        what="it has counted nothing",
    )
    found = np.zeros(own.shape, dtype=bool)
    for row in np.flatnonzero(clogged):
        ((wet,), _) = rained([row])
        most = np.flatnonzero((wet & asked[row][:, None]).sum(axis=0) * 2 > asked[row].sum())
        if len(most):
            found[row, most[0] : most[-1] + 1] = True
    return found


def _still(most: Floats) -> Bools:
    """Whether there was no rain in an hour, the one before and the one after; stations × hours."""
    dry = np.pad(most == 0, ((0, 0), (1, 1)), constant_values=True)
    found: Bools = dry[:, :-2] & dry[:, 1:-1] & dry[:, 2:]
    return found


def _bursts(sample: Sample, fell: Floats, dry_around: Bools) -> Bools:
    """Single readings of too much rain for the air in which it fell, stations × window slots."""
    window = sample.series.window
    amount = fell[:, -window:]

    def moist(rows: slice) -> Floats:
        """The humidity of some stations at each reading or the next one, whichever is more."""
        humidity = some_rows(sample.values, "out_hum", (rows, slice(-window, None)))
        after = np.hstack([humidity[:, 1:], humidity[:, -1:]])
        return np.where(np.isnan(after), humidity, np.maximum(humidity, after))

    def burst(rows: slice) -> list[Bools]:
        return [(amount[rows] >= LIMITS.burst) & dry_around[rows] & (moist(rows) < LIMITS.burst_dry)]

    (found,) = by_rows(burst, len(fell))
    if sample.notes is not None:
        sample.note(
            found,
            Condition("rain since the reading before", amount, "≥", LIMITS.burst, "mm"),
            Condition("humidity", moist(slice(None)), "<", LIMITS.burst_dry, "%"),
            what="much rain at once in dry air, and none at all neighbours but one",
        )
    return found


def _held(sample: Sample) -> Bools:
    """Totals that went on when nearly all others were reset, as this one was before; stations × window slots."""
    series = sample.series
    values, hour = series.values, series.per_hour
    found = np.zeros(values.shape, dtype=bool)
    if not counts_up(values):
        return found[:, -series.window :]
    latest = np.minimum(np.arange(values.shape[1]) + 2 * hour, values.shape[1] - 1)

    def some(rows: slice) -> list[npt.NDArray[Any]]:
        now = values[rows]
        reset = resets(now)
        # Whether a total above zero was reset within an hour.
        around = np.pad(reset, ((0, 0), (hour, hour)))
        near = np.logical_or.reduce(np.lib.stride_tricks.sliding_window_view(around, 2 * hour + 1, axis=1), axis=2)
        could = np.hstack([np.zeros((len(now), 1), dtype=bool), now[:, :-1] > 0])
        return [reset, near, could, np.where(near, now[:, latest], np.nan)]

    reset, near, could, since_reset = by_rows(some, len(values))
    number, were = (could | near).sum(axis=0), near.sum(axis=0)
    fell_since = np.fmax.reduce(since_reset, axis=0, initial=np.nan)
    together = np.flatnonzero((number > LIMITS.neighbours) & (were >= LIMITS.reset * number))
    for slot in together[together + hour < values.shape[1]].tolist():
        followed = reset[:, : max(0, slot - 2 * hour)].any(axis=1)
        later = int(latest[slot])
        lately = np.logical_or.reduce(near[:, max(0, slot - hour) : later + 1], axis=1)
        # After a reset in rain a small total soon reads as before. One that went on is larger than what fell anywhere
        # since.
        fallen = float(np.fmax(fell_since[slot], 0.0))
        gone_on = could[:, slot] & ~lately & (values[:, later] > 0) & (values[:, slot - 1] > fallen + LIMITS.held)
        for row in np.flatnonzero(followed & gone_on):
            again = np.flatnonzero(reset[row, slot:])
            found[row, slot : slot + again[0] if len(again) else None] = True
    sample.note(found, what="a total that was not reset when nearly all others were")
    return found[:, -series.window :]


def _hourly_mean(readings: Floats, per_hour: int) -> Floats:
    """The means of whole hours, counted back from the last slot; stations × hours, NaN where nothing is known."""
    hours = readings.shape[1] // per_hour
    parts = readings[:, readings.shape[1] - hours * per_hour :].reshape(len(readings), hours, per_hour)
    return mean(parts)
