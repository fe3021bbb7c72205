"""What a feed does to the values of a whole network at once, and no weather: another unit, one value for all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

from toolkit.model import Document, Observation
from toolkit.times import stored
from toolkit.units import Conversion, conversions_to
from toolkit.variables import BY_NAME

# Fewer stations cannot be compared with one another.
STATIONS = 3
# So many of the stations stand for the whole network.
PART = 0.9
# No weather changes these of a whole network by so much between two documents (our own figures).
JUMPS = {"temp_out": 15.0, "out_hum": 40.0, "bar": 20.0}
# Nor the sum of these by so much a factor; of a network in which some wind blows, in their unit.
FACTORS = {"wind_speed": 3.0, "hi_speed": 3.0}
SOME_WIND = 4.0
# How much nearer to what it was a value has to be in another unit.
NEARER = 0.35
# So many stations do not tell one and the same to a tenth.
MOST_ALIKE = 5


def jumped(rows: Iterable[Observation], limits: Mapping[str, float]) -> str:
    """What is to be said where a variable of the whole network has jumped and not come back; empty where none has.

    Args:
        rows: observations of the last hours, in order of time.
        limits: by station, how far apart two observations may be, in seconds.
    """
    rows = list(rows)
    for what in (*JUMPS, *FACTORS):
        last: dict[str, Observation] = {}
        first: dict[str, Observation] = {}
        pairs: dict[str, tuple[Observation, Observation]] = {}
        for row in rows:
            if (value := getattr(row, what)) is None:
                continue
            before = last.get(row.station_id)
            near = before is not None and row.time - before.time <= limits[row.station_id]
            if before and near and _far(what, getattr(before, what), value):
                pairs[row.station_id] = before, row
                first.setdefault(row.station_id, before)
            last[row.station_id] = row
        # What came back is over, such as a unit that was changed for an hour.
        pairs = {
            name: pair
            for name, pair in pairs.items()
            if _far(what, getattr(first[name], what), getattr(last[name], what))
        }
        compared = [name for name in last if what in JUMPS or (name in pairs or getattr(last[name], what) >= SOME_WIND)]
        if len(pairs) < STATIONS or len(pairs) < PART * len(compared):
            continue
        before, row = next(iter(pairs.values()))
        unit = BY_NAME[what].unit
        another = _of_another_unit([(getattr(old, what), getattr(new, what)) for old, new in pairs.values()], unit)
        if what in FACTORS and not another:
            continue
        return (
            f"{what} of {len(pairs)} of {len(last)} stations jumped, such as from {getattr(before, what):g} to "
            f"{getattr(row, what):g} {unit} at {row.station_id}, {stored(row.time)} UTC: "
            f"{another or 'has the unit of the feed changed?'}"
        )
    return ""


def _far(what: str, old: float, new: float) -> bool:
    if what in JUMPS:
        return abs(new - old) > JUMPS[what]
    low, high = sorted((old, new))
    return high >= SOME_WIND and high > FACTORS[what] * low


def _of_another_unit(values: list[tuple[float, float]], unit: str) -> str:
    """What is to be said where values are as they were, but for the unit; empty where they are not.

    Args:
        values: of some stations, before and after.
        unit: in which they are to be.
    """
    change = median(abs(new - old) for old, new in values)
    for other, conversion in conversions_to(unit).items():
        if conversion == Conversion(1):
            continue
        for told, should, undone in ((other, unit, conversion), (unit, other, _inverse(conversion))):
            if median(abs(new * undone.factor + undone.offset - old) for old, new in values) < NEARER * change:
                return f"it is told in {told} now, and read as {should}"
    return ""


def _inverse(one: Conversion) -> Conversion:
    return Conversion(1 / one.factor, -one.offset / one.factor)


def unit_of_impossible(told: Mapping[str, float], rows: Iterable[Observation], what: str) -> str:
    """The same of values that cannot be, which are not stored.

    Args:
        told: by station, the impossible value.
        rows: what the stations told before.
        what: the variable.
    """
    before: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.station_id in told and (value := getattr(row, what)) is not None:
            before[row.station_id].append(value)
    values = [(median(old), told[name]) for name, old in before.items()]
    return _of_another_unit(values, BY_NAME[what].unit) if values else ""


def all_alike(document: Document, rows: Iterable[Observation]) -> str:
    """What is to be said where all stations tell one and the same of a variable, and told different values before."""
    newest = {one.station_id: one for one in sorted(document.observations, key=lambda one: one.time)}
    rows = list(rows)
    for name, variable in BY_NAME.items():
        if variable.nature != "level" or variable.unit not in {"°C", "hPa", "%"}:
            continue
        told = Counter(value for one in newest.values() if (value := getattr(one, name)) is not None)
        if not told:
            continue
        (common, number), number_told = told.most_common(1)[0], sum(told.values())
        if number < MOST_ALIKE or number < PART * number_told:
            continue
        if variable.saturation is not None and common >= variable.saturation:
            continue
        before = {value for row in rows if (value := getattr(row, name)) is not None}
        if len(before) > MOST_ALIKE:
            return f"{name} of {number} of {number_told} stations is {common:g} {variable.unit}: no sensor tells it"
    return ""
