"""Writing the newest observations as GeoJSON (RFC 7946), in the form that a feed has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

from toolkit.archive.exporting.columns import Advance, ExportContent, Piece, columns
from toolkit.location import point
from toolkit.model import Station
from toolkit.times import iso_of


def write(
    pieces: Iterable[Piece], wanted: ExportContent, stations: Sequence[Station], file: TextIO, advance: Advance
) -> None:
    """Write a FeatureCollection with a feature for each observation.

    Args:
        pieces: the newest observation of each station.
        wanted: the columns, which are properties; null where there is no value.
        stations: those of the observations; one whose place is not known has no geometry.
        file: where to.
        advance: hears of observations as they are written.
    """
    known = {station.station_id: station for station in stations}
    file.write('{"type": "FeatureCollection", "features": [')
    separator = "\n"
    for piece in pieces:
        for station_id, properties in _rows(piece, wanted):
            feature = _feature(known[station_id], properties)
            file.write(separator + json.dumps(feature, ensure_ascii=False, allow_nan=False))
            separator = ",\n"
        advance(len(piece.readings.time))
    file.write("\n]}\n")


def _feature(station: Station, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": station.station_id,
        "geometry": point(station),
        "properties": {
            "station_id": station.station_id,
            "station_name_en": station.station_name_en,
            "station_name_gr": station.station_name_gr,
            "wigos_id": station.wigos_id,
            **properties,
        },
    }


def _rows(piece: Piece, wanted: ExportContent) -> Iterator[tuple[str, dict[str, Any]]]:
    readings = piece.readings
    listed: dict[str, list[Any]] = {"time": [iso_of(time) for time in readings.time.tolist()]}
    for column in columns(wanted):
        name = column.variable
        match column.what:
            case "value":
                listed[column.name] = _numbers(readings.values[name])
            case "estimate":
                listed[column.name] = _numbers(piece.estimates[name])
            case "flag":
                listed[column.name] = readings.flags[name].tolist()
            case "test":
                listed[column.name] = [readings.test_names[test] or None for test in readings.tests[name].tolist()]
            case "words":
                listed[column.name] = readings.words[column.name].tolist()
    for station, *values in zip(readings.station.tolist(), *listed.values(), strict=True):
        yield readings.stations[station], dict(zip(listed, values, strict=True))


def _numbers(values: Any) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124 - NaN
