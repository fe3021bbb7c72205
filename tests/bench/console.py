"""The console: how soon it is seen in Debian's Chromium, how smoothly it moves, what it takes of the service."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, Page, sync_playwright
from requests.adapters import HTTPAdapter

from tests.bench import storing
from tests.bench.figure import Figure
from tests.bench.serving import commits, memory
from tests.browser.pages import CHROMIUM, DRAWN
from tests.console import Console, large, largest, sample
from toolkit.store import open_for_reading, open_for_writing
from toolkit.store.summarising import summarise

PEOPLE = 20
LOOKED_AT = ("", "stations/made_00700", "stations/made_01400?range=30d", "incidents", "service")
SECONDS = 60
# How often a page asks for what it shows; views that ask less often are asked too often here.
EVERY_SECONDS = 10
# In the page: when something was painted on a canvas, or came into the document as well, and each frame.
WATCH = """
    window.drawn = window.painted = 0; window.frames = [];
    for (const name of ['stroke', 'fill', 'drawImage', 'putImageData']) {
        const draw = CanvasRenderingContext2D.prototype[name];
        CanvasRenderingContext2D.prototype[name] = function (...given) {
            window.drawn = window.painted = performance.now();
            return draw.apply(this, given);
        };
    }
    new MutationObserver(() => { window.drawn = performance.now(); }).observe(document, {childList: true, subtree: true});
    const frame = () => { window.frames.push(performance.now()); requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
"""


@contextmanager
def looked_at(folder: Path, fill: Callable[[str], object]) -> Iterator[tuple[Console, Browser]]:
    """A service on a database that `fill` has filled, and a browser."""
    db = str(folder / "weather.db")
    fill(db)
    running = Console(db, folder, OPENBLAS_NUM_THREADS="1")
    with sync_playwright() as playwright:
        yield running, playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    running.stop()


def cold(browser: Browser, address: str) -> tuple[Page, float, int]:
    """A page in a browser that keeps nothing: the page, the ms until all of it was seen, and the bytes that came."""
    page = browser.new_context(viewport={"width": 1100, "height": 800}).new_page()
    page.add_init_script(WATCH)
    came = 0

    def count(event: dict[str, Any]) -> None:
        nonlocal came
        came += int(event["encodedDataLength"])

    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", count)
    page.goto(address, wait_until="networkidle")
    return page, seen(page, "drawn"), came


def seen(page: Page, what: str) -> float:
    """When the newest of what was drawn or painted was seen: the frame after it, by the page's clock in ms."""
    page.evaluate(DRAWN)
    return float(page.evaluate("what => window.frames.find(at => at >= window[what])", what))


def first_view(folder: Path) -> Iterator[Figure]:
    """The network of 14 stations, in a browser that has not seen it before."""
    with looked_at(folder, sample) as (running, browser):
        cold(browser, running.root)  # once, for the service
        found = []
        for _ in range(5):
            page, took, came = cold(browser, running.root)
            found.append(took)
            page.context.close()
        yield Figure("first view of 14 stations, cold browser, median", statistics.median(found) / 1000, "s", 1)
        yield Figure("the same, over the wire", came / 1000, "kB", 300)


def many_stations(folder: Path) -> Iterator[Figure]:
    """The network of 5,000 stations, and moving its map."""
    with looked_at(folder, lambda db: large(db, 5000)) as (running, browser):
        yield from view_and_map(running, browser, "5,000", 3)


def largest_network(folder: Path) -> Iterator[Figure]:
    """The network of 100,000 stations, of which the service tells parts."""
    with looked_at(folder, lambda db: largest(db, 100_000)) as (running, browser):
        yield from view_and_map(running, browser, "100,000", 5)
        yield Figure("memory of the service then", memory(running.service.process.pid, "VmHWM"), "MB", 400)


def view_and_map(running: Console, browser: Browser, stations: str, seconds: float) -> Iterator[Figure]:
    """The first view of so many stations, which may take so long, and moving its map."""
    cold(browser, running.root)[0].context.close()
    page, took, came = cold(browser, running.root)
    against = f"{came / 1000:,.0f} kB"
    yield Figure(f"first view of {stations} stations, cold browser", took / 1000, "s", seconds, against=against)
    yield Figure("frames while its map is dragged", dragged(page), "/s", 30, at_least=True)


def dragged(page: Page) -> float:
    """The frames a second while the mouse drags the map about for some seconds."""
    box = page.locator(".leaflet-container").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    began = float(page.evaluate("() => performance.now()"))
    for turn in range(150):
        page.mouse.move(x + 150 * ((turn % 50) / 25 - 1), y + 60 * ((turn % 30) / 15 - 1))
    frames = [at for at in page.evaluate("() => window.frames") if at >= began]
    page.mouse.up()
    return float((len(frames) - 1) / (frames[-1] - frames[0]) * 1000)


def a_click_on_ten_years(folder: Path) -> Iterator[Figure]:
    """From the click on ten years of a station to their picture."""

    def fill(db: str) -> None:
        storing.fill(Path(db))
        storing.repeat(Path(db), 10)
        with open_for_writing(db) as store:  # as maintenance has done, night after night
            summarise(store, storing.START + (10 * storing.DAYS + 2) * 86400, lambda: None)

    with looked_at(folder, fill) as (running, browser):
        with open_for_reading(running.db) as store:
            newest = int(store.latest()[0].time)
        found = []
        for station in ("volos", "zagora", "sparti", "dodoni", "vlasti"):
            address = f"{running.root}stations/{station}?from={newest - 7 * 86400}&to={newest}"
            page, _, _ = cold(browser, address)
            found.append(clicked(page, "10 years"))
            page.context.close()
        yield Figure("ten years of a station, click to picture, median", statistics.median(found), "ms", 500)
        yield Figure("resident memory of the service then", memory(running.service.process.pid, "VmRSS"), "MB", 120)


def clicked(page: Page, name: str) -> float:
    """The ms from a click on a range to the frame with its series."""
    page.evaluate("() => { addEventListener('click', () => { window.clicked = performance.now(); }, true); }")
    with page.expect_response(lambda answer: "/data/series?" in answer.url) as waited:
        page.get_by_role("button", name=name).click()
    waited.value.finished()
    page.wait_for_load_state("networkidle")
    return seen(page, "painted") - float(page.evaluate("() => window.clicked"))


def many_people(folder: Path) -> Iterator[Figure]:
    """A service at which 20 people look, at 5,000 stations: each view's data are asked as its page does."""
    with looked_at(folder, lambda db: large(db, 5000)) as (running, browser):
        addresses = [asked(browser, running.root + path) for path in LOOKED_AT]
        pid, path = running.service.process.pid, Path(running.db)
        alone, beside, stop = threading.Event(), threading.Event(), threading.Event()
        with ThreadPoolExecutor(PEOPLE + 1) as pool:
            writing = pool.submit(commits, path, alone)
            time.sleep(SECONDS / 4)
            alone.set()
            quiet = writing.result()
            people = [pool.submit(look, addresses[one % len(addresses)], stop, one) for one in range(PEOPLE)]
            writing = pool.submit(commits, path, beside)
            time.sleep(SECONDS)
            beside.set()
            stop.set()
            took = [seconds for one in people for seconds in one.result()]
            busy = writing.result()
        yield Figure(f"resident memory with {PEOPLE} people looking", memory(pid, "VmHWM"), "MB", 120)
        yield Figure(
            "an answer to them, 95 %",
            statistics.quantiles(took, n=20)[-1] * 1000,
            "ms",
            500,
            against=f"{len(took)} answers",
        )
        yield Figure(
            "a commit beside them, median", statistics.median(busy) * 1000, "ms", 2 * statistics.median(quiet) * 1000,
            against=f"alone: {statistics.median(quiet) * 1000:.3g} ms",
        )  # fmt: skip


def asked(browser: Browser, address: str) -> list[str]:
    """The data that a page asks for."""
    page = browser.new_page()
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if "/data/" in request.url else None)
    page.goto(address, wait_until="networkidle")
    page.close()
    return found


def look(addresses: list[str], stop: threading.Event, number: int) -> list[float]:
    """Ask again and again for the same data, as a browser does: with the tags of what it has. How long answers took."""
    tags: dict[str, str] = {}
    took = []
    with requests.Session() as client:
        # As browsers do where the service ends a connection that was at rest.
        client.mount("http://", HTTPAdapter(max_retries=2))
        while not stop.wait(EVERY_SECONDS * (0.5 + number % PEOPLE / PEOPLE)):
            for address in addresses:
                began = time.perf_counter()
                answer = client.get(address, headers={"If-None-Match": tags.get(address, "")}, timeout=30)
                assert answer.status_code in {200, 304}, (address, answer.text)
                tags[address] = answer.headers.get("ETag", "")
                took.append(time.perf_counter() - began)
    return took


BENCHES = (first_view, many_stations, largest_network, a_click_on_ten_years, many_people)
