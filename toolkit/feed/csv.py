"""A feed in CSV (RFC 4180, and its relatives with other delimiters): a row for each station or observation."""

from __future__ import annotations

import csv
from collections import Counter

from toolkit.feed.document import Document, FeedError, Observation, Station
from toolkit.feed.fields import Fields

DELIMITERS = ",;\t|"
# A title, a licence and units may stand above the header.
HEADER_WITHIN = 20


def parse(body: bytes, fields: Fields) -> Document:
    """The stations and observations of a document, in UTF-8 or else in Windows' western code page.

    Raises:
        FeedError: there is no header with the fields of station and time, or no station.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    lines = text.splitlines()
    row, delimiter = _header(lines, fields)
    rows = csv.reader(lines[row:], delimiter=delimiter)
    header = [cell.strip() for cell in next(rows)]

    stations: dict[str, Station] = {}
    observations: dict[tuple[int, str], Observation] = {}
    left_out: Counter[str] = Counter()
    number = 0
    for cells in rows:
        if not any(cells):
            continue
        number += 1
        if len(cells) != len(header):
            left_out["not a row"] += 1
            continue
        said = dict(zip(header, cells, strict=True))
        station_id = fields.station_id(said)
        if station_id is None:
            left_out["no station id"] += 1
            continue
        stations[station_id] = fields.station(station_id, said)
        observation = fields.observation(station_id, said, left_out)
        if observation is not None:
            observations[observation.time, station_id] = observation
    if not stations:
        raise FeedError(f"the feed holds no station: {number} rows, none with a station id")
    return Document(list(stations.values()), list(observations.values()), left_out)


def _header(lines: list[str], fields: Fields) -> tuple[int, str]:
    """The line of the header, and what separates its fields."""
    wanted = [set(fields.names(ours)) for ours in ("station_id", "time")]
    for row, line in enumerate(lines[:HEADER_WITHIN]):
        for delimiter in DELIMITERS:
            cells = {cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])}
            if all(cells & names for names in wanted):
                return row, delimiter
    missing = " and ".join("|".join(sorted(names)) for names in wanted)
    raise FeedError(f"the feed is no CSV with the fields {missing}: it begins with {lines[0][:60] if lines else ''!r}")
