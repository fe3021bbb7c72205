"""Weather that the neighbours do not see at the same time: on its way across the network, or of one place.

A front reaches one station an hour before another; a shower, a gust front, a pool of cold air or the wind that ends
it may reach one station alone. A fault of one sensor does neither: no neighbour repeats it, and the station's other
sensors go on as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from toolkit.detector.kept import TestResults
from toolkit.model import Station
from toolkit.quality.arrays import Bools, Floats, median
from toolkit.quality.base import Exclusion, FlaggedInterval
from toolkit.quality.expected import Expected, diurnal_cycle
from toolkit.quality.humidity import HUMIDITY, PAIR, PER_KELVIN, TEMPERATURE
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.series import Series

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
# Temperature and humidity saw the same weather if the other one changed by at least this share of that: dry air that
# comes from above changes humidity more than temperature, cold air from a shower may bring its own vapour.
SHARE_OF_TEMPERATURE, SHARE_OF_HUMIDITY = 0.5, 0.25
PAIR_OFF = 2.5  # standard deviations of its residual
PAIR_HOURS = 6
# What began with a jump is air if the other one changed within that hour by at least this share of what air does that
# is warmed or cooled, and has been off for no longer than this. In Pernambuco and Taiwan most jumps of weather had 0.45
# to 1.6, those of faults -0.3 to 0.25.
SHARE_OF_JUMP = 0.4
JUMP_HOURS = 12
# No weather takes temperature there and back by so many kelvins from one reading to the next while humidity changes by
# less than this share of what air does: once in 35,500 station-days of seven archives (Taiwan, Pernambuco, Brittany,
# Beijing, Singapore).
SPIKE_K = 5.0
SPIKE_SHARE = 0.25
# Where they jump to and fro, it is the same air if the changes from reading to reading, and the differences of these,
# have a correlation below this, and the other one changed by at least this share. In Taiwan, Pernambuco and Brittany
# good stations had -0.65 to -1.0, faults of humidity -0.3 to 0.0; those of temperature had far too small a share.
TOGETHER = -0.6
SHARE_TOGETHER = 0.15
CHANGES_AT_LEAST = 4
READINGS_TOGETHER = 9  # that are looked at, at least: in so many `noise` sees it, and some may be before the window
# A station without a close neighbour is in free air if it is so many metres above the lowest one of its region: by day
# the air is mixed up to 1 to 2 km (Stull 1988). Above, cloud and dry air that has come from above lie side by side.
FREE_AIR_M = 1500
# Pressure is the weight of all the air above: temperature or humidity alone changes without it. A gust front has both
# with it, or one of them and wind.
PRESSURE = "bar"


def crossing(
    stations: Sequence[Station], neighbours: Neighbours, results: TestResults, interval: FlaggedInterval
) -> str:
    """Whether another station measured the same some hours before or after, as a front passes; "" if none did."""
    series, hour, expected = interval.series, interval.series.per_hour, results.expected
    row, slots = interval.row, interval.slots
    if expected is None:
        return ""
    first = max(0, slots.start - LEAD_IN_HOURS * hour)
    own = series.scaled[row, first : slots.stop]
    off = np.abs(expected.residual[row, first : slots.stop])
    largest = np.nanmax(off, initial=0.0)
    if not largest > FAR_OFF * expected.residual_sigma[row]:
        return ""  # there is nothing to explain
    candidates = neighbours.close if expected.has_close_neighbour[row] else neighbours.exists
    discrediting = [test.name for test in results.tests if test.exclusion is not Exclusion.NEVER and not test.may_pass]
    for place in np.flatnonzero(candidates[row]):
        near = int(neighbours.rows[row, place])
        hours = min(SAME_FRONT_HOURS + float(neighbours.km[row, place]) / SLOWEST_KM_PER_HOUR, CROSSING_HOURS)
        if any(results.flags[name][near].any() for name in discrediting):
            continue
        apart = median(series.scaled[row] - series.scaled[near])
        lag = round(hours * hour)
        around = slice(max(0, first - lag), slots.stop + lag)
        explained = _explains(series.scaled[near, around] + apart, own, off)
        if interval.test.at_once and explained.any():
            unusual = series.scaled[near] - _usual_day(series, near)
            if _spread(unusual[around]) < _spread(series.scaled[near, around]):
                # The course of the day is in it: of a jump only what is unusual can be the cause.
                mine = _usual_day(series, row)[first : slots.stop]
                explained &= _explains(unusual[around], own - mine, off)
        if explained.any() or _jumped_likewise(expected, interval, near, lag, largest / 2):
            return f"{stations[near].station_id} saw the same some hours before or after"
    return ""


def _explains(theirs: Floats, own: Floats, off: Floats) -> Bools:
    """Whether what another station has leaves little to explain, by the slots that it is moved by.

    Args:
        theirs: levelled to the station's own, with so many slots more before and after as it may be moved by.
        own: what is to be explained.
        off: how far it is from the expectation.
    """
    left = np.abs(np.lib.stride_tricks.sliding_window_view(theirs, own.size) - own)
    most = off >= np.nanmax(off) / 2
    found: Bools = _mean(left) < UNEXPLAINED * np.nanmean(off)
    return found & (_mean(left[:, most]) < UNEXPLAINED * np.nanmean(off[most]))


def _spread(readings: Floats) -> float:
    known = readings[~np.isnan(readings)]
    return float(known.std()) if known.size else np.inf


def _usual_day(series: Series, row: int) -> Floats:
    """What a station has at each hour of the day as a rule, by the days before; slots."""
    past = series.history[[row]]
    usual = median(past)[:, None]
    course, _ = diurnal_cycle(series, past - usual, series.days[[row]])
    found: Floats = (usual + course)[0]
    return found


def _jumped_likewise(expected: Expected, interval: FlaggedInterval, near: int, lag: int, at_least: float) -> bool:
    """Whether a station left its expectation at once, by `at_least`, and another one did so within `lag` slots."""
    hour, first = interval.series.per_hour, interval.slots.start

    def jumps(row: int, slots: slice) -> Floats:
        """The change of a station's residual within an hour, up to each of some slots."""
        residual = expected.residual[row, max(0, slots.start - hour) : slots.stop]
        return residual[hour:] - residual[:-hour]

    mine = jumps(interval.row, slice(max(hour, first), first + hour))
    if not mine.size or np.isnan(mine).all():
        return False
    jump = mine[np.nanargmax(np.abs(mine))]
    if abs(jump) < at_least:
        return False
    others = jumps(near, slice(max(hour, first - lag), first + lag + hour)) * np.sign(jump)
    return bool(np.nanmax(others, initial=0.0) > (1 - UNEXPLAINED) * abs(jump))


