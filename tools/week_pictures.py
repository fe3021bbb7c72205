"""The pictures of docs/technician.md: `python -m tools.week_pictures`, with faketime and Debian's Chromium.

A week of simulated weather with broken sensors is looked at every three hours, and people call the commands that the
pictures show, by the clock of that week.
"""

from __future__ import annotations

import io
import json
import os
import pty
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

from toolkit import times
from toolkit.commands.detect import record
from toolkit.detector.run import detect
from toolkit.model import Document
from toolkit.page import writing
from toolkit.settings import load
from toolkit.simulator import faults
from toolkit.simulator.faults import Faulty
from toolkit.simulator.network import default_network
from toolkit.simulator.weather import SimulatedWeather
from toolkit.store import open_for_reading, open_for_writing

BIN = Path(sys.executable).parent
FOLDER = Path("docs") / "images"
COLUMNS = 132
CADENCE, HOUR = 600, 3600
# Monday is the 16th of November 2026.
BEGIN, BEFORE = "2026-11-08T00:00Z", "2026-11-15T12:00Z"
FAULTS = (
    "station=volos,variable=temp_out,kind=spike,at=2026-11-15T13:40Z,for=45h,size=7",
    "station=sparti,kind=silent,at=2026-11-18T09:00Z,for=3h",
    "station=zagora,variable=rain,kind=dripping,at=2026-11-19T09:00Z,for=1h,size=2",
    "station=vlasti,variable=bar,kind=offset,at=2026-11-20T02:00Z,for=5h,size=9",
)


class Week:
    """A network's week, in a folder."""

    def __init__(self, folder: Path) -> None:
        stations = default_network()
        self._weather = Faulty(SimulatedWeather(stations, 1), [faults.parse(one, stations, 0) for one in FAULTS])
        self._folder = folder
        self._reached = int(times.parse(BEGIN).timestamp())
        self._at = self._reached
        self._environment = {
            "PATH": f"{BIN}:{os.environ['PATH']}", "LANG": "C.UTF-8", "TERM": "xterm-256color", "COLUMNS": str(COLUMNS),
            "WEATHER_ENV_FILE": str(folder / "none"), "WEATHER_DB": str(folder / "weather.db"),
            "WEATHER_BACKUPS": str(folder), "WEATHER_SPOOL": str(folder / "spool"),
            "CREDENTIALS_DIRECTORY": str(folder / "credentials"), "TZ": "UTC",
        }  # fmt: skip
        self._settings = load({}, self._environment).settings
        self.pages = folder / "pages"
        with open_for_writing(self._settings.db) as store:
            store.add(Document(stations, []), self._reached)
        self._observe(int(times.parse(BEFORE).timestamp()))

    def _observe(self, end: int) -> None:
        """Let the week go on without a look at it."""
        moments = range(self._reached + CADENCE, end + 1, CADENCE)
        rows = [one for moment in moments for one in self._weather.at(moment) if one and one.time == moment]
        with open_for_writing(self._settings.db) as store:
            store.add(Document([], rows), end)
        self._reached, self._at = end - end % CADENCE, end

    def until(self, text: str) -> None:
        """Let the week go on, with a detection run every three hours; then people are told."""
        end = int(times.parse(text).timestamp())
        for at in [*range(self._at - self._at % (3 * HOUR) + 3 * HOUR, end, 3 * HOUR), end]:
            self._observe(at)
            with open_for_reading(self._settings.db) as store:
                report = detect(store, self._settings, at)
            record(self._settings, report, at, None)
            if at > end - 4 * HOUR:
                with open_for_reading(self._settings.db) as store:
                    writing.add(
                        store,
                        self._settings,
                        report,
                        at,
                        self.pages / f"{times.from_epoch(at):report_%Y%m%d_%H%M%S}.html",
                    )
        self.run("notify")

    def run(self, *words: str, by: str = "") -> str:
        """What a command shows on a terminal, by the week's clock."""
        moment = times.stored(self._at)
        outside, inside = pty.openpty()
        process = subprocess.Popen(
            ["faketime", "-f", f"@{moment}", BIN / "weather-tool", *words],
            env=self._environment | ({"WEATHER_ACTOR": by} if by else {}),
            stdin=subprocess.DEVNULL, stdout=inside, stderr=inside,
        )  # fmt: skip
        os.close(inside)
        shown = b"".join(iter(lambda: _read(outside), b""))
        os.close(outside)
        if process.wait():
            raise SystemExit(f"{words}: {shown.decode()}")
        return shown.decode().replace("\r\n", "\n")

    @contextmanager
    def people(self) -> Iterator[list[dict[str, str]]]:
        """Hear what people are told."""
        told: list[dict[str, str]] = []

        class People(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), People)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (self._folder / "credentials").mkdir()
        address = f"json://127.0.0.1:{server.server_address[1]}/\n"
        (self._folder / "credentials" / "apprise_urls").write_text(address, encoding="utf-8")
        yield told
        server.shutdown()


