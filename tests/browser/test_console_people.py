"""Signing in and out in Debian's Chromium."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import Look, Pages, check, ready
from tests.console import PASSWORD


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_label("Password").press("Enter")


def test_who_signs_in_is_where_they_were_and_signs_out(pages: Pages) -> None:
    pages.console.account("maria")
    page = pages.open("incidents?severity=critical")
    page.get_by_role("banner").get_by_role("link", name="Sign in").click()
    sign_in(page, "maria", PASSWORD)
    corner = page.get_by_role("banner")
    expect(corner.get_by_text("maria")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/console/incidents\?.*severity=critical"))
    corner.get_by_role("button", name="Sign out").click()
    expect(corner.get_by_role("link", name="Sign in")).to_be_visible()
    assert [one["name"] for one in page.context.cookies()] == []


def test_a_wrong_password_is_said_and_can_be_mended(pages: Pages, look: Look) -> None:
    pages.console.account("maria")
    page = pages.open("sign-in", look)
    pages.allow("status of 401")
    form = page.locator("form")
    form.locator("input").first.fill("maria")
    form.locator("input").last.fill("a wrong password")
    form.locator("input").last.press("Enter")
    page.get_by_role("alert").wait_for()
    assert page.evaluate("document.activeElement.type") == "password"
    check(page)
    form.locator("input").last.fill(PASSWORD)
    form.locator("button").click()
    page.locator("header .person").wait_for()
    ready(page)
    check(page)


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/other", "/console/sign-in", "http://["]
)  # fmt: skip
def test_signing_in_leads_nowhere_else(pages: Pages, elsewhere: str) -> None:
    pages.console.account("maria")
    page = pages.open(f"sign-in?from={quote(elsewhere, safe='')}")
    sign_in(page, "maria", PASSWORD)
    page.locator("header .person").wait_for()
    assert page.url == pages.console.root


def test_a_session_that_ended_is_seen(pages: Pages) -> None:
    page = pages.open("incidents", by="nikos", clock=True)
    expect(page.locator("header .person")).to_have_text("nikos")
    pages.console.run("accounts", "role", "nikos", "viewer")
    about = pages.console.root + "data/about"
    while page.context.request.get(about).json()["person"]:  # what another process stored is seen within a second
        page.wait_for_timeout(100)
    page.clock.fast_forward("01:00")
    expect(page.get_by_role("banner").get_by_role("link", name="Sign in")).to_be_visible()
