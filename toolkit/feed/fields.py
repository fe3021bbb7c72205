"""Which of a feed's fields is what, and in which unit: `temp_out=air_temp [°F], time=obs [%Y%m%d%H%M]`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from toolkit.feed.document import (
    EARLIEST,
    LATEST,
    Observation,
    Station,
    is_no_value,
    number,
    text_of,
)
from toolkit.variables import BY_NAME

# The factor and what is added after it, to come to the unit of `toolkit.variables`. Exact by definition: the
# international inch and nautical mile, the conventional inch and millimetre of mercury (ISO 80000).
UNITS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "°C": {"°C": (1, 0), "°F": (5 / 9, -160 / 9), "K": (1, -273.15)},
    "%": {"%": (1, 0), "1": (100, 0)},
    "hPa": {"hPa": (1, 0), "Pa": (0.01, 0), "kPa": (10, 0), "inHg": (33.86389, 0), "mmHg": (1.333224, 0)},
    "mm": {"mm": (1, 0), "cm": (10, 0), "in": (25.4, 0)},
    "km/h": {"km/h": (1, 0), "m/s": (3.6, 0), "kt": (1.852, 0), "mph": (1.609344, 0)},
    "°": {"°": (1, 0)},
    "m": {"m": (1, 0), "ft": (0.3048, 0)},
}
TEXTS = ("station_id", "station_name_en", "station_name_gr", "wind_dir_str", "hi_dir_str")
OURS = ("station_id", "time", *Station._fields[1:], *Observation._fields[2:])
_VALUES = Observation._fields[2:]
# What is left of a converted value: finer than any station's sensor.
DIGITS = 2
# The NOA network's; fields that are not named have our names.
DEFAULT = "station_id=station_file|fid, time=ts"

Find = Callable[[Mapping[str, Any]], Any]
Convert = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        names: what a feed calls it, the first that is there counts.
        find: how it is found in what a feed says of a station.
        convert: how it comes to our unit; None where it is in it.
        pattern: of a time that is text, as strptime takes it; empty for seconds since the epoch and ISO 8601.
    """

    names: tuple[str, ...]
    find: Find
    convert: Convert | None = None
    pattern: str = ""


class Fields:
    """All fields of a feed.

    Attributes:
        text: how the setting names them.
    """

    def __init__(self, named: Mapping[str, Field], text: str = "") -> None:
        self.text = text
        own = {name: Field((name,), _finder([name])) for name in OURS}
        self._fields = {**own, **named}
        self._values = [(name, name not in TEXTS, self._fields[name]) for name in _VALUES]
        self._time = self._fields["time"]

    def names(self, ours: str) -> tuple[str, ...]:
        """What the feed calls one of them."""
        return self._fields[ours].names

    def station_id(self, said: Mapping[str, Any]) -> str | None:
        """The station's id."""
        return text_of(self._fields["station_id"].find(said))

    def station(self, station_id: str, said: Mapping[str, Any], point: list[Any] | None = None) -> Station:
        """The station as it is described; a point of GeoJSON counts where its place is not among the fields."""
        place = []
        for index, name in enumerate(("longitude", "latitude", "elevation")):
            value = self._number(name, said)
            if value is None and point is not None and index < len(point):
                value = number(point[index])
            place.append(value)
        longitude, latitude, elevation = place
        if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
            latitude = longitude = None
        names = [text_of(self._fields[name].find(said)) for name in ("station_name_en", "station_name_gr")]
        return Station(station_id, names[0], names[1], latitude, longitude, elevation)

    def observation(self, station_id: str, said: Mapping[str, Any], left_out: Counter[str]) -> Observation | None:
        """What the station measured; what cannot be used is counted in `left_out`."""
        time = self._moment(said)
        if not time:
            left_out["no observation"] += 1
            return None
        if not EARLIEST <= time < LATEST:
            left_out["impossible time"] += 1
            return None
        values: list[float | str | None] = []
        for name, numeric, field in self._values:
            raw = field.find(said)
            value = number(raw) if numeric else text_of(raw)
            if value is None and not is_no_value(raw):
                left_out[f"{name} is no number" if numeric else f"{name} is no text"] += 1
            elif field.convert is not None and isinstance(value, float):
                value = field.convert(value)
            values.append(value)
        return Observation(int(time), station_id, *values)  # type: ignore[arg-type]

    def _number(self, name: str, said: Mapping[str, Any]) -> float | None:
        field = self._fields[name]
        value = number(field.find(said))
        return value if value is None or field.convert is None else field.convert(value)

    def _moment(self, said: Mapping[str, Any]) -> float | None:
        raw = self._time.find(said)
        if self._time.pattern and isinstance(raw, (str, int)):
            pattern = self._time.pattern
            return _by(lambda text: datetime.strptime(text, pattern), str(raw).strip())  # noqa: DTZ007 - by _by
        value = number(raw)
        if value is not None:
            return value if self._time.convert is None else self._time.convert(value)
        return _by(datetime.fromisoformat, raw.strip()) if isinstance(raw, str) else None


