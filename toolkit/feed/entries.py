"""Entries of a feed or a file become stations and observations: values, times, ids, names and places are checked here.

An entry is what a document says of one station: a feature, or a row. What is wrong in one entry affects no other. It is
left out and counted by reason; the reasons are fixed texts of this module, without any text of the feed.
"""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

from toolkit.clock import EARLIEST, LATEST
from toolkit.feed import placeholders
from toolkit.feed.fields import fields_of, is_plain, long_of
from toolkit.feed.values import (
    degrees,
    is_no_direction,
    is_no_number,
    is_no_value,
    is_placeholder,
    is_with_comma,
    number,
    text_of,
)
from toolkit.location import HIGHEST, LOWEST, height, place
from toolkit.mapping import FieldMapping
from toolkit.model import Bounds, Document, Observation, Rejected, Station
from toolkit.variables import BY_NAME, COLUMNS, MEASURED, Variable
from toolkit.wigos import is_wigos_id

# The longest name of a compass point, in characters.
WORD = 32
# So many observations, or stations, are handed on at once.
PART = 5000
# Two entries of one id and time whose places differ by this are of two stations.
APART_DEGREES = 0.1
TWO_PLACES = "id of a station elsewhere"
COMMA = "a number with a comma"

Clock = Callable[[str, datetime], float]
"""Converts the local time of a station, given its id, to seconds since the epoch.

It raises ValueError, with the reason to count, if there is no such time.
"""

_Row = TypeVar("_Row", Station, Observation)


def utc(_station_id: str, moment: datetime) -> float:
    """A time without an offset is UTC."""
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()


def _local(moment: datetime, zone: tzinfo) -> datetime:
    """The time of a zone's clocks.

    Raises:
        ValueError: they skipped it, or showed it twice: which of the two it is cannot be known.
    """
    first, second = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
    if first.utcoffset() != second.utcoffset():
        raise ValueError("a local time that the clocks skipped or showed twice")
    return first


