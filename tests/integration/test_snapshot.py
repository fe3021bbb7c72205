"""A run that reads sees one moment, whatever a collector commits meanwhile, on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import collection, feature
from tests.databases import query
from tests.feeds import parse
from toolkit.detector.run import detect
from toolkit.detector.sensors import examine
from toolkit.page.writing import page
from toolkit.settings import Settings, load
from toolkit.store import Selection, Store, open_for_reading, open_for_writing

TIME = 1_763_827_200
STATIONS = ("portaria", "volos", "zagora")


def add(db: str, *names: str) -> None:
    with open_for_writing(db) as store:
        for step in range(37):
            at = TIME - 600 * step
            store.add(parse(collection(*(feature(name, ts=at, temp_out=step % 7) for name in names))), at + 60)


@pytest.fixture
def disturbed(db: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store to read from, where another process commits a station after every look at the stations.

    Its name comes first, so that it moves the others to other places.
    """
    add(db, *STATIONS)
    with open_for_reading(db) as store:
        kind: Any = type(store)
        look, number = kind.stations, iter(range(99, 0, -1))

        def stations(self: Store) -> object:
            found = look(self)
            if self is store:
                add(db, f"a{next(number)}")
            return found

        monkeypatch.setattr(kind, "stations", stations)
        yield store
    assert query(db, "SELECT COUNT(*) FROM stations") != [(len(STATIONS),)], "nothing was committed meanwhile"


@pytest.fixture
def settings(db: str) -> Settings:
    return load({}, {"WEATHER_ENV_FILE": "/nonexistent", "WEATHER_DB": db}).settings


def test_a_detection_and_the_health_of_sensors(disturbed: Store, settings: Settings) -> None:
    report = detect(disturbed, settings, TIME)
    assert (report.stations.total, report.stations.with_data, report.insufficient) == (3, 3, [])
    with disturbed.snapshot():
        before = disturbed.stations()
        health = examine(disturbed, settings, TIME, 1)
        assert {one.station_id for one in health.sensors} == {one.station_id for one in before}


def test_a_page(disturbed: Store, settings: Settings) -> None:
    with disturbed.snapshot():
        html = page(disturbed, settings, detect(disturbed, settings, TIME), TIME)
    assert "Map of 3 stations" in html
    assert ">a99<" not in html


def test_what_an_export_reads(disturbed: Store) -> None:
    with disturbed.snapshot():
        assert len(disturbed.stations()) == 3
        number = disturbed.count(Selection())
        assert {one.station_id for one in disturbed.observations(Selection())} == {*STATIONS}
        assert number == 3 * 37
        assert len(disturbed.latest()) == 3
    assert disturbed.count(Selection()) == 4 * 37
