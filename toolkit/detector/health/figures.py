"""The figures that the rules judge, of every sensor of one variable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from toolkit.detector.grid import Grid
from toolkit.detector.health import changes, clock, moisture, place, reporting, siting
from toolkit.detector.health.hourly import DAY_HOURS, Hourly, below_others, spread
from toolkit.quality.arrays import Bools, Floats, Ints, mean, median
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.series import HOUR, Series

# A correlation is bad if it is also so many robust standard deviations below what it is elsewhere in the network.
FAR_BELOW = 3.0
# Over some days stations differ more.
FAR_BELOW_LATELY = 4.0
# A sensor whose days have less than this share of its neighbours' range need not be so far below.
TAME = 0.4
# What may differ between good stations side by side, in accuracies of the sensor: the least spread of a level, of a
# change of level and of a movement over the whole time. From `tests/bench/detection/health.py`, 2026-11-26.
LEVEL = {"temp_out": 2.5}  # a street, a garden
OTHER_LEVEL = 1.0
STEP = 1.0
MOVED = 0.45
# A change of level explains the days at once if it leaves less than this share of what a straight line leaves.
AT_ONCE = 0.7
# A factor to the neighbours' wind changed if its logarithm did by so many of its standard errors and so many times what
# is usual; the least spread of that.
SCALE_CERTAIN = 5.0
SCALE_USUAL = 1.8
SCALE = 0.1
# The least spread of a clock, in hours, and of a warming by the sun, in K; so many times that is beyond it.
CLOCK = 0.12
SUN = 0.3
BEYOND = 3.0
SUN_BEYOND = 2.5
# A lag of more hours than a front takes from one neighbour to another has to improve Fisher's z by so much.
A_FRONT = 2.0
LAG_BETTER = 0.4
# What all values, the weather and the sun say of a clock has to agree, in hours.
AGREE = 0.6
# Noise that grew is compared between the first and the last so many days.
SOME_DAYS = 7
# If there are so many days, the last few of them are looked at by themselves as well, for what began lately.
LONG = 20.0
LATELY = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of every station's sensor.

    Attributes:
        value: NaN where it is not known or means nothing; stations.
        daily: the same for each day, zero if all is well; None where days tell nothing. Stations × days.
        more: what to tell of a row besides.
        began: the day on which it began in a row, where it is known otherwise than from `daily`.
        days: how many days there are.
    """

    value: Floats
    daily: Floats | None = None
    more: Callable[[int], str] | None = None
    began: Callable[[int], int] | None = None
    days: int = 1

    def first_day(self, row: int) -> int | None:
        """The day on which the fault that the figure shows began in a row; None if that is not known."""
        if self.began:
            return self.began(row)
        return None if self.daily is None else since(self.daily[row])

    def days_since(self, row: int) -> int:
        """How many days have passed since the fault that the figure shows was last seen in a row."""
        return 0 if self.daily is None else since(self.daily[row, ::-1])


class Lag(NamedTuple):
    """By how many hours each station's weather is later than its neighbours'; the network's median is zero.

    Attributes:
        late: by all values, or by the weather alone beyond half a day; stations.
        weather: by values without the course of the day; stations.
        by_sun: by the course of the day; stations.
        fits: whether with this lag the station follows its neighbours as others do; stations.
        better: by how much Fisher's z is better than with no lag; stations.
    """

    late: Floats
    weather: Floats
    by_sun: Floats
    fits: Bools
    better: Floats


@dataclass(frozen=True, slots=True)
class ComparedSensors:
    """How the sensors of one variable stand to their neighbours.

    Attributes:
        hours: the variable hour by hour.
        figures: by the names of their rules.
        lag: what the variable tells of the stations' clocks.
        drift_per_day, noise, correlation, level: as `Sensor` has them; stations.
    """

    hours: Hourly
    figures: dict[str, Figure]
    lag: Lag
    drift_per_day: Floats
    noise: Floats
    correlation: Floats
    level: Floats


