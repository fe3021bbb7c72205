"""One variable of a network, as the tests see it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from toolkit.quality.arrays import Bools, Floats, Ints, median, quantile
from toolkit.quality.packed import as_kept, is_there
from toolkit.variables import Nature, Scale, Variable

HOUR = 3600.0
# Values no farther apart than this are the same, in any unit; and of the gaps between values this share may be smaller
# than the step, such as those that a fault left.
SAME = 0.02
FEW = 0.1


@dataclass(frozen=True, slots=True)
class Series:
    """One variable of a network: the window that is tested, and what was before it.

    A slot is one cadence of time. The last `window` slots are tested; those before them, and the moments of `history`,
    tell what is normal.

    Attributes:
        variable: which.
        values: as they were measured, in the variable's unit; stations × slots. See `packed.unpacked`.
        scaled: the same on the scale of comparison (`variables.Scale`), NaN where no working sensor reads the value.
        history: earlier readings, some hours apart, on the same scale; stations × moments.
        ends, history_ends: when each slot and each moment ends, seconds since the epoch.
        window: how many slots are tested.
        per_hour: slots in an hour, at least one.
        days: for how many days before the window each station has been known.
        measured: which stations measure this variable at all.
        moments: at how many moments of `history` any station of the network has a reading; None where these stations
            are the network.
    """

    variable: Variable
    values: Floats
    scaled: Floats
    history: Floats
    ends: Floats
    history_ends: Floats
    window: int
    per_hour: int
    days: Floats
    measured: Bools
    moments: int | None = None

    def part(self, block: slice) -> Series:
        """Some stations alone."""
        names = ("values", "scaled", "history", "days", "measured")
        return replace(self, **{name: getattr(self, name)[block] for name in names})

    def of_network(self, rows: Ints) -> Series:
        """Some stations of the network that these are, to be looked at by themselves."""
        return replace(
            self,
            values=as_kept(self.values, rows),
            scaled=self.scaled[rows],
            history=self.history[rows],
            days=self.days[rows],
            measured=self.measured[rows],
            moments=with_readings(self.history),
        )

    @property
    def compared(self) -> bool:
        """Whether the variable has a scale of comparison."""
        return self.variable.scale is not None

    @property
    def scale(self) -> Scale:
        """The scale of comparison; only for a variable that has one."""
        if self.variable.scale is None:
            raise ValueError(f"{self.variable.name} has no scale of comparison")
        return self.variable.scale

    @property
    def scaled_unit(self) -> str:
        """The unit of the scale of comparison."""
        return f"√({self.variable.unit})" if self.scale.root else self.variable.unit

    @property
    def nature(self) -> Nature:
        """How the variable varies."""
        return self.variable.nature

    @property
    def window_values(self) -> Floats:
        """The window's values as they were measured, stations × window slots."""
        return self.values[:, -self.window :]

    @property
    def there(self) -> Bools:
        """Which slots have a value; stations × slots."""
        return is_there(self.values)

    def steps(self, rows: Ints | slice) -> Floats:
        """The smallest step that some stations' readings showed before the window, on the scale of comparison.

        A sensor that counts in °F, in whole per cents or in miles an hour shows steps of these, whatever the unit of
        the feed. Of the gaps between the values that occur, sorted, hardly any is smaller than the step. On a scale of
        square roots it is what a step makes at the station's median reading.
        """
        before = np.hstack([unscaled(self.variable, self.history[rows]), self.values[rows, : -self.window]])
        gaps = np.diff(np.sort(before, axis=1), axis=1, prepend=np.nan)
        found = np.nan_to_num(quantile(np.where(gaps > SAME, gaps, np.nan), FEW))
        if self.scale.root:
            found = found / (2 * np.sqrt(np.maximum(np.nan_to_num(median(before)), np.maximum(found, SAME))))
        return np.maximum(found, self.scale.resolution)

    def enough_history(self, least: int) -> bool:
        """Whether there are readings at so many moments of `history`."""
        moments = with_readings(self.history) if self.moments is None else self.moments
        return moments >= least

    @property
    def slot_hours(self) -> float:
        """How long a slot is, in hours."""
        return float(self.ends[-1] - self.ends[0]) / HOUR / max(len(self.ends) - 1, 1)

    @property
    def hours(self) -> Floats:
        """The hour of the day, UTC, at which each slot ends."""
        return hours_of_day(self.ends)

    @property
    def history_hours(self) -> Floats:
        """The hour of the day, UTC, of each moment of `history`."""
        return hours_of_day(self.history_ends)


def with_readings(history: Floats) -> int:
    """At how many moments any station has a reading; stations × moments."""
    return int(np.count_nonzero((~np.isnan(history)).any(axis=0)))


def hours_of_day(times: Floats) -> Floats:
    """Hours since midnight UTC, 0 to 24, of times in seconds since the epoch, in the same shape."""
    return times / HOUR % 24


def scaled(variable: Variable, values: Floats) -> Floats:
    """Values on the scale of comparison: NaN where no working sensor reads them, the bound where it overshoots one.

    Where that changes nothing it is the same array, which is not to be written to: a network may be large.
    """
    possible = np.where(readable(variable, values), np.clip(values, variable.low, variable.high), np.nan)
    scale = variable.scale
    if scale and scale.root:
        return np.sqrt(possible)
    return values if np.array_equal(possible, values, equal_nan=True) else possible


def readable(variable: Variable, values: Floats) -> Bools:
    """Which values, in the variable's unit, a working sensor may read; False for NaN. In the same shape."""
    least, most = variable.readable
    return (values >= least) & (values <= most)


def unscaled(variable: Variable, values: Floats) -> Floats:
    """Values on the scale of comparison, in the variable's unit; in the same shape."""
    scale = variable.scale
    return np.square(np.maximum(values, 0)) if scale and scale.root else values


def differences(variable: Variable, readings: Floats, residual: Floats) -> Floats:
    """Residuals in the variable's unit; all arrays have one shape, such as stations × slots.

    Args:
        variable: which.
        readings: what was measured, on the scale of comparison.
        residual: the same less what was expected.
    """
    return unscaled(variable, readings) - unscaled(variable, readings - residual)
