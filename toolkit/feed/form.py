"""The form of a feed, as the settings tell it: its format, its fields, and where its stations are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.feed import csv, geojson
from toolkit.feed.entries import Entries
from toolkit.feed.errors import FeedError
from toolkit.feed.fields import Fields, parse_fields
from toolkit.feed.stations import read_stations
from toolkit.model import Bounds, Document, Station
from toolkit.settings import Settings

FORMATS = {"geojson": geojson.parse, "csv": csv.parse}


@dataclass(frozen=True, slots=True)
class Form:
    """How the documents of a feed are read; `stations` has what the documents do not say of them, by id."""

    format: str
    fields: Fields
    stations: Mapping[str, Station]
    bounds: Bounds

    def parse(self, body: bytes) -> Document:
        """The stations and observations of a document.

        Raises:
            FeedError: it is no document of this form.
        """
        entries = Entries(self.fields, self.bounds)
        FORMATS[self.format](body, entries)
        document = entries.document()
        if self.stations:
            document.stations = [self._completed(one) for one in document.stations]
        return document

    def of_before(self, format: str, fields: str) -> Form:  # noqa: A002 - the setting's name
        """The form of a document that came when the settings named another format or other fields.

        Raises:
            FeedError: this release does not know it.
        """
        if (format, fields) == (self.format, self.fields.text):
            return self
        try:
            FORMATS[format]
            return replace(self, format=format, fields=parse_fields(fields))
        except (KeyError, ValueError) as error:
            raise FeedError(f"a document of the format {format!r} with the fields {fields!r}: {error}") from error

    def _completed(self, said: Station) -> Station:
        known = self.stations.get(said.station_id)
        if known is None:
            return said
        return Station._make(own if own is not None else more for own, more in zip(said, known, strict=True))


def form_of(settings: Settings) -> Form:
    """The form of the feed that the settings name.

    Raises:
        UsageError: the file of stations cannot be used.
    """
    bounds = bounds_of(settings)
    stations = read_stations(Path(settings.feed_stations), bounds) if settings.feed_stations else []
    fields = parse_fields(settings.feed_fields)
    return Form(settings.feed_format, fields, {one.station_id: one for one in stations}, bounds)


def bounds_of(settings: Settings) -> Bounds:
    """How much the settings let in."""
    return Bounds(
        settings.station_id_length,
        settings.station_name_length,
        settings.feed_max_stations,
        settings.feed_new_stations_per_day,
    )
