"""Lengths of time as people say them."""

from __future__ import annotations


def humanize(seconds: float) -> str:
    """A length of time in its largest unit, such as `5 minutes`."""
    for length, unit in ((2 * 86400, "days"), (2 * 3600, "hours"), (2 * 60, "minutes")):
        if seconds >= length:
            return f"{seconds / (length / 2):.0f} {unit}"
    return f"{seconds:.0f} seconds"


def age(seconds: float) -> str:
    """An age; a negative one is a time in the future."""
    return f"{humanize(-seconds)} in the future" if seconds < 0 else f"{humanize(seconds)} old"


def lasting(seconds: float) -> str:
    """How long something lasts, in the two largest units, such as `2 h 5 min`."""
    minutes = max(0, int(seconds // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    first = next((place for place, (number, _) in enumerate(parts) if number), 2)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2])
