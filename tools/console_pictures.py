"""The pictures of docs/console.md: `python -m tools.console_pictures`, with Debian's Chromium.

A console is shown on the network on which it is tested, whose sensors are broken.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import ViewportSize, sync_playwright

from tests.browser.pages import CHROMIUM, LOOKS, SCREEN, Look, Pages
from tests.console import HOUR, NOW, Console, sample
from toolkit.times import iso_of

FOLDER = Path("docs") / "images"
# When the thermometer of volos broke.
BROKE = NOW - 30 * HOUR
LOW: ViewportSize = {"width": SCREEN["width"], "height": 680}


class Picture(NamedTuple):
    """What a picture shows, and what must have come there."""

    path: str
    look: Look
    until: str = "h1"


SPAN = f"from={iso_of(BROKE - 2 * HOUR)}&to={iso_of(BROKE + HOUR)}"
PICTURES = {
    "console-network": Picture("", Look(LOW)),
    "console-station": Picture(
        "stations/volos?range=3d&variables=temp_out,out_hum&neighbours=temp_out", Look(SCREEN, "dark")
    ),
    "console-playback": Picture(f"playback?{SPAN}&station=volos", Look(SCREEN, "dark"), until=".tests tr.flagged"),
    "console-phone": Picture("", LOOKS["phone"]),
    "console-greek": Picture("", Look(LOW, "dark", "el-GR")),
}


def main() -> None:
    """Make them."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        db = str(Path(name) / "weather.db")
        sample(db)
        console = Console(db, Path(name))
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for file, (path, look, until) in PICTURES.items():
                pages = Pages(browser, console)
                page = pages.open(path, look)
                page.locator(until).first.wait_for()
                page.screenshot(path=FOLDER / f"{file}.png")
                pages.close()
                for said in pages.said:
                    print(f"{file}: {said}")
        finally:
            console.stop()


if __name__ == "__main__":
    main()
