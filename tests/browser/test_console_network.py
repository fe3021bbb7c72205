"""The network's view in a browser: its map, its list, and how it comes up to date by itself."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.pages import PHONE, Look, Pages, check
from tests.console import Console, large, largest
from toolkit.simulator.network import default_network
from toolkit.store import open_for_writing
from toolkit.store.incidents import Incident

VOLOS = next(one for one in default_network() if one.station_id == "volos")
AT_VOLOS = f"?map=11,{VOLOS.latitude},{VOLOS.longitude}"


def rows(page: Page) -> Locator:
    return page.get_by_role("region", name="Stations").locator("tbody tr")


def count(page: Page, state: str) -> Locator:
    return page.get_by_role("group", name="Only stations in these states").get_by_role("button", name=state)


def test_what_is_looked_for_is_in_the_address(pages: Pages) -> None:
    page = pages.open()
    expect(rows(page)).to_have_count(14)
    expect(rows(page).first).to_contain_text("Sparti")
    count(page, "warning").click()
    expect(rows(page)).to_have_count(2)
    page.get_by_role("searchbox").fill("βολος")
    expect(rows(page)).to_have_count(1)
    page.get_by_label("Colour by").select_option("air temperature")
    expect(page.get_by_text("Hollow: none, old, or failed")).to_be_visible()
    page.wait_for_url(re.compile("q=.*by=temp_out"))
    page.reload()
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_have_value("βολος")
    expect(count(page, "warning")).to_have_attribute("aria-pressed", "true")
    value = rows(page).get_by_title("fail")
    expect(value).to_be_visible()
    count(page, "warning").click()
    page.get_by_role("searchbox").fill("")
    expect(rows(page)).to_have_count(14)


def test_the_list_is_sorted_by_each_column(pages: Pages) -> None:
    page = pages.open("?sort=name")
    names = rows(page).locator("th")
    expect(names.first).to_have_text("Amfissa")
    page.get_by_role("button", name="Station").click()
    expect(names.first).to_have_text("Zagora")
    page.get_by_role("button", name="air pressure").click()
    header = page.get_by_role("columnheader", name="air pressure")
    expect(header).to_have_attribute("aria-sort", "ascending")
    place = page.locator("thead th").all_inner_texts().index(header.inner_text()) + 1
    values = [float(text.replace(",", "")) for text in rows(page).locator(f":nth-child({place})").all_inner_texts()]
    assert values == sorted(values)


def test_a_station_is_pointed_at_by_mouse_and_by_keyboard(pages: Pages) -> None:
    page = pages.open("?sort=name")
    card = page.locator(".card")
    rows(page).filter(has_text="Volos - Port").get_by_role("link").first.focus()
    expect(card).to_contain_text("Volos - Port")
    expect(card).to_contain_text(re.compile(r"neighbours?: .*Volos \(2\.1 km\)"))
    page = pages.open(AT_VOLOS)
    box = page.get_by_role("region", name="Map").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    card = page.locator(".card")
    page.mouse.move(x, y)
    expect(card).to_contain_text("Volos")
    expect(card).to_contain_text("1 incident")
    expect(page.locator("tr.chosen")).to_contain_text("Volos")
    check(page)
    page.mouse.move(x, box["y"] + 2)
    expect(card).to_have_count(0)
    page.mouse.click(x, y)
    page.wait_for_url(re.compile("/stations/volos$"))


def test_a_finger_points_first_and_opens_then(pages: Pages) -> None:
    page = pages.open(AT_VOLOS, Look(PHONE), has_touch=True)
    box = page.get_by_role("region", name="Map").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.touchscreen.tap(x, y)
    expect(page.locator(".card")).to_contain_text("Volos")
    page.touchscreen.tap(x, y)
    page.wait_for_url(re.compile("/stations/volos$"))


def test_the_map_is_moved_by_keys_and_shown_whole_again(pages: Pages) -> None:
    page = pages.open()
    page.get_by_role("region", name="Map").focus()
    page.keyboard.press("+")
    page.wait_for_url(re.compile("map="))
    before = page.url
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(lambda url: "map=" in url and url != before)
    page.get_by_role("button", name="Whole network").click()
    page.wait_for_url(lambda url: "map=" not in url)


def test_it_comes_up_to_date_by_itself(pages: Pages) -> None:
    page = pages.open(clock=True)
    expect(count(page, "critical")).to_have_text(re.compile("^1 "))
    at = time.time()
    with open_for_writing(pages.console.db) as store, store.transaction():
        store.incidents.add(
            Incident(
                0, "zagora", "bar", "data_wrong", "step", "critical", "open", at, at, at, None, None, at, None, None, None,
                0, None, "{}",
            )
        )  # fmt: skip
    time_is_up = re.compile("^2 ")
    for _ in range(20):  # an answer may be a second old
        page.clock.fast_forward("00:11")
        try:
            expect(count(page, "critical")).to_have_text(time_is_up, timeout=500)
        except AssertionError:
            continue
        break
    expect(rows(page).filter(has_text="Zagora")).to_contain_text("critical")
    expect(page.locator("main").get_by_role("status")).to_have_text("Zagora: critical")


def test_that_nothing_arrives_is_said(pages: Pages) -> None:
    page = pages.open(clock=True)
    stop = page.get_by_text("No station has sent anything since then")
    expect(stop).to_have_count(0)
    page.clock.fast_forward("03:00:00")
    expect(stop).to_be_visible()
    check(page)


@contextmanager
def pages_of(browser: Browser, db: str, folder: Path) -> Iterator[Pages]:
    """Pages of a database's own console, which say nothing on the browser's."""
    console = Console(db, folder)
    opened = Pages(browser, console)
    yield opened
    opened.close()
    console.stop()
    assert opened.said == []


@pytest.fixture
def many(browser: Browser, tmp_path: Path) -> Iterator[Pages]:
    """Pages of a network of many stations."""
    db = str(tmp_path / "many.db")
    large(db, 250)
    with pages_of(browser, db, tmp_path) as opened:
        yield opened


def test_a_long_list_has_pages(many: Pages) -> None:
    page = many.open("?sort=name")
    expect(rows(page)).to_have_count(100)
    expect(rows(page).first).to_contain_text("Station 0")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("101 to 200 of 250")).to_be_visible()
    expect(rows(page).first).to_contain_text("Station 100")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    expect(rows(page)).to_have_count(50)
    page.get_by_role("searchbox").fill("station 24")
    expect(rows(page)).to_have_count(11)


@pytest.fixture
def largest_network(browser: Browser, tmp_path: Path) -> Iterator[Pages]:
    """Pages of a network of 100,000 stations, one of them in a critical incident."""
    db = str(tmp_path / "largest.db")
    largest(db, 100_000)
    at = time.time()
    with open_for_writing(db) as store, store.transaction():
        store.incidents.add(
            Incident(
                0, "made_50505", "bar", "data_wrong", "step", "critical", "open", at, at, at, None, None, at, None, None,
                None, 0, None, "{}",
            )
        )  # fmt: skip
    with pages_of(browser, db, tmp_path) as opened:
        yield opened


def test_of_100000_stations_the_worst_of_each_region_are_shown_and_all_where_one_looks(largest_network: Pages) -> None:
    page = largest_network.open()
    some = page.get_by_text("5000 of 100000 stations are shown")
    expect(some).to_be_visible()
    expect(page.get_by_text(re.compile(r"^100,?000 stations, newest observation"))).to_be_visible()
    expect(count(page, "critical")).to_have_text(re.compile("^1 "))
    expect(count(page, "well")).to_have_text(re.compile("^99999 "))
    expect(rows(page).first).to_contain_text("Station 50505")
    check(page)
    page.get_by_role("searchbox").fill("ΣΤΑΘΜΟΣ 7777")
    expect(some).to_have_count(0)
    expect(rows(page)).to_have_count(11)
    page.get_by_role("searchbox").fill("")
    expect(some).to_be_visible()
    page.get_by_role("region", name="Map").focus()
    for _ in range(6):
        before = page.url
        page.keyboard.press("+")
        page.wait_for_url(lambda url, before=before: url != before)  # type: ignore[misc]
    expect(page.get_by_text("stations are shown")).to_have_count(0)
    expect(rows(page)).to_have_count(100)
    count(page, "critical").click()
    expect(page.get_by_text("Station 50505")).to_have_count(0)
    page.get_by_role("button", name="Whole network").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page).first).to_contain_text("Station 50505")
