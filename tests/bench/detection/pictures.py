"""Pictures of alarms, for the eye: what the station read, its neighbours, what was expected, and why."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter

from tests.bench.detection.alarms import Alarm
from tests.bench.detection.baseline import km
from tests.bench.detection.labelled import HOUR, Floats, Labelled
from tests.bench.detection.scoring import WHOLE
from toolkit import times
from toolkit.quality.arrays import Ints
from toolkit.quality.neighbours import nearest
from toolkit.settings import load
from toolkit.variables import BY_NAME

Moments = npt.NDArray[np.datetime64]

AROUND_HOURS = 15
A_PAGE = 6
NEIGHBOURS = 5


def draw(folder: Path, name: str, alarms: Sequence[tuple[Alarm, Labelled]]) -> None:
    """Write some alarms of a network, several to a page, as NAME-1.png and so on."""
    mpl.rcParams.update({"font.size": 7, "axes.spines.top": False, "axes.spines.right": False})
    folder.mkdir(parents=True, exist_ok=True)
    for page, first in enumerate(range(0, len(alarms), A_PAGE), start=1):
        figure, axes = pyplot.subplots(A_PAGE // 2, 2, figsize=(13, 9.5), layout="constrained", squeeze=False)
        shown = alarms[first : first + A_PAGE]
        for axis, (alarm, data) in zip(axes.flat, shown, strict=False):
            _panel(axis, alarm, data)
        for axis in axes.flat[len(shown) :]:
            axis.set_axis_off()
        axes[0, 0].legend(loc="upper left", frameon=False, ncols=3)
        figure.savefig(folder / f"{name}-{page}.png", dpi=110)
        pyplot.close(figure)


def _panel(axis: Axes, alarm: Alarm, data: Labelled) -> None:
    ids = [station.station_id for station in data.stations]
    row = ids.index(alarm.station)
    variable = alarm.variable if alarm.variable != WHOLE else next(iter(data.values))
    start, end = (times.parse(text).timestamp() for text in (alarm.start, alarm.end))
    part = (data.times >= start - AROUND_HOURS * HOUR) & (data.times <= end + AROUND_HOURS * HOUR)
    at, values = data.times[part].astype("datetime64[s]"), data.values[variable][:, part]
    settings = load({}, {}).settings
    near = nearest(list(data.stations), settings.neighbour_km, settings.neighbour_elevation_m)
    close = near.rows[row][near.close[row]]
    close = close[[not np.isnan(values[station]).all() for station in close]][:NEIGHBOURS]
    for station in close:
        # Levelled by the usual difference of the two, as the detector compares them.
        usual = np.nanmedian(data.values[variable][row] - data.values[variable][station])
        levelled = values[station] + (0 if np.isnan(usual) else usual)
        axis.plot(*_known(at, levelled), linewidth=0.8, label=f"{ids[station]} ({km(data, row, station):.0f} km)")
    axis.plot(*_known(at, values[row]), color="black", linewidth=1.3, marker=".", markersize=3, label=alarm.station)
    axis.axvspan(*(datetime.fromtimestamp(epoch, UTC) for epoch in (start, end)), color="tab:red", alpha=0.15)
    if alarm.expected is not None:
        axis.axhline(alarm.expected, color="tab:red", linewidth=0.7, linestyle="--")
    others = [
        f"{name} {_shown(data.values[name][row], data.times, start, end)}" for name in data.values if name != variable
    ]
    unit = BY_NAME[variable].unit
    head = f"{alarm.station} {alarm.variable} {alarm.start} to {alarm.end}: {alarm.test}, {alarm.class_}, score {alarm.score}"
    text = [head, *textwrap.wrap(alarm.reason, 110), "there: " + "; ".join(others)]
    axis.set_title("\n".join(text), loc="left", fontsize=6.5)
    axis.set_ylabel(f"{variable}, {unit}")
    axis.xaxis.set_major_formatter(DateFormatter("%d %Hh"))


def _known(at: Moments, values: Floats) -> tuple[Moments, Floats]:
    there = ~np.isnan(values)
    return at[there], values[there]


def _shown(values: Floats, moments: Ints, start: float, end: float) -> str:
    """A few readings of another variable: three hours before, an hour before, then, after, and three hours after."""
    found = []
    for moment in (start - 3 * HOUR, start - HOUR, start, end, end + HOUR, end + 3 * HOUR):
        slot = min(max(int(np.searchsorted(moments, moment)), 0), moments.size - 1)
        found.append("-" if np.isnan(values[slot]) else f"{values[slot]:g}")
    return " ".join(found)
