"""Observations one by one, as GeoJSON and as CSV; and stations as GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from toolkit.api.catalogue import location
from toolkit.api.rows import texts, times
from toolkit.archive.spreadsheet import guarded
from toolkit.flagging.readings import FlaggedReadings
from toolkit.location import point
from toolkit.model import Station

# So many features are written at once, and are in memory as text.
AT_ONCE = 500


def geojson(
    rows: FlaggedReadings, columns: Sequence[str], stations: Mapping[str, Station], links: Sequence[Mapping[str, str]]
) -> Iterator[bytes]:
    """A FeatureCollection with a feature for each observation."""
    yield b'{"type":"FeatureCollection","numberReturned":%d,"links":%s,"features":[' % (
        len(rows.time), json.dumps(links).encode(),
    )  # fmt: skip
    heads = [_head(stations[name]) if name in stations else "" for name in rows.stations]
    names = [json.dumps(name) for name in rows.stations]
    pattern = "".join(f',"{column}":%s' for column in columns)
    for number, block in enumerate(_blocks(rows)):
        written = [texts(block, column, "null") for column in columns]
        lines = [
            f'{{"type":"Feature","id":{item_id(names[station], moment)},{heads[station]}'
            f'"properties":{{"station_id":{names[station]},"datetime":"{moment}"{pattern % tuple(values)}}}}}'
            for station, moment, values in zip(
                block.station.tolist(), times(block), zip(*written, strict=True), strict=True
            )
        ]
        yield (("," if number else "") + ",".join(lines)).encode()
    yield b"]}"


def _blocks(rows: FlaggedReadings) -> Iterator[FlaggedReadings]:
    """The rows in blocks of at most `AT_ONCE`, in order."""
    for start in range(0, len(rows.time), AT_ONCE):
        yield rows.taken(slice(start, start + AT_ONCE))


def item_id(name: str, moment: str) -> str:
    """The id of an observation, as JSON, of that of its station as JSON."""
    return f'{name[:-1]}@{moment}"'


def _head(station: Station) -> str:
    return f'"geometry":{json.dumps(point(station))},'


def csv(rows: FlaggedReadings, columns: Sequence[str]) -> Iterator[bytes]:
    """A table with a row for each observation; text is guarded for spreadsheets."""
    yield heading(columns)
    yield from lines(rows, columns)


def heading(columns: Sequence[str]) -> bytes:
    """The first line of a table."""
    return ",".join(("time", "station_id", *columns)).encode() + b"\r\n"


def lines(rows: FlaggedReadings, columns: Sequence[str]) -> Iterator[bytes]:
    """The other lines of a table."""
    names = [_cell(name) for name in rows.stations]
    for block in _blocks(rows):
        written = [texts(block, column, "") for column in columns]
        named = [names[station] for station in block.station.tolist()]
        cells = map(",".join, zip(times(block), named, *written, strict=True))
        yield ("\r\n".join(cells) + "\r\n").encode()


def _cell(text: str) -> str:
    text = guarded(text)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in '",\r\n') else text


def locations(stations: Iterable[Station], base: str, collection: str) -> Iterator[bytes]:
    """Stations as a FeatureCollection, in the form of EDR's locations.

    Args:
        stations: which.
        base: the address of this service.
        collection: of which collection.
    """
    yield b'{"type":"FeatureCollection","features":['
    between = ""
    for one in stations:
        yield (between + json.dumps(_location(one, base, collection))).encode()
        between = ","
    yield b"]}"


def _location(station: Station, base: str, collection: str) -> dict[str, object]:
    return {
        "type": "Feature",
        "id": station.station_id,
        "geometry": point(station),
        "properties": {
            "name": station.station_name_en or station.station_name_gr or station.station_id,
            "wigos_id": station.wigos_id,
            "edrqueryendpoint": location(base, collection, station.station_id),
        },
    }
