"""How large a jump has to be to be none of the weather's; what the tests `step` and `shared` compare with.

A jump is either large by itself, or undone by the next reading as none so large was before, or most of a change of
level that was never as large before.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from toolkit.quality.arrays import (
    MAD_TO_SIGMA,
    Bools,
    Floats,
    Ints,
    Ordered,
    largest,
    last_known,
    median,
    rolling_median,
)
from toolkit.quality.base import Preparation, Sample, Thresholds, threshold
from toolkit.quality.exceedance import exceedance_limit, reached
from toolkit.quality.humidity import HUMIDITY, PAIR, PER_KELVIN
from toolkit.quality.packed import some_rows
from toolkit.quality.series import Series

# No weather changes these by more from one reading to the next, in the variable's unit: the fastest fall of temperature
# that is known is one of 32 K in 27 minutes (Spearfish, South Dakota, 22 January 1943; National Weather Service).
MOST_BY_WEATHER = {"temp_out": 33.0}
_CHANGES = "robust standard deviations of the change from slot to slot"


@dataclass(frozen=True, slots=True)
class JumpThresholds(Thresholds):
    """How large a jump, and a change of level, has to be."""

    sigmas: float = threshold(8.0, _CHANGES, "a jump below this is never flagged by itself")
    largest: float = threshold(2.5, "", "nor one below so many times the largest change but 1% of the station's own")
    peers: float = threshold(
        1.6, "", "the station's largest change may itself be a fault: so many times that of the median station at most"
    )
    peers_at_least: float = threshold(0.8, "", "and so many times that of the median station at least")
    hourly: float = threshold(
        2.0, "", "times the scale's `step`, which is for readings minutes apart, if they are an hour apart; a random "
        "walk would give the root of 6"
    )  # fmt: skip
    hours: int = threshold(2, "h", "a level is the median over so long, before and after")
    readings: int = threshold(3, "readings", "the same for stations that report once an hour")
    level: float = threshold(6.0, "robust standard deviations of changes of level", "never flagged below this")
    level_own: float = threshold(1.5, "", "times what the station's level changed by before")
    level_network: float = threshold(1.2, "", "times what the median station's level changed by before")
    unmoved: float = threshold(
        0.25, "", "of temperature and humidity one changed without the other if that moved by less than this share of "
        "what air does that is warmed or cooled"
    )  # fmt: skip
    moist: float = threshold(
        95.0, "%", "a change to more humidity proves nothing: rain and cloud saturate air that they hardly cool"
    )  # fmt: skip
    earlier_hours: int = threshold(12, "h", "earlier readings that tell what is normal; with less the window does")


LIMITS = JumpThresholds()


@dataclass(frozen=True, slots=True)
class JumpLimits:
    """What a jump must exceed, for each station of the network, on the scale of comparison.

    Attributes:
        sigma: the robust standard deviation of the change from slot to slot.
        jump: a jump beyond this is none of the weather's.
        spike: the same for one that the next reading undoes.
        shift: the same for a change of level of which the jump is most.
        exceeded: whether any change of the station exceeds one of these.
        jumped: whether its readings in the window jumped by more than `jump`, whatever neighbours did.
    """

    sigma: Floats
    jump: Floats
    spike: Floats
    shift: Floats
    exceeded: Bools
    jumped: Bools

    def of_rows(self, rows: Ints) -> JumpLimits:
        """Those of some stations."""
        return JumpLimits(*(getattr(self, one.name)[rows] for one in fields(self)))


class _Past(NamedTuple):
    """What changes of each station reached, on the scale of comparison; each array is of stations.

    Attributes:
        sigma: see `JumpLimits`.
        usual_jump, any_jump: what its changes reached before the window; see `_reached`.
        usual_spike, any_spike: the same of what the next reading undid.
        unit: one robust standard deviation of its changes of level before the window.
        most, believed: what these reached before, in this unit; see `exceedance.reached`.
        moved: the largest change, also across gaps, then or in the window.
        undone: the largest part of a change that the next reading undid.
        of_level: the largest change of level.
        own: the largest change in the window, whatever neighbours did.
        alone: the largest change in the window without one of the other of temperature and humidity.
    """

    sigma: Floats
    usual_jump: Floats
    any_jump: Floats
    usual_spike: Floats
    any_spike: Floats
    unit: Floats
    most: Floats
    believed: Floats
    moved: Floats
    undone: Floats
    of_level: Floats
    own: Floats
    alone: Floats


def _past(sample: Sample) -> _Past:
    """That of some stations."""
    series, expected = sample.series, sample.expected
    scale, change, hour = series.scale, expected.change, series.per_hour
    earlier = expected.residual.shape[1] - series.window
    learnt = slice(0, earlier if min(earlier, change.shape[1]) >= LIMITS.earlier_hours * hour else None)
    moved, back = np.abs(change), np.abs(undone(change))
    size = moved[:, learnt]
    ordered = Ordered(size)
    sigma = np.maximum(np.nan_to_num(MAD_TO_SIGMA * ordered.median()), scale.resolution)
    back_before = back[:, : max(size.shape[1] - 1, 0)]
    of_level = np.abs(level_changes(series, expected.residual))
    before = Ordered(of_level[:, : max(0, of_level.shape[1] - series.window)])
    unit = np.maximum(np.nan_to_num(MAD_TO_SIGMA * before.median()), scale.noise)
    readings = series.scaled[expected.rows]
    across, farthest = changes_across_gaps(readings, expected.value, hour), largest(moved)
    np.maximum.at(farthest, across.row, across.size)
    usual_jump, any_jump = _reached(size, ordered, hour)
    usual_spike, any_spike = _reached(back_before, Ordered(back_before), hour)
    most, believed = reached(before)
    return _Past(
        sigma=sigma,
        usual_jump=usual_jump,
        any_jump=any_jump,
        usual_spike=usual_spike,
        any_spike=any_spike,
        unit=unit,
        most=most / unit,
        believed=believed / unit,
        moved=farthest,
        undone=largest(back),
        of_level=largest(of_level),
        own=largest(np.abs(np.diff(readings, axis=1))[:, -series.window :]),
        alone=largest(np.where(without_the_other(sample), moved, 0.0)[:, -series.window :]),
    )


def _jump_limits(sample: Sample, *found: Floats) -> JumpLimits:
    """The limits of a whole network, of what `_past` found."""
    past = _Past(*found)
    series, scale = sample.series, sample.series.scale
    floor = scale.step * (LIMITS.hourly if series.per_hour == 1 else 1.0)
    days = np.maximum(series.days, 0.1)
    young = 1 + 0.5 / days  # higher for a station that is hardly known, here and below
    least = LIMITS.sigmas * past.sigma
    usual_jump = _beside_peers(past.usual_jump, past.any_jump)
    usual_spike = _beside_peers(past.usual_spike, past.any_spike)
    jump = np.maximum(np.maximum(least, LIMITS.largest * usual_jump) * young, floor)
    spike = np.maximum(np.maximum(least, LIMITS.largest * usual_spike) * young, scale.step)
    at_least = LIMITS.level * (1 + 1 / days)
    shift = past.unit * exceedance_limit(past.most, past.believed, LIMITS.level_own, LIMITS.level_network, at_least)
    spike, shift = np.minimum(spike, jump), np.maximum(shift, floor)
    exceeded = (past.moved > jump) | (past.undone > spike) | (past.of_level > shift)
    exceeded |= past.alone >= scale.difference
    return JumpLimits(past.sigma, jump, spike, shift, exceeded, past.own > jump)


def _reached(size: Floats, ordered: Ordered, hour: int) -> tuple[Floats, Floats]:
    """How large a station's changes are, all but the largest, and nearly all of them; stations.

    The first is the median over the days: a fault of some hours on one of them is not what is normal for the station.

    Args:
        size: of the changes, stations × slots.
        ordered: the same.
        hour: slots in an hour.
    """
    days = size.shape[1] // (24 * hour)
    of_days = (
        [Ordered(day).quantile(0.99) for day in np.array_split(size, days, axis=1)]
        if days > 1
        else [ordered.quantile(0.99)]
    )
    usual = np.nan_to_num(median(np.stack(of_days, axis=1)))
    return usual, np.nan_to_num(ordered.quantile(0.998))


def _beside_peers(usual: Floats, any_change: Floats) -> Floats:
    """How large a station's changes are, not far from what those of the median station are; see `_reached`."""
    if len(any_change) > 2:
        peers = float(np.median(any_change))
        return np.clip(usual, LIMITS.peers_at_least * peers, LIMITS.peers * peers)
    return usual


