"""Plots of observations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.analysis import frames
from toolkit.errors import UsageError
from toolkit.store.flag_views import FAIL, SUSPECT
from toolkit.variables import BY_NAME

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MARKS = {FAIL: ("fail", "#b3261e", "x"), SUSPECT: ("suspect", "#b26a00", "+")}
"""How values with these flags are marked: what the legend calls them, a colour, a shape."""


def plot(frame: pd.DataFrame, variable: str, stations: Sequence[str] = (), ax: Axes | None = None) -> Axes:
    """Draw a variable over time, a curve for each station, with a mark on each value that is suspect or has failed.

    Args:
        frame: as `Database.observations` gives it; marks are drawn where it was asked for with `qc="flags"`.
        variable: its name.
        stations: ids; none for all.
        ax: what to draw on; None for a new figure.

    Raises:
        UsageError: the frame has no such variable or station.
    """
    (variable,) = frames.variables([variable])
    for column in ("station_id", variable):
        if column not in frame:
            raise UsageError(f"the frame has no column {column!r}; it has: {', '.join(map(str, frame.columns))}")
    there = [str(one) for one in frame["station_id"].unique()]
    chosen = frames.selection(None, None, stations, sorted(there)).stations or sorted(there)
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.subplots(figsize=(9, 4), layout="constrained")[1]
    marked: dict[int, Any] = {}
    for station in chosen:
        rows = frame[frame["station_id"] == station]
        of_variable = BY_NAME[variable]
        style = {"line": "-", "steps": "-", "points": "."}[of_variable.plot]
        drawn = "steps-post" if of_variable.plot == "steps" else "default"
        ax.plot(rows.index, rows[variable], style, label=station, linewidth=1, drawstyle=drawn)
        for flag, (label, colour, shape) in MARKS.items():
            if f"{variable}_qc" in frame and len(found := rows[rows[f"{variable}_qc"] == flag]):
                named = None if flag in marked else label
                marked[flag] = ax.plot(found.index, found[variable], shape, color=colour, label=named, zorder=3)
    ax.set_ylabel(f"{of_variable.label} ({of_variable.unit})")
    for text in ax.legend().get_texts():
        text.set_parse_math(False)  # a station may be called what is no formula
    return ax
