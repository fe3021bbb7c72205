"""Of what people are told, and when: settings `notify_…`, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo

from toolkit.text import did_you_mean
from toolkit.times import from_epoch
from toolkit.variables import BY_NAME, STATION

LEVELS = ("info", "warning", "critical", "never")
"""From which severity on people are told; each is above the ones before it."""
ANY = "*"


@dataclass(frozen=True, slots=True)
class SensorLevels:
    """From which severity on people are told, for some sensors.

    Attributes:
        text: the setting's text.
        of: the levels by station and variable; either may be `*`.
    """

    text: str = ""
    of: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def level(self, station: str | None, variable: str) -> str | None:
        """What is said of a sensor, by the pair that names it most exactly; None if none does."""
        pairs = [(ANY, variable)] if station is None else [(station, variable), (station, ANY), (ANY, variable)]
        return next((self.of[pair] for pair in pairs if pair in self.of), None)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A part of each day in which people are told of nothing but what is critical, in local time."""

    start: time
    end: time

    @property
    def minutes(self) -> int:
        """How long they are."""
        start, end = (one.hour * 60 + one.minute for one in (self.start, self.end))
        return (end - start) % (24 * 60)

    def over(self, at: float, zone: tzinfo) -> float:
        """When what is written at a time may be sent: then, or when the quiet hours are over that it is in."""
        local = from_epoch(at).astimezone(zone)
        overnight, wall = self.start > self.end, local.time()
        quiet = wall >= self.start or wall < self.end if overnight else self.start <= wall < self.end
        if not quiet:
            return at
        day = local.date() + timedelta(days=int(overnight and wall >= self.start))
        ends = (datetime.combine(day, self.end.replace(fold=fold), zone) for fold in (0, 1))
        # Where the clocks are put back the hour is over when it was there twice; where they skip it, after the step.
        return max(end.timestamp() for end in ends)


def parse_levels(text: str) -> SensorLevels:
    """The levels of sensors.

    Raises:
        ValueError: it says what would be right.
    """
    found = {}
    for pair in filter(str.strip, text.split(",")):
        sensor, _, level = pair.rpartition("=")
        station, _, variable = (part.strip() for part in sensor.rpartition("/"))
        level = level.strip()
        if not station or not variable or level not in LEVELS:
            raise ValueError(
                f"{pair.strip()} is no STATION/VARIABLE=SEVERITY: give one such as volos/rain=info or */rain=never, "
                f"with a severity of {', '.join(LEVELS)}"
            )
        if variable not in {*BY_NAME, STATION, ANY}:
            hint = did_you_mean(variable, [*BY_NAME, STATION], "give * for any")
            raise ValueError(f"{variable} is not measured; {hint}")
        if (station, variable) == (ANY, ANY):
            raise ValueError("what holds for every sensor is the setting notify_severity")
        if (station, variable) in found:
            raise ValueError(f"{station}/{variable} is given twice")
        found[station, variable] = level
    return SensorLevels(text, found)


def parse_quiet_hours(text: str) -> QuietHours | None:
    """The quiet hours; None for none.

    Raises:
        ValueError: it says what would be right.
    """
    if not text.strip():
        return None
    try:
        start, end = (datetime.strptime(part.strip(), "%H:%M").time() for part in text.split("-"))  # noqa: DTZ007
    except ValueError:
        raise ValueError("give two times of the day, such as 22:00-07:00") from None
    if start == end:
        raise ValueError("give two different times; for people who are told of nothing, notify_severity is never")
    return QuietHours(start, end)


def parse_zone(text: str) -> tzinfo:
    """A time zone.

    Raises:
        ValueError: there is none of this name.
    """
    if text == "UTC":
        return UTC
    # Imported where it is needed: it takes half a megabyte of every process.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("give the name of a time zone, such as Europe/Athens") from None
