"""The hosts of a fleet in a browser: one that answers, and one that is down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.pages import Look, Pages, check
from tests.console import Console, copied


@pytest.fixture(scope="module")
def console(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console that shows another host, and one that does not answer."""
    folder, beside = tmp_path_factory.mktemp("hosts"), tmp_path_factory.mktemp("other")
    other = Console(copied(sample, beside), beside, WEATHER_METRICS_ADDRESS="127.0.0.1:9")
    running = Console(
        copied(sample, folder),
        folder,
        WEATHER_METRICS_ADDRESS="127.0.0.1:9",
        WEATHER_CONSOLE_HOSTS=f"Πάρνηθα={other.origin}, gone=http://127.0.0.1:9",
    )
    yield running
    running.stop()
    other.stop()


def test_hosts_are_shown_those_in_trouble_first(pages: Pages, look: Look) -> None:
    page = pages.open("hosts", look)
    rows = page.locator("table.hosts tbody")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("connection refused")
    expect(rows.filter(has_text="Πάρνηθα").locator("td .state.critical").first).to_be_visible()
    expect(page.get_by_role("link", name="Πάρνηθα")).to_have_attribute("href", re.compile(r"^http://[^/]+/console/$"))
    check(page)
