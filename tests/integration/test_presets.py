"""Presets through the collector: one address for each station, an answer in two steps, secrets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conftest import Run
from tests.databases import query
from tests.documents import ROOT
from tests.integration.test_addresses import Paths
from tests.integration.test_sources import write
from toolkit.presets import preset

SAMPLES = ROOT / "tests" / "data" / "presets"


@pytest.fixture
def paths() -> Iterator[Paths]:
    running = Paths()
    yield running
    running.stop()


def address(paths: Paths, name: str) -> str:
    """The address of a preset at another server."""
    return paths.url + "/" + str(preset(name).source["url"]).split("/", 3)[3]


@pytest.mark.parametrize(
    ("name", "stations", "asked", "rows"),
    [
        ("dwd", ["10147", "10384"], "/weather/weather_reports/poi/10147-BEOB.csv", 4),
        ("fmi", ["100971"], "fmisid=100971&timestep=10&starttime=20", 2),
        ("met-eireann", ["phoenix-park"], "/observations/phoenix-park/today", 2),
        ("noaa-ghcnh", ["GRW00014713"], "/psv/GHCNh_GRW00014713_20", 2),
    ],
)
def test_a_network_with_an_address_for_each_station(
    run: Run,
    paths: Paths,
    environment: dict[str, str],
    db: str,
    tmp_path: Path,
    name: str,
    stations: list[str],
    asked: str,
    rows: int,
) -> None:
    (sample,) = SAMPLES.glob(f"{name}.*")
    paths.answer = lambda _path: (200, {}, sample.read_bytes())
    listed = tmp_path / "stations.csv"
    listed.write_text("station_id,latitude,longitude\n" + "".join(f"{one},50.1,8.2\n" for one in stations))
    write(
        tmp_path / "sources.toml", {"name": "x", "preset": name, "url": address(paths, name), "stations": str(listed)}
    )
    done = run("collect", "--once", WEATHER_SOURCES_FILE=str(tmp_path / "sources.toml"), WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    assert any(asked in unquote(path) for path in paths.asked), paths.asked
    found = query(db, "SELECT DISTINCT station_id FROM observations ORDER BY 1")
    assert found == [(one,) for one in stations]
    assert query(db, "SELECT COUNT(*) FROM observations") == [(rows,)]
