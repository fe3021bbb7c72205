"""Every view of the console in Debian's Chromium: for everybody, without a message or a request elsewhere."""

from __future__ import annotations

import pytest

from tests.browser.pages import Look, Pages, check

VIEWS = {
    "network": "",
    "station": "stations/volos",
    "incidents": "incidents",
    "incident": "incidents/1",
    "service": "service",
    "hosts": "hosts",
    "playback": "playback",
    "sign-in": "sign-in",
}


@pytest.mark.parametrize("path", VIEWS.values(), ids=VIEWS)
def test_everybody_can_use_every_view(pages: Pages, look: Look, path: str) -> None:
    page = pages.open(path, look)
    check(page)