def main() -> None:
    """Live through the week, and make its pictures."""
    with tempfile.TemporaryDirectory() as name:
        week = Week(Path(name))
        with week.people() as told:
            week.until("2026-11-15T18:00Z")
            week.until("2026-11-16T07:00Z")
            week.run("notify", "--summary")
            picture(
                "week-monday",
                "messages",
                "\n".join(f"\x1b[1m{one['title']}\x1b[0m\n{one['message']}\n" for one in told),
            )
            photograph((week.pages / "index.html").as_uri(), "week-index", "light")
            newest = max(week.pages.glob("report_*.html"))
            photograph(f"{newest.as_uri()}#anomaly-1", "week-evidence", "dark")
            week.until("2026-11-16T08:10Z")
            commands(
                week, "week-incident", "maria",
                "incidents list",
                "incidents show 1",
                "incidents ack 1 --note 'the shield may be broken; on Tuesday'",
                "incidents assign 1 --to nikos",
            )  # fmt: skip
            week.until("2026-11-18T16:00Z")
            commands(
                week, "week-wednesday", "nikos",
                "incidents list --all",
                "incidents maintenance sparti --from 2026-11-18T08:30Z --to 2026-11-18T12:30Z --note 'new battery'",
                "incidents maintenance zagora --from 2026-11-19T08:30Z --to 2026-11-19T10:30Z --variables rain "
                "--note 'gauge is cleaned'",
                "incidents maintenance",
            )  # fmt: skip
            week.until("2026-11-20T12:00Z")
            (front,) = json.loads(week.run("incidents", "list", "--station", "vlasti", "--all", "--json"))
            commands(
                week, "week-friday", "maria",
                "incidents list --all",
                "incidents resolve 1 --note 'the shield was cracked'",
                f"incidents dismiss {front['id']} --as weather --note 'the front of Friday night'",
                "incidents stats --days 7",
            )  # fmt: skip


def commands(week: Week, name: str, person: str, *lines: str) -> None:
    """A picture of commands that a person calls, and of what they show."""
    shown = [
        f"\x1b[1m$ weather-tool {line}\x1b[0m\n{week.run(*shlex.split(line), by=person).rstrip()}\n" for line in lines
    ]
    picture(name, "weather-tool incidents", "\n".join(shown))


def picture(name: str, title: str, text: str) -> None:
    """A picture of a terminal."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text.rstrip()))
    console.save_svg(str(FOLDER / f"{name}.svg"), title=title)


def photograph(address: str, name: str, scheme: Literal["light", "dark"]) -> None:
    """A picture of a page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1100, "height": 500}, color_scheme=scheme)
        tab.goto(address)
        tab.screenshot(path=FOLDER / f"{name}.png")


def _read(terminal: int) -> bytes:
    """What a terminal shows; nothing once nobody writes to it any more."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


if __name__ == "__main__":
    main()
