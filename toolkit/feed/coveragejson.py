"""A feed in CoverageJSON (OGC 21-069r2), as an OGC API - EDR answers it: a coverage or a collection of coverages.

An entry is a time of a coverage. Its fields are the coverage's own members that are texts or numbers (`id`, or what a
service adds, such as `eumetnet:locationId`), `longitude`, `latitude`, `elevation` and `time` of its domain, and a value
by the name of each parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from toolkit.feed.entries import Entries
from toolkit.feed.errors import NoStationError, NotAFeedError
from toolkit.feed.json import content

# What the axes of a place in degrees and metres are called.
AXES = {"x": "longitude", "y": "latitude", "z": "elevation"}


def parse(document: BinaryIO, entries: Entries) -> None:
    """Take the stations and observations of a document.

    Raises:
        UnreadableError: it is not JSON.
        NotAFeedError: it is no coverage and no collection of them.
        NoStationError: no coverage has a station id.
    """
    found = content(document.read())
    kind = found.get("type") if isinstance(found, dict) else None
    coverages = found.get("coverages") if kind == "CoverageCollection" else [found]
    if kind not in ("Coverage", "CoverageCollection") or not isinstance(coverages, list):
        raise NotAFeedError("the feed is not CoverageJSON: it is no Coverage, and no CoverageCollection with coverages")
    for coverage in coverages:
        if isinstance(coverage, dict) and (described := _described(coverage)):
            for fields in _times(coverage, *described):
                entries.take(fields)
        else:
            entries.leave_out("not a coverage of a point's times")
    if not entries.any_station:
        raise NoStationError(f"the feed holds no station: {len(coverages)} coverages, none with a station id")


def _described(coverage: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]] | None:
    """What is alike at all times of a coverage, and its times; None where it is not of one place."""
    domain = coverage.get("domain")
    axes = domain.get("axes") if isinstance(domain, dict) else None
    if not isinstance(axes, dict):
        return None
    times = _values(axes.get("t"))
    fields = {name: value for name, value in coverage.items() if isinstance(value, str | int | float)}
    for axis, name in AXES.items():
        values = _values(axes.get(axis))
        if len(values) > 1:
            return None
        if values:
            fields[name] = values[0]
    return (fields, times) if times else None


def _times(coverage: Mapping[str, Any], fields: dict[str, Any], times: list[Any]) -> Iterator[dict[str, Any]]:
    ranges = coverage.get("ranges")
    named = ranges.items() if isinstance(ranges, dict) else ()
    # A range that has not one value for each time cannot be told apart, and is as if it were not there.
    columns = {name: values for name, one in named if len(values := _values(one)) == len(times)}
    for place, time in enumerate(times):
        yield fields | {name: values[place] for name, values in columns.items()} | {"time": time}


def _values(holder: Any) -> list[Any]:
    values = holder.get("values") if isinstance(holder, dict) else None
    return values if isinstance(values, list) else []
