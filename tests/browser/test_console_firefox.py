"""Every view of the console in Debian's Firefox."""

from __future__ import annotations

from pathlib import Path

from tests.browser.firefox import firefox
from tests.browser.pages import VIEWS
from tests.console import Console


def test_every_view_opens_without_a_message_or_a_request_elsewhere(console: Console, tmp_path: Path) -> None:
    with firefox(tmp_path) as browser:
        for path in VIEWS.values():
            browser.open(console.root + path)
            browser.wait_for("document.querySelector('main h1') && !document.querySelector('main .notice.busy')")
            assert not browser.evaluate("document.querySelector('.notice.error, .notice.offline')?.innerText"), path
            assert browser.said == [], path
        assert browser.evaluate("getComputedStyle(document.querySelector('header')).display") == "flex"
    assert len(browser.asked) > len(VIEWS)
    assert [one for one in browser.asked if not one.startswith((console.root, "data:", "blob:"))] == []
