"""The model: stations, their observations, and a document of the feed that holds both."""

from __future__ import annotations

from collections import Counter, namedtuple
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from toolkit.errors import UsageError
from toolkit.variables import COLUMNS

FORMATS = ("geojson", "csv", "json", "xml", "coveragejson", "metar", "bufr", "wunderground", "ecowitt")
"""The formats of a feed's documents: the module `toolkit.feed.NAME` reads each."""


class Bounds(NamedTuple):
    """How much is taken from outside; the settings can say otherwise.

    Attributes:
        id_length, name_length: of a station, in characters.
        stations: of one document.
        new_stations: of the feed, in a day.
    """

    id_length: int = 100
    name_length: int = 200
    stations: int = 20_000
    new_stations: int = 10_000


class Station(NamedTuple):
    """A station as the feed describes it: degrees, metres; None where the feed does not say.

    `wigos_id` is its WIGOS station identifier (see `toolkit.wigos`).
    """

    station_id: str
    station_name_en: str | None
    station_name_gr: str | None
    latitude: float | None
    longitude: float | None
    elevation: float | None
    wigos_id: str | None = None


def _named_tuple(name: str, needed: tuple[str, ...], optional: tuple[str, ...]) -> Any:
    """A named tuple of fields that only the running program knows; a type checker takes it for Any."""
    return namedtuple(name, (*needed, *optional), defaults=(None,) * len(optional))


class Observation(_named_tuple("Observation", ("time", "station_id"), COLUMNS)):  # type: ignore[misc]
    """What one station observed at one time.

    A named tuple: `time` in seconds since the epoch (UTC), `station_id`, and the columns that `toolkit.variables`
    declares. A number is a float in the variable's unit, a compass point is text, and a value that is missing is None.
    """

    __slots__ = ()
    if TYPE_CHECKING:
        time: int
        station_id: str

        def _replace(self, **values: object) -> Self: ...


class Rejected(NamedTuple):
    """A value that was offered and cannot be true."""

    time: int  # seconds since the epoch, UTC
    station_id: str
    variable: str
    value: float


@dataclass(slots=True)
class Document:
    """What one document of the feed says.

    Attributes:
        stations: every station with an id.
        observations: one per (time, station).
        left_out: how many entries or fields could not be used, by reason.
        rejected: values that cannot be true, which are missing in `observations`.
        source: the name of the source that it is of; None for what is imported.
        foreign: the stations that belong to another source: their observations only fill gaps.
    """

    stations: list[Station]
    observations: list[Observation]
    left_out: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    source: str | None = None
    foreign: frozenset[str] = frozenset()


def require_station(wanted: str | None, known: Collection[str]) -> None:
    """Refuse a station that is asked for and not known; None asks for all.

    Raises:
        UsageError: there is none of this id; the message names those that there are.
    """
    if wanted is not None and wanted not in known:
        raise UsageError(f"there is no station {wanted!r}; there are: {', '.join(known) or 'none yet'}")
