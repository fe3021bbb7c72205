"""A trial of a feed: what would be stored of a document, what not, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.collector.feed import reader_of
from toolkit.feed.reader import fields_of
from toolkit.mapping import FieldMapping
from toolkit.model import Document
from toolkit.quality.admission import admit
from toolkit.settings import Settings
from toolkit.text import one_line
from toolkit.times import iso_of
from toolkit.variables import COLUMNS, MEASURED


@dataclass(frozen=True, slots=True)
class Trial:
    """What would be stored.

    Attributes:
        document: what a document offers, without what is not stored.
        mapping: what the feed calls its fields.
    """

    document: Document
    mapping: FieldMapping

    @property
    def observations(self) -> int:
        """How many observations would be stored."""
        return len(self.document.observations)

    @property
    def left_out(self) -> Counter[str]:
        """How many entries and values would not be stored, by reason."""
        return Counter(self.document.left_out)

    def summary(self) -> str:
        """How much there is, for people."""
        times = [one.time for one in self.document.observations]
        placed = sum(one.latitude is not None for one in self.document.stations)
        text = f"{len(self.document.stations)} stations, {placed} of them with a place, {len(times)} observations"
        return f"{text}, {iso_of(min(times))} to {iso_of(max(times))}" if times else text

    def rows(self) -> list[Sequence[str]]:
        """For each variable of which there is a value: its name, the feed's, how many values, the least, the most."""
        found: list[Sequence[str]] = []
        for variable in MEASURED:
            values = [value for one in self.document.observations if (value := getattr(one, variable.name)) is not None]
            if values:
                source = self.mapping.of(variable.name)
                theirs = one_line("|".join(source.names), 60) + (f" [{source.unit}]" if source.unit else "")
                least, most = (f"{value:g} {variable.unit}" for value in (min(values), max(values)))
                found.append((variable.name, theirs, f"{len(values)} of {self.observations}", least, most))
        return found

    def form(self) -> dict[str, Any]:
        """As JSON has it."""
        times = [one.time for one in self.document.observations]
        values = {name: sum(getattr(one, name) is not None for one in self.document.observations) for name in COLUMNS}
        return {
            "stations": len(self.document.stations),
            "with_place": sum(one.latitude is not None for one in self.document.stations),
            "observations": len(times),
            "oldest": iso_of(min(times)) if times else None,
            "newest": iso_of(max(times)) if times else None,
            "values": {name: number for name, number in values.items() if number},
            "left_out": dict(self.left_out.most_common()),
        }


def trial(settings: Settings, body: bytes, present: float, station: str = "") -> Trial:
    """Read a document as the collector would.

    Args:
        settings: of the feed.
        body: the document.
        present: seconds since the epoch.
        station: the id of the station that the document is of, where it does not say one.

    Raises:
        FeedError: nothing of it can be stored.
        UsageError: the settings do not fit one another.
    """
    document = admit(reader_of(settings).read(body, station), present)
    return Trial(document, fields_of(settings.feed_format, settings.feed_fields))
