"""Pages of the console in a browser, which are watched while they are open."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, ViewportSize

from tests.console import PASSWORD, Console, Role

CHROMIUM = "/usr/bin/chromium"
# The same engine without the desktop's browser round it: a page opens with a quarter of the work.
SHELL = "/usr/bin/chromium-headless-shell"
PHONE: ViewportSize = {"width": 360, "height": 740}
SCREEN: ViewportSize = {"width": 1100, "height": 800}


class Look(NamedTuple):
    """How a page is shown."""

    size: ViewportSize = SCREEN
    scheme: Literal["light", "dark"] = "light"
    language: str = "en-GB"


LIGHT = Look()
LOOKS = {
    "light": LIGHT,
    "dark": Look(scheme="dark"),
    "phone": Look(PHONE),
    "greek": Look(PHONE, "dark", "el-GR"),
}
# A page of each view, by its name.
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


class Pages:
    """Opens pages of a console, each for a reader of its own.

    Attributes:
        said: what pages said on the console, and addresses of other servers that they asked for.
    """

    def __init__(self, browser: Browser, console: Console) -> None:
        self._browser, self.console = browser, console
        self._contexts: list[BrowserContext] = []
        self._allowed: list[str] = []
        self.said: list[str] = []

    def allow(self, pattern: str) -> None:
        """Do not mind what is said from here on and has this pattern, such as `status of 409`."""
        self._allowed.append(pattern)

    def open(
        self,
        path: str = "",
        look: Look = LIGHT,
        by: str = "",
        role: Role = "operator",
        clock: bool = False,
        **further: Any,
    ) -> Page:
        """A page once its data are there.

        Args:
            path: below the console's address, such as `stations/volos?hours=48`.
            look: how it is shown.
            by: who has signed in, with an account that is made if it is not there; nobody unless told.
            role: of a new account.
            clock: its time can be moved: `page.clock.fast_forward("01:00")`.
            further: for Playwright's `new_context`.
        """
        context = self._browser.new_context(
            viewport=look.size, color_scheme=look.scheme, locale=look.language, timezone_id="UTC", **further
        )
        self._contexts.append(context)
        if by:
            self.console.account(by, role)
            answer = context.request.post(f"{self.console.root}data/session", data={"name": by, "password": PASSWORD})
            assert answer.ok, answer.text()
        if clock:
            context.clock.install()
        page = context.new_page()
        self.watch(page)
        page.goto(self.console.root + path)
        ready(page)
        return page

    def watch(self, page: Page) -> None:
        """Hear what a page says and asks for."""
        coming = _coming[page] = set()
        page.on("console", lambda message: self._hear(f"{message.type}: {message.text} {message.location['url']}"))
        page.on("pageerror", lambda error: self._hear(str(error)))

        def ask(request: Request) -> None:
            coming.add(request)
            self._request(request)

        def answered(request: Request) -> None:
            coming.discard(request)

        page.on("request", ask)
        page.on("requestfinished", answered)
        page.on("requestfailed", answered)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.console.root, "data:", "blob:")):
            self._hear(f"asked for {request.url}")

    def _hear(self, text: str) -> None:
        if not any(re.search(pattern, text) for pattern in self._allowed):
            self.said.append(text)

    def close(self) -> None:
        """Close all of them."""
        for context in self._contexts:
            context.close()


# What pages wait for.
_coming: WeakKeyDictionary[Page, set[Request]] = WeakKeyDictionary()
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def ready(page: Page) -> None:
    """Wait until a view has its heading and its data: nothing that it asked for is still to come, and all is drawn."""
    page.locator("main h1").first.wait_for()
    busy = page.locator("main .notice.busy")
    page.evaluate(DRAWN)
    while busy.count() or _coming[page]:
        busy.first.wait_for(state="detached")
        for request in list(_coming[page]):
            request.response()
        page.evaluate(DRAWN)


def check(page: Page) -> None:
    """Everybody can use what is shown: axe finds nothing, and what is wide scrolls by itself, never the page.

    Raises:
        AssertionError: what axe found, or how wide the page is.
    """
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert page.viewport_size is not None
    assert wide <= page.viewport_size["width"], f"{page.url} is {wide} pixels wide"
