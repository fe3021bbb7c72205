"""Stations of sources with different cadences: each is expected as often as its own source tells of it."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path

from toolkit.detector.report import Report
from toolkit.detector.run import detect
from toolkit.model import Document, Observation
from toolkit.settings import load
from toolkit.simulator.network import default_network
from toolkit.store import open_for_reading, open_for_writing

HOUR = 3600
HOURS = 18
END = 1_763_740_800  # 2025-11-21 16:00:00 UTC
CADENCES = {"fast": 60, "slow": HOUR}
STATIONS = default_network()[:10]
OF_SOURCE = {"fast": STATIONS[:5], "slow": STATIONS[5:]}
FAST, SLOW = STATIONS[0].station_id, STATIONS[5].station_id


def run(db: str, folder: Path, silent: Collection[str]) -> Report:
    """A detection run over eighteen hours, in whose last five some stations are silent."""
    file = folder / "sources.toml"
    file.write_text("".join(f'[[source]]\nname = "{name}"\nurl = "http://192.0.2.1/"\ncadence_seconds = {seconds}\n'
                            for name, seconds in CADENCES.items()), "utf-8")  # fmt: skip
    settings = load(environ={"WEATHER_DB": db, "WEATHER_SOURCES_FILE": str(file)}).settings
    with open_for_writing(settings.db) as store:
        for name, seconds in CADENCES.items():
            document = Document(
                OF_SOURCE[name],
                [
                    measured(number, one.station_id, at)
                    for at in range(END - HOURS * HOUR + seconds, END + 1, seconds)
                    for number, one in enumerate(OF_SOURCE[name])
                    if at <= END - 5 * HOUR or one.station_id not in silent
                ],
            )
            document.source = name
            store.add(document, END)
    with open_for_reading(settings.db) as store, store.snapshot():
        return detect(store, settings, END)


def measured(number: int, station_id: str, at: int) -> Observation:
    """A station's temperature in calm weather, to a tenth of a degree."""
    nothing = Observation(at, station_id, *[None] * (len(Observation._fields) - 2))
    return nothing._replace(temp_out=round(12 + number + 4 * math.sin(at / 13750) + 0.2 * math.sin(at / 7 + number), 1))


def gaps(report: Report) -> set[str]:
    """The stations that the run finds missing, or with too few data."""
    found = {one.station_id for one in report.anomalies if one.test == "missing"}
    return found | {one.station_id for one in report.insufficient}


def test_no_station_is_missing_that_reports_as_its_source_tells(db: str, tmp_path: Path) -> None:
    assert gaps(run(db, tmp_path, [])) == set()


def test_a_station_of_either_source_is_missed(db: str, tmp_path: Path) -> None:
    assert gaps(run(db, tmp_path, [FAST, SLOW])) == {FAST, SLOW}
