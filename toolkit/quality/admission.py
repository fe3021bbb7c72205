"""Which of a feed's entries are stored: the rule of docs/observations.md.

What is impossible by itself was rejected when it was read (`feed.entries`). Here entries are left out for what is known
besides: the present time, and the stations in the store. Whether a possible value is a likely one is the detector's
question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Set

from toolkit.clock import AHEAD_SECONDS
from toolkit.model import Bounds, Document


def admit(document: Document, present: float) -> Document:
    """The document without observations of the future.

    Args:
        document: what the feed offered.
        present: seconds since the epoch, by `clock.present`. On a host without a clock of its own the system's time may
            be long past, and all observations would seem to be of the future.
    """
    latest = present + AHEAD_SECONDS
    observations = [one for one in document.observations if one.time <= latest]
    left_out = Counter(document.left_out)
    if future := len(document.observations) - len(observations):
        left_out["time in the future"] += future
    rejected = [one for one in document.rejected if one.time <= latest]
    return Document(document.stations, observations, left_out, rejected)


def bound(
    document: Document,
    known: Set[str],
    bounds: Bounds,
    new: Callable[[], int | None],
    before: Set[str] = frozenset(),
) -> Document:
    """The document with no more stations than one document may have, and no more new ones than a day may bring.

    Args:
        document: what the feed offered.
        known: the ids of the stations in the store; these are taken first.
        bounds: how many stations are taken.
        new: called to learn how many stations came for the first time in the last 24 hours; None means that the
            source told of none before, and then any number may come.
        before: the ids of the stations that were taken of the document's earlier parts.
    """
    ids = [station.station_id for station in document.stations if station.station_id not in before]
    room = max(0, bounds.stations - len(before))
    if len(ids) <= room and known >= set(ids):
        return document
    left_out = Counter(document.left_out)
    # Known stations first; sorting is stable, so both kinds stay in the order of the document.
    ids.sort(key=lambda name: name not in known)
    if (over := len(ids) - room) > 0:
        left_out["station beyond those of a document"] += over
        del ids[room:]
    strangers = sum(name not in known for name in ids)
    came = new() if strangers else None
    if came is not None and (over := strangers - max(0, bounds.new_stations - came)) > 0:
        left_out["new station beyond those of a day"] += over
        del ids[-over:]
    taken = before | set(ids)
    return Document(
        [one for one in document.stations if one.station_id in taken],
        [one for one in document.observations if one.station_id in taken],
        left_out,
        [one for one in document.rejected if one.station_id in taken],
    )
