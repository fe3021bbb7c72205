"""A whole configuration for a feed, proposed from a sample: names, units, forms of time, cadence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from toolkit.clock import AHEAD_SECONDS
from toolkit.feed.guessing.samples import Sample
from toolkit.feed.guessing.words import NAMES, unit_in, without_unit, words_of
from toolkit.feed.values import degrees, is_no_number, is_no_value, number
from toolkit.mapping import MILLISECONDS, STORED, VALUE, VARIABLE, units_of
from toolkit.units import Conversion
from toolkit.variables import BY_NAME, MEASURED

# Forms of a time besides ISO 8601 and numbers, the commonest first; where several fit, the first does.
PATTERNS = (
    "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d-%m-%Y %H:%M",
    "%Y%m%dT%H%M%SZ", "%a, %d %b %Y %H:%M:%S %Z", "%m/%d/%Y %I:%M:%S %p",
)  # fmt: skip
# Where the median of a sample must be, in the stored unit.
TYPICAL: Mapping[str, tuple[float, float]] = {
    **{one.name: one.typical or (one.low, one.high) for one in MEASURED},
    "latitude": (-90, 90), "longitude": (-180, 360), "elevation": (-430, 6000),
}  # fmt: skip
# How far local times are ahead of UTC at most, in seconds: those of Kiribati.
AHEAD_OF_UTC = 14 * 3600
# Members of an object that say the unit of its value.
UNIT_MEMBERS = ("unitCode", "unit", "units", "uom")
# The formats that leave nothing to name: their usual cadence in seconds, and what a person has to look at.
FIXED: Mapping[str, tuple[int, Sequence[str]]] = {
    "metar": (1800, ("METAR does not say where its stations are: give weather_feed_stations",)),
    "bufr": (3600, ()),
}


class Named(NamedTuple):
    """A field that was recognised.

    Attributes:
        stored: the name under which its values are stored.
        name: what the feed calls it.
        unit: in which the feed gives it, as `feed_fields` says it; empty for the stored one.
        doubt: what a person has to look at; empty for nothing.
    """

    stored: str
    name: str
    unit: str
    doubt: str

    def pair(self) -> str:
        """As `feed_fields` has it."""
        needs_quotes = re.search(r"[,|\[\]]", self.name) or self.name[:1] in "\"' " or self.name != self.name.strip()
        quoted = '"' + self.name.replace('"', '""') + '"' if needs_quotes else self.name
        return f"{self.stored}={quoted}" + (f" [{self.unit}]" if self.unit else "")


class Guess(NamedTuple):
    """How a feed may be read.

    Attributes:
        sample: the document.
        named: the fields that were recognised.
        unused: the feed's other fields.
        cadence: seconds between two observations of a station; None where the sample does not show it.
        doubts: what a person has to look at.
    """

    sample: Sample
    named: Sequence[Named]
    unused: Sequence[str]
    cadence: int | None
    doubts: Sequence[str]

    def fields(self) -> str:
        """The setting `feed_fields`."""
        pairs = [one.pair() for one in self.named if one.stored != one.name or one.unit]
        long = zip((VARIABLE, VALUE), self.sample.long or (), strict=False)
        return ", ".join([*(Named(ours, theirs, "", "").pair() for ours, theirs in long), *pairs])


def best(samples: Sequence[Sample], now: float) -> Guess:
    """How a document may be read: as that of the ways in which it may be taken of which most is recognised.

    Args:
        samples: the ways, the likeliest first.
        now: the present, seconds since the epoch.
    """
    return max((guess(one, now) for one in samples), key=_worth)


def _worth(found: Guess) -> int:
    """How much of a document is recognised; without a station and a time the rest is worth little."""
    there = {one.stored for one in found.named}
    return len(there) + 3 * len(there & _LACKING.keys())


def guess(sample: Sample, now: float) -> Guess:
    """How a document may be read.

    Args:
        sample: of the document.
        now: the present, seconds since the epoch.
    """
    if sample.format in FIXED:
        cadence, doubts = FIXED[sample.format]
        return Guess(sample, [], [], cadence, [*doubts])
    free = dict(sample.columns)
    named = []
    for stored in NAMES:
        fitting = [
            (rank, one)
            for name, values in free.items()
            if (rank := _rank(stored, name)) and (one := _named(stored, name, values, _unit_beside(sample, name), now))
        ]
        if fitting:
            _, one = max(fitting, key=lambda found: found[0])
            named.append(one)
            del free[one.name]
    there = {one.stored for one in named}
    doubts = [f"{one.stored}: {one.doubt}" for one in named if one.doubt]
    doubts += [f"no field looks like {noun}" for stored, noun in _LACKING.items() if stored not in there]
    if not sample.place and not {"latitude", "longitude"} <= there:
        doubts.append("it does not say where its stations are: give weather_feed_stations")
    return Guess(sample, named, sorted(free.keys() - STORED), _cadence(sample, named), doubts)


_LACKING = {"station_id": "a station's id: name it by station_id=", "time": "the time: name it by time="}


def _rank(stored: str, name: str) -> float:
    """How well a name fits: 0 for not at all. The whole name counts most, then what is behind its last dot."""
    *outer, end = re.split(r"[./]", name)
    whole, last = words_of(name), words_of(end.removeprefix("@"))
    if words_of(stored) == whole:
        return 10
    attribute = re.search(r"@\w+='([^']+)'", name)
    unit = "m" if stored == "elevation" else BY_NAME[stored].unit if stored in BY_NAME else ""
    best = {whole, without_unit(whole, unit), words_of(attribute[1]) if attribute else ""} - {""}
    inner = {words_of(".".join(outer)), words_of(outer[-1])} if outer and last == "value" else set()
    good = {without for one in {last, *inner} for without in (one, without_unit(one, unit))} - {""}
    for place, pattern in enumerate(NAMES[stored]):
        for words, worth in ((best, 6), (good, 5)):
            if any(re.fullmatch(pattern, one) for one in words):
                return worth - place
    return 0


def _unit_beside(sample: Sample, name: str) -> str:
    """The words of a unit that the object says in which a value is; empty where it says none."""
    if name in sample.units:
        return words_of(sample.units[name])
    inside, dot, _ = name.rpartition(".")
    said = {str(one) for member in UNIT_MEMBERS for one in sample.columns.get(f"{inside}{dot}{member}", []) if dot}
    return words_of(said.pop()) if len(said) == 1 else ""


def _named(stored: str, name: str, values: Sequence[Any], beside: str, now: float) -> Named | None:
    """A field as what is stored under a name, if its values fit."""
    said = [one for one in values if not is_no_value(one)]
    if stored == "time":
        form = _time_form(said, now)
        return None if form is None and said else Named(stored, name, *(form or ("", "")))
    if stored not in TYPICAL:
        return Named(stored, name, "", "") if said and all(isinstance(one, str | int) for one in said) else None
    written = [_number(stored, one) for one in said if not is_no_number(one)]
    numbers = [value for value in written if value is not None]
    if not numbers:
        return None if said else Named(stored, name, "", "no value in the sample: look at its unit")
    unit = _unit(stored, words_of(name.removesuffix(".value")), beside, numbers)
    return None if unit is None else Named(stored, name, *unit)


def _number(stored: str, raw: Any) -> float | None:
    """A value as a number, also one with a decimal comma; of a direction also a point of the compass."""
    if stored in BY_NAME and BY_NAME[stored].unit == "°" and isinstance(raw, str):
        return degrees(raw) if number(raw) is None else number(raw)
    return number(str(raw).replace(",", "."))


def _unit(stored: str, words: str, beside: str, numbers: Sequence[float]) -> tuple[str, str] | None:
    """The unit, and what is doubtful of it; None where the values fit in no unit."""
    known = units_of(stored)
    own = next((unit for unit, one in known.items() if one == Conversion(1)), "")
    written = unit_in(beside, own) or unit_in(words, own)
    if written and _fits(stored, numbers, known, written):
        return ("" if written == own else written), ""
    fitting = [unit for unit in known if _fits(stored, numbers, known, unit)]
    if not known:
        low, high = TYPICAL[stored]
        return ("", "") if low <= median(numbers) <= high else None
    if not fitting:
        return None
    unit = own if own in fitting else fitting[0]
    doubt = ""
    if unit != own:
        doubt = f"{unit} is taken from its values ({min(numbers):g} to {max(numbers):g})"
    elif len({known[unit] for unit in fitting}) > 1:
        doubt = f"the feed does not say its unit: {own} is assumed"
    return ("" if unit == own else unit), doubt


def _fits(stored: str, numbers: Sequence[float], known: Mapping[str, Any], unit: str) -> bool:
    low, high = TYPICAL[stored]
    factor, offset = known[unit]
    return bool(low <= median(numbers) * factor + offset <= high)


def _time_form(said: Sequence[Any], now: float) -> tuple[str, str] | None:
    """The form of a time, and what is doubtful of it; None where the values are no times up to the present."""
    latest = now + AHEAD_SECONDS

    def are_times(read: Callable[[Any], float], ahead: float = 0) -> bool:
        try:
            return bool(said) and all(946_684_800 <= read(one) <= latest + ahead for one in said)
        except (ValueError, TypeError, OverflowError):
            return False

    if are_times(float):
        return "", ""
    if are_times(lambda one: float(one) / 1000):
        return MILLISECONDS, ""
    texts = [str(one).strip() for one in said]

    def fits(form: str, ahead: float = 0) -> bool:
        return are_times(lambda one: _read(str(one).strip(), form) if form else _iso(str(one).strip()), ahead)

    if fits("", AHEAD_OF_UTC) and not any(text.isdigit() for text in texts):
        if all(re.search(r"(Z|[+-]\d\d:?\d\d)$", text) for text in texts):
            return ("", "") if fits("") else None
        return "", _without_offset("", fits(""))
    fitting = [form for form in PATTERNS if fits(form, AHEAD_OF_UTC)]
    if not fitting:
        return None
    other = next((form for form in fitting[1:] if form.replace("%d", "%m") == fitting[0].replace("%d", "%m")), "")
    return fitting[0], _without_offset(fitting[0], fits(fitting[0])) + (f"; it may as well be {other}" if other else "")


def _without_offset(form: str, past: bool) -> str:
    """What is doubtful of times without an offset."""
    zone = f"[{form} Europe/Athens]".replace("[ ", "[")
    if past:
        return f"it has no offset, and is taken for UTC; if it is a local time, say its zone: {zone}, say"
    return f"it has no offset and is later than now: it is a local time, whose zone has to be said: {zone}, say"


def _read(text: str, form: str) -> float:
    return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()


def _iso(text: str) -> float:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _cadence(sample: Sample, named: Sequence[Named]) -> int | None:
    """The commonest step between the times of a station."""
    names = {one.stored: one for one in named}
    if not {"station_id", "time"} <= names.keys():
        return None
    time = names["time"]
    stations, times = (sample.columns.get(names[one].name, []) for one in ("station_id", "time"))
    if len(stations) != len(times):
        return None
    by_station: dict[str, set[float]] = {}
    for station, said in zip(stations, times, strict=True):
        try:
            at = _seconds(said, time.unit)
        except (ValueError, TypeError):
            continue
        by_station.setdefault(str(station), set()).add(at)
    steps = [after - before for found in by_station.values() for before, after in pairwise(sorted(found))]
    return round(median(steps)) if steps else None


def _seconds(said: Any, unit: str) -> float:
    if "%" in unit:
        return _read(str(said).strip(), unit)
    value = number(said)
    if value is not None:
        return value / 1000 if unit == MILLISECONDS else value
    return _iso(str(said).strip())
