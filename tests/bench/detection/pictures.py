"""Pictures of alarms, for the eye: what the station read, its neighbours, what was expected, and why.

`python -m tests.bench.detection.pictures FOLDER` draws those of docs/detection.md from the networks in a folder, and prints
what the detector says of each.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter

from tests.bench.detection import archive
from tests.bench.detection.alarms import Alarm
from tests.bench.detection.baseline import km
from tests.bench.detection.detectors import ours
from tests.bench.detection.labelled import HOUR, Floats, Labelled
from tests.bench.detection.scoring import WHOLE
from toolkit import times
from toolkit.quality.arrays import Ints
from toolkit.quality.neighbours import nearest
from toolkit.settings import load
from toolkit.variables import BY_NAME


class Case(NamedTuple):
    """What a picture of docs/detection.md shows: a station's variable for some hours of a network's archive."""

    title: str
    network: str
    station: str
    variable: str
    start: str
    hours: float


CASES = (
    Case("A front: dry air reaches one station five hours before the others", "beijing", "Changping", "out_hum",
         "2014-11-23T18:00Z", 4),
    Case("A night: neighbours disagree among themselves", "beijing", "Gucheng", "temp_out", "2014-05-26T15:00Z", 3),
    Case("A calm: neighbours hardly have wind", "beijing", "Dongsi", "wind_speed", "2013-07-15T10:00Z", 8),
    Case("A shower's outflow, at one station or two", "singapore", "S43", "temp_out", "2017-01-28T05:20Z", 1),
    Case("Saturated air, whose values the network leaves out", "singapore", "S122", "out_hum", "2017-02-15T22:00Z", 1.7),
    Case("Silent each night until the sun is up: right, and nothing to be told daily", "singapore", "S60", "temp_out",
         "2017-02-05T18:30Z", 9.5),
)  # fmt: skip

Moments = npt.NDArray[np.datetime64]

AROUND_HOURS = 15
PICTURE = Path("docs") / "images" / "real.svg"
BEFORE_DAYS = 6
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
    row = [station.station_id for station in data.stations].index(alarm.station)
    variable = alarm.variable if alarm.variable != WHOLE else next(iter(data.values))
    start, end = (times.parse(text).timestamp() for text in (alarm.start, alarm.end))
    _readings(axis, data, row, variable, start, end)
    if alarm.expected is not None:
        axis.axhline(alarm.expected, color="tab:red", linewidth=0.7, linestyle="--")
    others = [
        f"{name} {_shown(data.values[name][row], data.times, start, end)}" for name in data.values if name != variable
    ]
    head = f"{alarm.station} {alarm.variable} {alarm.start} to {alarm.end}: {alarm.test}, {alarm.class_}, score {alarm.score}"
    text = [head, *textwrap.wrap(alarm.reason, 110), "there: " + "; ".join(others)]
    axis.set_title("\n".join(text), loc="left", fontsize=6.5)


def _readings(axis: Axes, data: Labelled, row: int, variable: str, start: float, end: float) -> None:
    """What a station read around some time, and its neighbours, each levelled by its usual difference from the station."""
    ids = [station.station_id for station in data.stations]
    part = (data.times >= start - AROUND_HOURS * HOUR) & (data.times <= end + AROUND_HOURS * HOUR)
    at, values = data.times[part].astype("datetime64[s]"), data.values[variable][:, part]
    settings = load({}, {}).settings
    near = nearest(list(data.stations), settings.neighbour_km, settings.neighbour_elevation_m)
    close = near.rows[row][near.close[row]]
    close = close[[not np.isnan(values[station]).all() for station in close]][:NEIGHBOURS]
    for station in close:
        usual = np.nanmedian(data.values[variable][row] - data.values[variable][station])
        levelled = values[station] + (0 if np.isnan(usual) else usual)
        axis.plot(*_known(at, levelled), linewidth=0.8, label=f"{ids[station]} ({km(data, row, station):.0f} km)")
    axis.plot(*_known(at, values[row]), color="black", linewidth=1.3, marker=".", markersize=3, label=ids[row])
    axis.axvspan(*(datetime.fromtimestamp(epoch, UTC) for epoch in (start, end)), color="tab:red", alpha=0.15)
    axis.set_ylabel(f"{variable}, {BY_NAME[variable].unit}")
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


def main() -> None:
    """Draw the cases, and print what the present detector finds there."""
    mpl.rcParams.update(
        {"svg.hashsalt": "weather", "font.size": 8, "axes.spines.top": False, "axes.spines.right": False}
    )
    archives = {name: archive.read(Path(sys.argv[1]), name) for name in {case.network for case in CASES}}
    figure, axes = pyplot.subplots(len(CASES), 1, figsize=(8, 2.2 * len(CASES)), layout="constrained")
    for case, axis in zip(CASES, axes, strict=True):
        start = times.parse(case.start).timestamp()
        data = archive.between(archives[case.network], start - BEFORE_DAYS * archive.DAY, start + archive.DAY)
        row = [station.station_id for station in data.stations].index(case.station)
        end = start + case.hours * HOUR
        _readings(axis, data, row, case.variable, start, end)
        axis.set_title(f"{case.title} ({case.network}, {case.station})", loc="left", fontsize=9)
        axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        found = {
            f"{one.test}: {one.class_}"
            for one in ours()(data)
            if one.station == row and one.variable in {case.variable, WHOLE} and one.start <= end and one.end >= start
        }
        print(f"{case.title}: {', '.join(sorted(found)) or 'nothing'}")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
