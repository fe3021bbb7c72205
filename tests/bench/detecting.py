"""A detection run: seconds and memory of the whole process, for networks of 14 to 100,000 stations."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median_low

import numpy as np

from tests.bench.detection import baseline
from tests.bench.detection.weather import simulated
from tests.bench.figure import Figure
from tests.bench.process import Used, tool
from toolkit import times
from toolkit.detector import run
from toolkit.model import Document, Station
from toolkit.settings import load
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_reading, open_for_writing

END = 1_763_827_200
HOURS = 30  # the window, and a day before it
# What a run reads of a large network's ten-minute data: window and lead, and each fourth hour of five days.
READ = (*range(54), *range(54 + 24, 54 + 30 * 24, 24))
FITS = 25
ARIMA = ("--temporal-method", "arima")


def stations(number: int) -> list[Station]:
    """The default network, or so many stations at chance places, twenty to a square degree or fewer."""
    if number == 14:
        return list(default_network())
    random = np.random.default_rng(number)
    side = (number / 20) ** 0.5
    places = random.uniform([0, 0, 0], [side, side, 900], (number, 3)).tolist()
    return [
        Station(f"s{row:05d}", f"Station {row}", None, latitude, longitude, elevation)
        for row, (latitude, longitude, elevation) in enumerate(places)
    ]


def database(folder: Path, number: int, slots: Iterable[int] = range(HOURS * 6)) -> Path:
    """Simulated weather of these ten minutes, counted back: a day and a window, if nothing else is said."""
    network = stations(number)
    path, source = folder / f"{number}.db", SimulatedWeather(network, seed=3)
    with open_for_writing(str(path)) as store:
        store.add(Document(network, []), END)
        for slot in slots:
            at = END - 600 * slot
            store.add(Document([], [one for one in source.at(at) if one]), at)
    return path


def detect(path: Path, *words: str) -> Used:
    """What `weather-tool detect` takes, as a process."""
    used = tool("detect", "--db", str(path), "--end", times.iso(times.from_epoch(END)), *words)
    assert used.exit_code in {0, 1}, used
    return used


def run_of_100000(folder: Path) -> Iterator[Figure]:
    """A whole process, with five days before the window; and after a night in which a tenth of them went wrong."""
    path = database(folder, 100_000, READ)
    used = detect(path, "--no-record")
    yield Figure("detection at 100,000 stations", used.seconds, "s", 25, against=f"{used.cpu:.1f} s of CPU")
    yield Figure("the same, memory at most", used.megabytes, "MB", 600)
    source = SimulatedWeather(stations(100_000), seed=3)
    with open_for_writing(str(path)) as store:
        for at in range(END - 2 * 3600, END, 600):
            measured = [one for one in source.at(at)[::10] if one and one.temp_out is not None]
            store.add(Document([], [one._replace(temp_out=(one.temp_out or 0) + 8) for one in measured]), END)
    bad = detect(path, "--no-record")
    against = f"{bad.cpu:.1f} s, {bad.megabytes:.0f} MB"
    yield Figure("with a tenth of them wrong, times the CPU", bad.cpu / used.cpu, "x", 2, against=against)


def within(path: Path) -> float:
    """Seconds of a run in a process that has made one before."""
    settings = load({}, {}).settings
    took = 0.0
    with open_for_reading(str(path)) as store:
        for _ in range(3):
            began = time.perf_counter()
            run.detect(store, settings, END)
            took = time.perf_counter() - began
    return took


def runs_of_detection(folder: Path) -> Iterator[Figure]:
    """Whole processes by size of network, and what the guide's method needs for the same."""
    seconds = {}
    for number in (14, 100, 1_000, 10_000):
        path = database(folder, number)
        several = [detect(path) for _ in range(5 if number < 10_000 else 2)]
        seconds[number] = median_low(one.seconds for one in several)
        match number:
            case 14:
                imports = _guides_imports()
                against = f"the guide's: {imports + _guides_seconds(14):.1f} s with arima, its imports {imports:.1f} s"
                yield Figure("detection at 14 stations", seconds[14], "s", 0.7, against=against)
            case 1_000:
                fits = _guides_seconds(number)
                against = f"the guide's with arima: {fits:.0f} s by {FITS} of its fits; ours: {seconds[number]:.2f} s"
                yield Figure(
                    "detection at 1,000 stations, times faster", fits / seconds[number], "x", 100, True, against
                )
                yield Figure("the same with arima, times faster", fits / detect(path, *ARIMA).seconds, "x", 50, True)
            case 10_000:
                yield Figure("detection at 10,000 stations", seconds[number], "s", 3)
                yield Figure("the same, memory at most", max(one.megabytes for one in several), "MB", 250)
                yield Figure("the same with arima", detect(path, *ARIMA).seconds, "s", 15)
    small, large = within(folder / "1000.db") / 1_000, within(folder / "10000.db") / 10_000
    against = f"{small * 1000:.2f} and {large * 1000:.2f} ms, without a process's start"
    yield Figure("cost of a station, 10,000 against 1,000", large / small, "x", 1.5, against=against)


def _guides_imports() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import pandas, statsmodels.tsa.arima.model"], check=True)
    return time.perf_counter() - began


def _guides_seconds(number: int) -> float:
    """What the guide's method with arima takes for a window of so many stations, by some of its fits."""
    data = simulated(1, days=0.25)
    some = {name: values[:FITS] for name, values in data.values.items() if name == "temp_out"}
    few = len(some["temp_out"])
    end = int(data.times[-1])
    nobody: list[list[int]] = [[] for _ in range(few)]
    part = type(data)(data.name, data.stations[:few], data.times, some, some, data.silent[:few])
    baseline.window(part, nobody, end, "arima")
    began = time.perf_counter()
    baseline.window(part, nobody, end, "arima")
    return (time.perf_counter() - began) / few * 4 * number


BENCHES = (runs_of_detection, run_of_100000)