def lone_spike(results: Mapping[str, TestResults], interval: FlaggedInterval) -> bool:
    """Whether temperature left for one reading of which humidity knows nothing: the air did not."""
    if interval.series.variable.name != TEMPERATURE or HUMIDITY not in results or not interval.test.at_once:
        return False
    row, slots = interval.row, slice(max(0, interval.slots.start - 1), interval.slots.stop + 1)
    temperature, humidity = (results[one].series.scaled[row, slots] for one in (TEMPERATURE, HUMIDITY))
    if temperature.size != 3:
        return False
    there, back = np.diff(temperature).tolist()
    own, others = (one[1] - (one[0] + one[2]) / 2 for one in (temperature, humidity))
    share = others / (-PER_KELVIN * max(float(np.mean(humidity)), 1.0) * own) if own else np.nan
    spike = there * back < 0 and min(abs(there), abs(back)) >= SPIKE_K
    return bool(spike and share < SPIKE_SHARE)


def local(neighbours: Neighbours, results: Mapping[str, TestResults], interval: FlaggedInterval) -> str:
    """Whether other sensors of the station measured something unusual too, and it passed; "" if not."""
    return (
        _warmed_or_cooled(results, interval)
        or _jumped_together(results, interval)
        or _several(neighbours, results, interval)
    )


def _jumped_together(results: Mapping[str, TestResults], interval: FlaggedInterval) -> str:
    """Whether temperature and humidity jumped together as those of air do, when one left its expectation at once.

    A shower's air stays for hours, as an offset does; a sensor's offset does not begin with both.
    """
    name, row, hour = interval.series.variable.name, interval.row, interval.series.per_hour
    mine = results[name].expected
    if PAIR.get(name) not in results or mine is None or not interval.test.at_once:
        return ""
    first = max(0, interval.slots.start - LEAD_IN_HOURS * hour)
    residual = mine.residual[row, : interval.slots.stop]
    if np.isnan(residual[first:]).all() or _lasted(mine, interval) > JUMP_HOURS:
        return ""
    worst = first + int(np.nanargmax(np.abs(residual[first:])))
    near = np.flatnonzero(residual[:worst] * np.sign(residual[worst]) < abs(residual[worst]) / 2)
    before = int(near[-1]) - hour // 2 if len(near) else -1
    if before < 0 or before + hour >= interval.slots.stop:
        return ""
    own, others, humidity = (
        results[one].series.scaled[row, [before, before + hour]] for one in (name, PAIR[name], HUMIDITY)
    )
    change, with_it = own[1] - own[0], others[1] - others[0]
    if not abs(change) >= max(abs(residual[worst]) / 2, interval.series.scale.difference):
        return ""
    per_kelvin = -PER_KELVIN * max(float(humidity.mean()), 1.0)
    share = with_it * per_kelvin / change if name == HUMIDITY else with_it / (per_kelvin * change)
    return f"{PAIR[name]} jumped with it, as that of air does" if share >= SHARE_OF_JUMP else ""


