"""Text from outside, made harmless: ids and names before they are stored, messages before anybody is shown them.

What a feed, a file or another program says passes here once. After it a text is one line, of bounded length, without a
character that a terminal, the journal or systemd would take for a command.
"""

from __future__ import annotations

import unicodedata

# Zero width non-joiner and joiner: spelling in Persian and in scripts of India, not formatting (Unicode, 23.2).
JOINERS = "\u200c\u200d"
# Of a message. The collector's log keeps it, systemd's status line shows it.
MESSAGE_LENGTH = 500
_HARMLESS = f"\n\t{JOINERS}"


def clean(text: str) -> str:
    """An id or a name as it is stored: one line, white space collapsed, control and format characters taken out."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_kept, text))
    return " ".join(text.split()).strip(JOINERS)


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    # Format characters, halves of surrogate pairs, and what is no character at all.
    return "" if category in {"Cf", "Cs", "Cn"} and character not in JOINERS else character


def one_line(text: str, limit: int = MESSAGE_LENGTH) -> str:
    r"""A message as it is shown: one line of at most `limit` characters; what cannot be shown as `\x1b` is."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def visible(text: str) -> str:
    r"""Text as a terminal may have it, lines and tabs as they are; what would command it as `\x1b`."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in _HARMLESS else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