def since(daily: Floats) -> int:
    """The day that best divides a row into a good part and a bad one; 0 if there is no good part."""
    known = np.flatnonzero(~np.isnan(daily))
    bad = np.abs(daily[known])
    if len(bad) < 2:
        return 0
    ends = np.arange(1, len(bad))
    total = np.cumsum(bad)
    before, after = total[:-1] / ends, (total[-1] - total[:-1]) / (len(bad) - ends)
    between = np.where(after > before, np.square(after - before) * ends * (len(bad) - ends), 0)
    best = int(np.argmax(between))
    return 0 if before[best] > 0.4 * after[best] else int(known[best + 1])


def of_reporting(grid: Grid, series: Series, hours: Hourly | None) -> dict[str, Figure]:
    """What arrives of each sensor, and whether it moves."""
    readings = series.scaled
    there, present = ~np.isnan(readings), ~np.isnan(grid.times)
    slots = readings.shape[1]
    began = np.where(present.any(axis=1), np.argmax(present, axis=1), 0)
    every, own = grid.every, reporting.rhythms(there)
    expected = np.maximum((slots - began) / every, 1)
    last = np.where(there.any(axis=1), slots - 1 - np.argmax(there[:, ::-1], axis=1), -1)
    silent = np.where(last >= 0, (grid.end - grid.times[np.arange(len(last)), last]) / HOUR, np.inf)
    silent = np.where(silent * HOUR > 2.5 * own * grid.cadence, silent, 0)
    stuck = reporting.stuck(grid, series, hours)
    number = np.maximum(np.count_nonzero(there, axis=1), 1)
    due = np.maximum(np.count_nonzero(present, axis=1) * every / np.maximum(own, every), 1)
    found = {
        "silent": Figure(silent, began=lambda row: int(max(last[row], 0) * grid.cadence // (DAY_HOURS * HOUR))),
        "completeness": Figure(
            np.minimum(np.count_nonzero(present, axis=1) / expected, 1),
            _by_day(grid, ~_near(present, every), began),
        ),
        "missing": Figure(
            np.clip(1 - np.count_nonzero(there, axis=1) / due, 0, 1), _by_day(grid, present & ~_near(there, own), began)
        ),
        "stuck": Figure(np.count_nonzero(stuck, axis=1) / number, _by_day(grid, stuck, began)),
    }
    if series.nature == "gusty":
        windy, calm = reporting.stalled(series, hours)
        share = np.count_nonzero(calm, axis=1) / np.maximum(np.count_nonzero(windy, axis=1), 1)
        known = np.count_nonzero(windy, axis=1) >= DAY_HOURS * series.per_hour
        found["stalled"] = Figure(np.where(known, share, np.nan), _by_day(grid, calm, began))
    days = max(1, int(slots * grid.cadence / HOUR // DAY_HOURS))
    return {name: replace(one, days=days) for name, one in found.items()}


def _near(there: Bools, every: Ints) -> Bools:
    """Whether there was a reading in the slots up to each, as many as the station's rhythm has."""
    if np.all(every == 1):
        return there
    slot = np.arange(there.shape[1])
    last = np.maximum.accumulate(np.where(there, slot, -(1 << 30)), axis=1)
    return np.asarray(slot - last < every[:, None])


def _by_day(grid: Grid, what: Bools, began: Ints) -> Floats:
    """The share of each day's slots, the last day last."""
    per_day = max(1, round(DAY_HOURS * HOUR / grid.cadence))
    days = max(1, what.shape[1] // per_day)
    per_day = min(per_day, what.shape[1])
    share = what[:, -days * per_day :].reshape(len(what), days, per_day).mean(axis=2)
    first = (began - (what.shape[1] - days * per_day)) // per_day
    return np.where(np.arange(days) < first[:, None], np.nan, share)


def of_comparison(grid: Grid, series: Series, hours: Hourly, around: Neighbours) -> ComparedSensors:
    """How each sensor stands to its neighbours."""
    variable = series.variable
    days = hours.value.shape[1] // hours.per_day
    off = siting.out_of_place(hours, grid.stations, around)
    if variable.nature != "level":  # a wind's depends on what shelters it
        off = np.full(len(off), np.nan)
    theirs = median(np.where(hours.neighbours.exists, hours.level[hours.neighbours.rows], np.nan))
    near = np.where(np.isnan(off), theirs, hours.level - off)
    lag, agreement = _lag(hours), siting.agreement(hours)
    found = _siting(hours, lag, off, agreement, FAR_BELOW)
    if days >= LONG:
        lately = _last(hours, LATELY)
        of_late = _lag(lately)
        of_late = of_late._replace(fits=of_late.fits & (np.abs(of_late.late) > A_FRONT))  # too short to tell an hour
        late_off = off + median(lately.residual)
        for name, figure in _siting(lately, of_late, late_off, siting.agreement(lately), FAR_BELOW_LATELY).items():
            found[name] = _worse(name, found[name], figure, days - LATELY)
    daily = hours.daily(hours.residual)
    calm, step = changes.unexplained(hours, daily), changes.step(daily)
    drift = changes.drift(calm)
    if variable.nature == "level":
        found |= _changes(hours, daily, calm, step, drift)
    noise = changes.noise(hours, series)
    found |= _noise(hours, noise)
    found["unit"] = _unit(hours, series, near) if variable.nature == "level" else _scale(hours, agreement.correlation)
    if variable.standard_name == "relative_humidity":
        wet = moisture.saturated(hours, near)
        found["saturated"] = Figure(mean(wet), wet)
        flips = moisture.flips(hours, series)
        found["flipping"] = Figure(np.maximum(mean(flips), mean(flips[:, -SOME_DAYS:])), flips)
    before = hours.level + median(daily[:, : max(days // 3, 1)])
    pairs = place.exchanged(hours, [near, before], min(days, LATELY), step.day)
    found["exchanged"] = Figure(
        np.array([pairs[row][1] if row in pairs else np.nan for row in range(len(off))]),
        daily,
        lambda row: grid.stations[pairs[row][0]].station_id,
    )
    return ComparedSensors(
        hours=hours,
        lag=lag,
        figures={name: replace(one, days=days) for name, one in found.items()},
        drift_per_day=drift.slope,
        noise=mean(noise),
        correlation=agreement.correlation,
        level=off,
    )


def _noise(hours: Hourly, noise: Floats) -> dict[str, Figure]:
    """Noise against the network's, and against what it was; `noise` is that of each day."""
    least = hours.variable.accuracy / 10
    typical = np.fmax(median(noise.T), least)
    month = mean(noise)
    ratio = month / max(float(np.nan_to_num(median(month))), least)
    relative = noise / typical
    part = min(SOME_DAYS, max(noise.shape[1] // 3, 1))
    before, after = median(relative[:, :part]), median(relative[:, -part:])
    step = changes.step(np.log(np.maximum(relative, 0.1)))
    certain = (step.size > 4 * step.error) & (after > 1.5)
    return {
        "noise": Figure(ratio, np.maximum(relative - 1.5, 0)),
        "growing": Figure(
            np.where(certain, after / np.maximum(before, 0.5), np.nan), began=lambda row: _or_zero(step.day[row])
        ),
    }


def _unit(hours: Hourly, series: Series, near: Floats) -> Figure:
    wrong = changes.unit(hours, series, near)
    known = np.array([bool(name) for name in wrong.name])
    return Figure(np.where(known, np.inf, np.nan), wrong.daily, lambda row: wrong.name[row])


def _siting(hours: Hourly, lag: Lag, off: Floats, agreement: siting.Agreement, far_below: float) -> dict[str, Figure]:
    variable = hours.variable
    unit = variable.unit
    correlation, below = agreement
    bad = (below > far_below) & (correlation < 0.9)
    daily_range = siting.amplitude(hours)
    usual_range = median(daily_range)
    tame = bad | ((below > far_below / 2) & (usual_range < TAME))
    restless = mean(np.abs(hours.by_day(hours.residual)))
    usual = median(restless.T)
    astray = np.maximum(restless / np.maximum(usual, 1e-9) - 1.3, 0)
    found = {"correlation": Figure(np.where(bad, correlation, np.nan), astray)}
    least = LEVEL.get(variable.name, OTHER_LEVEL) * variable.accuracy
    level = siting.usual(off, least)
    found["level"] = Figure(
        np.abs(level),
        hours.daily(hours.residual) + off[:, None],
        lambda row: f"{off[row]:+.1f} {unit} beside its neighbours",
    )
    found["clock"] = _clock(hours, lag)
    if variable.standard_name in {"air_temperature", "relative_humidity"}:
        found["indoors"] = Figure(
            np.where(tame, usual_range, np.nan),
            np.maximum(0.85 - daily_range, 0),
            lambda row: f"{correlation[row]:.2f}",
        )
    if variable.standard_name == "air_temperature":
        warm, by_day = siting.sunlit(hours)
        found["sunlit"] = Figure(np.where(siting.usual(warm, SUN) > SUN_BEYOND, warm, np.nan), by_day)
    return found


def _lag(hours: Hourly) -> Lag:
    plain, weather, best, better = clock.lags(hours)
    # The course of the day recurs: of days it cannot tell, of hours it can.
    late = np.where(np.abs(weather) > DAY_HOURS / 2, weather, plain)
    late, weather, by_sun = (one - np.nan_to_num(median(one)) for one in (late, weather, clock.solar(hours)))
    return Lag(late, weather, by_sun, below_others(best) < 1, better)


def _surely(lag: Lag, least: float) -> Bools:
    """Whether each station's clock is wrong beyond doubt; `least` is the least spread of `lag.late`, in hours."""
    apart = np.abs((lag.late - lag.by_sun + DAY_HOURS / 2) % DAY_HOURS - DAY_HOURS / 2)
    agree = np.abs(lag.late - lag.weather) < np.maximum(AGREE, 0.1 * np.abs(lag.late))
    an_hour = (apart < AGREE) & (np.minimum(np.abs(lag.weather), np.abs(lag.by_sun)) >= 0.5)
    sure = lag.fits & agree & np.where(np.abs(lag.late) > A_FRONT, lag.better > LAG_BETTER, an_hour)
    return np.asarray(sure & (np.abs(lag.late) > BEYOND * spread(lag.late, least)))


def _clock(hours: Hourly, lag: Lag, least: float = CLOCK) -> Figure:
    late = np.where(_surely(lag, least), lag.late, 0)
    return Figure(
        np.where(late != 0, np.abs(late), np.nan),
        _out_of_step(hours, late),
        lambda row: "later" if late[row] > 0 else "earlier",
    )


def of_clocks(variables: Sequence[ComparedSensors]) -> None:
    """Judge the clock of each station by all of its sensors together: one sensor alone may tell too little."""
    if len(variables) < 2:
        return
    lags = [one.lag for one in variables]
    weights = [np.where(lag.fits & ~np.isnan(lag.late), 1 / spread(lag.late, CLOCK) ** 2, 0) for lag in lags]

    def together(values: Sequence[Floats]) -> Floats:
        of = [np.where(np.isnan(value), 0, weight) for value, weight in zip(values, weights, strict=True)]
        total = np.sum([np.nan_to_num(value) * weight for value, weight in zip(values, of, strict=True)], axis=0)
        return np.where(np.sum(of, axis=0) > 0, total / np.maximum(np.sum(of, axis=0), 1e-9), np.nan)

    several = np.sum([weight > 0 for weight in weights], axis=0) > 1
    all_of_them = Lag(
        np.where(several, together([lag.late for lag in lags]), np.nan),
        together([lag.weather for lag in lags]),
        together([lag.by_sun for lag in lags]),
        several,
        np.max([np.nan_to_num(lag.better) for lag in lags], axis=0),
    )
    for one in variables:
        alike = np.abs(one.lag.late - all_of_them.late) < AGREE
        shared = _clock(one.hours, all_of_them._replace(fits=several & alike), CLOCK / 2)
        own = one.figures["clock"]
        if np.any(np.isnan(own.value) & ~np.isnan(shared.value)):
            one.figures["clock"] = replace(_worse("clock", own, shared, 0), days=own.days)


def _out_of_step(hours: Hourly, late: Floats) -> Floats:
    """How much better the readings fit the neighbours' once they are moved by the clock's error; stations × days."""
    found = np.zeros((len(late), hours.value.shape[1] // hours.per_day))
    for row in np.flatnonzero(late):
        columns = round(late[row] / hours.step) or int(np.sign(late[row]))
        value, implied = hours.value[row], hours.value[row] - hours.residual[row]
        moved = np.roll(value, -columns)
        gain = np.abs(value - implied) - np.abs(moved - implied)
        found[row] = np.maximum(mean(gain.reshape(-1, hours.per_day)), 0)
    return found


def _changes(hours: Hourly, daily: Floats, calm: Floats, step: changes.Step, drift: changes.Drift) -> dict[str, Figure]:
    """A drift and a change of level; what explains a row's days better counts.

    Args:
        hours: the variable.
        daily: the days' residuals; stations × days.
        calm: the same less what the neighbours' weather explains.
        step: the change of level in `daily`.
        drift: that of `calm`.
    """
    unit, accuracy = hours.variable.unit, hours.variable.accuracy
    days = daily.shape[1]
    total = drift.slope * days
    straight = drift.slope[:, None] * np.arange(days)
    left = mean(np.abs(daily - straight - median(daily - straight)[:, None]))
    at_once = step.left < AT_ONCE * left
    moved = np.abs(total - np.nan_to_num(median(total))) / spread(total, MOVED * accuracy)
    drifts = (np.abs(total) > changes.CERTAIN * drift.error * days) & ~at_once
    jumps = (np.abs(step.size) > 2 * changes.CERTAIN * step.error) & at_once
    return {
        "drift": Figure(
            np.where(drifts, moved, np.nan),
            more=lambda row: f"{total[row]:+.1f} {unit}",
            began=lambda row: changes.hinge(calm[row]),
        ),
        "step": Figure(
            np.where(jumps, np.abs(step.size) / spread(step.size, STEP * accuracy), np.nan),
            more=lambda row: f"{step.size[row]:+.1f} {unit}",
            began=lambda row: _or_zero(step.day[row]),
        ),
    }


def _scale(hours: Hourly, correlation: Floats) -> Figure:
    """Whether the unit of wind changed one day, seen by the factor to the neighbours; by station."""
    step = changes.scale(hours)
    name, off = changes.nearest_factor(hours.variable, step.size)
    size = np.abs(step.size)
    sure = (size > SCALE_CERTAIN * step.error) & (size > SCALE_USUAL * spread(step.size, SCALE)) & (off < size / 4)
    sure &= np.nan_to_num(correlation) > 0.5  # whose factor to the neighbours means something
    return Figure(np.where(sure, np.inf, np.nan), more=lambda row: name[row], began=lambda row: _or_zero(step.day[row]))


def _last(hours: Hourly, days: int) -> Hourly:
    part = slice(-days * hours.per_day, None)
    return replace(
        hours, value=hours.value[:, part], reference=hours.reference[:, part], residual=hours.residual[:, part]
    )


def _worse(name: str, whole: Figure, lately: Figure, skipped: int) -> Figure:
    """The worse of two figures, row by row: that of the whole time and that of the last days."""
    least = name in {"correlation", "indoors"}
    sign = -1 if least else 1
    one, other = (np.nan_to_num(sign * each.value, nan=-np.inf) for each in (whole, lately))
    new = other > one

    def more(row: int) -> str:
        of = lately if new[row] else whole
        return of.more(row) if of.more else ""

    daily = whole.daily
    if daily is not None and lately.daily is not None:
        # What began lately is seen in the same measure over all days; only where it is measured by the figure
        # itself, a lag, that of the last days is the one.
        late = np.concatenate([np.zeros((len(daily), skipped)), lately.daily], axis=1)
        daily = np.where((new & ~np.isfinite(one))[:, None], np.where(np.isnan(late), daily, late), daily)
    return Figure(np.where(new, lately.value, whole.value), daily, more)


def of_places(grid: Grid, variables: Sequence[ComparedSensors]) -> Figure:
    """Which stations are not where they say."""
    alone = [np.isnan(one.hours.reference).all(axis=1) for one in variables]
    astray = [~np.isnan(one.figures["correlation"].value) for one in variables]
    km = place.misplaced([one.hours for one in variables], grid.stations, np.any([*alone, *astray], axis=0))
    return Figure(km, began=lambda _: 0, days=max(one.figures["correlation"].days for one in variables))


def _or_zero(day: float) -> int:
    return 0 if np.isnan(day) else int(day)
