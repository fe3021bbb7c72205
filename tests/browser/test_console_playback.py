"""Playback in the browser: from run to run, and why."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.pages import Look, Pages, check
from tests.console import NOW
from toolkit import times

HOUR = 3600


def address(hours: int = 3, **words: str) -> str:
    end = (NOW // HOUR) * HOUR + 300 - HOUR  # the timer's run of the hour before
    query = {"from": times.iso_of(end - hours * HOUR), "to": times.iso_of(end), "station": "volos", **words}
    return "playback?" + "&".join(f"{name}={value}" for name, value in query.items())


def whole(page: Page, runs: int) -> None:
    """Wait until all runs are there."""
    expect(page.locator(".timeline span")).to_have_count(runs)
    expect(page.locator(".timeline .to-come")).to_have_count(0)


def test_it_says_why_a_reading_was_flagged(pages: Pages, look: Look) -> None:
    page = pages.open(address(1), look)
    whole(page, 2)
    page.locator(".tests tr.flagged").first.wait_for()
    check(page)
    if look.language == "en-GB":
        assert "contradict it" in page.locator(".sentence").first.inner_text()
        spatial = page.locator(".tests tr", has_text="spatial")
        assert "difference from what neighbours imply" in spatial.inner_text()
        assert "yes" in spatial.inner_text()


def test_one_goes_from_run_to_run_by_keys(pages: Pages) -> None:
    page = pages.open(address(3))
    whole(page, 4)
    slider = page.get_by_role("slider", name="Run of the detector")
    slider.focus()
    page.keyboard.press("End")
    expect(page.get_by_text("run 4 of 4")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("run 3 of 4")).to_be_visible()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.get_by_text("run 4 of 4")).to_be_visible()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    said = page.locator(".sentence").first.inner_text()
    page.reload()  # the address has the run and the station
    expect(page.get_by_text("run 4 of 4")).to_be_visible()
    expect(page.locator(".sentence").first).to_have_text(said, use_inner_text=True)


def test_another_station_and_another_variable_are_chosen(pages: Pages) -> None:
    page = pages.open(address(1, everything="yes"))
    whole(page, 2)
    page.get_by_role("button", name="Sparti").first.click()
    expect(page.locator(".explained h2")).to_have_text("Sparti")
    page.get_by_role("button", name="the station as a whole").click()
    expect(page.locator(".sentence").first).to_contain_text("silent")
    page.get_by_role("button", name="air pressure").click()
    assert "variable=bar" in page.url


def test_nothing_is_made_before_it_is_asked_for(pages: Pages) -> None:
    page = pages.open("playback")
    expect(page.locator(".player")).to_have_count(0)
    page.get_by_label("Station").fill("dodoni")
    page.get_by_label("From so long before").select_option("6")
    page.get_by_role("button", name="Play back").click()
    whole(page, 7)
    expect(page.locator(".explained h2")).to_have_text("Dodoni")


def test_what_the_service_has_forgotten_is_made_once_more(pages: Pages) -> None:
    page = pages.open(address(2))
    whole(page, 3)
    pages.allow("status of 404|ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET")
    pages.console.kill()
    pages.console.start()
    page.get_by_role("slider", name="Run of the detector").focus()
    page.keyboard.press("End")
    expect(page.get_by_text("run 3 of 3")).to_be_visible()
    expect(page.locator(".explained[aria-busy=false] .sentence").first).to_be_visible()