def undone(change: Floats) -> Floats:
    """How much of each change the next one undoes, rows × (columns - 1)."""
    there, back = change[:, :-1], change[:, 1:]
    return np.where(there * back < 0, np.minimum(np.abs(there), np.abs(back)), 0.0 * there * back)


class Changes(NamedTuple):
    """Changes of some readings, one after another.

    Attributes:
        row: of which row each is.
        slot: the slot before the later reading.
        size: how large it is, without its sign.
    """

    row: Ints
    slot: Ints
    size: Floats


def changes_across_gaps(readings: Floats, value: Floats, per_hour: int) -> Changes:
    """How far the first reading after a gap of up to an hour is from the last one before it.

    Neighbours' changes are taken off as in `Comparison.change`.

    Args:
        readings: rows × slots, on the scale of comparison.
        value: what is expected, rows × slots.
        per_hour: slots in an hour.
    """
    there = ~np.isnan(readings)
    last = last_known(readings)[:, :-1]
    gap = np.arange(1, readings.shape[1]) - last
    rows, slots = np.nonzero(there[:, 1:] & (last >= 0) & (gap > 1) & (gap <= per_hour + 1))
    before = last[rows, slots]
    change = readings[rows, slots + 1] - readings[rows, before]
    others = np.nan_to_num(value[rows, slots + 1] - value[rows, before])
    together = np.sign(change) == np.sign(others)
    change = change - np.where(together, np.sign(change) * np.minimum(np.abs(change), np.abs(others)), 0)
    return Changes(rows, slots, np.abs(change))


