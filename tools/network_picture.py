"""The picture of docs/network-performance.md: `python -m tools.network_picture`, by Debian's Chromium."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

from toolkit.model import Document
from toolkit.simulator import faults
from toolkit.simulator.faults import Faulty
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_writing

PICTURE = Path("docs") / "images" / "network-performance.png"
START, END = (int(datetime(2025, month, 1, tzinfo=UTC).timestamp()) for month in (10, 11))
CADENCE = 600
BROKEN = (
    "station=volos,variable=temp_out,kind=offset,at=-12d,for=60h,size=6",
    "station=sparti,variable=out_hum,kind=stuck,at=-20d,for=30h",
    "station=grevena,kind=silent,at=-9d,for=52h",
    "station=zagora,variable=wind_speed,kind=dropout,at=-25d,for=100h",
)
SIZE: ViewportSize = {"width": 1000, "height": 1250}
TOOL = Path(sys.executable).parent / "weather-tool"


def main() -> None:
    """Write the page of a month with broken sensors, judged day by day, and its picture."""
    stations = default_network()
    weather = Faulty(SimulatedWeather(stations, 1), [faults.parse(spec, stations, END) for spec in BROKEN])
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "WEATHER_DB": f"{folder}/weather.db", "WEATHER_ENV_FILE": f"{folder}/none"}
        with open_for_writing(environment["WEATHER_DB"]) as store:
            store.add(Document(stations, []), START)
            for time in range(START + CADENCE, END + 1, CADENCE):
                store.add(Document([], [one for one in weather.at(time) if one and one.time == time]), time + 75)
        page = f"{folder}/month.html"
        for end in range(START + 86400, END + 1, 86400):
            words = ["detect", "--window", "24", "--end", datetime.fromtimestamp(end, UTC).isoformat()]
            subprocess.run([TOOL, *words], env=environment, check=True, stdout=subprocess.DEVNULL)
        with closing(sqlite3.connect(environment["WEATHER_DB"])) as connection:  # what people did, and when
            connection.execute(
                "UPDATE incidents SET opened = datetime(started, '3 hours'), "
                "acknowledged = datetime(started, '9 hours'), resolved = datetime(ended, '6 hours')"
            )
            connection.commit()
        subprocess.run([TOOL, "network", "--month", "2025-10", "--html", page], env=environment, check=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            tab = browser.new_page(viewport=SIZE)
            tab.goto(Path(page).as_uri())
            tab.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
