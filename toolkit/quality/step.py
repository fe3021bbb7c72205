"""Step: a jump that no neighbour shared, and what came after it until it was undone.

QARTOD's spike and rate-of-change tests, WMO-No. 8's check on a maximum allowed variability, against what the station
and its network have shown to be possible. A jump is either large by itself, or most of a change of level that was never
as large before. Up and down again within hours is a spike, up for good an offset: one test finds both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.quality.arrays import Bools, Floats, Ints, deviation, median, quantile, rolling_median
from toolkit.quality.expected import Expected
from toolkit.quality.series import Series
from toolkit.quality.usual import unheard_of

# A jump by itself: in usual changes, and times the largest but 1% of the station's.
USUAL = 8.0
LARGEST = 2.5
# What a station reached may itself be a fault: so many times its peers' is not believed.
PEERS = 1.6
PEERS_AT_LEAST = 0.8
# What is not suspicious of readings an hour apart, in times of those that are minutes apart: less than the root of the
# times that they are as far apart, which is what a walk at random would make of it.
SLOWER = 2.0
# A change of level: hours before and after, in usual changes of that kind, of which the jump is at least this part.
HOURS = 2
READINGS = 3
LEVEL = 6.0
LEVEL_OWN = 1.5
LEVEL_NETWORK = 1.2
JUMP = 4.0
PART = 0.6
# Undone: nearer to the level before than this part of the jump, or within so many usual deviations, thrice running.
BACK = 0.45
NORMAL = 1.5
RUNNING = 3
# Without neighbours nobody can tell for longer than this what would have been.
ALONE_HOURS = 6
# So many hours of earlier readings tell what is usual; with less the window itself has to do.
EARLIER_HOURS = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """What a jump must exceed, per station of the network, on the scale of comparison.

    Attributes:
        usual: the usual change from slot to slot, one robust standard deviation.
        jump: a jump beyond this is none of the weather's.
        shift: the same for a change of level, of which the jump is most.
    """

    usual: Floats
    jump: Floats
    shift: Floats


def limits(series: Series, expected: Expected) -> Limits:
    """What is known of jumps before the window; `expected` is of the whole network."""
    scale = series.scale
    change, hour = expected.change, series.per_hour
    floor = scale.step * (SLOWER if hour == 1 else 1.0)
    earlier = change[:, : expected.residual.shape[1] - series.window]
    pool = np.abs(earlier if earlier.shape[1] >= EARLIER_HOURS * hour else change)
    usual = np.maximum(np.nan_to_num(deviation(pool)), scale.resolution)
    # By days, for a fault of some hours among them is not the station's usual way.
    days_apart = np.array_split(pool, max(1, pool.shape[1] // (24 * hour)), axis=1)
    reached = np.nan_to_num(median(np.stack([quantile(day, 0.99) for day in days_apart], axis=1)))
    if len(pool) > 2:
        peers = float(np.median(np.nan_to_num(quantile(pool, 0.998))))
        reached = np.clip(reached, PEERS_AT_LEAST * peers, PEERS * peers)
    days = np.maximum(series.days, 0.1)
    jump = np.maximum(np.maximum(USUAL * usual, LARGEST * reached) * (1 + 0.5 / days), floor)

    before = np.abs(_shift(series, expected.residual))
    before = before[:, : max(0, before.shape[1] - series.window)]
    unit = np.maximum(np.nan_to_num(deviation(before)), scale.noise)
    shift = unit * unheard_of(before / unit[:, None], LEVEL_OWN, LEVEL_NETWORK, LEVEL * (1 + 1 / days))
    return Limits(usual, jump, np.maximum(shift, floor))


def _width(series: Series) -> int:
    return HOURS * series.per_hour if series.per_hour > 1 else READINGS


def _shift(series: Series, residual: Floats) -> Floats:
    """How much the level from slot t + width on differs from that of the slots before, at [:, t]."""
    width = _width(series)
    if residual.shape[1] <= 4 * width:
        return np.zeros((len(residual), 0))
    level = rolling_median(residual, width)
    return level[:, width:] - level[:, :-width]


def flag(series: Series, expected: Expected, limit: Limits) -> Bools:
    """What lies between a jump and its undoing, rows by the window's slots."""
    window, rows = series.window, expected.rows
    readings, change = series.scaled[rows], expected.change
    jumps = np.abs(change) > limit.jump[rows, None]
    shift, width = _shift(series, expected.residual), _width(series)
    if shift.shape[1]:
        part = slice(width - 1, width - 1 + shift.shape[1])
        jump, size = change[:, part], np.abs(shift)
        jumps[:, part] |= (
            (size > limit.shift[rows, None])
            & (np.abs(jump) > JUMP * limit.usual[rows, None])
            & (np.abs(jump) > PART * size)
            & (np.sign(jump) == np.sign(shift))
        )
    jumps |= _jumps_across_gaps(readings, expected.residual, limit.jump[rows], series.per_hour)
    flagged = np.zeros((len(readings), window), dtype=bool)
    for row in np.flatnonzero(jumps.any(axis=1)):
        flagged[row] = _until_undone(series, expected, int(row), np.flatnonzero(jumps[row]))[-window:]
    return flagged & ~np.isnan(readings[:, -window:])


