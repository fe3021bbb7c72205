"""The view of a station in Debian's Chromium: its charts by mouse, keys and touch, and what is below them."""

from __future__ import annotations

import csv
import re
import time
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import PHONE, Look, Pages, check
from tests.databases import change
from toolkit.model import Document, Observation, Station
from toolkit.store import open_for_writing
from toolkit.times import stored

SPAN = re.compile(r"(\S+ \S+) – (\S+ \S+) UTC")


def chart(page: Page, name: str) -> Locator:
    """A chart that has been drawn."""
    found = page.get_by_role("application", name=name)
    found.locator("canvas").wait_for()
    return found


def span(page: Page) -> tuple[str, str]:
    """From when to when is shown."""
    found = SPAN.search(page.locator("h2").first.inner_text())
    assert found is not None
    return found[1], found[2]


def drag(page: Page, plot: Locator, first: float, last: float) -> None:
    """Drag the mouse from one share of a plot's width to another."""
    box = plot.locator(".u-over").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 3
    page.mouse.move(box["x"] + first * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + last * box["width"], y, steps=4)
    page.mouse.up()


def test_a_chart_is_zoomed_and_moved_by_mouse_and_its_link_shows_the_same(pages: Pages) -> None:
    page = pages.open("stations/volos?range=3d")
    temperature = chart(page, "air temperature, dew point")
    whole = span(page)
    with page.expect_response(lambda answer: "/data/series?" in answer.url):  # finer data
        drag(page, temperature, 0.25, 0.5)
    page.wait_for_url("**from=*to=*")
    part = span(page)
    assert whole[0] < part[0] < part[1] < whole[1]
    page.keyboard.down("Shift")
    drag(page, temperature, 0.3, 0.6)
    page.keyboard.up("Shift")
    page.wait_for_url(lambda address: part[0].replace(" ", "T") not in address.replace("%3A", ":"))
    earlier = span(page)
    assert earlier[0] < part[0]
    page.reload()
    chart(page, "air temperature, dew point")
    assert span(page) == earlier
    page.get_by_role("button", name="7 days").click()
    page.wait_for_url("**range=7d")
    assert span(page)[0] < whole[0]


def test_a_chart_is_read_and_moved_by_keys(pages: Pages) -> None:
    page = pages.open("stations/volos?range=3d")
    temperature = chart(page, "air temperature, dew point")
    whole = span(page)
    temperature.focus()
    page.keyboard.press("End")
    said = page.locator("figure.chart").first.locator("[aria-live]")
    expect(said).to_contain_text(re.compile(r": air temperature [\d.]+ °C, fail \(\w+\); dew point"))
    newest = said.inner_text()
    page.keyboard.press("ArrowLeft")
    expect(said).not_to_have_text(newest)
    humidity = page.locator("figure.chart").nth(1).locator("figcaption")
    expect(humidity.locator("time")).to_have_text(said.inner_text().split(": ")[0])
    page.keyboard.press("+")
    page.wait_for_url("**from=*to=*")
    assert span(page)[0] > whole[0]
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("h2").first).not_to_contain_text(whole[1])


def test_a_finger_moves_a_chart_and_two_zoom(phone: Pages) -> None:
    page = phone.open("stations/volos?range=3d", Look(PHONE), has_touch=True, is_mobile=True)
    temperature = chart(page, "air temperature, dew point")
    temperature.scroll_into_view_if_needed()
    box = temperature.bounding_box()
    assert box is not None
    x, y = box["x"] + 120, box["y"] + 60
    screen = page.context.new_cdp_session(page)

    def fingers(event: str, *places: float) -> None:
        points = [{"x": place, "y": y, "id": number} for number, place in enumerate(places)]
        screen.send("Input.dispatchTouchEvent", {"type": event, "touchPoints": points})

    page.touchscreen.tap(x, y)
    expect(page.locator("figure.chart").first.locator("time")).to_be_visible()
    whole = span(page)
    fingers("touchStart", x)
    for by in range(0, 100, 20):
        fingers("touchMove", x + by)
    fingers("touchEnd")
    page.wait_for_url("**from=*to=*")
    moved = span(page)
    assert moved[1] < whole[1]
    fingers("touchStart", x, x + 60)
    for by in range(0, 60, 20):
        fingers("touchMove", x - by, x + 60 + by)
    fingers("touchEnd")
    expect(page.locator("h2").first).not_to_contain_text(moved[0])
    assert moved[0] < span(page)[0] < span(page)[1] < moved[1]


