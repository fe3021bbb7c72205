"""The page of the service, with an exporter that runs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.pages import Look, Pages, check
from tests.collector import service
from tests.console import Console, copied
from tests.ports import free_port
from toolkit.store import open_for_writing


@pytest.fixture(scope="module")
def console(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console whose exporter runs, with a backup, and a feed that cannot be reached."""
    folder = tmp_path_factory.mktemp("service")
    port = free_port()
    running = Console(
        copied(sample, folder),
        folder,
        WEATHER_METRICS_ADDRESS=f"127.0.0.1:{port}",
        WEATHER_FEED_URL="http://127.0.0.1:9/",
    )
    running.run("backup", "create")
    beside = folder / "exporter"
    beside.mkdir()
    with service(running.environment, beside, does=("metrics", "--serve")) as exporter:
        exporter.wait_for("WATCHDOG=1")
        exporter.wait_for("WATCHDOG=1")
        yield running
        exporter.stop()
    running.stop()


def test_what_is_wrong_comes_with_what_mends_it_for_everybody(pages: Pages, look: Look) -> None:
    page = pages.open("service", look)
    finding = page.locator(".findings li", has_text="feed-connects")
    expect(finding.locator("code")).not_to_be_empty()
    page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true })")
    expect(page.locator(".checks td", has_text="127.0.0.1 port 9 takes no connection")).to_be_visible()
    expect(page.get_by_text(re.compile("weather_.*zst")).first).to_be_visible()
    check(page)


def test_sources_are_listed_where_there_are_several(browser: Browser, sample: Path, tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text(
        "".join(f'[[source]]\nname = "{name}"\nurl = "http://192.0.2.1/"\n' for name in ("coast", "mountain")), "utf-8"
    )
    running = Console(copied(sample, tmp_path), tmp_path, WEATHER_SOURCES_FILE=str(tmp_path / "sources.toml"))
    with open_for_writing(running.db) as store:
        store.log_failure("http://192.0.2.1/: <b>connection refused</b>", time.time(), "mountain")
    opened = Pages(browser, running)
    page = opened.open("service")
    rows = page.get_by_role("region", name="Sources").locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("nothing yet")
    expect(rows.nth(1).locator(".state.critical")).to_have_text("failed")
    expect(rows.nth(1)).to_contain_text("<b>connection refused</b>")
    check(page)
    opened.close()
    running.stop()


def test_the_service_is_shown_without_the_exporter_too(browser: Browser, sample: Path, tmp_path: Path) -> None:
    running = Console(copied(sample, tmp_path), tmp_path, WEATHER_METRICS_ADDRESS="127.0.0.1:9")
    opened = Pages(browser, running)
    page = opened.open("service")
    expect(page.get_by_role("alert")).to_contain_text("http://127.0.0.1:9/service: connection refused")
    expect(page.get_by_role("heading", name="Collection")).to_be_visible()
    opened.close()
    running.stop()
    assert opened.said == []