def _warmed_or_cooled(results: Mapping[str, TestResults], interval: FlaggedInterval) -> str:
    """Whether temperature and humidity changed as those of air do that is warmed, cooled, or replaced."""
    name = interval.series.variable.name
    if name not in PAIR or PAIR[name] not in results:
        return ""
    mine, other, humidity = (results[one].expected for one in (name, PAIR[name], "out_hum"))
    if mine is None or other is None or humidity is None or _lasted(mine, interval) > PAIR_HOURS:
        return ""
    row = interval.row
    slots = slice(max(0, interval.slots.start - LEAD_IN_HOURS * interval.series.per_hour), interval.slots.stop)
    own, others = mine.residual[row, slots], other.residual[row, slots]
    known = ~np.isnan(own + others)
    if not known.any():
        return ""
    own, others = own[known], others[known]
    # The change of the other one for each unit of this one, by least squares: where this one is off counts most.
    size = float(np.sqrt(np.mean(np.square(own))))
    slope = float(np.mean(own * others)) / max(size**2, 1e-9)
    middle = (results["out_hum"].series.scaled[row, slots][known] + humidity.value[row, slots][known]) / 2
    per_kelvin = -PER_KELVIN * max(float(np.average(middle, weights=np.square(own) + 1e-9)), 1.0)
    if name == "temp_out":
        alike = slope / per_kelvin >= SHARE_OF_TEMPERATURE
    else:
        alike = slope * per_kelvin >= SHARE_OF_HUMIDITY
    if not alike or abs(slope) * size < PAIR_OFF * float(other.residual_sigma[row]):
        return ""
    return f"{PAIR[name]} changed with it, as that of air does"


def same_air(results: Mapping[str, TestResults], interval: FlaggedInterval) -> str:
    """Whether temperature and humidity jump to and fro together, as in air that cloud comes and goes in; "" if not.

    Two sensors' noise is not the same. Their readings are compared, not what is left of them beside the neighbours'.
    """
    name = interval.series.variable.name
    if name not in PAIR or PAIR[name] not in results:
        return ""
    until, lead = interval.slots.stop, LEAD_IN_HOURS * interval.series.per_hour
    slots = slice(max(0, min(interval.slots.start - lead, until - READINGS_TOGETHER)), until)
    own, others = (results[one].series.scaled[interval.row, slots] for one in (name, PAIR[name]))
    humidity = own if name == "out_hum" else others
    changes = [np.array([np.diff(one, n=order) for one in (own, others)]) for order in (1, 2)]
    changes = [one[:, ~np.isnan(one).any(axis=0)] for one in changes]
    if changes[1].shape[1] < CHANGES_AT_LEAST or not all(one.std(axis=1).all() for one in changes):
        return ""
    if max(float(np.corrcoef(one)[0, 1]) for one in changes) > TOGETHER:
        return ""
    mine, theirs = changes[1]
    slope = float(np.mean(mine * theirs) / np.mean(np.square(mine)))
    per_kelvin = -PER_KELVIN * max(float(np.nanmean(humidity)), 1.0)
    share = slope / per_kelvin if name == "temp_out" else slope * per_kelvin
    return f"{PAIR[name]} jumped with it, as that of air does" if share >= SHARE_TOGETHER else ""


def free_air(stations: Sequence[Station], neighbours: Neighbours, interval: FlaggedInterval) -> str:
    """Whether a humidity is that of a summit in free air, where it may be any within the hour; "" if it is not."""
    row, own = interval.row, stations[interval.row].elevation
    around = [stations[near].elevation for near in neighbours.rows[row, neighbours.exists[row]].tolist()]
    known = [elevation for elevation in around if elevation is not None]
    if interval.series.variable.name != HUMIDITY or neighbours.close[row].any() or own is None or not known:
        return ""
    above = own - min(known)
    return f"{above:.0f} m above its region, dry air lies beside cloud" if above >= FREE_AIR_M else ""


def _lasted(expected: Expected, interval: FlaggedInterval) -> float:
    """For how many hours, also before the window, a station has been at least half as far off as at its worst."""
    first = max(0, interval.slots.start - LEAD_IN_HOURS * interval.series.per_hour)
    residual = expected.residual[interval.row, : interval.slots.stop]
    if np.isnan(residual[first:]).all():
        return 0.0
    worst = first + int(np.nanargmax(np.abs(residual[first:])))
    near = np.flatnonzero(residual * np.sign(residual[worst]) < abs(residual[worst]) / 2)
    since, until = near[near < worst], near[near > worst]
    slots = (until[0] if len(until) else residual.size) - (since[-1] + 1 if len(since) else 0)
    return float(slots / interval.series.per_hour)


def _several(neighbours: Neighbours, results: Mapping[str, TestResults], interval: FlaggedInterval) -> str:
    """Whether several other sensors of the station were far off too, for some hours."""
    row, hour, mine = interval.row, interval.series.per_hour, results[interval.series.variable.name].expected
    near = neighbours.close[row] & (neighbours.km[row] <= FAR_KM)
    others, hours = (OTHERS, LOCAL_HOURS) if near.any() else (OTHERS_FAR, LOCAL_HOURS_FAR)
    if interval.series.variable.name == PRESSURE:
        others = OTHERS
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
