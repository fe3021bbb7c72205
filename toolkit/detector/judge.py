"""All tests on one variable of a network."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from toolkit.detector.temporal import METHODS, THRESHOLD
from toolkit.quality import gross_range, missing, noise, persistence, resolution, spatial, step
from toolkit.quality.arrays import Bools, on_circle
from toolkit.quality.expected import Expected, expect
from toolkit.quality.neighbours import Neighbours
from toolkit.quality.series import Series
from toolkit.settings import COMBINED

# A station that is wrong makes its neighbours look wrong; so many times the worst of them is set aside.
ROUNDS = 3


@dataclass(slots=True)
class Judged:
    """What the tests say of one variable.

    Attributes:
        series: what was judged.
        flags: by test, stations by the window's slots.
        expected: of all stations, each without those that were set aside; None if it is compared with nothing.
        limits: of jumps; None if they were not looked at.
    """

    series: Series
    flags: dict[str, Bools]
    expected: Expected | None = None
    limits: step.Limits | None = None


def judge(series: Series, neighbours: Neighbours, method: str) -> Judged:
    """Judge the window of one variable at all stations.

    Args:
        series: what is judged.
        neighbours: who is near whom.
        method: `combined`, or a temporal method instead of the tests that compare.
    """
    judged = Judged(
        series,
        {
            "range": gross_range.flag(series),
            "missing": missing.flag(
                ~np.isnan(series.judged), ~np.isnan(series.values[:, : -series.window]), series.per_hour
            ),
        },
    )
    if method != COMBINED:
        window = on_circle(series.judged) if series.nature == "circular" else series.judged
        found = METHODS[method](window, series.variable.accuracy)
        judged.flags[method] = found.score > THRESHOLD
    if not series.compared:
        return judged
    stations = len(series.values)
    aside = np.zeros(stations, dtype=bool)
    judged.expected = expected = expect(series, neighbours, np.arange(stations), aside)
    if method == COMBINED:
        judged.limits = limits = step.limits(series, expected)
        judged.flags |= {
            "noise": noise.flag(series),
            "resolution": resolution.flag(series),
            **_compared(series, expected, neighbours, limits),
        }
    for _ in range(ROUNDS):
        worst = _worst(judged.flags, expected, neighbours, aside)
        aside |= worst
        relied = (expected.weights > 0) & worst[neighbours.rows]
        again = np.flatnonzero(relied.any(axis=1) & ~aside)
        if not len(again):
            break
        anew = expect(series, neighbours, again, aside)
        _put(expected, anew)
        if judged.limits is not None:
            for name, flagged in _compared(series, anew, neighbours, judged.limits).items():
                judged.flags[name][again] = flagged
    if judged.limits is not None:
        judged.flags["shared"] = step.shared(series, expected, judged.limits)
    return judged


def _compared(series: Series, expected: Expected, neighbours: Neighbours, limits: step.Limits) -> dict[str, Bools]:
    """The tests that need to know what is expected."""
    return {
        "persistence": persistence.flag(series, expected, neighbours),
        "step": step.flag(series, expected, limits),
        "spatial": spatial.flag(series, expected),
    }


# Tests whose finding leaves no doubt which of two stations is wrong.
SURE = ("range", "noise", "persistence", "resolution")


def _worst(flags: dict[str, Bools], expected: Expected, neighbours: Neighbours, aside: Bools) -> Bools:
    """The flagged stations, but those set `aside`, that are farther off than any other such station near them."""
    sure = np.logical_or.reduce([flags[name].any(axis=1) for name in SURE if name in flags])
    by_level = np.logical_or.reduce([flagged for name, flagged in flags.items() if name not in {*SURE, "missing"}])
    off = np.nan_to_num(np.where(by_level, np.abs(expected.plain[:, -by_level.shape[1] :]), 0)).max(axis=1, initial=0)
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
