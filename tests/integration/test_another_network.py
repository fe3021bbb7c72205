"""docs/feeds.md is followed from an address to a source that is watched; the network's server is ours."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from tests.conftest import Feed, Run, collection, feature
from tests.databases import query
from tests.documents import ROOT, commands_of
from tests.integration.test_sources import write

PAGE = ROOT / "docs" / "feeds.md"
STEPS = PAGE.read_text("utf-8").partition("## Naming fields")[0]
ADDRESS = "https://data.example.org/sites.json"
WRITTEN = "26/11/2026 21:00"


def block(language: str) -> str:
    """The first block of a language in the steps."""
    found = re.search(rf"```{language}\n(.*?)```", STEPS, re.DOTALL)
    assert found
    return found[1]


def command(*beginning: str) -> list[str]:
    """The words of the command of the page that begins so, without the program's name."""
    (found,) = (words for one in commands_of(PAGE) if (words := shlex.split(one)[1:])[: len(beginning)] == [*beginning])
    return found


@pytest.fixture
def harbour() -> Iterator[Feed]:
    """The server of the page's example, whose newest values are of this minute."""
    feed = Feed()
    local = f"{datetime.now(ZoneInfo('Europe/Athens')):%d/%m/%Y %H:%M}"
    feed.body = block("json").replace(WRITTEN, local).encode()
    yield feed
    feed.stop()


def at(feed: Feed, words: list[str]) -> list[str]:
    return [feed.url if word == ADDRESS else word for word in words]


def test_the_guess_is_what_the_page_shows(run: Run, harbour: Feed) -> None:
    done = run(*at(harbour, command("feed", "guess")))
    assert done.returncode == 0, done.stderr
    assert done.stdout == block("text").replace(ADDRESS, harbour.url)


def test_what_was_decided_is_tried(run: Run, harbour: Feed) -> None:
    done = run(*at(harbour, command("feed", "try", ADDRESS)))
    assert done.returncode == 0, done.stderr
    assert "2 stations, 2 of them with a place, 2 observations" in done.stdout
    assert "left out" not in done.stdout
    assert "wind_dir\tlast.wind_dir\t1 of 2\t22.5 °\t22.5 °" in done.stdout


def test_a_network_that_is_known(run: Run) -> None:
    assert run(*command("feed", "presets", "meteoswiss")).returncode == 0
    words = command("feed", "try", "--preset")
    done = run(*words, str(ROOT / "tests" / "data" / "presets" / "meteoswiss.csv"))
    assert done.returncode == 0, done.stderr
    assert "4 stations, 0 of them with a place, 4 observations" in done.stdout


def test_the_file_of_stations(run: Run, tmp_path: Path) -> None:
    text = re.search(r"```text\n(station_id,.*?)```", STEPS, re.DOTALL)
    assert text
    (tmp_path / "stations.csv").write_text(text[1], encoding="utf-8")
    document = str(ROOT / "tests" / "data" / "presets" / "meteoswiss.csv")
    done = run("feed", "try", "--preset", "meteoswiss", document, "--stations", str(tmp_path / "stations.csv"))
    assert "4 stations, 2 of them with a place" in done.stdout, done.stderr


def test_the_inventory_s_sources_are_collected_and_watched(
    run: Run, harbour: Feed, feed: Feed, environment: dict[str, str], tmp_path: Path, db: str
) -> None:
    sources: list[dict[str, Any]] = yaml.safe_load(block("yaml"))["weather_sources"]
    assert [one["name"] for one in sources] == ["noa", "harbour"]
    feed.body = collection(feature("volos", ts=int(time.time()) - 60))
    write(tmp_path / "sources.toml", {**sources[0], "url": feed.url}, {**sources[1], "url": harbour.url})
    environment |= {"WEATHER_SOURCES_FILE": str(tmp_path / "sources.toml"), "WEATHER_DB": db}
    done = run("collect", "--once")
    assert done.returncode == 0, done.stderr
    assert query(db, "SELECT station_id, source FROM stations ORDER BY station_id") == [
        ("harbour-light", "harbour"),
        ("harbour-pier", "harbour"),
        ("volos", "noa"),
    ]
    found = query(db, "SELECT temp_out, wind_speed, wind_dir FROM observations WHERE station_id = 'harbour-pier'")
    assert found == [(12.0, 14.82, 22.5)]
    done = run(*command("feed", "try", "--name"))
    assert "2 observations" in done.stdout, done.stderr
    done = run(*command("doctor", "--area"), "--json")
    assert json.loads(done.stdout)["causes"] == [], done.stdout