def parse_fields(text: str) -> Fields:
    """The fields that a setting names.

    Raises:
        ValueError: what is wrong with it, and what would be right.
    """
    named: dict[str, Field] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        found = re.fullmatch(r"(\w+)\s*=\s*([^\[\]]+?)\s*(?:\[([^\]]+)\])?", part)
        if not found:
            raise ValueError(f"{part!r} is not of the form OURS=THEIRS or OURS=THEIRS [UNIT]")
        ours, theirs, unit = found.groups()
        if ours not in OURS:
            near = get_close_matches(ours, OURS, n=1)
            raise ValueError(
                f"{ours} is not stored; " + (f"did you mean {near[0]}?" if near else f"know {', '.join(OURS)}")
            )
        if ours in named:
            raise ValueError(f"{ours} is given twice")
        names = tuple(name.strip() for name in theirs.split("|"))
        if ours == "time":
            convert: Convert | None = _from_milliseconds if unit == "ms" else None
            named[ours] = Field(names, _finder(names), convert, _pattern(unit))
        else:
            named[ours] = Field(names, _finder(names), _conversion(ours, unit))
    return Fields(named, text)


def _from_milliseconds(value: float) -> float:
    return value / 1000


def _pattern(unit: str | None) -> str:
    if unit in {None, "s", "ms"}:
        return ""
    if "%" not in str(unit):
        raise ValueError(f"time is in {unit!r}: give s, ms, or a pattern such as %Y-%m-%dT%H:%M")
    return str(unit)


def _conversion(ours: str, unit: str | None) -> Convert | None:
    if unit is None:
        return None
    own = BY_NAME[ours].unit if ours in BY_NAME else "m" if ours == "elevation" else None
    known = UNITS.get(own or "", {})
    if unit not in known:
        raise ValueError(f"{ours} has no unit {unit!r}" + (f": give one of {', '.join(known)}" if known else ""))
    factor, added = known[unit]
    return None if (factor, added) == (1, 0) else lambda value: round(value * factor + added, DIGITS)


def _finder(names: Sequence[str]) -> Find:
    """How a field is found: by the first of several names that is there; dots lead into what is nested."""
    if len(names) == 1 and "." not in names[0]:
        (name,) = names
        return lambda said: said.get(name)

    def find(said: Mapping[str, Any]) -> Any:
        for name in names:
            value = said[name] if name in said else _nested(said, name.split("."))
            if not is_no_value(value):
                return value
        return None

    return find


def _nested(said: Any, path: list[str]) -> Any:
    for step in path:
        said = said.get(step) if isinstance(said, dict) else None
    return said


def _by(read: Callable[[str], datetime], text: str) -> float | None:
    """A time as text; without an offset it is UTC. Text that is none is a time before any other: it is left out."""
    if is_no_value(text):
        return None
    try:
        moment = read(text)
    except ValueError:
        return -1.0
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()
