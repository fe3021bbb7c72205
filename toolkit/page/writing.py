"""The page of a report, and the index of all pages of a folder."""

from __future__ import annotations

import os
import re
import stat
from html import unescape
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from toolkit import times
from toolkit.detector.report import STATION, Report
from toolkit.files import write_atomically
from toolkit.page.contents import gather
from toolkit.settings import Settings
from toolkit.store import Store
from toolkit.text import one_line
from toolkit.variables import BY_NAME

INDEX = "index.html"
_SUMMARY = re.compile(r'<meta name="description" content="([^"]*)">')
# The summary of a page is in its first bytes.
_HEAD_BYTES = 2000


def page(store: Store, settings: Settings, report: Report, *, listed: bool = False) -> str:
    """The page of a report; a page that is `listed` links to the index beside it.

    Raises:
        ToolkitError: the store cannot be read.
    """
    with store.snapshot():
        contents = gather(store, settings, report)
    return template("page.html.j2").render(page=contents, svg=Markup, index=INDEX if listed else None)


def index(folder: Path) -> None:
    """Write the index of the pages in a folder, the newest first.

    Raises:
        ToolkitError: it cannot be written.
    """
    pages = sorted((path for path in folder.glob("*.html") if path.name != INDEX), reverse=True)
    entries = [
        (quote(os.fsencode(path.name)), one_line(path.stem), summary)
        for path in pages
        if (summary := _summary(path)) is not None
    ]
    write_atomically(folder / INDEX, template("index.html.j2").render(entries=entries, written=times.iso(times.now())))


def _summary(path: Path) -> str | None:
    """The summary in the head of a page, "" if it has none; None for what is no regular file."""
    try:
        with open(path, "rb", opener=_opened) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            head = file.read(_HEAD_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    found = _SUMMARY.search(head)
    return unescape(found[1]) if found else ""


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def template(name: str) -> Template:
    """A page's template, with the style and the filters that all of them have."""
    environment = Environment(
        loader=PackageLoader("toolkit.page", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    style = (resources.files("toolkit.page") / "page.css").read_text("utf-8")
    environment.globals["style"] = Markup(style)  # noqa: S704
    environment.globals["whole_station"] = STATION
    environment.filters["words"] = lambda name: name.replace("_", " ")
    environment.filters["moment"] = _moment
    environment.filters["reading"] = _reading
    return environment.get_template(name)


def _moment(text: str | None) -> str:
    """A time in ISO 8601 as people read it."""
    return text.replace("T", " ").removesuffix("Z").removesuffix(":00") if text else "never"


def _reading(value: float | None, variable: str) -> str:
    return "–" if value is None else f"{value:g} {BY_NAME[variable].unit}"
