"""Presets through the collector: one address for each station, an answer in two steps, secrets."""

from __future__ import annotations

import json
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


def secrets(folder: Path, **of: str) -> dict[str, str]:
    """The variables of a command whose credential has these secrets."""
    (folder / "source_secrets").write_text(
        "".join(f"{json.dumps(name)} = {json.dumps(one)}\n" for name, one in of.items())
    )
    return {"CREDENTIALS_DIRECTORY": str(folder)}


def test_an_answer_in_two_steps(run: Run, paths: Paths, db: str, tmp_path: Path) -> None:
    """AEMET's first answer says where the data are."""

    def answer(path: str) -> tuple[int, dict[str, str], object]:
        if path == "/opendata/sh/0a1b":
            return 200, {}, (SAMPLES / "aemet.json").read_bytes()
        return (
            200,
            {},
            {"descripcion": "exito", "estado": 200, "datos": f"{paths.url}/opendata/sh/0a1b", "metadatos": "x"},
        )

    paths.answer = answer
    write(tmp_path / "sources.toml", {"name": "aemet", "preset": "aemet", "url": address(paths, "aemet")})
    variables = {"WEATHER_SOURCES_FILE": str(tmp_path / "sources.toml"), **secrets(tmp_path, aemet="k")}
    done = run("collect", "--once", WEATHER_DB=db, **variables)
    assert done.returncode == 0, done.stderr
    assert query(db, "SELECT station_id FROM observations ORDER BY 1") == [("0002I",), ("8025",)]
    assert [one.get("api_key") for one in paths.headers] == ["k", "k"]
    done = run("feed", "try", "--name", "aemet", **variables)
    assert "2 stations, 2 of them with a place, 2 observations" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("name", "given", "header", "query_"),
    [
        ("metno-frost", "me:", {"Authorization": "Basic bWU6"}, ""),
        ("knmi", "k", {"Authorization": "k"}, ""),
        ("netatmo", "t", {"Authorization": "Bearer t"}, ""),
        ("meteo-france", "k", {"apikey": "k"}, ""),
        ("synoptic", "s3cret", {}, "token=s3cret"),
        ("weatherlink", "pub1ic\ns3cret", {"X-Api-Secret": "s3cret"}, "api-key=pub1ic"),
        ("ecowitt", "app1ication\ns3cret", {}, "application_key=app1ication&api_key=s3cret"),
    ],
)
def test_the_secrets_of_a_network(
    run: Run, paths: Paths, tmp_path: Path, name: str, given: str, header: dict[str, str], query_: str
) -> None:
    (sample,) = SAMPLES.glob(f"{name}.*")
    paths.answer = lambda _path: (200, {}, sample.read_bytes())
    (tmp_path / "stations.csv").write_text("station_id,latitude,longitude\n1,50.1,8.2\n")
    words = [] if "{station}" not in str(preset(name).source["url"]) else ["--stations", str(tmp_path / "stations.csv")]
    done = run("feed", "try", address(paths, name), "--preset", name, *words, **secrets(tmp_path, **{name: given}))
    assert done.returncode == 0, done.stderr
    assert {field: paths.headers[0].get(field) for field in header} == header
    assert query_ in paths.asked[0]
    assert not any(secret in done.stdout + done.stderr for secret in given.split("\n") if len(secret) > 4)
