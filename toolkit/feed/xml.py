"""A feed in XML: an element for each station or observation; fields are found in it by XPath.

Elements are read one after the other and forgotten, so that memory does not grow with the document. Nothing of it leads
anywhere else: a document with a DTD is refused, and with it entities, bombs of them, and what would be fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, BinaryIO

from lxml import etree

from toolkit.feed.entries import Entries
from toolkit.feed.errors import NoStationError, NotAFeedError, UnreadableError
from toolkit.text import one_line

# How deep elements may lie in one another.
DEPTH = 100
_PATH = re.compile(r"(?://)?[\w.-]+(?:/[\w.-]+)*")


def require(records: str) -> None:
    """Look whether a path can be used.

    Raises:
        ValueError: it is none; the message says what would be right.
    """
    if not _PATH.fullmatch(records):
        raise ValueError("give the path of the elements of which each is an entry, such as stations/station")


def parse(document: BinaryIO, entries: Entries) -> None:
    """Take the stations and observations of a document.

    Raises:
        UnreadableError: it is no well-formed XML, or has a DTD.
        NotAFeedError: there is no element at the path.
        NoStationError: no element has a station id.
    """
    number = 0
    try:
        for element in _elements(document, entries.records.removeprefix("//").split("/")):
            number += 1
            entries.take(Found(element))
    except etree.XMLSyntaxError as error:
        if not entries.any_station:
            raise UnreadableError(f"the feed is not XML: {one_line(str(error.msg), 200)}") from None
        entries.leave_out("XML that is broken from here on")
    if not number:
        raise NotAFeedError(f"the feed has no element {entries.records}")
    if not entries.any_station:
        raise NoStationError(f"the feed holds no station: {number} elements, none with a station id")


def _elements(document: BinaryIO, path: list[str]) -> Iterator[etree._Element]:
    """The elements at a path, each complete, with its attributes, content and what it lies in."""
    reading = etree.iterparse(
        document, events=("start", "end"), resolve_entities=False, load_dtd=False, no_network=True,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    open_: list[str] = []
    inside, before = 0, None
    for event, element in reading:
        if event == "start":
            if not open_ and element.getroottree().docinfo.doctype:
                raise UnreadableError("the feed is XML with a DTD, which is not read: ask for it without one")
            _without_namespaces(element)
            open_.append(element.tag)
            if len(open_) > DEPTH:
                raise UnreadableError(f"the feed is XML that is nested more than {DEPTH} deep")
            inside += open_[-len(path) :] == path
            continue
        if open_[-len(path) :] == path:
            inside -= 1
            if not inside:
                yield element
                # The one before is freed: of the present one the parser still needs to know where it is.
                if before is not None and (parent := before.getparent()) is not None:
                    parent.remove(before)
                element.clear(keep_tail=True)
                before = element
        open_.pop()


def _without_namespaces(element: etree._Element) -> None:
    """Leave the local names of an element and of its attributes: expressions then need no prefixes."""
    if element.tag[0] == "{" or ":" in element.tag:
        with suppress(ValueError):  # what is behind a prefix may be no name, such as 0ame
            element.tag = _local(element.tag)
    for name in [name for name in element.attrib if "}" in name or ":" in name]:
        if (local := _local(name)) and local not in element.attrib:
            with suppress(ValueError):
                element.set(local, element.attrib[name])


def _local(name: str | bytes) -> str:
    text = name if isinstance(name, str) else name.decode()
    return text.rpartition("}")[2].rpartition(":")[2]


class Found(Mapping[str, Any]):
    """What an element says, by XPath relative to it: `temp`, `@id`, `wind/speed`, `../@time`, `value[@name='T']`."""

    def __init__(self, element: etree._Element) -> None:
        self._element = element

    def get(self, name: str, default: Any = None) -> Any:
        """The text of the first thing that an expression finds."""
        found: Any = _expression(name)(self._element)
        if isinstance(found, list):
            if not found:
                return default
            found = found[0]
        if isinstance(found, etree._Element):
            return "".join(found.itertext()).strip()  # type: ignore[arg-type] # without comments all of it is text
        return str(found) if isinstance(found, str) else found

    def __getitem__(self, name: str) -> Any:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter([one.tag for one in self._element])

    def __len__(self) -> int:
        return len(self._element)


@lru_cache(maxsize=256)
def _expression(name: str) -> etree.XPath:
    try:
        return etree.XPath(name)
    except etree.XPathSyntaxError:
        # A name with blanks, say, is no expression, and so there is nothing of that name in XML.
        return etree.XPath("/..")
