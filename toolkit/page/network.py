"""The page of a network's performance in a month."""

from __future__ import annotations

from toolkit.page.writing import INDEX, template
from toolkit.performance import words
from toolkit.performance.report import Performance

# So many stations and incidents are on the page, the least available and the longest: it must still open.
MOST_STATIONS = 200
MOST_INCIDENTS = 100


def page(report: Performance, *, listed: bool = False) -> str:
    """The page of a month; a page that is `listed` links to the index beside it."""
    return template("network.html.j2").render(
        report=report,
        words=words,
        stations=report.stations[:MOST_STATIONS],
        incidents=report.incidents.all[:MOST_INCIDENTS],
        index=INDEX if listed else None,
    )
