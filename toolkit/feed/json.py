"""A feed in JSON: an object for each station or observation, in a list that an expression finds (`expressions`).

Where lists lie in objects of lists, `stations / observations` names an expression for each level. An entry then is an
object of the innermost list; what it lies in is found by `../`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, BinaryIO

from toolkit.feed.entries import Entries
from toolkit.feed.errors import NoStationError, NotAFeedError, UnreadableError
from toolkit.text import decoded, one_line

# The most digits of a whole number: Python refuses to read very long ones, which are noise.
DIGITS = 400
# What may follow a document: white space, and the rest of a buffer of fixed size.
PADDING = "\0 \t\r\n"


def require(records: str) -> None:
    """Look whether an expression can be used.

    Raises:
        ValueError: it is no JMESPath; the message says what is wrong with it.
    """
    from toolkit.feed import expressions

    for level in _levels(records):
        expressions.require(level)


def parse(document: BinaryIO, entries: Entries) -> None:
    """Take the stations and observations of a document.

    Raises:
        UnreadableError: it is not JSON.
        NotAFeedError: the expression finds no list of objects in it.
        NoStationError: no object has a station id.
    """
    outer, *inner = _levels(entries.records) or [""]
    found = _found(content(document.read()), outer)
    for one in found:
        _take(one, inner, entries.take, entries.leave_out)
    if not entries.any_station:
        raise NoStationError(f"the feed holds no station: {len(found)} objects, none with a station id")


def _levels(records: str) -> list[str]:
    """The expression of each level."""
    return re.split(r"\s+/\s+", records.strip()) if records.strip() else []


def _take(one: Any, inner: list[str], take: Callable[[Any], None], leave_out: Callable[[str], None]) -> None:
    """Take an object as an entry, or what the expressions of further levels find in it."""
    if not isinstance(one, dict):
        leave_out("not an object")
    elif not inner:
        take(one)
    else:
        around = {f"../{name}": value for name, value in one.items()}
        try:
            found = _found({name: value for name, value in one.items() if name[:3] != "../"}, inner[0])
        except NotAFeedError:
            leave_out("an object without entries")
            return
        for each in found:
            _take(around | each if isinstance(each, dict) else each, inner[1:], take, leave_out)


def _found(document: Any, records: str) -> list[Any]:
    """The entries that the expression finds; without one, the document is the list of them, or the only one."""
    if records:
        from toolkit.feed import expressions

        try:
            document = expressions.search(records, document)
        except ValueError as error:
            raise NotAFeedError(f"the expression {records!r} fails on the feed: {error}") from None
    if isinstance(document, dict):
        return [document]
    if isinstance(document, list):
        return document
    where = f"at {records!r}" if records else "there"
    raise NotAFeedError(f"the feed has no list of objects {where}: it is {_kind(document)}")


def _kind(value: Any) -> str:
    return "nothing" if value is None else "a text" if isinstance(value, str) else "a single value"


def content(body: bytes) -> Any:
    """Decode JSON. Control characters in strings, which should be escaped, are accepted.

    Raises:
        UnreadableError: it is not JSON.
    """
    text = decoded(body).rstrip(PADDING)
    try:
        try:
            return json.loads(text, strict=False)
        except json.JSONDecodeError:
            raise
        except ValueError:  # a number with too many digits for Python
            return json.loads(text, strict=False, parse_int=whole_number)
    except (json.JSONDecodeError, RecursionError) as error:
        raise as_unreadable(text, error) from None


def whole_number(digits: str) -> int | None:
    """A whole number; None where it has more digits than Python reads."""
    return int(digits) if len(digits) <= DIGITS else None


def as_unreadable(text: str, error: json.JSONDecodeError | RecursionError, before: int = 0) -> UnreadableError:
    """What is wrong with a document.

    Args:
        text: the document, or a part of it.
        error: what was raised.
        before: how many characters of the document are before the text.
    """
    if isinstance(error, RecursionError):
        return UnreadableError("the feed is not JSON that can be read: it is nested too deeply")
    return UnreadableError(f"the feed is not JSON: {_where(text, error, before)}")


def _where(text: str, error: json.JSONDecodeError, before: int) -> str:
    if not text.strip() and not before:
        return "it is empty"
    # The position is where the text begins that is not closed.
    if error.msg.startswith("Unterminated") or error.pos >= len(text.rstrip()):
        return f"it ends in the middle, at {before + len(text)}"
    if not text[: error.pos].strip() and not before:
        return f"it begins with {one_line(text.lstrip(), 40)!r}"
    near = one_line(text[max(0, error.pos - 20) : error.pos + 20])
    return f"{error.msg[:1].lower()}{error.msg[1:]} at {before + error.pos}, in {near!r}"