def test_everybody_can_use_what_is_below_the_charts(pages: Pages, look: Look) -> None:
    pages.console.run("sensors", "--days", "8", "--record")
    page = pages.open("stations/volos?range=24h&neighbours=temp_out", look)
    page.locator("figure.chart canvas").first.wait_for()
    # What is below the charts asks for its data once it is seen.
    page.wait_for_function(
        "() => { const one = document.querySelector('.unseen'); one?.scrollIntoView(); return one === null; }"
    )
    for name in (".rose svg", ".calendar rect", ".reasons"):
        page.locator(name).first.wait_for()
    tables = page.locator("main details > summary")
    expect(tables).to_have_count(4)
    for summary in tables.all():
        summary.click()
    page.locator(".tall table").wait_for()
    check(page)


def test_values_incidents_and_neighbours_are_there_as_words(pages: Pages, tmp_path: Path) -> None:
    page = pages.open("stations/volos?range=24h&variables=temp_out&neighbours=temp_out")
    chart(page, "air temperature")
    expect(page.locator("figure.chart")).to_have_count(1)
    legend = page.locator("figure.chart figcaption")
    expect(legend).to_contain_text("implied by neighbours")
    expect(legend).to_contain_text(re.compile(r"Makrinitsa, [\d.]+ km"))
    page.get_by_role("link", name="Readings are wrong, incident").wait_for()
    values = page.get_by_role("heading", name="Values").locator("+ details")
    values.locator("summary").click()
    expect(values.locator("tbody tr").first).to_contain_text("fail (")
    with page.expect_download() as waited:
        page.get_by_role("link", name="Download as CSV").click()
    waited.value.save_as(tmp_path / "seen.csv")
    with (tmp_path / "seen.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 100
    assert {row["station_id"] for row in rows} == {"volos"}
    assert {"temp_out", "temp_out_qc"} <= set(rows[0])
    assert "bar" not in rows[0]


def test_the_picture_stays_while_the_service_does_not_answer(pages: Pages) -> None:
    pages.allow("Failed to load resource|ERR_CONNECTION_REFUSED")
    page = pages.open("stations/volos?range=3d")
    chart(page, "air temperature, dew point")
    pages.console.kill()
    page.get_by_role("button", name="Earlier").click()
    page.wait_for_url("**from=*to=*")
    expect(page.locator("figure.chart canvas").first).to_be_visible()
    pages.console.start()


def test_a_station_may_have_any_name_and_be_silent_for_long(pages: Pages) -> None:
    name = "<b>?&/../%2F é"
    with open_for_writing(pages.console.db) as store:
        station = Station(name, "<img src=x onerror=alert(1)>", None, 38.0, 23.0, 10.0)
        store.add(Document([station], [Observation(int(time.time()) - 7 * 86400, name, temp_out=12.5)]), time.time())
    client, end = pages.console.session(), time.monotonic() + 30
    while client.get("station", station=name).status_code != 200:  # an answer may be a second old
        assert time.monotonic() < end
    page = pages.open(f"stations/{quote(name, safe='')}")
    expect(page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=alert(1)>")
    expect(page.locator("dl.station-facts dd").first).to_have_text(name)
    page.get_by_role("button", name="Show the newest").click()
    expect(page.get_by_role("button", name="Show the newest")).to_have_count(0)
    values = page.get_by_role("heading", name="Values").locator("+ details")
    values.locator("summary").click()
    expect(values.locator("tbody tr").first).to_contain_text("12.5")


def test_a_reading_that_fails_does_not_flatten_the_others(pages: Pages) -> None:
    newest = int(time.time()) // 600 * 600 - 3600
    with open_for_writing(pages.console.db) as store:
        for at in (newest, newest + 600):
            store.add(Document([], [Observation(at, "grevena", temp_out=-40.0)]), time.time())
    started, ended = (stored(at) for at in (newest, newest + 600))
    columns = "station_id, variable, started, ended, flag, test"
    change(
        pages.console.db,
        f"INSERT INTO detector_flags ({columns}) VALUES ('grevena', 'temp_out', '{started}', '{ended}', 4, 'range')",
    )
    page = pages.open("stations/grevena?range=24h&variables=temp_out,bar")
    chart(page, "air temperature")
    captions = page.locator("figure.chart figcaption")
    expect(captions.first).to_contain_text("Readings that fail are beyond the scale.")
    expect(captions.last).not_to_contain_text("beyond the scale")


def test_a_station_that_is_not_there_is_said(pages: Pages) -> None:
    pages.allow("status of 404")
    page = pages.open("stations/vollos")
    expect(page.get_by_role("alert")).to_contain_text("there is no station 'vollos': did you mean volos")
