"""A report as a station sends it: of which station it is, its key, and what is kept of it."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from toolkit.feed.reports import LENGTH, MOST
from toolkit.push import ECOWITT

# What no station says: the receiver adds the first two, and the others are keys.
_NOT_KEPT = {"station_id", "received", "password", "passkey"}


class Report(NamedTuple):
    """A report.

    Attributes:
        station: that it says it is of; empty if it does not say.
        key: that it has; empty if it has none.
        fields: names and values, keys among them.
    """

    station: str
    key: str
    fields: list[tuple[str, str]]

    def line(self, station: str, received: float) -> bytes:
        """The report as it is kept: a line without a key in it, as `feed.reports` reads it.

        Args:
            station: of which it is.
            received: when it came, in seconds since the epoch.

        Raises:
            ValueError: it is too long.
        """
        kept = [
            (name, value)
            for name, value in self.fields
            if name.lower() not in _NOT_KEPT and self.key not in name and self.key not in value
        ]
        line = urlencode([*kept, ("station_id", station), ("received", str(int(received)))])
        if len(line) > LENGTH:
            raise ValueError("the report is too long")
        return line.encode() + b"\n"


def read(protocol: str, text: bytes) -> Report:
    """The report of a query string.

    Raises:
        ValueError: it has too many fields.
    """
    fields = parse_qsl(text.decode("utf-8", "replace"), max_num_fields=MOST)
    said = dict(fields)
    if protocol == ECOWITT:
        return Report("", said.get("PASSKEY", ""), fields)
    return Report(said.get("ID", ""), said.get("PASSWORD", ""), fields)
