"""Fifty stations that nobody would call so, through all that shows them."""

from __future__ import annotations

import csv
import json
import re
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Run
from toolkit.archive.spreadsheet import unguarded
from toolkit.model import Document, Observation, Station
from toolkit.store import open_for_writing

END = 1_763_827_200
UNTIL = "--end=2025-11-22T16:00Z"
IDS = (
    "$$", "$x$", "$\\frac{1}{0}$", "a\\qb", "a\\g<0>b", "a\\1b", "\\", "\\\\", "\\n", "_x", "__", "%", "%s", "%(x)s", "{x}", "{0}",
    "{{ 7*7 }}", "{% raw %}", "[/x]", "[bold]", "[link=x]", "<b>", "</script><script>alert(1)</script>", "<!--", "-->", "]]>",
    "\"onload=\"x", "'onload='x", "&amp;", "&#0;", "` `", "${x}", "$(x)", ";x", "|x", "=1+1", "@x", "+1", "-1", "--help", "..", "../../x",
    "/etc/passwd", "javascript:x", "url(x)", 'x id="text_1" y', "#010101", "1.23456789", "日本語", "Βόλος", "🌩", "عاصفة", "x" * 200, "a,b", "a;b",
)  # fmt: skip


class Page(HTMLParser):
    """The text and the attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.stations: set[str] = set()
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "data-station":
                self.stations.add(value or "")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def hostile(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A day of them; half jump at the end, so that each of these has a plot and a reason."""
    nothing = dict.fromkeys(Observation._fields)
    stations = [
        Station(name, name, name, 38 + number % 7 * 0.02, 23 + number // 7 * 0.02, 10.0)
        for number, name in enumerate(IDS)
    ]
    with open_for_writing(environment["WEATHER_DB"]) as store:
        for slot in range(30 * 6, -1, -1):
            rows = []
            for number, name in enumerate(IDS):
                value = 12 + (slot * 7 + number) % 10 / 10 + (15.0 if number % 2 and slot < 9 else 0)
                values = {
                    **nothing,
                    "time": END - slot * 600,
                    "station_id": name,
                    "temp_out": value,
                    "wind_dir_str": name[:20],
                }
                rows.append(Observation(**values))
            store.add(Document(stations if slot == 180 else [], rows), END - slot * 600 + 60)
    return environment


def test_a_name_is_text_wherever_it_is_shown(run: Run, hostile: dict[str, str], tmp_path: Path) -> None:
    done = run("report", UNTIL, "--html", str(tmp_path / "page.html"))
    assert (done.returncode, done.stderr) == (0, f"page: {tmp_path / 'page.html'}\n")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(html)
    assert page.stations == set(IDS)
    assert not page.tags & {"script", "b"}
    assert not {name for name in page.attributes if name.startswith("on")}
    assert not re.search(r"url\((?!#)", re.sub(r">[^<]*<", "><", html).replace(escape("url(x)"), ""))
    drawn = {unescape(text).strip() for text in re.findall(r"<text[^>]*>([^<]*)</text>", html)}
    found = {name for name in IDS if name in drawn or any(text.startswith(f"{name}, ") for text in drawn)}
    assert len(found) > 40, set(IDS) - found
    assert "1.23456789" in drawn
    assert "#010101" in html

    told = run("detect", "--no-record", UNTIL, "--json")
    report = json.loads(told.stdout)
    assert {one["station_id"] for one in report["anomalies"]} <= set(IDS)
    assert len({one["station_id"] for one in report["anomalies"]}) > 10

    metrics = run("metrics").stdout
    ages = {
        sample.labels["station"]
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == "weather_station_data_age_seconds"
    }
    assert ages == set(IDS)

    exported = run("data", "export", "-").stdout
    assert {row["station_id"] for row in map(unguarded, csv.DictReader(exported.splitlines()))} == set(IDS)
    for words in (
        ("doctor",),
        ("doctor", "--json"),
        ("healthcheck",),
        ("data", "latest"),
        ("data", "summary"),
        ("sensors", "--days", "1", UNTIL),
        ("network", "--month", "2025-11"),
    ):
        done = run(*words)
        assert "Traceback" not in done.stderr
        assert done.stderr == "", words


def test_pages_that_are_none_break_no_index(run: Run, hostile: dict[str, str], tmp_path: Path) -> None:
    import os

    folder = tmp_path / "reports"
    (folder / "folder.html").mkdir(parents=True)
    (folder / "dangling.html").symlink_to("/nowhere")
    (folder / "secret.html").symlink_to("/etc/passwd")
    os.mkfifo(folder / "fifo.html")
    (folder / "javascript:alert(1).html").write_text('<meta name="description" content="&lt;i&gt;<b>bold">')
    (folder / os.fsdecode(b"\xff\n.html")).write_text("")
    done = run("detect", "--no-record", UNTIL, "--html", str(folder / "report.html"))
    assert done.returncode == 0, done.stderr
    index = (folder / "index.html").read_text()
    assert set(re.findall(r'href="([^"]*)"', index)) == {"report.html", "javascript%3Aalert%281%29.html", "%FF%0A.html"}
    assert "&lt;i&gt;&lt;b&gt;bold" in index
