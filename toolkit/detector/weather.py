"""Weather that the neighbours do not see at the same time: on its way across the network, or of one place.

A front reaches one station an hour before another; a shower, a gust front, a pool of cold air or the wind that ends
it may reach one station alone. A fault of one sensor does neither: no neighbour repeats it, and the station's other
sensors go on as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from toolkit.detector.run_tests import TestResults
from toolkit.model import Station
from toolkit.quality.arrays import Floats, median
from toolkit.quality.base import Exclusion, FlaggedInterval
from toolkit.quality.expected import Expected
from toolkit.quality.neighbours import Neighbours

# The numbers below were chosen with `make bench-detection`, 2026-11-24, where no other origin is given.

# Weather that crosses the network: what another station measured some hours before or after is moved in time to what
# this one measures, including the hours that led to it. It was the same weather if at most this share of the difference
# from the expectation is left. No front is slower, nor crosses for longer; stations at one place see it so far apart.
UNEXPLAINED = 0.5
LEAD_IN_HOURS = 2
SLOWEST_KM_PER_HOUR = 20
SAME_FRONT_HOURS = 1.0
CROSSING_HOURS = 4
# What is nearer to the expectation than so many standard deviations of the residual needs no such explanation.
FAR_OFF = 3.0
# Weather of one place: so many other sensors of the station see it at once, farther off than so many standard
# deviations of their residuals, and it passes within so many hours.
OTHERS = 2
OTHERS_OFF = 4.5
LOCAL_HOURS = 4
# The same at a station without a neighbour nearer than this, which may be the only one that a front passes.
FAR_KM = 50
OTHERS_FAR = 1
LOCAL_HOURS_FAR = 6.1
# Air that is warmed or cooled without a change of its vapour has its relative humidity changed by so much of itself
# for each kelvin, the other way: d ln(es)/dT of Magnus' formula (WMO-No. 8, vol. I, ch. 4) at 15 °C.
PER_KELVIN = 0.065
# Temperature and humidity saw the same weather if the other one changed by at least this share of that: dry air that
# comes from above changes humidity more than temperature, cold air from a shower may bring its own vapour.
SHARE_OF_TEMPERATURE, SHARE_OF_HUMIDITY = 0.5, 0.25
PAIR_OFF = 2.5  # standard deviations of its residual
PAIR_HOURS = 6


def crossing(
    stations: Sequence[Station], neighbours: Neighbours, results: TestResults, interval: FlaggedInterval
) -> str:
    """Whether another station measured the same some hours before or after, as a front passes; "" if none did."""
    series, hour, expected = interval.series, interval.series.per_hour, results.expected
    row, slots = interval.row, interval.slots
    if expected is None:
        return ""
    first = max(0, slots.start - LEAD_IN_HOURS * hour)
    flagged = slice(slots.start - first, None)
    own = series.scaled[row, first : slots.stop]
    off = np.abs(expected.residual[row, first : slots.stop])
    if not np.nanmax(off[flagged], initial=0.0) > FAR_OFF * expected.residual_sigma[row]:
        return ""  # there is nothing to explain
    candidates = neighbours.close if expected.has_close_neighbour[row] else neighbours.exists
    discrediting = [test.name for test in results.tests if test.exclusion is not Exclusion.NEVER and not test.may_pass]
    for place in np.flatnonzero(candidates[row]):
        near = int(neighbours.rows[row, place])
        hours = SAME_FRONT_HOURS + float(neighbours.km[row, place]) / SLOWEST_KM_PER_HOUR
        if any(results.flags[name][near].any() for name in discrediting):
            continue
        readings = series.scaled[near] + median(series.scaled[row] - series.scaled[near])
        lag = round(min(hours, CROSSING_HOURS) * hour)
        around = readings[max(0, first - lag) : slots.stop + lag]
        left = np.abs(np.lib.stride_tricks.sliding_window_view(around, own.size) - own)
        explained = _mean(left) < UNEXPLAINED * np.nanmean(off)
        explained &= _mean(left[:, flagged]) < UNEXPLAINED * np.nanmean(off[flagged])
        if explained.any():
            return f"{stations[near].station_id} saw the same some hours before or after"
    return ""


def local(neighbours: Neighbours, results: Mapping[str, TestResults], interval: FlaggedInterval) -> str:
    """Whether other sensors of the station measured something unusual too, and it passed; "" if not."""
    return _warmed_or_cooled(results, interval) or _several(neighbours, results, interval)


def _warmed_or_cooled(results: Mapping[str, TestResults], interval: FlaggedInterval) -> str:
    """Whether temperature and humidity changed as those of air do that is warmed, cooled, or replaced."""
    name = interval.series.variable.name
    pair = {"temp_out": "out_hum", "out_hum": "temp_out"}
    if name not in pair or pair[name] not in results:
        return ""
    both = [results[one].expected for one in (name, pair[name])]
    if both[0] is None or both[1] is None:
        return ""
    mine, other = (one.residual[interval.row, interval.slots] for one in both if one is not None)
    humidity = results["out_hum"].series.scaled[interval.row, interval.slots]
    known = ~np.isnan(mine + other + humidity)
    if not known.any():
        return ""
    mine, other, humidity = mine[known], other[known], humidity[known]
    size = np.sqrt(np.mean(np.square(mine)))
    slope = np.mean(mine * other) / max(np.square(size), 1e-9)
    per_kelvin = -PER_KELVIN * max(float(np.mean(humidity)), 1.0)
    share, enough = (slope / per_kelvin, SHARE_OF_TEMPERATURE)
    if name == "out_hum":
        share, enough = (slope * per_kelvin, SHARE_OF_HUMIDITY)
    sigma = float(both[1].residual_sigma[interval.row])
    if share < enough or abs(slope) * size < PAIR_OFF * sigma or _lasted(both[0], interval) > PAIR_HOURS:
        return ""
    return f"{pair[name]} changed with it, as that of air does"


def _lasted(expected: Expected, interval: FlaggedInterval) -> float:
    """For how many hours, also before the window, the station has been at least half as far off in that direction."""
    residual = expected.residual[interval.row, : interval.slots.stop]
    level = np.nanmean(residual[interval.slots])
    near = np.flatnonzero(residual * np.sign(level) < abs(level) / 2)
    since = near[near < interval.slots.start]
    return float((interval.slots.stop - 1 - (since[-1] if len(since) else -1)) / interval.series.per_hour)


def _several(neighbours: Neighbours, results: Mapping[str, TestResults], interval: FlaggedInterval) -> str:
    """Whether several other sensors of the station were far off too, for some hours."""
    row, hour, mine = interval.row, interval.series.per_hour, results[interval.series.variable.name].expected
    near = neighbours.close[row] & (neighbours.km[row] <= FAR_KM)
    others, hours = (OTHERS, LOCAL_HOURS) if near.any() else (OTHERS_FAR, LOCAL_HOURS_FAR)
    if mine is None or _lasted(mine, interval) >= hours:
        return ""
    first, after = max(0, interval.first - hour), interval.after + 2 * hour
    seen = []
    for name, other in results.items():
        if name == interval.series.variable.name or other.expected is None:
            continue
        off = np.abs(other.expected.residual[row, -other.series.window :][first:after])
        limit = OTHERS_OFF * other.expected.residual_sigma[row]
        if off.size and not np.isnan(off).all() and np.nanmax(off) > limit:
            seen.append(name)
    return f"{' and '.join(seen)} changed with it" if len(seen) >= others else ""


def _mean(off: Floats) -> Floats:
    """The mean of each row, infinite where less than half of it is known."""
    known = np.count_nonzero(~np.isnan(off), axis=1)
    return np.where(known * 2 > off.shape[1], np.nansum(off, axis=1) / np.maximum(known, 1), np.inf)
