"""The plot of an anomaly: the station and its neighbours, some hours before and after."""

from __future__ import annotations

import numpy as np

from toolkit import times
from toolkit.detector.grid import Grid
from toolkit.detector.report import Anomaly
from toolkit.page.drawing import COLOURS, as_svg, new_figure
from toolkit.variables import BY_NAME

# Hours that are shown before and after the anomaly.
AROUND_HOURS = 3
NEIGHBOURS = 4
DASHES = ("--", ":", "-.", (0, (5, 1)))


def draw(anomaly: Anomaly, grid: Grid) -> str | None:
    """The plot as SVG; None for an anomaly of a station as a whole, which has no readings to show."""
    if anomaly.variable not in grid.values:
        return None
    row_of = {station.station_id: row for row, station in enumerate(grid.stations)}
    started, ended = (times.parse(text).timestamp() for text in (anomaly.start, anomaly.end))
    ends = grid.slot_times()
    around = AROUND_HOURS * 3600
    shown = (ends >= started - around) & (ends <= ended + around)
    at = np.array([times.from_epoch(end) for end in ends[shown]])
    readings = grid.values[anomaly.variable][:, shown]

    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    variable = BY_NAME[anomaly.variable]
    points = variable.plot == "points"
    steps = "steps-post" if variable.plot == "steps" else "default"
    figure = new_figure(7, 2.6)
    axes = figure.add_subplot()
    known = [one for one in anomaly.neighbours if one.station_id in row_of][:NEIGHBOURS]
    for one, dashes in zip(known, DASHES, strict=False):
        axes.plot(
            at, readings[row_of[one.station_id]],
            linestyle="none" if points else dashes, color=COLOURS["faint"], linewidth=1,
            marker="." if points else "", markersize=3, drawstyle=steps,
            label=_legend(f"{one.station_id}, {one.distance_km:g} km"),
        )  # fmt: skip
    colour = COLOURS[anomaly.class_]
    axes.plot(
        at, readings[row_of[anomaly.station_id]],
        linestyle="none" if points else "-", color=colour, linewidth=1.6, marker=".", markersize=4, drawstyle=steps,
        label=_legend(anomaly.station_id),
    )  # fmt: skip
    axes.axvspan(
        times.from_epoch(started - grid.cadence / 2),
        times.from_epoch(ended + grid.cadence / 2),
        color=colour,
        alpha=0.12,
        linewidth=0,
    )
    axes.set_ylabel(f"{variable.label}, {variable.unit}")
    locator = AutoDateLocator(maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    label = (
        f"{variable.name} of {anomaly.station_id} and of {len(known)} neighbours, from {anomaly.start} to {anomaly.end}"
    )
    return as_svg(figure, label)


def _legend(text: str) -> str:
    """A text for a legend, from which matplotlib leaves out what begins with an underscore."""
    return f" {text}" if text.startswith("_") else text
