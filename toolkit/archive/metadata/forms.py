"""The forms of a file of metadata: a plain CSV, and what the WMO's OSCAR/Surface and wis2box write.

| form | told by |
| --- | --- |
| plain CSV | its columns, see `PLAIN` |
| CSV of a search in OSCAR/Surface | a column `WIGOS Station Identifier(s)`, identifiers separated by `|` |
| station_list.csv of wis2box | a column `wigos_station_identifier` |
| JSON of a search in OSCAR/Surface's API | `stationSearchResults`, as pyoscar gives it |
| WMDR 1.0 (and 2017) in XML | WIGOS Metadata Representation, `ObservingFacility` with its `geospatialLocation`s |
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from toolkit.archive.metadata.rows import Form, Row
from toolkit.errors import UsageError
from toolkit.feed import table
from toolkit.text import decoded, one_line

if TYPE_CHECKING:
    from lxml import etree

PLAIN = (
    "station_id", "wigos_id", "station_name", "latitude", "longitude", "elevation", "valid_from", "valid_to",
    "variable", "sensor",
)  # fmt: skip
"""The columns of the plain CSV; station_id or wigos_id is needed."""

PLACE = ("latitude", "longitude", "elevation")
_OSCAR = "WIGOS Station Identifier(s)"
_WIS2BOX = "wigos_station_identifier"
# An identifier in WMDR may be written as an address.
_ADDRESS = re.compile(r".*[/#]")
MOST_ROWS = 200_000


def read(body: bytes, named: str) -> Form:
    """Read a file of metadata.

    Raises:
        UsageError: it is of none of the forms.
    """
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    form = _json(body, named) if start in {b"{", b"["} else _wmdr(body, named) if start == b"<" else _csv(body, named)
    if len(form.rows) > MOST_ROWS:
        raise UsageError(f"{named} has {len(form.rows)} rows: give at most {MOST_ROWS} at once")
    return form


def _csv(body: bytes, named: str) -> Form:
    text = decoded(body)
    for wanted, made, name, history in (
        ([_OSCAR], _of_oscar, "CSV of OSCAR/Surface", False),
        ([_WIS2BOX], _of_wis2box, "station list of wis2box", False),
        (["station_id", "wigos_id"], _of_plain, "CSV", True),
    ):
        try:
            found = [*table.rows(table.lines_of(text), wanted, padded=True)]
        except ValueError:
            continue
        rows = []
        for number, cells in found:
            if cells is None:
                rows.append(Row(number, broken="a quote in it is not closed, or it has more cells than the header"))
            else:
                rows.append(made(number, {key: value.strip() for key, value in cells.items()}))
        if history and found and found[0][1] and (unknown := [key for key in found[0][1] if key and key not in PLAIN]):
            raise UsageError(f"{named}: there is no column {one_line(unknown[0], 40)!r}; there are {', '.join(PLAIN)}")
        return Form(name, rows, history, not history, history)
    raise UsageError(
        f"{named} has no header with station_id or wigos_id, and is no station list of OSCAR/Surface or wis2box"
    )


def _of_plain(number: int, cells: Mapping[str, str]) -> Row:
    get = cells.get
    return Row(
        number,
        get("station_id", ""),
        None if "wigos_id" not in cells else tuple(filter(None, [get("wigos_id")])),
        (),
        get("station_name", ""),
        **{name: get(name, "") for name in PLAIN[3:]},
    )


def _of_oscar(number: int, cells: Mapping[str, str]) -> Row:
    ids = tuple(one.strip() for one in cells[_OSCAR].split("|") if one.strip())
    where = {name.lower(): cells.get(name, "") for name in ("Latitude", "Longitude", "Elevation")}
    return Row(number, "", ids, (), cells.get("Station", ""), **where)


def _of_wis2box(number: int, cells: Mapping[str, str]) -> Row:
    return Row(
        number,
        "",
        tuple(filter(None, [cells[_WIS2BOX]])),
        tuple(filter(None, [cells.get("traditional_station_identifier", "")])),
        cells.get("station_name", ""),
        **{name: cells.get(name, "") for name in PLACE},
    )


def _json(body: bytes, named: str) -> Form:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{named} is no JSON: {one_line(str(error), 100)}") from None
    stations = found.get("stationSearchResults") if isinstance(found, dict) else found
    if not isinstance(stations, list) or not all(isinstance(one, dict) for one in stations):
        raise UsageError(f"{named} is JSON without stationSearchResults, which an answer of OSCAR/Surface has")
    return Form(
        "JSON of OSCAR/Surface", [_of_search(number, one) for number, one in enumerate(stations, start=1)],
        history=False, foreign=True, sensors=False,
    )  # fmt: skip


def _of_search(number: int, one: Mapping[str, Any]) -> Row:
    ids: list[str] = []
    identifiers = one.get("wigosStationIdentifiers")
    for item in identifiers if isinstance(identifiers, list) else ():
        if isinstance(item, dict) and isinstance(name := item.get("wigosStationIdentifier"), str):
            ids.insert(0 if item.get("primary") is True else len(ids), name)
    if isinstance(name := one.get("wigosId"), str) and name not in ids:
        ids.append(name)

    def text(key: str) -> str:
        value = one.get(key)
        return "" if value is None else str(value)

    return Row(number, "", tuple(ids), (), text("name"), **{name: text(name) for name in PLACE})


def _wmdr(body: bytes, named: str) -> Form:
    from lxml import etree  # only for this form

    try:
        rows: list[Row] = []
        for facility in _facilities(etree, body, named):
            rows += _of_facility(facility, len(rows) + 1)
    except etree.XMLSyntaxError as error:
        raise UsageError(f"{named} is no XML: {one_line(str(error), 100)}") from None
    if not rows:
        raise UsageError(f"{named} is XML without a wmdr:ObservingFacility that has a place")
    return Form("WMDR", rows, history=True, foreign=True, sensors=False)


def _facilities(etree: Any, body: bytes, named: str) -> Iterator[etree._Element]:
    """The observing facilities of a document; nothing that it names is fetched."""
    reading = etree.iterparse(
        io.BytesIO(body), events=("start", "end"), resolve_entities=False, load_dtd=False, no_network=True,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    first = True
    for event, element in reading:
        if first and element.getroottree().docinfo.doctype:
            raise UsageError(f"{named} is XML with a DTD, which is not read")
        first = False
        if event == "end" and _local(element) == "ObservingFacility":
            yield element
            element.clear(keep_tail=True)


def _of_facility(facility: etree._Element, number: int) -> Iterator[Row]:
    ids = tuple(_ADDRESS.sub("", text) for text in _texts(facility, "identifier"))
    name = next(_texts(facility, "name"), "")
    for at, location in enumerate(_below(facility, "geospatialLocation", "GeospatialLocation"), start=number):
        (position, *_) = [*(_all_texts(location, "pos")), ""]
        latitude, longitude, elevation, *_ = [*position.split(), "", "", ""]
        begin = next(_all_texts(location, "beginPosition"), "")
        end = next(_all_texts(location, "endPosition"), "")
        yield Row(at, "", ids, (), name, latitude, longitude, elevation, begin, end)


def _below(element: etree._Element, outer: str, inner: str) -> Iterator[etree._Element]:
    for child in element:
        if _local(child) == outer:
            yield from (it for it in child if _local(it) == inner)


def _texts(element: etree._Element, name: str) -> Iterator[str]:
    return (text for child in element if _local(child) == name and (text := (child.text or "").strip()))


def _all_texts(element: etree._Element, name: str) -> Iterator[str]:
    return (text for child in element.iter() if _local(child) == name and (text := (child.text or "").strip()))


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]