JUMP_LIMITS = Preparation(_jump_limits, JumpLimits.of_rows, _past)


def without_the_other(sample: Sample) -> Bools:
    """Where one of temperature and humidity changed beside what neighbours did, and the other one of them hardly.

    Air that is warmed or cooled changes both (Magnus' formula, WMO-No. 8, vol. I, ch. 4); a sensor's offset does not.

    Returns:
        Rows × (slots - 1), as `Comparison.change`.
    """
    change, rows, variable = sample.expected.change, sample.expected.rows, sample.series.variable.name
    if variable not in PAIR or PAIR[variable] not in sample.values:
        return np.zeros(change.shape, dtype=bool)
    other = some_rows(sample.values, PAIR[variable], rows)
    humidity = sample.series.scaled[rows] if variable == HUMIDITY else other
    after = humidity[:, 1:]
    per_kelvin = -PER_KELVIN * np.maximum((humidity[:, :-1] + after) / 2, 1.0)
    as_air = change / per_kelvin if variable == HUMIDITY else change * per_kelvin
    found: Bools = (np.abs(np.diff(other, axis=1)) < LIMITS.unmoved * np.abs(as_air)) & (after < LIMITS.moist)
    return found


def beyond_weather(series: Series, row: int, slot: int) -> bool:
    """Whether a station's change from the slot before to this one is more than any weather makes, such as another unit.

    Args:
        series: the variable.
        row: the place of the station in the series.
        slot: of the series.
    """
    most = MOST_BY_WEATHER.get(series.variable.name)
    before, after = series.scaled[row, slot - 1 : slot + 1]
    return most is not None and bool(abs(after - before) > most)


def level_width(series: Series) -> int:
    """Over how many slots a level is taken."""
    return LIMITS.hours * series.per_hour if series.per_hour > 1 else LIMITS.readings


def level_changes(series: Series, residual: Floats) -> Floats:
    """How much the level after a moment differs from the level before it.

    Args:
        series: the variable.
        residual: rows × slots.

    Returns:
        In column t the median of the slots from t + width up to t + 2 width, less that of the slots from t up to
        t + width, with the width `level_width`. No column where there are too few slots.
    """
    width = level_width(series)
    if residual.shape[1] <= 4 * width:
        return np.zeros((len(residual), 0))
    level = rolling_median(residual, width)
    return level[:, width:] - level[:, :-width]
