"""The page of a report, as a file."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Run
from tests.integration.conftest import Spoil
from toolkit.land import shores
from toolkit.model import Document, Observation, Station
from toolkit.store import open_for_writing

END = "--end=2025-11-22T16:00Z"
BIGGEST = 1_500_000


def page(run: Run, path: Path, *words: str) -> str:
    done = run("report", "--html", str(path), END, *words)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"page: {path}\n"
    return path.read_text(encoding="utf-8")


def test_a_page_names_the_fault_and_shows_it(run: Run, spoil: Spoil, tmp_path: Path) -> None:
    spoil("temp_out = temp_out + 15", "station_id = 'volos'", 2, 1.7)
    html = page(run, tmp_path / "pages" / "page.html")
    article = html[html.index("<article") : html.index("</article>")]
    assert "volos, temp_out" in article
    assert "device failure" in article
    assert "contradict it" in article
    assert 'aria-label="temp_out of volos and of' in article
    assert "Map of 14 stations: 13 well, 1 device failure" in html
    assert '<th scope="row">WEATHER_FEED_FIELDS</th><td>station_id=station_file|fid, time=ts</td>' in html


def test_a_page_that_was_asked_for_is_alone(run: Run, spoil: Spoil, tmp_path: Path) -> None:
    html = page(run, tmp_path / "pages" / "page.html")
    assert [path.name for path in (tmp_path / "pages").iterdir()] == ["page.html"]
    assert "index.html" not in html
    done = run("report", "--html", "-", END)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("<!doctype html>")


def test_a_page_is_one_file_of_a_bounded_size(run: Run, spoil: Spoil, tmp_path: Path) -> None:
    for number, station in enumerate(("volos", "sparti", "dodoni", "zagora", "vlasti", "grevena")):
        for variable in ("temp_out", "bar", "out_hum", "wind_speed"):
            for hours in (5, 3, 1):
                spoil(f"{variable} = {variable} + {20 + number}", f"station_id = '{station}'", hours, hours - 0.4)
    html = page(run, tmp_path / "page.html")
    assert html.count("<article") > html.count('aria-label="Plot of') > 0, "each of so many anomalies has a plot"
    assert len(html.encode()) < BIGGEST
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"', html) == []
    assert "<script" not in html
    assert re.search(r"url\((?!#)", html) is None


def test_what_a_feed_calls_a_station_is_text(
    run: Run, spoil: Spoil, environment: dict[str, str], tmp_path: Path
) -> None:
    with sqlite3.connect(environment["WEATHER_DB"]) as connection:
        connection.execute(
            "UPDATE stations SET station_id = '<b>$x$', station_name_en = '<script>alert(1)</script>' "
            "WHERE station_id = 'volos'"
        )
    connection.close()
    html = page(run, tmp_path / "page.html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script" not in html
    assert "<b>" not in html


def test_the_index_lists_the_pages_of_detection_runs(run: Run, spoil: Spoil, tmp_path: Path) -> None:
    (tmp_path / "report_0.html").write_text("no page of ours")
    for name, hours in (("report_1.html", "6"), ("report_2.html", "3")):
        done = run("detect", END, "--window", hours, "--html", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        assert 'href="index.html"' in (tmp_path / name).read_text(encoding="utf-8")
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'href="([^"]+)"', index) == ["report_2.html", "report_1.html", "report_0.html"]
    assert "14 of 14 stations judged" in index


def test_a_detection_run_writes_report_and_page_of_one_name(run: Run, spoil: Spoil, tmp_path: Path) -> None:
    form = str(tmp_path / "report_%Y%m%d_%H%M%S")
    done = run("detect", END, "--save", f"{form}.json", "--html", f"{form}.html")
    assert done.returncode == 0, done.stderr
    (report,) = tmp_path.glob("report_*.json")
    assert report.with_suffix(".html").exists()


@pytest.mark.parametrize("hours", [0, 1])
def test_a_young_service_has_a_page(run: Run, fill: Callable[..., None], tmp_path: Path, hours: int) -> None:
    fill(hours=hours)
    html = page(run, tmp_path / "page.html")
    assert f"0 of {14 if hours else 0} stations judged" in html


def test_a_page_of_a_large_network_has_the_window_alone(run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(1001)]
    nothing = [None] * (len(Observation._fields) - 3)
    stations = [Station(name, None, None, 39.0, 22.0, 20.0) for name in names]
    with open_for_writing(environment["WEATHER_DB"]) as store:
        store.add(
            Document(stations, [Observation(1_763_827_200, name, 20.0, *nothing) for name in names]), 1_763_827_260
        )
    html = page(run, tmp_path / "page.html")
    assert html.count("Not looked at here, for the network is large") == 2
    assert html.count("<tr data-state") == 1000
    assert "1 more are not shown" in html
    assert "<li>and 801 more</li>" in html


def test_a_page_that_cannot_be_written_is_said_in_a_line(run: Run, spoil: Spoil, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("report", "--html", str(tmp_path / "file" / "page.html"), END)
    assert done.returncode == 1
    assert done.stderr.startswith(f"weather-tool: cannot write {tmp_path / 'file' / 'page.html'}: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("places", "west", "east"),
    [
        ([(-17.75, 177.45), (-18.23, -178.80)], 177, 182),  # Fiji
        ([(66.0, -179.9), (66.2, 179.9), (66.1, 178.0)], 177, 181),
        ([(39.3, 22.9)], 22, 24),
        ([(39.3, 22.9), (39.3, 22.9)], 22, 24),
        ([(0.0, -0.5), (0.0, 0.5)], -1, 1),
        ([(52.0, 10.0), (35.0, -100.0)], -110, 20),
        ([(-90.0, 0.0), (-77.8, 166.7)], -1, 181),
    ],
)
def test_the_map_is_of_where_the_stations_are(
    run: Run, environment: dict[str, str], tmp_path: Path, places: list[tuple[float, float]], west: float, east: float
) -> None:
    nothing = [None] * (len(Observation._fields) - 3)
    stations = [Station(f"s{number}", None, None, *place, 20.0) for number, place in enumerate(places)]
    with open_for_writing(environment["WEATHER_DB"]) as store:
        rows = [Observation(1_763_827_200, one.station_id, 20.0, *nothing) for one in stations]
        store.add(Document(stations, rows), 1_763_827_260)
    html = page(run, tmp_path / "page.html")
    labels = [text.replace("−", "-") for text in re.findall(r"<text[^>]*>([^<]*)</text>", html)]
    degrees = [float(text) for text in labels[: labels.index("longitude, °E")]]
    assert degrees
    assert west <= min(degrees) <= max(degrees) <= east


def test_shores_go_on_beyond_180_degrees() -> None:
    there = np.concatenate(shores(176, 184, -20, -15))
    assert there[:, 0].min() < 178
    assert there[:, 0].max() > 180
    assert len(np.concatenate(shores(176, 180, -20, -15))) < len(there)
