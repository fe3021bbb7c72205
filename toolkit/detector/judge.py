"""All tests on one variable of a network."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from toolkit.quality import gross_range, missing, noise, persistence, spatial, step
from toolkit.quality.arrays import Bools
from toolkit.quality.expected import Expected, expect
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.series import Series

# A station that is wrong makes its neighbours look wrong; so many times the worst of them is set aside.
ROUNDS = 3


@dataclass(slots=True)
class Judged:
    """What the tests say of one variable.

    Attributes:
        series: what was judged.
        flags: by test, stations by the window's slots.
        shared: jumps that the neighbours shared, likewise.
        expected: of all stations, each without those that were set aside; None if the variable is compared with nothing.
        limits: of jumps.
    """

    series: Series
    flags: dict[str, Bools]
    shared: Bools
    expected: Expected | None
    limits: step.Limits | None


def judge(series: Series, neighbours: Neighbours) -> Judged:
    """Judge the window of one variable at all stations."""
    before = ~np.isnan(series.values[:, : -series.window])
    flags = {
        "range": gross_range.flag(series),
        "missing": missing.flag(~np.isnan(series.judged), before, series.per_hour),
    }
    shared = np.zeros_like(flags["range"])
    if series.scale is None:
        return Judged(series, flags, shared, None, None)
    stations = len(series.values)
    aside = np.zeros(stations, dtype=bool)
    expected = expect(series, neighbours, np.arange(stations), aside)
    limits = step.limits(series, expected)
    flags |= {"noise": noise.flag(series), **_compared(series, expected, neighbours, limits)}
    for _ in range(ROUNDS):
        worst = _worst(flags, expected, neighbours, aside)
        aside |= worst
        relied = (expected.weights > 0) & worst[neighbours.rows]
        again = np.flatnonzero(relied.any(axis=1) & ~aside)
        if not len(again):
            break
        anew = expect(series, neighbours, again, aside)
        _put(expected, anew)
        for name, flagged in _compared(series, anew, neighbours, limits).items():
            flags[name][again] = flagged
    return Judged(series, flags, step.shared(series, expected, limits), expected, limits)


def _compared(series: Series, expected: Expected, neighbours: Neighbours, limits: step.Limits) -> dict[str, Bools]:
    """The tests that need to know what is expected."""
    return {
        "persistence": persistence.flag(series, expected, neighbours),
        "step": step.flag(series, expected, limits),
        "spatial": spatial.flag(series, expected),
    }


def _worst(flags: dict[str, Bools], expected: Expected, neighbours: Neighbours, aside: Bools) -> Bools:
    """The flagged stations, but those set `aside`, that are farther off than any other such station near them."""
    sure = flags["range"].any(axis=1) | flags["noise"].any(axis=1) | flags["persistence"].any(axis=1)
    by_level = flags["step"] | flags["spatial"]
    window = by_level.shape[1]
    off = np.nan_to_num(np.where(by_level, np.abs(expected.plain[:, -window:]), 0)).max(axis=1, initial=0)
    off = np.where(sure, np.inf, np.where(by_level.any(axis=1), off + 1e-9, 0))
    off = np.where(aside, 0, off)
    of_others = np.where(neighbours.there, off[neighbours.rows], 0).max(axis=1, initial=0)
    worst: Bools = (off > 0) & (off >= of_others)
    return worst


def _put(expected: Expected, anew: Expected) -> None:
    """Replace the rows that were looked at anew."""
    for item in fields(Expected):
        if item.name != "rows":
            getattr(expected, item.name)[anew.rows] = getattr(anew, item.name)