def shared(series: Series, expected: Expected, limit: Limits) -> Bools:
    """Jumps as large, which others shared: weather; rows by the window's slots."""
    own = np.abs(np.diff(series.scaled[expected.rows], axis=1))[:, -series.window :]
    limit_jump = limit.jump[expected.rows, None]
    found = (own > limit_jump) & (np.abs(expected.change[:, -series.window :]) <= limit_jump)
    return np.hstack([np.zeros((len(found), series.window - found.shape[1]), dtype=bool), found])


def _jumps_across_gaps(readings: Floats, residual: Floats, limit: Floats, hour: int) -> Bools:
    """Where the first reading after a gap of up to an hour is far from the last before it; as in `Expected.change`."""
    found = np.zeros((readings.shape[0], readings.shape[1] - 1), dtype=bool)
    # Only where readings, without regard to neighbours, could be far enough apart.
    there = ~np.isnan(readings)
    last = np.maximum.accumulate(np.where(there, np.arange(readings.shape[1]), -1), axis=1)[:, :-1]
    gap = np.arange(1, readings.shape[1]) - last
    rows, places = np.nonzero(there[:, 1:] & (last >= 0) & (gap > 1) & (gap <= hour + 1))
    before = last[rows, places]
    change = readings[rows, places + 1] - readings[rows, before]
    value = readings - residual
    others = np.nan_to_num(value[rows, places + 1] - value[rows, before])
    together = np.sign(change) == np.sign(others)
    change = change - np.where(together, np.sign(change) * np.minimum(np.abs(change), np.abs(others)), 0)
    found[rows, places] = np.abs(change) > limit[rows]
    return found


def _until_undone(series: Series, expected: Expected, row: int, jumps: Ints) -> Bools:
    """The slots between each jump and the moment when the station is back where it was."""
    hour = series.per_hour
    width = _width(series)
    residual = _where_nobody_spoke(series.scaled[expected.rows[row]], expected.residual[row])
    change = expected.change[row]
    slots = residual.size
    wrong = np.zeros(slots, dtype=bool)
    until = 0
    for place in jumps.tolist():
        if place < until:
            continue
        before = residual[max(0, place - width + 1) : place + 1]
        if np.isnan(before).all():
            continue
        level = float(np.nanmedian(before))
        jump = change[place]
        if np.isnan(jump):
            jump = residual[place + 1] - level
        last = slots if expected.verified[row] else min(slots, place + 1 + ALONE_HOURS * hour)
        there = place + 1 + np.flatnonzero(~np.isnan(residual[place + 1 : last]))
        after = residual[there] - level
        back = (np.abs(after) < BACK * abs(jump)) | (np.sign(after) != np.sign(jump))
        back |= np.abs(residual[there]) < NORMAL * expected.usual[row]
        until = last
        for first in np.flatnonzero(back).tolist():
            if back[first : first + RUNNING].all():
                until = max(int(there[first]), place + 2)
                break
        wrong[place + 1 : until] = True
    return wrong


def _where_nobody_spoke(readings: Floats, residual: Floats) -> Floats:
    """The residual, against what was last expected where all neighbours are silent, against nothing before that."""
    value = readings - residual
    known = np.where(np.isnan(value), 0, np.arange(value.size))
    return readings - np.nan_to_num(value[np.maximum.accumulate(known)])
