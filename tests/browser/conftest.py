"""Debian's Chromium, and the pages of a console in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.browser.pages import CHROMIUM, LOOKS, SHELL, Look, Pages
from tests.console import Console, copied

# A machine that runs all tests at once takes its time; an expectation that is met takes none.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Browser:
    """Without its sandbox, which root may not have: it sees nothing but files and services of our own."""
    return playwright.chromium.launch(executable_path=SHELL, args=["--no-sandbox"])


@pytest.fixture(scope="module")
def console(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A service for the tests of one file, on a copy of the sample that is theirs to change."""
    folder = tmp_path_factory.mktemp("console")
    running = Console(copied(sample, folder), folder)
    yield running
    running.stop()


@pytest.fixture
def pages(browser: Browser, console: Console) -> Iterator[Pages]:
    """Opens pages. The test fails if one of them says something on its console, or asks another server."""
    opened = Pages(browser, console)
    yield opened
    opened.close()
    assert opened.said == []


@pytest.fixture
def phone(playwright: Playwright, console: Console) -> Iterator[Pages]:
    """Opens pages in the whole of Chromium: in its shell a mouse that is not there leaves what a finger has tapped."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    opened = Pages(browser, console)
    yield opened
    browser.close()
    assert opened.said == []


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest) -> Look:
    """A test that takes it runs four times: in light, in dark, on a phone, in Greek."""
    return LOOKS[request.param]
