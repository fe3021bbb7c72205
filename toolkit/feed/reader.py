"""Reading the documents of a feed."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import BinaryIO, NamedTuple, Protocol, cast

from toolkit.feed import messages
from toolkit.feed.entries import Entries
from toolkit.feed.errors import FeedError, UnreadableError
from toolkit.mapping import FieldMapping, parse_mapping
from toolkit.model import FORMATS, Bounds, Document, Station

# The reason that is counted where the rest of a document cannot be read.
BROKEN = "a document that is broken from here on"


class Format(Protocol):
    """A module of this package that reads one format; it has the format's name and is listed in `model.FORMATS`.

    One that leaves open where a document has its entries has a function `require(records)`, too, which raises
    ValueError for a text that does not say it. One whose fields have names and units of their own has them in `FIELDS`,
    as the setting would: they count where that is empty.
    """

    def parse(self, document: BinaryIO, entries: Entries) -> None:
        """Take the stations and observations of a document, which is a file at its beginning.

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

    def read_parts(self, document: BinaryIO, take_part: Callable[[Document], None], station: str = "") -> None:
        """Read the stations and observations of a document, however long, in bounded memory.

        Args:
            document: the document, a file.
            take_part: is handed what each part of it says: at most `entries.PART` observations. What it raises ends the
                reading.
            station: the id of the station that it is of, where it does not say one.

        Raises:
            FeedError: the document is not of this feed's format, or describes no station; no part was handed on.
        """
        handed = False

        def hand_on(part: Document) -> None:
            nonlocal handed
            handed = True
            take_part(self._completed(part))

        entries = self._entries(station, hand_on)
        try:
            self._parse(document, entries)
        except FeedError:
            if not handed:
                raise
            entries.leave_out(BROKEN)
        if not handed or entries.stations or entries.left_out:
            hand_on(entries.document())

    def read(self, body: bytes, station: str = "") -> Document:
        """The same of a document that is not very long, all at once."""
        entries = self._entries(station)
        self._parse(io.BytesIO(body), entries)
        return self._completed(entries.document())

    def read_first(self, document: BinaryIO, station: str = "") -> Document:
        """What the first part of a document says; see `read_parts`."""
        try:
            self.read_parts(document, _only_first, station)
        except _EnoughError as enough:
            return enough.part
        raise AssertionError

    def _entries(self, station: str, take_part: Callable[[Document], None] | None = None) -> Entries:
        return Entries(
            fields_of(self.format, self.mapping),
            self.bounds,
            records=self.records,
            prefix=self.prefix,
            station=station,
            take_part=take_part,
        )

    def _parse(self, document: BinaryIO, entries: Entries) -> None:
        document.seek(0)
        messages.parse(document, entries, _format(self.format).parse)

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

    def _completed(self, document: Document) -> Document:
        """A document with what the file of stations says besides."""
        if self.stations:
            for place, one in enumerate(document.stations):
                if known := self.stations.get(one.station_id.removeprefix(self.prefix)):
                    pairs = zip(one, known, strict=True)
                    document.stations[place] = Station._make(own if own is not None else more for own, more in pairs)
        return document


class _EnoughError(Exception):
    def __init__(self, part: Document) -> None:
        super().__init__()
        self.part = part


def _only_first(part: Document) -> None:
    raise _EnoughError(part)


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
