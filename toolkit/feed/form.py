"""The form of a feed, as the settings tell it: its format, its fields, and where its stations are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.feed import csv, geojson
from toolkit.feed.document import Document, FeedError, Station
from toolkit.feed.fields import Fields, parse_fields
from toolkit.feed.stations import read_stations
from toolkit.settings import Settings

FORMATS = {"geojson": geojson.parse, "csv": csv.parse}


@dataclass(frozen=True, slots=True)
class Form:
    """How the documents of a feed are read; `stations` has what the documents do not say of them, by id."""

    format: str
    fields: Fields
    stations: Mapping[str, Station]

    def parse(self, body: bytes) -> Document:
        """The stations and observations of a document.

        Raises:
            FeedError: it is no document of this form.
        """
        document = FORMATS[self.format](body, self.fields)
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
    stations = read_stations(Path(settings.feed_stations)) if settings.feed_stations else []
    return Form(settings.feed_format, parse_fields(settings.feed_fields), {one.station_id: one for one in stations})
