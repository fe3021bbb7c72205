"""Simulated faults of sensors and stations."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit import times
from toolkit.errors import UsageError
from toolkit.model import Observation, Station
from toolkit.simulator.source import Source
from toolkit.variables import BY_NAME

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault at one station.

    Attributes:
        station_id: where.
        variable: the field that goes wrong; None for the station as a whole.
        kind: a name of `KINDS`.
        start: seconds since the epoch.
        end: seconds since the epoch; from then on the values are right again.
        size: how large the error is, in the variable's unit; of a drift, in an hour.
    """

    station_id: str
    variable: str | None
    kind: str
    start: float
    end: float
    size: float


# The wrong reading, computed from the true one, the one when the fault began, the time, and the fault.
Effect = Callable[[float, float, int, Fault], float | None]


def _noise(value: float, _first: float, time: int, fault: Fault) -> float:
    return value + random.Random(f"{fault.station_id} {fault.variable} {time}").gauss(0, fault.size)  # noqa: S311


KINDS: dict[str, tuple[Effect, float]] = {
    "spike": (lambda value, _first, _time, fault: value + fault.size, 15),
    "offset": (lambda value, _first, _time, fault: value + fault.size, 5),
    "drift": (lambda value, _first, time, fault: value + fault.size * (time - fault.start) / 3600, 1),
    "noise": (_noise, 5),
    "range": (lambda _value, _first, _time, fault: fault.size, 999),
    "stuck": (lambda _value, first, _time, _fault: first, 0),
    "stalled": (lambda _value, _first, _time, _fault: 0.0, 0),
    "clogged": (lambda _value, _first, _time, _fault: 0.0, 0),
    "dripping": (lambda value, _first, _time, fault: value + fault.size, 0.2),
    "turned": (lambda value, _first, _time, fault: (value + fault.size) % 360, 90),
    "unit": (lambda value, _first, _time, _fault: value * 1.8 + 32, 0),
    "dropout": (lambda _value, _first, _time, _fault: None, 0),
}
"""The effect of each kind of fault, and its default size. With a fault `silent` the feed does not have the station."""


def duration(text: str) -> float:
    """Seconds, from text such as `90s`, `30m`, `6h`, `2d`; with a minus sign, back in time.

    Raises:
        ValueError: it is no duration.
    """
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)([smhd])", text)
    if not found:
        raise ValueError(f"{text!r} is no duration: give a number and s, m, h or d, e.g. 30m")
    return float(found[1]) * _SECONDS[found[2]]


def moment(text: str, now: float) -> float:
    """Seconds since the epoch, from a time or from a duration before or after `now`.

    Raises:
        ValueError: it is neither.
    """
    return now + duration(text) if text[-1:] in _SECONDS else times.epoch_of(text)


def parse(text: str, stations: Sequence[Station], now: float) -> Fault:
    """A fault from `station=ID,variable=NAME,kind=KIND,at=TIME,for=DURATION,size=NUMBER`.

    Raises:
        UsageError: it names the part that is wrong.
    """
    parts = dict(part.partition("=")[::2] for part in text.split(","))
    try:
        if unknown := set(parts) - {"station", "variable", "kind", "at", "for", "size"}:
            raise ValueError(f"{min(unknown)!r} is not known")
        kind, station, variable = parts["kind"], parts["station"], parts.get("variable")
        if kind not in KINDS and kind != "silent":
            raise ValueError(f"kind={kind}: give one of {', '.join([*KINDS, 'silent'])}")
        if station not in {known.station_id for known in stations}:
            raise ValueError(f"station={station}: there is no such station")
        if kind != "silent" and variable not in BY_NAME:
            raise ValueError(f"variable={variable}: give one of {', '.join(BY_NAME)}")
        start = moment(parts.get("at", "0s"), now)
        size = float(parts.get("size", KINDS.get(kind, (None, 0))[1]))
        return Fault(station, variable, kind, start, start + duration(parts.get("for", "3650d")), size)
    except KeyError as missing:
        raise UsageError(f"--fault {text}: {missing.args[0]}= is missing") from None
    except ValueError as error:
        raise UsageError(f"--fault {text}: {error}") from None


class Faulty:
    """A source of weather with faults."""

    def __init__(self, source: Source, faults: Sequence[Fault]) -> None:
        self._source = source
        self._faults = faults
        self.stations = source.stations
        self._place = {station.station_id: place for place, station in enumerate(source.stations)}

    def at(self, time: int) -> list[Observation | None]:
        """The latest observation of each station, as it is reported."""
        reported = list(self._source.at(time))
        for fault in self._faults:
            place = self._place[fault.station_id]
            observation = reported[place]
            if observation is None or not fault.start <= observation.time < fault.end:
                continue
            reported[place] = self._broken(observation, fault, place)
        return reported

    def _broken(self, observation: Observation, fault: Fault, place: int) -> Observation | None:
        if fault.variable is None:
            return None
        value = getattr(observation, fault.variable)
        if value is None:
            return observation
        at_start = self._source.at(int(fault.start))[place] if fault.kind == "stuck" else observation
        first = getattr(at_start, fault.variable) if at_start else value
        effect, _ = KINDS[fault.kind]
        wrong = effect(value, first, observation.time, fault)
        changed: dict[str, Any] = {fault.variable: None if wrong is None else round(wrong, 1)}
        return observation._replace(**changed)
