"""The pictures of docs/detection.md: `python -m tests.bench.detection.plots`."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter

from tests.bench.detection.detectors import fill
from tests.bench.detection.labelled import HOUR, Labelled
from tests.bench.detection.weather import simulated
from toolkit import times
from toolkit.detector import loading
from toolkit.detector.run import detect
from toolkit.quality.expected import Expectations
from toolkit.quality.neighbours import nearest
from toolkit.quality.series import unscaled
from toolkit.settings import load
from toolkit.sources import Cadences
from toolkit.store import open_for_reading
from toolkit.variables import BY_NAME

FOLDER = Path("docs") / "images"
SHOWN_HOURS = 24
COLOURS = {"device_failure": "#d62728", "weather_event": "#2ca02c", "unverified": "#ff7f0e"}


@dataclass(frozen=True)
class Picture:
    """One panel: the fault that is put into a station's readings, and the hours of the data between which it is there."""

    title: str
    station: str
    variable: str
    put_in: str
    from_hour: float
    until_hour: float


PICTURES = (
    Picture("A drift: neighbours imply another value, longer and longer", "volos", "temp_out", "drift", 96, 114),
    Picture("A front: its neighbour saw the same some hours before", "dodoni", "out_hum", "", 0, 0),
    Picture("A stalled anemometer: calm, while neighbours have wind", "zagora", "wind_speed", "stall", 100, 114),
    Picture("A wrong unit: all at once, and in other steps", "sparti", "wind_speed", "unit", 106, 114),
)


def main() -> None:
    """Write the pictures."""
    mpl.rcParams.update(
        {"svg.hashsalt": "weather", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    weather = simulated(4)
    figure, axes = pyplot.subplots(len(PICTURES), 1, figsize=(8, 2.3 * len(PICTURES)), layout="constrained")
    for picture, axis in zip(PICTURES, axes, strict=True):
        draw(picture, axis, weather)
    axes[0].legend(loc="upper left", frameon=False)
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / "anomalies.svg", metadata={"Date": None})


def spoilt(picture: Picture, weather: Labelled) -> Labelled:
    """The weather with the picture's fault."""
    ids = [station.station_id for station in weather.stations]
    row = ids.index(picture.station)
    hours = (weather.times - weather.times[0]) / HOUR
    part = (hours >= picture.from_hour) & (hours < picture.until_hour)
    readings = weather.values[picture.variable].copy()
    match picture.put_in:
        case "drift":
            readings[row, part] += 0.5 * (hours[part] - picture.from_hour)
        case "stall":
            readings[row, part] = 0
        case "unit":
            readings[row, part] *= 3.6
    return replace(weather, values={**weather.values, picture.variable: np.round(readings, 1)})


def draw(picture: Picture, axis: Axes, weather: Labelled) -> None:
    """One station's readings, what was expected, and the classes of what the runs meanwhile found."""
    data = spoilt(picture, weather)
    settings = load({}, {}).settings
    name, unit = picture.variable, BY_NAME[picture.variable].unit
    with tempfile.TemporaryDirectory() as folder:
        db = str(Path(folder) / "weather.db")
        fill(db, data)
        with open_for_reading(db) as store:
            ends = range(int(data.times[0]) + 90 * HOUR, int(data.times[-1]) + 1, 2 * HOUR)
            found = [one for end in ends for one in detect(store, settings, end, picture.station).anomalies]
            found = [one for one in found if one.variable == name]
            spans = [(times.parse(one.start), times.parse(one.end), one.class_) for one in found]
            until = max(end for _, end, _ in spans)
            end = int(until.timestamp()) // HOUR * HOUR + 2 * HOUR
            seen = loading.load(store, end - SHOWN_HOURS * HOUR, end, Cadences(settings.cadence_seconds), [name])
    series = seen.series(name)
    near = nearest(seen.stations, settings.neighbour_km, settings.neighbour_elevation_m)
    everybody = np.arange(len(seen.stations))
    expected = Expectations(series, near).many(everybody, np.zeros(len(everybody), dtype=bool))
    row = [station.station_id for station in seen.stations].index(picture.station)
    ends_of_slots = seen.slot_times()[-series.window :]
    begins = times.from_epoch(float(ends_of_slots[0]))
    at = ends_of_slots.astype("datetime64[s]")
    implied = unscaled(series.variable, series.scaled[row] - expected.residual[row])[-series.window :]
    for station in near.rows[row][near.close[row]]:
        axis.plot(at, series.window_values[station], color="0.85", linewidth=0.8, zorder=0)
    axis.plot(at, implied, color="#1f77b4", linewidth=1.2, linestyle="--", label="implied by its neighbours")
    axis.plot(at, series.window_values[row], color="black", linewidth=1.2, label="what it reads")
    for begin, finish, class_ in spans:
        if finish > begins:
            axis.axvspan(max(begin, begins), finish, color=COLOURS[class_], alpha=0.15, linewidth=0)
    classes = sorted({class_ for _, finish, class_ in spans if finish > begins})
    axis.set_title(f"{picture.title} ({picture.station}: {', '.join(classes)})", loc="left", fontsize=9)
    axis.set_ylabel(f"{name}, {unit}")
    axis.xaxis.set_major_formatter(DateFormatter("%H:%M"))


if __name__ == "__main__":
    main()
