"""Which of a feed's entries are taken into the store: the rule of docs/observations.md.

What is impossible by itself was left out when it was read (`feed.entries`). Here it is judged by what is known besides:
the present, and the stations that are there. Whether a possible value is a likely one is for the detector to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from toolkit.clock import AHEAD_SECONDS
from toolkit.model import Bounds, Document


def admit(document: Document, present: float) -> Document:
    """The document without what is of the future.

    Args:
        document: what the feed offered.
        present: seconds since the epoch, as `clock.present` tells it: a host without a clock of its own wakes up in
            the past, and must not take all weather for the future.
    """
    latest = present + AHEAD_SECONDS
    observations = [one for one in document.observations if one.time <= latest]
    left_out = Counter(document.left_out)
    if future := len(document.observations) - len(observations):
        left_out["time in the future"] += future
    rejected = [one for one in document.rejected if one.time <= latest]
    return Document(document.stations, observations, left_out, rejected)


def bound(document: Document, known: set[str], bounds: Bounds, new: Callable[[], int | None]) -> Document:
    """The document with no more stations than may come at once, and in a day.

    Args:
        document: what the feed offered.
        known: the stations that the store has; they come first.
        bounds: how many may come.
        new: tells how many came for the first time in the last 24 hours; None if these are the first of all.
    """
    ids = [station.station_id for station in document.stations]
    if len(ids) <= bounds.stations and known.issuperset(ids):
        return document
    left_out = Counter(document.left_out)
    # Sorted is stable: as they come in the document, but the known ones before the others.
    ids.sort(key=lambda name: name not in known)
    if (over := len(ids) - bounds.stations) > 0:
        left_out["station beyond those of a document"] += over
        del ids[bounds.stations :]
    strangers = sum(name not in known for name in ids)
    before = new() if strangers else None
    if before is not None and (over := strangers - max(0, bounds.new_stations - before)) > 0:
        left_out["new station beyond those of a day"] += over
        del ids[-over:]
    taken = set(ids)
    return Document(
        [one for one in document.stations if one.station_id in taken],
        [one for one in document.observations if one.station_id in taken],
        left_out,
        [one for one in document.rejected if one.station_id in taken],
    )
