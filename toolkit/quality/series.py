"""One variable of a network, as the tests see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.quality.arrays import Bools, Floats
from toolkit.variables import Nature, Variable


@dataclass(frozen=True, slots=True)
class Scale:
    """What is small and what is large of a variable, on the scale on which it is compared.

    Attributes:
        root: whether it is compared by its square root: gusts grow with the wind, their spread on this scale does not.
        noise: what two good sensors side by side differ by, one standard deviation.
        resolution: the smallest step that a sensor shows.
        step: no change from one reading to the next is suspicious below this. Temperature and humidity: two thirds of
            what WMO-No. 8 (vol. V, ch. 1) calls suspicious within a minute, for these are readings of minutes apart.
    """

    root: bool
    noise: float
    resolution: float
    step: float


_TEMPERATURE = Scale(root=False, noise=0.15, resolution=0.1, step=2.5)
_SPEED = Scale(root=True, noise=0.25, resolution=0.4, step=1.8)
SCALES = {
    "temp_out": _TEMPERATURE,
    "hi_temp": _TEMPERATURE,
    "low_temp": _TEMPERATURE,
    "out_hum": Scale(root=False, noise=1.5, resolution=1.0, step=15.0),
    "bar": Scale(root=False, noise=0.15, resolution=0.1, step=1.5),
    "wind_speed": _SPEED,
    "hi_speed": _SPEED,
}
"""Of the variables that vary about a level. Rain and directions are compared with nothing."""


@dataclass(frozen=True, slots=True)
class Series:
    """One variable of a network: a window that is judged, and what was before it.

    Attributes:
        variable: which.
        values: as they were measured, stations by slots of one cadence; the last `window` slots are judged.
        scaled: the same on the scale of comparison (`Scale`), NaN where the value is impossible.
        levels: earlier readings at wide intervals, stations by moments, on the same scale.
        hours, level_hours: the hour of the day (UTC) of each slot and moment.
        window: how many slots are judged.
        per_hour: slots in an hour, at least one.
        days: for how many days before the window each station has been known.
        measured: which stations measure this at all.
    """

    variable: Variable
    values: Floats
    scaled: Floats
    levels: Floats
    hours: Floats
    level_hours: Floats
    window: int
    per_hour: int
    days: Floats
    measured: Bools

    @property
    def compared(self) -> bool:
        """Whether the variable has a scale of comparison."""
        return self.variable.name in SCALES

    @property
    def scale(self) -> Scale:
        """What is small and what is large."""
        return SCALES[self.variable.name]

    @property
    def nature(self) -> Nature:
        """How the variable varies."""
        return self.variable.nature

    @property
    def judged(self) -> Floats:
        """The window's values, as they were measured."""
        return self.values[:, -self.window :]


def scaled(variable: Variable, values: Floats) -> Floats:
    """Values on the scale of comparison, NaN where they are impossible."""
    possible = np.where((values < variable.low) | (values > variable.high), np.nan, values)
    scale = SCALES.get(variable.name)
    return np.sqrt(possible) if scale and scale.root else possible


def unscaled(variable: Variable, values: Floats) -> Floats:
    """From the scale of comparison back to the variable's unit."""
    scale = SCALES.get(variable.name)
    return np.square(np.maximum(values, 0)) if scale and scale.root else values
