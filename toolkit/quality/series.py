"""One variable of a network, as the tests see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.quality.arrays import Bools, Floats
from toolkit.variables import Nature, Scale, Variable


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
        return self.variable.scale is not None

    @property
    def scale(self) -> Scale:
        """The variable's scale; only where it is compared."""
        assert self.variable.scale is not None  # noqa: S101 - for the type checker
        return self.variable.scale

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
    scale = variable.scale
    return np.sqrt(possible) if scale and scale.root else possible


def unscaled(variable: Variable, values: Floats) -> Floats:
    """From the scale of comparison back to the variable's unit."""
    scale = variable.scale
    return np.square(np.maximum(values, 0)) if scale and scale.root else values
