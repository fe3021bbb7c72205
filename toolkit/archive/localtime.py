"""Times that a host wrote in its own local time, without an offset."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from toolkit.errors import UsageError

LOCALTIME = Path("/etc/localtime")


def zone_named(name: str) -> ZoneInfo:
    """A time zone by its name in the tz database.

    Raises:
        UsageError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"--timezone={name!r}: give a name such as Europe/Athens") from None


def host_zone() -> ZoneInfo:
    """The time zone of this host: `TZ`, else /etc/localtime, else UTC."""
    with suppress(ZoneInfoNotFoundError, ValueError, OSError):
        if named := os.environ.get("TZ", "").removeprefix(":"):
            return ZoneInfo(named)
        place = LOCALTIME.resolve().as_posix()
        with LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file, key=place.partition("/zoneinfo/")[2] or place)
    return ZoneInfo("UTC")


class LocalTimes:
    """Local times of one host, row after row in the order in which they were written.

    At the end of summer time an hour comes twice. A row in it is taken for the first pass, unless the station's row
    before it was at that time or later: then it is the second.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._before: dict[str, int] = {}

    def __call__(self, station_id: str, moment: datetime) -> float:
        """Seconds since the epoch; a time that has an offset keeps it.

        Raises:
            ValueError: it is one that the clocks skipped.
        """
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
            if moment.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
                raise ValueError("a time that the clocks skipped")
            if int(moment.timestamp()) <= self._before.get(station_id, 0):
                moment = moment.replace(fold=1)
        epoch = int(moment.timestamp())
        self._before[station_id] = epoch
        return epoch
