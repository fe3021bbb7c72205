"""A feed whose stations have names that would be a program, an address or the end of a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.pages import Pages, check, ready
from tests.console import CADENCE, DAY, NOW, Console
from toolkit.model import Document, Station
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_writing

PROGRAM = "<img src=x onerror=\"fetch('//elsewhere.example')\"><script>throw 1</script>"
STATIONS = [
    Station("../../service?a=1#b%2F%", PROGRAM, PROGRAM, 38.0, 23.0, 1.0),
    Station("'\"--><b>", "\u202eevil\u202c {n} ${n}", "", 38.1, 23.1, 2.0),
    Station("__proto__", None, None, 38.3, 23.0, None),
    Station("x" * 200, "y" * 300, "ψ" * 300, 38.2, 23.2, 3.0),
]


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    folder = tmp_path_factory.mktemp("hostile")
    db, weather = str(folder / "weather.db"), SimulatedWeather(STATIONS, 1)
    with open_for_writing(db) as store:
        rows = [one for at in range(NOW - DAY, NOW, CADENCE) for one in weather.at(at) if one]
        store.add(Document(STATIONS, rows), NOW)
    running = Console(db, folder)
    yield running
    running.stop()


@pytest.mark.parametrize("place", range(len(STATIONS)))
def test_a_station_is_shown_and_reached_by_whatever_name(pages: Pages, place: int) -> None:
    name = STATIONS[place].station_name_en or STATIONS[place].station_id
    page = pages.open()
    check(page)
    page.get_by_role("link", name=name.replace("\u202e", "").replace("\u202c", "")).first.click()
    page.locator("h1", has_not_text="Network").wait_for()
    ready(page)
    assert page.locator("h1").inner_text()[:9] in name
    check(page)
    page.reload()
    ready(page)
    assert page.locator("h1").inner_text()[:9] in name
