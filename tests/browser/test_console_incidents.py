"""A shift works from the list of incidents in Debian's Chromium: by keyboard, two at once, on a phone."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import Look, Pages, check, ready
from tests.console import Console
from toolkit.model import Document, Station
from toolkit.store import open_for_reading, open_for_writing
from toolkit.store.incidents import Action, Incident, IncidentFilter

HOSTILE = '<img src=x onerror="console.log(1)"> & \'"</td>'


def opened(console: Console, station: str = "volos", **fields: object) -> int:
    """An incident that opens now; its number."""
    now = int(time.time())
    usual = {
        "id": 0, "station_id": station, "variable": "bar", "kind": "data_wrong", "symptoms": "step",
        "severity": "warning", "state": "open", "started": now - 3600, "ended": now, "opened": now,
        "acknowledged": None, "resolved": None, "judged": now, "assignee": None, "verdict": None, "part_of": None,
        "reopened": 0, "confidence": 0.9, "evidence": "{}", **fields,
    }  # fmt: skip
    with open_for_writing(console.db) as store, store.transaction():
        number = store.incidents.add(Incident(**usual))  # type: ignore[arg-type]
        store.incidents.note([Action(number, now, "detector", "opened", "")])
    return number


def stored(console: Console, number: int) -> Incident:
    with open_for_reading(console.db) as store:
        (one,) = store.incidents.find(IncidentFilter(ids=[number]))
    return one


def row(page: Page, number: int) -> Locator:
    return page.locator(f"tbody tr:has(a[href$='/incidents/{number}'])")


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Which incidents").get_by_role("link", name=name)


def test_a_shift_works_by_the_keyboard_alone(pages: Pages) -> None:
    page = pages.open("incidents", by="maria")
    links = page.locator("tbody th a")
    links.first.focus()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    second = page.locator(f"tbody th a[href='{links.nth(1).get_attribute('href')}']")
    page.keyboard.press("k")
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(page.get_by_role("toolbar")).to_contain_text("2 selected")
    check(page)
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name="Acknowledge 2 incidents")
    expect(dialog.get_by_label("Note")).to_be_focused()
    check(page)
    page.keyboard.type("on it")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("[aria-live]", has_text="Acknowledged: ")).to_have_count(1)
    expect(page.locator("tbody tr", has_text="acknowledged")).to_have_count(2)
    expect(second).to_be_focused()
    page.keyboard.press("s")
    page.keyboard.press("Enter")  # to oneself
    expect(tab(page, "Mine")).to_have_text("Mine1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    expect(page.locator("article")).to_contain_text("on it")
    ready(page)


def test_of_two_operators_at_once_the_second_is_told_and_sees_what_the_first_did(pages: Pages) -> None:
    number = opened(pages.console)
    maria, nikos = (pages.open("incidents", by=name) for name in ("maria", "nikos"))
    for page, action in ((nikos, "Resolve"), (maria, "Dismiss")):
        row(page, number).get_by_role("checkbox").check()
        page.get_by_role("toolbar").get_by_role("button", name=action).click()
    nikos.get_by_role("dialog").get_by_role("button", name="Resolve").click()
    expect(row(nikos, number)).to_have_count(0)
    pages.allow("status of 409")
    maria.get_by_role("dialog").get_by_role("button", name="Dismiss").click()
    alert = maria.get_by_role("dialog").get_by_role("alert")
    expect(alert).to_contain_text(f"incident {number} has changed since it was shown: resolved by nikos at")
    assert (stored(pages.console, number).state, stored(pages.console, number).verdict) == ("resolved", "fault")
    expect(row(maria, number)).to_have_count(0)
    expect(alert).to_be_visible()  # though what it is of is not in the list any more
    maria.keyboard.press("Escape")
    expect(maria.get_by_role("dialog")).to_have_count(0)


def test_who_acts_while_the_service_is_away_is_told_and_loses_nothing_that_was_written(pages: Pages) -> None:
    page = pages.open("incidents/2", by="maria")
    page.get_by_role("button", name="Note").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Note").fill("a long story")
    pages.allow("ERR_CONNECTION|Failed to load")
    pages.console.kill()
    form.get_by_role("button", name="Note").click()
    expect(form.get_by_role("alert")).to_contain_text("The service did not answer: look whether it was done")
    pages.console.start()
    form.get_by_role("button", name="Note").click()
    expect(page.locator("td", has_text="a long story")).to_have_count(1)
    expect(form).to_have_count(0)


def test_what_is_new_since_one_looked_is_marked_and_announced(pages: Pages) -> None:
    page = pages.open("incidents", by="maria", clock=True)
    page.get_by_role("button", name="I have seen the new ones").click()
    expect(tab(page, "New since I looked")).to_have_text("New since I looked0")
    number = opened(pages.console, opened=int(time.time()) + 1)
    while not row(page, number).count():  # an answer may be a second old
        with page.expect_response("**/data/incidents?*"):
            page.clock.fast_forward("00:16")
    expect(row(page, number)).to_contain_text("new")
    expect(page.locator("[aria-live]", has_text="1 new incident")).to_have_count(1)
    expect(page).to_have_title("(1) Incidents – weather console")
    page.reload()
    expect(tab(page, "New since I looked")).to_have_text("New since I looked1")


def test_who_may_only_look_is_offered_nothing_else(pages: Pages) -> None:
    for name in ("", "viewer"):
        page = pages.open("incidents", by=name, role="viewer")
        expect(page.locator("tbody tr").first).to_be_visible()
        expect(page.get_by_role("checkbox")).to_have_count(0)
        page.locator("tbody th a").first.click()
        expect(page.get_by_role("heading", name="History")).to_be_visible()
        expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
        ready(page)


def test_the_list_is_filtered_and_the_address_says_how(pages: Pages) -> None:
    page = pages.open("incidents")
    page.get_by_label("Search").fill("spart")
    page.wait_for_url("**/incidents?text=spart")
    expect(page.locator("tbody th")).to_have_count(1)
    page.get_by_label("Severity").select_option("critical")
    page.reload()
    expect(page.get_by_label("Search")).to_have_value("spart")
    expect(page.locator("tbody th")).to_contain_text(["Sparti"])
    page.get_by_label("Search").fill("nowhere")
    expect(page.get_by_text("Nothing is open.")).to_be_visible()
    page.get_by_label("Severity").select_option(label="any")
    page.get_by_label("Search").fill("volos")
    page.get_by_role("link", name="Volos", exact=True).last.click()
    page.get_by_role("link", name="Earlier incidents of the station").click()
    page.get_by_role("button", name="Only station volos: show all").click()
    expect(page.locator("tbody th", has_text="Vlasti")).to_have_count(1)


def test_maintenance_is_planned_and_ended(pages: Pages) -> None:
    page = pages.open("incidents?show=maintenance", by="maria")
    page.get_by_role("button", name="Plan maintenance").click()
    form = page.get_by_role("dialog", name="Plan maintenance")
    check(page)
    form.get_by_label("Station").fill("nowhere")
    form.get_by_label("rain").check()
    form.get_by_label("Note").fill("gauge is cleaned")
    pages.allow("status of 400")
    form.get_by_role("button", name="Plan maintenance").click()
    expect(form.get_by_role("alert")).to_contain_text("there is no station 'nowhere'")
    form.get_by_label("Station").fill("makrinitsa")
    form.get_by_role("button", name="Plan maintenance").click()
    expect(page.get_by_role("heading", name="Ahead")).to_be_visible()
    planned = page.locator("tbody tr", has_text="gauge is cleaned")
    expect(planned).to_contain_text("Makrinitsa")
    check(page)
    planned.get_by_role("button", name="Cancel it").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(planned).to_have_count(0)


def test_whatever_a_feed_and_people_wrote_is_text(pages: Pages) -> None:
    with open_for_writing(pages.console.db) as store:
        store.add(Document([Station("<b>/?#%2F ", HOSTILE, HOSTILE, None, None, None)], []), time.time())
    evidence = '{"detector": {"reason": "<b>bold</b>", "neighbours": [{"station_id": "<b>/?#%2F ", "value": 1}]}}'
    number = opened(pages.console, "<b>/?#%2F ", evidence=evidence, assignee=HOSTILE)
    page = pages.open(f"incidents/{number}", by="maria")
    expect(page.locator("h1")).to_contain_text(HOSTILE)
    expect(page.locator("main")).to_contain_text("<b>bold</b>")
    page.get_by_role("button", name="Note").click()
    page.get_by_role("dialog").get_by_label("Note").fill(HOSTILE)
    page.get_by_role("dialog").get_by_role("button", name="Note").click()
    expect(page.locator("td", has_text=HOSTILE)).to_have_count(1)
    page.get_by_role("link", name="All incidents").click()
    expect(row(page, number)).to_contain_text(HOSTILE)
    assert page.locator("main img, main b").count() == 0


@pytest.mark.parametrize("path", ["incidents?show=over", "incidents?show=maintenance"])
def test_everybody_can_use_what_is_over_and_maintenance(pages: Pages, look: Look, path: str) -> None:
    check(pages.open(path, look, by="maria"))
