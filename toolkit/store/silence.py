"""Stations that were observed lately and are silent now, counted by the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Silent(NamedTuple):
    """How many stations were observed lately, and which of them are silent.

    Attributes:
        lately: how many were observed lately.
        number: how many of these are silent.
        some: the ids of some of these, and when each was observed last, seconds since the epoch; the latest first.
    """

    lately: int
    number: int
    some: Sequence[tuple[str, int]]


def bound_of(
    until: float, of_sources: Mapping[str, float], time: Callable[[float], object], place: str
) -> tuple[str, list[object]]:
    """SQL for the time up to which a station's newest observation is too old, by its column `source`.

    Args:
        until: of stations of no source that is named, seconds since the epoch.
        of_sources: of the stations of sources, by name.
        time: makes of seconds what the engine takes for a time.
        place: what stands for a value in the engine's SQL, for times.

    Returns:
        An expression, and its values.
    """
    named = defaultdict[float, list[str]](list)
    for source, at in of_sources.items():
        if at != until:
            named[at].append(source)
    if not named:
        return place, [time(until)]
    mark = place.partition("::")[0]
    cases = " ".join(f"WHEN source IN ({', '.join([mark] * len(names))}) THEN {place}" for names in named.values())
    values = [value for at, names in named.items() for value in (*names, time(at))]
    return f"CASE {cases} ELSE {place} END", [*values, time(until)]


def of_known(
    known: Mapping[str, int],
    owners: Mapping[str, str | None],
    since: float,
    until: float,
    of_sources: Mapping[str, float],
    most: int,
) -> Silent:
    """The same of all stations' newest times, for a database in which these have to be searched for."""
    lately = {name: at for name, at in known.items() if at > since}
    silent = [(name, at) for name, at in lately.items() if at <= of_sources.get(owners.get(name) or "", until)]
    return Silent(len(lately), len(silent), sorted(silent, key=lambda one: (-one[1], one[0]))[:most])
