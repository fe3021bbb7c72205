"""Sensors that are judged otherwise than all others: the setting `exceptions`, as a value.

Its text is a JSON list of objects, `[{"station": "volos", "variables": ["temp_out"], "judged": false, "reason": "…"}]`.
In an inventory it is a list of the same form. `toolkit.detector.judging` applies it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

from toolkit import times
from toolkit.text import clean, did_you_mean, one_line
from toolkit.variables import BY_NAME

# The longest reason, in characters: it stands in reports and tables.
REASON_LENGTH = 300
MOST = 10_000
_DAY = 86400
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class SensorException:
    """How one station's sensors are judged, where that is otherwise than the settings say.

    Attributes:
        station: the station's id.
        variables: which of its sensors; none for all.
        judged: whether they are judged, and others by them.
        limits: how many times as far as another station's their readings may be from what neighbours imply.
        neighbour_km, neighbour_elevation_m: as the settings of these names; None: as these.
        reason: why, for people.
        until: up to when it holds, seconds since the epoch; None: for ever.
    """

    station: str
    variables: tuple[str, ...]
    judged: bool
    limits: float
    neighbour_km: float | None
    neighbour_elevation_m: float | None
    reason: str
    until: float | None

    def holds(self, at: float) -> bool:
        """Whether it holds at a time, seconds since the epoch."""
        return self.until is None or at <= self.until

    @property
    def effect(self) -> str:
        """What it changes, in a phrase."""
        if not self.judged:
            return "not judged"
        around = [
            f"{value:g} {unit}"
            for value, unit in ((self.neighbour_km, "km away"), (self.neighbour_elevation_m, "m higher or lower"))
            if value is not None
        ]
        told = [f"limits × {self.limits:g}"] if self.limits != 1 else []
        return ", ".join(told + ([f"neighbours up to {' and '.join(around)}"] if around else []))

    def __str__(self) -> str:
        until = "" if self.until is None else f" until {times.iso_of(self.until)}"
        return f"{self.effect}{until}: {self.reason}"


def exception_of(
    exceptions: Sequence[SensorException], station: str, variable: str, at: float
) -> SensorException | None:
    """The exception that holds for a sensor at a time; one that names the variable counts before one of the station."""
    found = [
        one
        for one in exceptions
        if one.station == station and one.holds(at) and (not one.variables or variable in one.variables)
    ]
    return min(found, key=lambda one: not one.variables, default=None)


def parse_exceptions(text: str) -> tuple[SensorException, ...]:
    """The exceptions that a text describes.

    Raises:
        ValueError: it describes none; the message says which entry is wrong, and what would be right.
    """
    if not text.strip():
        return ()
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, list) or len(entries) > MOST:
        raise ValueError(
            'give a JSON list such as [{"station": "volos", "variables": ["temp_out"], "judged": false, '
            f'"reason": "the roof is repaired", "until": "2026-12-31"}}], of at most {MOST} entries'
        )
    found: list[SensorException] = []
    sensors: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries, 1):
        try:
            one = _exception(entry)
            for variable in one.variables or ("",):
                if before := sensors.setdefault((one.station, variable), number) - number:
                    raise ValueError(f"{variable or 'the whole station'} is in entry {number + before} already")
        except ValueError as error:
            named = entry.get("station") if isinstance(entry, dict) else None
            raise ValueError(
                f"entry {number}{f' ({one_line(named, 60)})' if isinstance(named, str) else ''}: {error}"
            ) from None
        found.append(one)
    return tuple(found)


def as_entry(one: SensorException) -> dict[str, object]:
    """An exception as an entry of the setting."""
    entry: dict[str, object] = {"station": one.station}
    if one.variables:
        entry["variables"] = list(one.variables)
    if not one.judged:
        entry["judged"] = False
    if one.limits != 1:
        entry["limits"] = one.limits
    for name in ("neighbour_km", "neighbour_elevation_m"):
        if (value := getattr(one, name)) is not None:
            entry[name] = value
    entry["reason"] = one.reason
    if one.until is not None:
        entry["until"] = times.iso_of(one.until)
    return entry


def _exception(entry: Any) -> SensorException:
    if not isinstance(entry, dict):
        raise ValueError("it is no object with a station and a reason")
    for name in entry:
        if name not in _FIELDS:
            hint = did_you_mean(name, _FIELDS, f"know {', '.join(_FIELDS)}")
            raise ValueError(f"{one_line(name, 60)} means nothing here; {hint}")
    given = {name: read(entry.get(name)) for name, read in _FIELDS.items()}
    one = SensorException(**given)
    if not one.effect:
        raise ValueError("it changes nothing: give judged, limits, neighbour_km or neighbour_elevation_m")
    others = (one.limits != 1, one.neighbour_km is not None, one.neighbour_elevation_m is not None)
    if not one.judged and any(others):
        raise ValueError("what is not judged has neither limits nor neighbours")
    return one


def _text(name: str, length: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not clean(value) or len(value) > length:
            raise ValueError(f"{name} is needed, a text of at most {length} characters")
        return clean(value)

    return read


def _number(name: str, low: float, high: float, default: float | None) -> Callable[[Any], float | None]:
    def read(value: Any) -> float | None:
        if value is None:
            return default
        number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else inf
        if not isfinite(number) or not low <= number <= high:
            raise ValueError(f"{name}: give a number from {low:g} to {high:g}")
        return number

    return read


def _variables(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("variables: give a list of names, or none for all")
    found = tuple(name.strip() for name in names)
    for name in found:
        if name not in BY_NAME:
            hint = did_you_mean(name, BY_NAME, f"know {', '.join(BY_NAME)}")
            raise ValueError(f"variables: {one_line(name, 60)!r} is not measured; {hint}")
    return tuple(dict.fromkeys(found))


def _judged(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, bool):
        raise ValueError("judged: give true or false")
    return value


def _until(value: Any) -> float | None:
    """A time; a day counts to its end."""
    if value is None:
        return None
    if not isinstance(value, str) or value.upper() == "NOW":
        raise ValueError("until: give a day such as 2026-12-31, which counts to its end, or a time")
    moment = times.epoch_of(value.strip())
    return moment + _DAY if _DATE.fullmatch(value.strip()) else moment


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "station": _text("station", 600),
    "variables": _variables,
    "judged": _judged,
    "limits": _number("limits", 1, 100, 1.0),
    "neighbour_km": _number("neighbour_km", 0.1, 1000, None),
    "neighbour_elevation_m": _number("neighbour_elevation_m", 1, 9000, None),
    "reason": _text("reason", REASON_LENGTH),
    "until": _until,
}

SPEC = {
    "type": "list",
    "elements": "dict",
    "options": {
        "station": {"type": "str", "required": True, "description": "The station's id."},
        "variables": {
            "type": "list",
            "elements": "str",
            "choices": list(BY_NAME),
            "description": "Which of its sensors. Not given: all.",
        },
        "judged": {"type": "bool", "description": "Whether they are judged. Not given: true."},
        "limits": {
            "type": "float",
            "description": "How many times as far as others they may be from what their neighbours imply.",
        },
        "neighbour_km": {"type": "float", "description": "As weather_neighbour_km, for these sensors."},
        "neighbour_elevation_m": {"type": "float", "description": "As weather_neighbour_elevation_m."},
        "reason": {"type": "str", "required": True, "description": "Why; it stands in reports."},
        "until": {
            "type": "str",
            "description": "Up to when it holds: a day, which counts to its end, or a time. Not given: for ever.",
        },
    },
}
"""The setting as Ansible's argument specs have it."""


def expired(exceptions: Iterable[SensorException], at: float) -> Iterator[SensorException]:
    """The exceptions that hold no more."""
    return (one for one in exceptions if not one.holds(at))
