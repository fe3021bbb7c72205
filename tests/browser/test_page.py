"""The page of a report in a real browser: Debian's Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.pages import PHONE, SCREEN
from tests.conftest import Run
from tests.integration.conftest import Spoil, good_weather, spoil
from tests.integration.test_incident_page import INCIDENT, write
from toolkit.store.incidents import Affected

__all__ = ["good_weather", "spoil"]


@pytest.fixture
def night(spoil: Spoil, environment: dict[str, str]) -> None:
    """A night with a failed thermometer and a silent station, with incidents of every state."""
    spoil("temp_out = temp_out + 15", "station_id = 'volos'", 2, 1.7)
    spoil("", "station_id = 'dodoni'", 30)
    write(
        environment["WEATHER_DB"],
        [
            INCIDENT,
            INCIDENT._replace(station_id="sparti", variable="bar", state="acknowledged", acknowledged=INCIDENT.opened),
            INCIDENT._replace(station_id="zagora", state="maintenance", severity="info"),
            INCIDENT._replace(station_id=None, variable="out_hum", severity="critical"),
            INCIDENT._replace(station_id="vlasti", state="dismissed", verdict="weather", resolved=INCIDENT.ended),
        ],
        stations=[Affected(4, name, INCIDENT.started, INCIDENT.ended) for name in ("sparti", "volos", "zagora")],
    )


@pytest.fixture
def url(run: Run, night: None, tmp_path: Path) -> str:
    """The page of it."""
    done = run("report", "--html", str(tmp_path / "page.html"), "--end", "2025-11-22T16:00Z")
    assert done.returncode == 0, done.stderr
    return (tmp_path / "page.html").as_uri()


def opened(browser: Browser, url: str, size: ViewportSize, scheme: str = "light") -> tuple[Page, list[str]]:
    page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if request.url != url else None)
    page.goto(url)
    return page, said


def shown(page: Page, what: str) -> list[str]:
    return [one.inner_text().split()[0].rstrip(",") for one in page.locator(what).all() if one.is_visible()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [SCREEN, PHONE], ids=["screen", "phone"])
def test_everybody_can_use_it(browser: Browser, url: str, scheme: str, size: ViewportSize) -> None:
    page, said = opened(browser, url, size, scheme)
    page.locator("details:not([open]) > summary").evaluate_all("all => all.forEach(one => one.click())")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert said == []
    # What is wide scrolls by itself, never the page.
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page.close()


def test_the_index_leads_to_a_page_and_the_page_back(browser: Browser, run: Run, night: None, tmp_path: Path) -> None:
    done = run("detect", "--end", "2025-11-22T16:00Z", "--no-record", "--html", str(tmp_path / "report_1.html"))
    assert done.returncode == 0, done.stderr
    page, said = opened(browser, (tmp_path / "index.html").as_uri(), PHONE)
    assert Axe().run(page).violations_count == 0
    assert said == []
    # From an incident to the plot of its evidence, and back.
    page.get_by_role("link", name="evidence of incident 1", exact=True).click()
    plot = page.locator("article:target").get_by_role("img")
    assert (plot.get_attribute("aria-label") or "").startswith("temp_out of volos and of ")
    page.get_by_role("link", name="Earlier reports").click()
    page.get_by_role("link", name="report_1").click()
    page.get_by_role("link", name="Earlier reports").click()
    assert page.title() == "Reports of the weather network"
    page.close()


@pytest.mark.parametrize(("scheme", "size"), [("light", SCREEN), ("dark", PHONE)], ids=["screen", "phone"])
def test_everybody_can_use_the_page_of_a_month(
    browser: Browser, run: Run, spoil: Spoil, tmp_path: Path, scheme: str, size: ViewportSize
) -> None:
    spoil("", "station_id = 'dodoni'", 30)
    done = run("network", "--month", "2025-11", "--html", WEATHER_REPORTS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    page, said = opened(browser, (tmp_path / "network/index.html").as_uri(), size, scheme)
    assert Axe().run(page).violations_count == 0
    page.get_by_role("link", name="network_2025-11").click()
    assert page.title() == "Network performance, 2025-11"
    page.locator("details:not([open]) > summary").evaluate_all("all => all.forEach(one => one.click())")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert [one for one in said if "network" not in one] == []
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page.get_by_role("link", name="Other months").click()
    assert page.title() == "Network performance by month"
    page.close()


def test_a_filter_shows_one_state_alone(browser: Browser, url: str) -> None:
    page, _ = opened(browser, url, SCREEN)
    rows, articles = "tr[data-state] > th", "section[aria-labelledby=anomalies] article > h3"
    assert len(shown(page, rows)) == 14
    page.get_by_role("radio", name="device failure").check()
    assert shown(page, rows) == shown(page, articles) == ["volos"]
    # By the keyboard, too.
    page.keyboard.press("ArrowDown")
    assert shown(page, rows) == ["dodoni"]
    page.get_by_role("radio", name="every state").check()
    assert len(shown(page, rows)) == 14
    page.close()


def test_colours_are_those_of_day_and_of_night(browser: Browser, url: str) -> None:
    seen = set()
    for scheme in ("light", "dark"):
        page, _ = opened(browser, url, SCREEN, scheme)
        line = page.locator("article svg path[style*='--device-failure']").first
        seen.add(line.evaluate("one => getComputedStyle(one).stroke + getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert len(seen) == 2


def test_on_paper_there_is_no_navigation_and_no_night(browser: Browser, url: str) -> None:
    page, _ = opened(browser, url, SCREEN, "dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    assert not page.locator("fieldset").is_visible()
    assert page.locator("article").first.is_visible()
    page.close()
