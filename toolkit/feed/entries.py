"""What a feed or a file says, entry by entry: the one door for values, times, ids, names and places.

What one entry gets wrong never costs the others anything. It is counted by reason, and there are as many reasons as
this module names: none has a word of the feed's in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from toolkit.clock import EARLIEST, LATEST
from toolkit.feed.fields import fields_of
from toolkit.feed.values import is_no_number, is_no_value, is_placeholder, number, text_of
from toolkit.location import height, place
from toolkit.mapping import FieldMapping
from toolkit.model import Bounds, Document, Observation, Rejected, Station
from toolkit.variables import BY_NAME

# Of the name of a wind's direction.
WORD = 32

Clock = Callable[[str, datetime], float]
"""A station's id and a moment, to seconds since the epoch; raises ValueError with a reason where it cannot be."""

_VALUES = Observation._fields[2:]
# A hygrometer in fog says a little more than can be: by its accuracy it is still right.
_FULL = BY_NAME["out_hum"]
_Row = TypeVar("_Row", Station, Observation)


def utc(_station_id: str, moment: datetime) -> float:
    """A moment that names no offset is in UTC."""
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()


class Entries:
    """Entries as they are taken.

    Attributes:
        needed: what the fields without which nothing can be taken are called.
        stations: every station with an id, by id.
        observations: one for each time and station; an entry of the same fills and corrects the one before.
        left_out: how many entries or values could not be used, by reason.
        first: the number of the entry in which each reason was met first.
        rejected: values that cannot be true, which are missing in `observations`.
    """

    def __init__(
        self,
        mapping: FieldMapping = FieldMapping(),
        bounds: Bounds = Bounds(),
        clock: Clock = utc,
    ) -> None:
        fields = fields_of(mapping)
        self._bounds = bounds
        self._clock = clock
        self._id = fields["station_id"]
        self._time = fields["time"]
        self._place = [fields[name] for name in ("longitude", "latitude", "elevation")]
        self._names = [fields[name] for name in ("station_name_en", "station_name_gr")]
        self._values = [(name, fields[name]) for name in _VALUES]
        self._limits = {name: (BY_NAME[name].low, BY_NAME[name].high) for name in _VALUES if name in BY_NAME}
        self._number = 0
        self.needed = (self._id.names, self._time.names)
        self.first: dict[str, int] = {}
        self.clear()

    def clear(self) -> None:
        """Forget all but where each reason was met first."""
        self.stations: dict[str, Station] = {}
        self.observations: dict[tuple[int, str], Observation] = {}
        self.left_out: Counter[str] = Counter()
        self.rejected: list[Rejected] = []

    def document(self) -> Document:
        """All that was taken."""
        return Document([*self.stations.values()], [*self.observations.values()], self.left_out, self.rejected)

    def take(
        self, said: Mapping[str, Any], entry: int = 0, *, point: list[Any] | None = None, other_id: object = None
    ) -> None:
        """Take what an entry says of a station.

        Args:
            said: the fields of the entry.
            entry: its number, for people who look for what was left out; 0 for none.
            point: the longitude, latitude and height of GeoJSON: what counts where the fields say none that can be.
            other_id: the station's id, if the fields do not say it.
        """
        self._number = entry
        station_id = self._station_id(said, other_id)
        if station_id is None:
            return
        self._describe(station_id, said, point)
        time = self._moment(station_id, said)
        if time is None:
            return
        observation = self._observation(int(time), station_id, said)
        key = observation.time, station_id
        before = self.observations.get(key)
        self.observations[key] = observation if before is None else _merged(before, observation)

    def describe(self, said: Mapping[str, Any]) -> None:
        """Take what is said of a station without an observation."""
        self._number = 0
        station_id = self._station_id(said)
        if station_id is not None:
            self._describe(station_id, said, None)

    def leave_out(self, reason: str, entry: int = 0) -> None:
        """Count what cannot be used."""
        self.left_out[reason] += 1
        if number_of := entry or self._number:
            self.first.setdefault(reason, number_of)

    def _station_id(self, said: Mapping[str, Any], other: object = None) -> str | None:
        found = text_of(self._id.find(said)) or text_of(other)
        if found is None:
            self.leave_out("no station id")
        elif len(found) > self._bounds.id_length:
            self.leave_out("station id too long")
            found = None
        return found

    def _describe(self, station_id: str, said: Mapping[str, Any], point: list[Any] | None) -> None:
        places = [field.find(said) for field in self._place]
        names = [self._name(field.find(said)) for field in self._names]
        before = self.stations.get(station_id)
        if before is not None and point is None and places == [None] * 3 and names == [None] * 2:
            return  # nothing new, as in nearly every row of a file
        where: list[float | None] = []
        for index, (field, raw) in enumerate(zip(self._place, places, strict=True)):
            if point is not None and index < len(point) and is_no_number(raw):
                said_there, convert = point[index], None
            else:
                said_there, convert = raw, field.convert
            value = number(said_there)
            if value is None and not is_no_number(said_there):
                self.leave_out("impossible place" if index < 2 else "impossible elevation")
            where.append(value if value is None or convert is None else convert(value))
        longitude, latitude, elevation = where
        found = place(latitude, longitude)
        metres = height(elevation)
        if found is None and (longitude is not None or latitude is not None):
            self.leave_out("impossible place")
            # All three stand for a form that nobody filled in.
            metres = metres or None
        if metres is None and elevation:
            self.leave_out("impossible elevation")
        if point is not None:
            longitude, latitude, elevation = map(number, [*point[:3], None, None, None][:3])
            found = found or place(latitude, longitude)
            metres = height(elevation) if metres is None and found else metres
        there = found or (None, None)
        station = Station(station_id, names[0], names[1], there[0], there[1], metres)
        self.stations[station_id] = station if before is None else _merged(before, station)

    def _name(self, raw: Any) -> str | None:
        text = text_of(raw)
        return text if text is None else text[: self._bounds.name_length].rstrip()

    def _moment(self, station_id: str, said: Mapping[str, Any]) -> float | None:
        """Seconds since the epoch; None where there is no time that can be."""
        raw = self._time.find(said)
        pattern = self._time.pattern
        try:
            if pattern and isinstance(raw, (str, int)) and not is_no_value(raw):
                time = self._clocked(station_id, datetime.strptime(str(raw).strip(), pattern))  # noqa: DTZ007
            elif (value := number(raw)) is not None:
                time = value if self._time.convert is None else self._time.convert(value)
            elif is_no_value(raw):
                time = 0
            elif isinstance(raw, str):
                time = self._clocked(station_id, datetime.fromisoformat(raw.strip()))
            else:
                raise ValueError(raw)
        except _TimeError as error:
            self.leave_out(str(error))
            return None
        except (ValueError, OverflowError):
            self.leave_out("no time")
            return None
        if not time:
            self.leave_out("no observation")
        elif not EARLIEST <= time < LATEST:
            self.leave_out("impossible time")
        else:
            return time
        return None

    def _clocked(self, station_id: str, moment: datetime) -> float:
        if not 2000 <= moment.year <= 2100:
            raise _TimeError("impossible time")
        try:
            return self._clock(station_id, moment)
        except ValueError as error:
            raise _TimeError(error) from None

    def _observation(self, time: int, station_id: str, said: Mapping[str, Any]) -> Observation:
        values: list[float | str | None] = []
        for name, field in self._values:
            raw = field.find(said)
            limits = self._limits.get(name)
            if limits is None:
                values.append(self._word(name, raw))
                continue
            if field.convert is None and (type(raw) is float or type(raw) is int):  # nearly always: saves a call
                value: float | None = raw
            else:
                value = number(raw)
                if value is not None and field.convert is not None:
                    value = field.convert(value)
            if value is not None and limits[0] <= value <= limits[1]:
                values.append(value + 0.0)
            else:
                values.append(self._odd(time, station_id, name, raw, value))
        return Observation(time, station_id, *values)  # type: ignore[arg-type]

    def _odd(self, time: int, station_id: str, name: str, raw: Any, value: float | None) -> float | None:
        """What becomes of a value that is none, or that cannot be true."""
        written = number(raw)
        if written is None or value is None:
            if not is_no_number(raw):
                self.leave_out(f"{name} is no number")
        elif name == _FULL.name and _FULL.high < value <= _FULL.high + _FULL.accuracy:
            return _FULL.high
        elif not is_placeholder(written):
            self.leave_out(f"{name} out of range")
            self.rejected.append(Rejected(time, station_id, name, float(value)))
        return None

    def _word(self, name: str, raw: Any) -> str | None:
        text = text_of(raw)
        if text is None and is_no_value(raw):
            return None
        if text is None or len(text) > WORD:
            self.leave_out(f"{name} is no text")
            return None
        return text


class _TimeError(Exception):
    """A time that cannot be used, with the reason to count."""


def _merged(before: _Row, after: _Row) -> _Row:
    """Both as one: what the later one does not say stays."""
    return type(before)._make(old if new is None else new for old, new in zip(before, after, strict=True))
