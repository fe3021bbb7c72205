"""The pictures of docs/report.md: `python -m tools.report_pictures`, by Debian's Chromium."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import ViewportSize, sync_playwright

from toolkit.commands.detect import record
from toolkit.detector.run import detect
from toolkit.model import Document
from toolkit.page import writing
from toolkit.settings import Origin, load
from toolkit.simulator import faults
from toolkit.simulator.faults import Faulty
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_reading, open_for_writing

FOLDER = Path("docs") / "images"
END = 1_763_827_200  # 2025-11-22 16:00:00 UTC
DAYS = 31
CADENCE = 600
BROKEN = (
    "station=volos,variable=temp_out,kind=spike,at=-2h,for=20m,size=35",
    "station=sparti,variable=out_hum,kind=stuck,at=-14h,for=15h",
    "station=grevena,kind=silent,at=-12h,for=13h",
    "station=grevena,kind=silent,at=-12d,for=40h",
)
SIZE: ViewportSize = {"width": 1000, "height": 1300}
# The part of the page that each picture shows: its top, or its anomalies.
SHOWN: dict[Literal["light", "dark"], str] = {"light": "", "dark": "#anomalies"}


def main() -> None:
    """Write the page of a night with broken sensors, and its pictures."""
    stations = default_network()
    weather = Faulty(SimulatedWeather(stations, 1), [faults.parse(spec, stations, END) for spec in BROKEN])
    with tempfile.TemporaryDirectory() as folder:
        db, page = f"{folder}/weather.db", Path(folder) / "report.html"
        settings = load({"db": Origin(db, ""), "backups": Origin(folder, "")}, {}).settings
        with open_for_writing(db) as store:
            store.add(Document(stations, []), END)
            times = range(END - DAYS * 86400, END + 1, CADENCE)
            rows = [one for time in times for one in weather.at(time) if one and one.time == time]
            store.add(Document([], rows), END)
        with open_for_reading(db) as store:
            report = detect(store, settings, END)
        record(settings, report, END, None)
        with open_for_reading(db) as store:
            writing.add(store, settings, report, END, page)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            for scheme, part in SHOWN.items():
                tab = browser.new_page(viewport=SIZE, color_scheme=scheme)
                tab.goto(page.as_uri() + part)
                tab.screenshot(path=FOLDER / f"report-{scheme}.png")


if __name__ == "__main__":
    main()
