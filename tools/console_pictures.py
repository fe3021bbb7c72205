"""The pictures of docs/console.md: `python -m tools.console_pictures`, with Debian's Chromium.

A console is shown on the network on which it is tested, whose sensors are broken.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import ViewportSize, sync_playwright

from tests.browser.pages import CHROMIUM, LIGHT, LOOKS, SCREEN, Look, Pages
from tests.console import Console, sample

FOLDER = Path("docs") / "images"
LOW: ViewportSize = {"width": SCREEN["width"], "height": 680}


class Picture(NamedTuple):
    """What a picture shows, and who has signed in there."""

    path: str
    look: Look
    by: str = ""


PICTURES = {
    "console-network": Picture("", Look(LOW)),
    "console-station": Picture(
        "stations/volos?range=3d&variables=temp_out,out_hum&neighbours=temp_out", Look(SCREEN, "dark")
    ),
    "console-incidents": Picture("incidents", Look(LOW), "maria"),
    "console-incident": Picture("incidents/1", Look(SCREEN), "maria"),
    "console-playback": Picture("playback", Look(SCREEN, "dark")),
    "console-service": Picture("service", LIGHT),
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
            for file, (path, look, by) in PICTURES.items():
                pages = Pages(browser, console)
                pages.open(path, look, by).screenshot(path=FOLDER / f"{file}.png")
                pages.close()
                for said in pages.said:
                    print(f"{file}: {said}")
        finally:
            console.stop()


if __name__ == "__main__":
    main()