class Entries:
    """Collects the stations and observations of entries.

    Attributes:
        needed: the feed's names of the fields without which an entry cannot be used: time, and station id unless it is
            known without.
        records: where a document has its entries, for formats that leave that open.
        any_station: whether any entry had a station's id.
        stations: every station with an id, by id.
        observations: by time and station; a later entry of the same time and station fills gaps and corrects values.
        left_out: how many entries or values were left out, by reason.
        first: the number of the first entry with each reason.
        rejected: impossible values, which are missing in `observations`.
    """

    def __init__(
        self,
        mapping: FieldMapping = FieldMapping(),
        bounds: Bounds = Bounds(),
        clock: Clock = utc,
        records: str = "",
        prefix: str = "",
        station: str = "",
        take_part: Callable[[Document], None] | None = None,
    ) -> None:
        """`take_part` is handed what was collected each time that this is much; what is left is in `document`."""
        fields = fields_of(mapping)
        self._long = long_of(mapping)
        self._bounds = bounds
        self._clock = clock
        self._id = fields["station_id"]
        self._time = fields["time"]
        self._place = [fields[name] for name in ("longitude", "latitude", "elevation")]
        self._names = [fields[name] for name in ("station_name_en", "station_name_gr")]
        self._wigos = fields["wigos_id"]
        limits = {one.name: (one.low, placeholders.highest(one)) for one in MEASURED}
        self._values = [
            (name, is_plain(field.names) and field.names[0], field.find, field.convert, limits.get(name))
            for name, field in ((name, fields[name]) for name in COLUMNS)
        ]
        self._number = 0
        self._prefix = prefix
        self.records = records
        self._take_part = take_part
        self.any_station = False
        self.of(station)
        self.first: dict[str, int] = {}
        self.clear()

    def of(self, station: str) -> None:
        """What comes next is of a station, where it does not say of which; of none with an empty id."""
        self._station, self.any_station = station, False
        self.needed = (self._time.names,) if station else (self._id.names, self._time.names)

    def clear(self) -> None:
        """Forget everything but `first`."""
        self.stations: dict[str, Station] = {}
        self.observations: dict[tuple[int, str], Observation] = {}
        self.left_out: Counter[str] = Counter()
        self.rejected: list[Rejected] = []

    def document(self) -> Document:
        """Everything that was collected."""
        self._leave_out_constant()
        return Document([*self.stations.values()], [*self.observations.values()], self.left_out, self.rejected)

    def _leave_out_constant(self) -> None:
        """Take impossible values that are placeholders out of those that are rejected; see `placeholders.constant`."""
        if len(self.rejected) < placeholders.STATIONS or not (found := placeholders.constant(self.rejected)):
            return
        kept = []
        for one in self.rejected:
            if (one.station_id, one.variable, one.value) in found:
                self.left_out[f"{one.variable} out of range"] -= 1
                self.left_out[f"{one.variable} impossible and constant"] += 1
            else:
                kept.append(one)
        self.rejected = kept
        self.left_out = +self.left_out
        for variable in {variable for _, variable, _ in found}:
            if (before := f"{variable} out of range") in self.first and before not in self.left_out:
                self.first.setdefault(f"{variable} impossible and constant", self.first.pop(before))

    def take(
        self, fields: Mapping[str, Any], entry: int = 0, *, point: list[Any] | None = None, other_id: object = None
    ) -> None:
        """Add an entry.

        Args:
            fields: its fields, by the feed's names.
            entry: its number, for people who look for what was left out; 0 for none.
            point: longitude, latitude and height of GeoJSON, used if the fields have no possible place.
            other_id: the station's id, used if the fields have none.
        """
        self._number = entry
        if self._take_part and max(len(self.observations), len(self.stations), len(self.rejected)) >= PART:
            self._take_part(self.document())
            self.clear()
        station_id = self._station_id(fields, other_id)
        if station_id is None:
            return
        known = self.stations.get(station_id)
        self._describe(station_id, fields, point)
        if self._long:
            name = text_of(self._long.variable(fields))
            if name is None:
                self.leave_out("no variable")
            if name not in self._long.known:
                return
            value = {name: self._long.value(fields)}
            fields = {**fields, **value} if isinstance(fields, dict) else ChainMap(value, fields)  # type: ignore[arg-type]
        time = self._moment(station_id, fields)
        if time is None:
            return
        observation = self._observation(int(time), station_id, fields)
        key = observation.time, station_id
        before = self.observations.get(key)
        if before is not None and known is not None and _are_apart(known, self.stations[station_id]):
            self.stations[station_id] = known
            self.leave_out(TWO_PLACES)
            return
        self.observations[key] = observation if before is None else merged(before, observation)

    def describe(self, fields: Mapping[str, Any]) -> None:
        """Add what an entry says of a station, without an observation."""
        self._number = 0
        station_id = self._station_id(fields)
        if station_id is not None:
            self._describe(station_id, fields, None)

    def leave_out(self, reason: str, entry: int = 0) -> None:
        """Count an entry or a value that is left out."""
        self.left_out[reason] += 1
        if number_of := entry or self._number:
            self.first.setdefault(reason, number_of)

    def _station_id(self, fields: Mapping[str, Any], other: object = None) -> str | None:
        found = text_of(self._id.find(fields)) or text_of(other) or text_of(self._station)
        if found is None:
            self.leave_out("no station id")
            return None
        found = self._prefix + found
        if len(found) > self._bounds.id_length:
            self.leave_out("station id too long")
            return None
        self.any_station = True
        return found

    def _describe(self, station_id: str, fields: Mapping[str, Any], point: list[Any] | None) -> None:
        places = [field.find(fields) for field in self._place]
        names = [self._name(field.find(fields)) for field in self._names]
        wigos_id = self._wigos_id(fields)
        before = self.stations.get(station_id)
        if before is not None and point is None and places == [None] * 3 and names == [None] * 2 and wigos_id is None:
            return  # no description, as in nearly every row of a file
        where: list[float | None] = []
        for index, (field, raw) in enumerate(zip(self._place, places, strict=True)):
            if point is not None and index < len(point) and is_no_number(raw):
                written, convert = point[index], None
            else:
                written, convert = raw, field.convert
            value = number(written)
            if value is not None and not self._can_be(index, value) and is_placeholder(value):
                value = None
            elif value is None and not is_no_number(written):
                self.leave_out("impossible place" if index < 2 else "impossible elevation")
            where.append(value if value is None or convert is None else convert(value))
        longitude, latitude, elevation = where
        found = place(latitude, longitude)
        metres = height(elevation)
        if found is None and (longitude is not None or latitude is not None):
            self.leave_out("impossible place")
            # An elevation of 0 beside an impossible place is a form that nobody filled in.
            metres = metres or None
        if metres is None and elevation:
            self.leave_out("impossible elevation")
        if point is not None and (found is None or metres is None):
            longitude, latitude, elevation = map(number, [*point[:3], None, None, None][:3])
            found = found or place(latitude, longitude)
            metres = height(elevation) if metres is None and found else metres
        there = found or (None, None)
        station = Station(station_id, names[0], names[1], there[0], there[1], metres, wigos_id)
        self.stations[station_id] = station if before is None else merged(before, station)

    @staticmethod
    def _can_be(index: int, value: float) -> bool:
        """Whether a number may be a longitude, a latitude or a height."""
        low, high = ((-180.0, 360.0), (-90.0, 90.0), (LOWEST, HIGHEST))[index]
        return low <= value <= high

    def _wigos_id(self, fields: Mapping[str, Any]) -> str | None:
        raw = self._wigos.find(fields)
        if raw is None or is_no_value(raw):
            return None
        text = text_of(raw)
        if text is None or not is_wigos_id(text):
            self.leave_out("impossible WIGOS identifier")
            return None
        return text

    def _name(self, raw: Any) -> str | None:
        text = text_of(raw)
        return text if text is None else text[: self._bounds.name_length].rstrip()

    def _moment(self, station_id: str, fields: Mapping[str, Any]) -> float | None:
        """The time of an entry in seconds since the epoch; None if it has no possible time."""
        raw = self._time.find(fields)
        pattern = self._time.pattern
        try:
            if pattern and isinstance(raw, (str, int)) and not is_no_value(raw):
                time = self._to_epoch(station_id, datetime.strptime(str(raw).strip(), pattern))  # noqa: DTZ007
            elif (value := number(raw)) is not None:
                time = value if self._time.convert is None else self._time.convert(value)
            elif is_no_value(raw):
                time = 0
            elif isinstance(raw, str):
                time = self._to_epoch(station_id, datetime.fromisoformat(raw.strip()))
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

    def _to_epoch(self, station_id: str, moment: datetime) -> float:
        if not 2000 <= moment.year <= 2100:
            raise _TimeError("impossible time")
        try:
            if self._time.zone and moment.tzinfo is None:
                moment = _local(moment, self._time.zone)
            return self._clock(station_id, moment)
        except ValueError as error:
            raise _TimeError(error) from None

    def _observation(self, time: int, station_id: str, fields: Mapping[str, Any]) -> Observation:
        values: list[float | str | None] = []
        for name, plain, find, convert, limits in self._values:  # written for speed: this is most of a cycle's work
            raw = fields.get(plain) if plain else find(fields)
            if raw is None:
                values.append(None)
                continue
            if limits is None:
                values.append(self._word(name, raw))
                continue
            if convert is None and (type(raw) is float or type(raw) is int):
                value: float | None = raw
            else:
                value = number(raw)
                if value is not None and convert is not None:
                    value = convert(value)
            if value is not None and limits[0] <= value <= limits[1]:
                values.append(value + 0.0)
            else:
                values.append(self._odd(time, station_id, name, raw, value))
        return Observation(time, station_id, *values)

    def _odd(self, time: int, station_id: str, name: str, raw: Any, value: float | None) -> float | None:
        """A value that is no number or outside of its limits: what is stored instead, if anything."""
        written = number(raw)
        if written is None or value is None:
            if BY_NAME[name].unit == "°" and isinstance(raw, str):
                if (point := degrees(raw)) is not None:
                    return point
                if is_no_direction(raw):
                    return None
            if BY_NAME[name].unit == "mm" and isinstance(raw, str) and raw.strip().lower() in placeholders.TRACE:
                return 0.0
            if not is_no_number(raw):
                self.leave_out(f"{name} is {COMMA if is_with_comma(raw) else 'no number'}")
        elif value in (codes := placeholders.CODES.get(name, {})):
            return codes[value]
        elif BY_NAME[name].low <= value <= BY_NAME[name].high:
            return value + 0.0
        elif (bound := _overshot(BY_NAME[name], value)) is not None:
            return bound
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


def _overshot(variable: Variable, value: float) -> float | None:
    """The bound that an impossible value is taken for, if a working sensor may read it."""
    least, most = variable.readable
    return float(min(max(value, variable.low), variable.high)) if least <= value <= most else None


class _TimeError(Exception):
    """A time that cannot be used; the message is the reason to count."""


def _are_apart(one: Station, other: Station) -> bool:
    """Whether two places are not one that is written with different digits."""
    pairs = ((one.latitude, other.latitude), (one.longitude, other.longitude))
    return any(was is not None and is_ is not None and abs(was - is_) > APART_DEGREES for was, is_ in pairs)


def merged(before: _Row, after: _Row) -> _Row:
    """The later of two rows, with the values of the earlier one where the later one has none."""
    merged: _Row = type(before)._make(old if new is None else new for old, new in zip(before, after, strict=True))
    return merged
