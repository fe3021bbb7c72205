"""A network whose stations are divided is judged as one that is not."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

import pytest

from tests.odd_network import END, collected
from toolkit.detector import in_parts, loading, piece
from toolkit.detector.explaining import Explaining
from toolkit.detector.run import detect
from toolkit.model import Document, Station
from toolkit.settings import Settings, load
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_reading, open_for_writing

Given = TypeVar("Given")
Found = TypeVar("Found")


def elsewhere(function: Callable[[Given], Found], tiles: Iterable[Given], /) -> Iterator[Found]:
    """What another process would return for each tile: all of it goes there and back as bytes."""
    for tile in tiles:
        there, of = pickle.loads(pickle.dumps((function, tile)))
        yield pickle.loads(pickle.dumps(there(of)))


@pytest.mark.parametrize(("seed", "number", "sizes"), [(1, 120, (50,)), (2, 100, (15,)), (3, 20, (1,))])
def test_the_report_is_the_same_for_every_size_of_tiles(
    seed: int, number: int, sizes: tuple[int, ...], db: str
) -> None:
    settings = collected(db, seed, number)
    with open_for_reading(db) as store:
        whole = detect(store, settings, END)
        assert len(whole.anomalies) > 4
        for size in sizes:
            report = detect(store, settings, END, apply=elsewhere, stations_in_tile=size)
            assert replace(report, generated_at=whole.generated_at) == whole


def test_so_is_that_of_values_in_16_bits(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = collected(db, 6, 60)
    with open_for_reading(db) as store:
        of_floats = detect(store, settings, END)
        monkeypatch.setattr(loading, "SMALL", 0)
        of_packed = detect(store, settings, END)
    assert len(of_floats.anomalies) > 4
    assert replace(of_packed, generated_at=of_floats.generated_at) == of_floats


def test_so_is_that_of_anomalies_that_are_classified_in_parts(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = collected(db, 7, 60)
    with open_for_reading(db) as store:
        whole = detect(store, settings, END)
        assert len(whole.anomalies) > 4
        explained = [Explaining(whole.anomalies[-1].station_id) for _ in range(2)]
        detect(store, settings, END, explaining=explained[0])
        monkeypatch.setattr(piece, "AT_ONCE", 4)
        report = detect(store, settings, END, explaining=explained[1])
    assert replace(report, generated_at=whole.generated_at) == whole
    assert explained[1].sensors == explained[0].sensors


def row_of_faults(db: str) -> Settings:
    """Stations in a row, each near four on either side. Every other one is too warm since a time of its own.

    Each is farther off than the one before, so that it is excluded only after those: which are, that depends on how far
    the row goes.
    """
    stations = [Station(f"s{row:02d}", None, None, 40 + row * 0.12, 20.0, 100.0) for row in range(24)]
    weather = SimulatedWeather(stations, seed=5)
    with open_for_writing(db) as store:
        store.add(Document(stations, []), END)
        for slot in range(180):
            measured = [one for one in weather.at(END - 600 * slot) if one and one.temp_out is not None]
            for row, one in enumerate(measured):
                if row % 2 == 0 and slot < 8 + (5 * row) % 24:
                    measured[row] = one._replace(temp_out=(one.temp_out or 0) + 6 + 0.35 * row)
            store.add(Document([], measured), END - 600 * slot)
    return load(environ={"WEATHER_DB": db}).settings


def test_so_is_that_of_stations_that_are_excluded_one_after_the_other(db: str) -> None:
    settings = row_of_faults(db)
    with open_for_reading(db) as store:
        whole = detect(store, settings, END)
        report = detect(store, settings, END, stations_in_tile=6)
        assert len(whole.anomalies) > 4
        assert replace(report, generated_at=whole.generated_at) == whole


def test_it_is_not_where_a_tile_lacks_the_stations_near_its_own(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, cut = collected(db, 3, 20), in_parts.cut
    monkeypatch.setattr(in_parts, "cut", lambda stations, near, most: cut(stations, [], most))
    with open_for_reading(db) as store:
        assert detect(store, settings, END, stations_in_tile=1).anomalies != detect(store, settings, END).anomalies


def test_so_is_what_is_said_of_one_station(db: str) -> None:
    settings = collected(db, 4, 80)
    with open_for_reading(db) as store:
        whole = detect(store, settings, END)
        judged = list(dict.fromkeys(one.station_id for one in whole.anomalies))
        for station in judged[:1]:
            reports, explained = [], []
            for size in (None, 25):
                reports.append(detect(store, settings, END, station, stations_in_tile=size))
                explained.append(Explaining(station))
                detect(store, settings, END, station, explained[-1], stations_in_tile=size)
            assert replace(reports[1], generated_at=reports[0].generated_at) == reports[0]
            assert explained[0].sensors
            assert explained[1].sensors == explained[0].sensors


@pytest.mark.parametrize("method", ["mad", "lof"])
def test_so_is_that_of_a_method(method: str, db: str) -> None:
    settings = replace(collected(db, 5, 60), detection_method=method)
    with open_for_reading(db) as store:
        whole = detect(store, settings, END)
        report = detect(store, settings, END, stations_in_tile=20)
    assert whole.anomalies
    assert replace(report, generated_at=whole.generated_at) == whole
