"""Time is UTC inside: seconds since the epoch in arithmetic, `YYYY-MM-DD HH:MM:SS` in the store."""

from __future__ import annotations

from datetime import UTC, datetime

STORED = "%Y-%m-%d %H:%M:%S"
FIRST_YEAR, LAST_YEAR = 1970, 9998


def now() -> datetime:
    """The present, as an aware datetime in UTC."""
    return datetime.now(UTC)


def from_epoch(epoch: float) -> datetime:
    """Seconds since the epoch as an aware datetime in UTC."""
    return datetime.fromtimestamp(epoch, UTC)


def stored(epoch: float) -> str:
    """Seconds since the epoch as the store writes them: text in UTC, whole seconds."""
    # strftime would write years before 1000 with fewer than four digits.
    return from_epoch(epoch).isoformat(" ", "seconds")[:19]


def from_stored(text: str) -> datetime:
    """The time that `stored` wrote, as an aware datetime in UTC.

    Raises:
        ValueError: the text is not of the form `YYYY-MM-DD HH:MM:SS`.
    """
    return datetime.strptime(text, STORED).replace(tzinfo=UTC)


def iso(moment: datetime) -> str:
    """A time as reports write it: ISO 8601, whole seconds, `Z` for UTC."""
    return moment.astimezone(UTC).isoformat("T", "seconds")[:19] + "Z"


def iso_of(epoch: float) -> str:
    """Seconds since the epoch as reports write a time, see `iso`."""
    return iso(from_epoch(epoch))


def parse(text: str) -> datetime:
    """A time as people write it: `NOW`, or ISO 8601; without an offset it is UTC.

    Raises:
        ValueError: it is neither, or outside of the years in which a window can be computed.
    """
    if text.upper() == "NOW":
        return now()
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a time: give NOW or e.g. 2026-01-31T12:00Z (UTC if no offset)") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"{text!r} is out of range: give a time of the years {FIRST_YEAR} to {LAST_YEAR}")
    return moment


def epoch_of(text: str) -> float:
    """A time as people or reports write it, in seconds since the epoch.

    Raises:
        ValueError: see `parse`.
    """
    return parse(text).timestamp()
