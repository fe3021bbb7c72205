"""The page of a network's performance in a month, and the index of all months."""

from __future__ import annotations

from pathlib import Path

from toolkit.files import write_atomically
from toolkit.page.writing import INDEX, listed, template
from toolkit.performance import words
from toolkit.performance.report import Performance

# So many stations and incidents are on the page, the least available and the longest: it must still open.
MOST_STATIONS = 200
MOST_INCIDENTS = 100


def page(report: Performance, index: str | None = None) -> str:
    """The page of a month; with a link to the index of all months, if there is one."""
    return template("network.html.j2").render(
        report=report,
        words=words,
        stations=report.stations[:MOST_STATIONS],
        incidents=report.incidents.all[:MOST_INCIDENTS],
        index=index,
    )


def add(report: Performance, path: Path) -> None:
    """Write the page of a month among others, and the index of them, the newest first.

    Raises:
        ToolkitError: they cannot be written.
    """
    write_atomically(path, page(report, INDEX))
    write_atomically(path.parent / INDEX, template("months.html.j2").render(pages=listed(path.parent)))
