"""A feed of METAR and SPECI reports (WMO-No. 306, FM 15 and FM 16), as text: a report on each line, or over several.

A report has the day of the month and the time. The month is that of a line `YYYY/MM/DD hh:mm` before it, as archives of
the National Weather Service have it; without one it is the last month that had such a day.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from datetime import UTC
from typing import Any, BinaryIO

from metar.Metar import Metar, ParserError

from toolkit.feed.entries import Entries
from toolkit.feed.errors import NoStationError
from toolkit.feed.table import lines_in
from toolkit.text import text_in

# The longest report, in characters.
LENGTH = 1000
_DATE = re.compile(r"(\d{4})/(\d\d)/(\d\d) \d\d:\d\d")
_BEGINNING = re.compile(r"(?:(?:METAR|SPECI)\s+)?(?:COR\s+)?[A-Z][A-Z0-9]{3}\s+\d{6}Z\b")


def parse(document: BinaryIO, entries: Entries) -> None:
    """Take the stations and observations of a document, under the names and in the units of the store.

    Raises:
        NoStationError: there is no report in it.
    """
    number = 0
    with text_in(document) as text:
        for report, year, month in _reports(lines_in(text)):
            number += 1
            if len(report) > LENGTH:
                entries.leave_out("METAR too long")
                continue
            try:
                with warnings.catch_warnings(action="ignore"):  # of groups that it does not know
                    said = Metar(report, month=month, year=year, strict=False)
            except (ParserError, ValueError, OverflowError):
                entries.leave_out("METAR that cannot be read")
                continue
            if str(said.mod) == "NO DATA":  # NIL
                entries.leave_out("METAR without an observation")
            else:
                entries.take(_fields(said))
    if not entries.any_station:
        raise NoStationError(f"the feed holds no station: {number} reports, none of METAR's form")


def _reports(lines: Iterator[str]) -> Iterator[tuple[str, int | None, int | None]]:
    """Each report, which ends with `=` or where the next begins, with its year and month where they are known."""
    report, year, month = "", None, None
    for line in map(str.strip, lines):
        date = _DATE.fullmatch(line)
        if report and (date or not line or _BEGINNING.match(line)):
            yield report, year, month
            report = ""
        if date and 1 <= int(date[2]) <= 12:
            year, month = int(date[1]), int(date[2])
        elif _BEGINNING.match(line) or (report and line):
            if len(report) <= LENGTH:  # more of it is not wanted
                report = f"{report} {line}".strip()
            if line.endswith("="):
                yield report.rstrip("= "), year, month
                report = ""
    if report:
        yield report, year, month


def _fields(said: Metar) -> dict[str, Any]:
    direction = said.wind_dir.value() if said.wind_dir else None
    return {
        "station_id": said.station_id,
        "time": said.time and said.time.replace(tzinfo=UTC).timestamp(),
        "temp_out": said.temp and said.temp.value("C"),
        "dew_point": said.dewpt and said.dewpt.value("C"),
        "bar": said.press and round(said.press.value("HPA"), 1),
        "wind_speed": said.wind_speed and round(said.wind_speed.value("KMH"), 1),
        "hi_speed": said.wind_gust and round(said.wind_gust.value("KMH"), 1),
        # 000 is calm, and north is 360.
        "wind_dir": None if direction == 0 and said.wind_speed and not said.wind_speed.value() else direction,
        "snow_depth": said.snowdepth and round(said.snowdepth.value("M") * 100, 1),
    }
