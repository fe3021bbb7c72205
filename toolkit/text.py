"""Text from outside, made harmless: ids and names before they are stored, messages before they are shown.

Text of a feed, a file or another program passes through this module. After it, a text is one line of bounded length,
without characters that a terminal, the journal or systemd would interpret. Bytes are decoded here as well.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, TextIO

# Zero width non-joiner and joiner: part of the spelling in Persian and Indic scripts (Unicode, 23.2).
JOINERS = "\u200c\u200d"
# The longest message, in characters: the collection log keeps it, systemd's status line shows it.
MESSAGE_LENGTH = 500
_HARMLESS = f"\n\t{JOINERS}"


def clean(text: str) -> str:
    """An id or a name as it is stored: one line, white space collapsed, no control or format characters."""
    if not text.isprintable():
        text = "".join(map(_kept, text))
    return " ".join(text.split()).strip(JOINERS)


def _kept(character: str) -> str:
    category = _category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    # Format characters, halves of surrogate pairs, and code points that are no characters.
    return "" if category in {"Cf", "Cs", "Cn"} and character not in JOINERS else character


def has_control_characters(text: str) -> bool:
    """Whether there are control characters in a text, or what some readers take for the end of a line."""
    return not text.isprintable() and any(_category(one) in {"Cc", "Cs", "Zl", "Zp"} for one in text)


def _category(character: str) -> str:
    # Imported where it is needed: hardly any text has such characters, and the collector's memory is small.
    import unicodedata

    return unicodedata.category(character)


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Of known words the one that was probably meant; empty where none is near."""
    from difflib import get_close_matches  # only ever for what is misspelt

    return next(iter(get_close_matches(word, list(known), n=1, cutoff=cutoff)), "")


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The question whether the nearest of known words was meant; `otherwise` where none is near."""
    near = nearest(word, known)
    return f"did you mean {near}?" if near else otherwise


def one_line(text: str, limit: int = MESSAGE_LENGTH) -> str:
    r"""A message as it is shown: one line of at most `limit` characters, control characters written as `\x1b`."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def visible(text: str) -> str:
    r"""Text that is safe on a terminal: lines and tabs stay, other control characters are written as `\x1b`."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in _HARMLESS else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


# The error handler for bytes that are not UTF-8: each is decoded by itself, so that only its word may be wrong.
WESTERN = "western"
# Consecutive ones are decoded at once, for speed.
_NO_UTF_8 = re.compile(
    rb"(?:[\x80-\xc1\xf5-\xff]|[\xc2-\xdf](?![\x80-\xbf])|[\xe0-\xef](?![\x80-\xbf]{2})|[\xf0-\xf4](?![\x80-\xbf]{3}))+"
)


def encoding_of(head: bytes) -> str:
    """The encoding of a text, by its first bytes: UTF-16 if there is its byte order mark, otherwise UTF-8."""
    return "utf-16" if head[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8-sig"


def decoded(body: bytes) -> str:
    """Decode bytes from outside, whatever they are: what is not UTF-8 is taken for Windows-1252."""
    return body.decode(encoding_of(body), WESTERN)


@contextmanager
def text_in(file: BinaryIO) -> Iterator[TextIO]:
    """The text of a file from outside, from its beginning, decoded like `decoded` and with universal newlines."""
    file.seek(0)
    encoding = encoding_of(file.read(2))
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, WESTERN)
    try:
        yield text
    finally:
        text.detach()  # otherwise it closes the file


def _western(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    if error.encoding.startswith("utf-16"):  # half of a surrogate pair, or of a letter
        return "\ufffd", error.end
    alike = _NO_UTF_8.match(error.object, error.start)
    end = max(error.end, alike.end() if alike else 0)
    return error.object[error.start : end].decode("cp1252", "replace"), end


codecs.register_error(WESTERN, _western)
