"""Every view of the console in Debian's Chromium: for everybody, without a message or a request elsewhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.pages import LOOKS, VIEWS, Pages, check, ready


@pytest.mark.parametrize("path", VIEWS.values(), ids=VIEWS)
def test_everybody_can_use_every_view(pages: Pages, path: str) -> None:
    """It is opened in light on a screen and in dark on a phone, in Greek; the looks between are come to while it is open."""
    page = pages.open(path, LOOKS["light"])
    check(page)
    for look in (LOOKS["dark"], LOOKS["phone"]):
        page.emulate_media(color_scheme=look.scheme)
        page.set_viewport_size(look.size)
        ready(page)
        check(page)
    check(pages.open(path, LOOKS["greek"]))


def test_a_link_shows_the_same_after_a_reload(pages: Pages) -> None:
    page = pages.open()
    for path in VIEWS.values():
        page.goto(pages.console.root + path)
        ready(page)
        heading = page.locator("main h1").first.inner_text()
        at = page.url
        page.reload()
        ready(page)
        assert (page.url, page.locator("main h1").first.inner_text()) == (at, heading)


def test_one_goes_round_by_the_keyboard_alone(pages: Pages) -> None:
    """From the first key on: past the heading, along the ways to the views, and back by the browser's history."""
    page = pages.open("incidents")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.url.endswith("/incidents"), "it is the same view still"
    page = pages.open()
    page.locator("main").focus()
    ways = page.get_by_role("navigation", name="Views").get_by_role("link").all_inner_texts()
    assert ways[:2] == ["Network", "Incidents"]
    for name in ways[1:]:
        walk(page, name)
        page.keyboard.press("Enter")
        at(page, name)
        ready(page)
        page.locator("main:focus").wait_for()
    for name in reversed(ways[:-1]):
        page.go_back()
        at(page, name)


@pytest.mark.parametrize("path", VIEWS.values(), ids=VIEWS)
def test_every_control_has_the_focus_in_turn_and_shows_it(pages: Pages, path: str) -> None:
    page = pages.open(path)
    page.evaluate("document.activeElement.blur()")
    seen = 0
    while seen < 60:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        seen += 1
        shown = page.evaluate(
            """() => {
                const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
                const own = String(one.type).startsWith('date'); // the parts of such a control have the browser's own ring
                const ring = own || style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
                return [one.outerHTML.slice(0, 200), ring || style.boxShadow !== 'none', box.width > 0 && box.height > 0];
            }"""
        )
        assert shown[1:] == [True, True], shown
    assert seen > 5


def at(page: Page, name: str) -> None:
    """Wait until the heading says that this view is shown."""
    page.locator("header [aria-current=page]", has_text=name).wait_for()


def focused(page: Page) -> str:
    """The text of what has the focus."""
    return str(page.evaluate("document.activeElement.innerText"))


def walk(page: Page, name: str) -> None:
    """Go to a control by the key Shift+Tab: what has this text."""
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if focused(page) == name:
            return
    raise AssertionError(f"no way leads to {name}")


@pytest.mark.parametrize("how", ["offline", "killed"])
def test_what_is_shown_stays_while_the_service_is_away_and_goes_on_when_it_is_back(pages: Pages, how: str) -> None:
    page = pages.open(clock=True)
    shown = page.locator("main").inner_text()
    pages.allow("ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET")
    if how == "offline":
        page.context.set_offline(True)
    else:
        pages.console.kill()
    page.clock.fast_forward("01:00")
    notice = page.get_by_text("The service does not answer.")
    notice.wait_for()
    assert shown.splitlines()[0] in page.locator("main").inner_text()
    check(page)
    if how == "offline":
        page.context.set_offline(False)
    else:
        pages.console.start()
    page.clock.fast_forward("10:00")
    notice.wait_for(state="detached")
    ready(page)
