"""Observations one by one, as GeoJSON and as CSV; and stations as GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

from toolkit.api.rows import texts, times
from toolkit.archive.spreadsheet import guarded
from toolkit.flagging.readings import FlaggedReadings
from toolkit.model import Station

# So many features are written at once.
CHUNK = 500


def geojson(
    rows: FlaggedReadings, columns: Sequence[str], stations: Mapping[str, Station], links: Sequence[Mapping[str, str]]
) -> Iterator[bytes]:
    """A FeatureCollection with a feature for each observation."""
    yield b'{"type":"FeatureCollection","numberReturned":%d,"links":%s,"features":[' % (
        len(rows.time), json.dumps(links).encode(),
    )  # fmt: skip
    heads = [_head(stations[name]) for name in rows.stations]
    names = [json.dumps(name) for name in rows.stations]
    moments = times(rows)
    written = [texts(rows, column, "null") for column in columns]
    pattern = "".join(f',"{column}":%s' for column in columns)
    lines = (
        f'{{"type":"Feature","id":{item_id(names[station], moment)},{heads[station]}'
        f'"properties":{{"station_id":{names[station]},"datetime":"{moment}"{pattern % values}}}}}'
        for station, moment, values in zip(rows.station.tolist(), moments, zip(*written, strict=True), strict=True)
    )
    yield from _chunks(lines, ",")
    yield b"]}"


def item_id(name: str, moment: str) -> str:
    """The id of an observation, as JSON, of that of its station as JSON."""
    return f'{name[:-1]}@{moment}"'


def _head(station: Station) -> str:
    return f'"geometry":{json.dumps(geometry(station))},'


def geometry(station: Station) -> dict[str, object] | None:
    """A station's point; None where its place is unknown."""
    if station.latitude is None or station.longitude is None:
        return None
    height = [] if station.elevation is None else [station.elevation]
    return {"type": "Point", "coordinates": [station.longitude, station.latitude, *height]}


def csv(rows: FlaggedReadings, columns: Sequence[str]) -> Iterator[bytes]:
    """A table with a row for each observation; text is guarded for spreadsheets."""
    yield ",".join(("time", "station_id", *columns)).encode() + b"\r\n"
    names = [_cell(name) for name in rows.stations]
    written = [texts(rows, column, "") for column in columns]
    moments = times(rows)
    lines = (
        ",".join((moment, names[station], *values)) + "\r\n"
        for station, moment, values in zip(rows.station.tolist(), moments, zip(*written, strict=True), strict=True)
    )
    yield from _chunks(lines, "")


def _cell(text: str) -> str:
    text = guarded(text)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in '",\r\n') else text


def _chunks(lines: Iterable[str], between: str) -> Iterator[bytes]:
    """Lines, many at once."""
    some: list[str] = []
    first = True
    for line in lines:
        some.append(line)
        if len(some) == CHUNK:
            yield (("" if first else between) + between.join(some)).encode()
            some.clear()
            first = False
    if some:
        yield (("" if first else between) + between.join(some)).encode()


def locations(stations: Iterable[Station], base: str, collection: str) -> Iterator[bytes]:
    """Stations as a FeatureCollection, in the form of EDR's locations.

    Args:
        stations: which.
        base: the address of this service.
        collection: of which collection.
    """
    yield b'{"type":"FeatureCollection","features":['
    yield from _chunks((json.dumps(_location(one, base, collection)) for one in stations), ",")
    yield b"]}"


def _location(station: Station, base: str, collection: str) -> dict[str, object]:
    return {
        "type": "Feature",
        "id": station.station_id,
        "geometry": geometry(station),
        "properties": {
            "name": station.station_name_en or station.station_name_gr or station.station_id,
            "edrqueryendpoint": f"{base}/collections/{collection}/locations/{quote(station.station_id, safe='')}",
        },
    }
