"""The page of a report, and the index of all pages of a folder."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from html import unescape
from importlib import resources
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from toolkit import times
from toolkit.detector.report import Report
from toolkit.files import write_atomically
from toolkit.page.contents import Contents, gather
from toolkit.page.incidents import Incidents
from toolkit.performance.month import FOLDER
from toolkit.settings import Settings
from toolkit.store import Store
from toolkit.text import one_line
from toolkit.variables import BY_NAME, STATION

INDEX = "index.html"
_SUMMARY = re.compile(r'<meta name="description" content="([^"]*)">')
_WRITTEN = re.compile(r'<meta name="dcterms.created" content="([^"]*)">')
# What the index says of a page is in its first bytes.
_HEAD_BYTES = 2000


class Listed(NamedTuple):
    """A page of a folder.

    Attributes:
        file: its name, as it is part of an address.
        name: as it is shown.
        summary: what it found; empty if it does not say.
        written: when it was written, seconds since the epoch; None if it does not say.
    """

    file: str
    name: str
    summary: str
    written: float | None


def page(store: Store, settings: Settings, report: Report, at: float) -> str:
    """The page of a report, by itself.

    Args:
        store: where the observations are.
        settings: the neighbourhood, and where the backups are.
        report: what was found.
        at: the present, seconds since the epoch.

    Raises:
        ToolkitError: the store cannot be read.
    """
    with store.snapshot():
        contents = gather(store, settings, report, at, None)
    return _page(contents, index=None)


def add(store: Store, settings: Settings, report: Report, at: float, path: Path) -> None:
    """Write the page of a report among others, and the index of them, the newest first.

    What is new on it is so since the newest of the others.

    Raises:
        ToolkitError: the store cannot be read, or they cannot be written.
    """
    last = max(
        (one.written for one in listed(path.parent) if one.written is not None and one.written <= at), default=None
    )
    with store.snapshot():
        contents = gather(store, settings, report, at, last)
    write_atomically(path, _page(contents, index=INDEX))
    index = template("index.html.j2").render(
        pages=listed(path.parent),
        incidents=contents.incidents,
        newest=quote(os.fsencode(path.name)),
        months=f"{FOLDER}/{INDEX}" if (path.parent / FOLDER / INDEX).is_file() else None,
    )
    write_atomically(path.parent / INDEX, index)


def _page(contents: Contents, index: str | None) -> str:
    return template("page.html.j2").render(page=contents, svg=Markup, index=index)


def listed(folder: Path) -> list[Listed]:
    """The pages of a folder, the newest first."""
    names = sorted((path for path in folder.glob("*.html") if path.name != INDEX), reverse=True)
    return [found for path in names if (found := _look(path)) is not None]


def _look(path: Path) -> Listed | None:
    """What a page's head says; None for what is no regular file."""
    try:
        with open(path, "rb", opener=_opened) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            head = file.read(_HEAD_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    summary, written = _SUMMARY.search(head), _WRITTEN.search(head)
    moment = None
    with suppress(ValueError):  # a page of an earlier release, or none of ours
        moment = times.epoch_of(written[1]) if written else None
    return Listed(quote(os.fsencode(path.name)), one_line(path.stem), unescape(summary[1]) if summary else "", moment)


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
    environment.filters["counted"] = _counted
    environment.filters["moment"] = _moment
    environment.filters["reading"] = _reading
    return environment.get_template(name)


def _counted(incidents: Incidents) -> str:
    if not incidents.number:
        return "no incident open"
    new = f", {incidents.new} of them new" if incidents.new else ""
    return f"{incidents.number} incident{'s' if incidents.number != 1 else ''} open{new}"


def _moment(text: str | None) -> str:
    """A time in ISO 8601 as people read it."""
    return text.replace("T", " ").removesuffix("Z").removesuffix(":00") if text else "never"


def _reading(value: float | None, variable: str) -> str:
    return "–" if value is None else f"{value:g} {BY_NAME[variable].unit}"
