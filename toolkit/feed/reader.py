"""Reading the documents of a feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from toolkit.feed.entries import Entries
from toolkit.feed.errors import UnreadableError
from toolkit.mapping import FieldMapping, parse_mapping
from toolkit.model import FORMATS, Bounds, Document, Station


class Format(Protocol):
    """A module of this package that reads one format; it has the format's name and is listed in `model.FORMATS`.

    One that leaves open where a document has its entries has a function `require(records)`, too, which raises
    ValueError for a text that does not say it. One whose fields have names and units of their own has them in `FIELDS`,
    as the setting would: they count where that is empty.
    """

    def parse(self, body: bytes, entries: Entries) -> None:
        """Take the stations and observations of a document.

        Raises:
            FeedError: the document is not of this format, or describes no station.
        """


class Form(NamedTuple):
    """How the documents of a feed are written, as settings have it.

    Attributes:
        format: one of `model.FORMATS`.
        records: where a document has its entries, for formats that leave that open.
        fields: what the documents call their fields.
        prefix: what is put before the ids of stations.
    """

    format: str
    records: str
    fields: str
    prefix: str


@dataclass(frozen=True, slots=True)
class DocumentReader:
    """Reads the documents of one feed.

    Attributes:
        format: one of `model.FORMATS`.
        records: where a document has its entries, for formats that leave that open.
        mapping: what the documents call their fields.
        prefix: what is put before the ids of stations.
        stations: what the documents do not say of stations, by the id that they have in the documents.
        bounds: how much is taken from one document.
    """

    format: str
    records: str
    mapping: FieldMapping
    prefix: str
    stations: Mapping[str, Station]
    bounds: Bounds

    def read(self, body: bytes, station: str = "") -> Document:
        """The stations and observations of a document.

        Args:
            body: the document.
            station: the id of the station that it is of, where it does not say one.

        Raises:
            FeedError: the document is not of this feed's format, or describes no station.
        """
        entries = Entries(
            fields_of(self.format, self.mapping), self.bounds, records=self.records, prefix=self.prefix, station=station
        )
        _format(self.format).parse(body, entries)
        document = entries.document()
        if self.stations:
            document.stations = [self._completed(one) for one in document.stations]
        return document

    @property
    def form(self) -> Form:
        """How this reader's documents are written."""
        return Form(self.format, self.records, self.mapping.text, self.prefix)

    def as_of(self, form: Form) -> DocumentReader:
        """The reader of a document that came when the settings said otherwise how documents are written.

        Raises:
            UnreadableError: this release does not know that format, those entries or those fields.
        """
        if form == self.form:
            return self
        try:
            if form.format not in FORMATS:
                raise ValueError(f"give one of {', '.join(FORMATS)}")
            require(form.format, form.records)
            mapping = parse_mapping(form.fields)
        except ValueError as error:
            raise UnreadableError(
                f"a document of the format {form.format!r} with the fields {form.fields!r}: {error}"
            ) from error
        return replace(self, format=form.format, records=form.records, mapping=mapping, prefix=form.prefix)

    def _completed(self, station: Station) -> Station:
        known = self.stations.get(station.station_id.removeprefix(self.prefix))
        if known is None:
            return station
        return Station._make(own if own is not None else more for own, more in zip(station, known, strict=True))


def require(format: str, records: str) -> None:  # noqa: A002 - the setting's name
    """Look whether a text says where documents of a format have their entries.

    Raises:
        ValueError: it does not, or the format does not leave that open; the message says what would be right.
    """
    look = getattr(_format(format), "require", None)
    if look:
        look(records)
    elif records:
        raise ValueError(f"documents of the format {format} have their entries in one place: leave it empty")


def fields_of(format: str, mapping: FieldMapping) -> FieldMapping:  # noqa: A002 - the setting's name
    """What the documents of a format call their fields: as the setting says, or as the format has it."""
    return mapping if mapping.named else parse_mapping(getattr(_format(format), "FIELDS", ""))


def _format(name: str) -> Format:
    return cast("Format", import_module(f"toolkit.feed.{name}"))
