"""A variable hour by hour beside what a station's neighbours measure: what its sensors' health is judged from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.detector.grid import Grid
from toolkit.quality.arrays import Floats, correlation, deviation, mean, median
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.series import HOUR, Series
from toolkit.variables import Variable

DAY_HOURS = 24
# Stations computed at a time: as many as fit into a processor's cache.
CHUNK = 256
# A reference is the median of so many neighbours at least: of two that differ nobody can tell which one is wrong.
LEAST_NEIGHBOURS = 2
# A figure needs so many hours that the station and its neighbours have in common: five days.
COMMON_HOURS = 120
# A day counts if so many of its hours are known.
HOURS_OF_A_DAY = 6
# A station whose correlation with the whole network is so many robust standard deviations below the others' is no
# neighbour to learn from, or an indoor thermometer beside an indoor thermometer looks right.
STRANGER = 4.0
# One robust standard deviation of Fisher's z is this at least: of stations that agree perfectly the one that agrees a
# little less is not wrong.
FISHER = 0.25


@dataclass(frozen=True, slots=True)
class Hourly:
    """One variable of a network, hour by hour (by slot, if slots are longer), on the scale of comparison.

    Attributes:
        variable: which.
        step: hours from column to column, 1 unless the cadence is longer.
        value: means; stations × hours, whole days, the last hour last.
        reference: what the neighbours measure, each less its level: their median; stations × hours.
        residual: value less level less reference; stations × hours.
        level: by how much a station's values lie above the network's as a rule; stations.
        neighbours: who is near whom; those not worth learning from do not exist.
    """

    variable: Variable
    step: float
    value: Floats
    reference: Floats
    residual: Floats
    level: Floats
    neighbours: Neighbours

    @property
    def per_day(self) -> int:
        """Columns of a day."""
        return round(DAY_HOURS / self.step)

    def by_day(self, values: Floats) -> Floats:
        """Stations × hours as stations × days × hours of the day."""
        return values.reshape(len(values), -1, self.per_day)

    def daily(self, values: Floats) -> Floats:
        """The median of each day, NaN for a day of which too little is known; stations × days."""
        days = self.by_day(values)
        enough = np.count_nonzero(~np.isnan(days), axis=2) * self.step >= HOURS_OF_A_DAY
        return np.where(enough, median(days), np.nan)


def hourly(grid: Grid, series: Series, neighbours: Neighbours) -> Hourly | None:
    """One variable hour by hour; None if less than a day was read."""
    step = series.per_hour
    hours = step * grid.cadence / HOUR
    days = int(series.scaled.shape[1] * grid.cadence / HOUR // DAY_HOURS)
    per_day = round(DAY_HOURS / hours)
    slots = days * per_day * step
    if not days or slots > series.scaled.shape[1]:
        return None
    value = mean(series.scaled[:, -slots:].reshape(len(series.scaled), -1, step))
    known = np.count_nonzero(~np.isnan(value), axis=1) * hours >= COMMON_HOURS / 5
    plain = median(value)
    network = median((value - plain[:, None])[known].T) if known.any() else np.zeros(value.shape[1])
    level = median(value - network)
    agreement = fisher(correlation(value, np.broadcast_to(network, value.shape), COMMON_HOURS / hours))
    stranger = below_others(agreement) > STRANGER
    near = Neighbours(
        neighbours.rows,
        neighbours.exists & (known & ~stranger)[neighbours.rows],
        neighbours.close & (known & ~stranger)[neighbours.rows],
        neighbours.km,
    )
    anomaly = value - level[:, None]
    reference = np.concatenate(
        [_reference(anomaly, near, slice(first, first + CHUNK)) for first in range(0, max(len(value), 1), CHUNK)]
    )
    residual = value - reference
    level = np.where(np.isnan(reference).all(axis=1), level, median(residual))
    return Hourly(series.variable, hours, value, reference, residual - level[:, None], level, near)


def _reference(anomaly: Floats, neighbours: Neighbours, rows: slice) -> Floats:
    exists = neighbours.exists[rows]
    near = np.where(exists[:, :, None], anomaly[neighbours.rows[rows]], np.nan)
    enough = np.count_nonzero(exists, axis=1) >= LEAST_NEIGHBOURS
    return np.where(enough[:, None], median(near, axis=1), np.nan)


def fisher(coefficient: Floats) -> Floats:
    """Fisher's z of correlation coefficients: their spread does not depend on how large they are.

    In the same shape; coefficients beyond ±0.999 count as that.
    """
    return np.arctanh(np.clip(coefficient, -0.999, 0.999))


def below_others(agreement: Floats) -> Floats:
    """How many robust standard deviations each of Fisher's z lies below the network's median."""
    middle = median(agreement)
    return np.asarray((middle - agreement) / spread(agreement, FISHER))


def spread(values: Floats, least: float) -> float:
    """One robust standard deviation of the stations' values around their median, `least` at least."""
    found = deviation((values - median(values))[None])
    return max(float(np.nan_to_num(found)[0]), least)


def diurnal(hours: Hourly, values: Floats) -> Floats:
    """The median of each hour of the day; stations × hours of the day."""
    return median(hours.by_day(values), axis=1)


def without_diurnal(hours: Hourly, values: Floats) -> Floats:
    """Values less the median of their hour of the day; stations × hours."""
    return (hours.by_day(values) - diurnal(hours, values)[:, None]).reshape(values.shape)
