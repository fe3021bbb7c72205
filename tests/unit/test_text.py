"""The door through which text from outside comes."""

import pytest

from toolkit.text import clean, decoded, one_line


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("UEB             ", "UEB"),
        ("a\r\nb\tc", "a b c"),
        ("Ober\u00addorf", "Oberdorf"),
        ("\u202eevil\u202c", "evil"),
        ("می\u200cگون", "می\u200cگون"),
        ("\u200dx\u200c", "x"),
        ("a\x00\x1b[31mb", "a [31mb"),
        ("half \ud800 pair", "half pair"),
        ("Zürich", "Zürich"),
        ("\u200b", ""),
    ],
)
def test_what_is_stored(raw: str, stored: str) -> None:
    assert clean(raw) == stored
    assert clean(stored) == stored


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("answers 500\rWATCHDOG=trigger", "answers 500 WATCHDOG=trigger"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("nul \x00", r"nul \x00"),
        ("\u202egnp", r"\u202egnp"),
        ("Θεσσαλονίκη", "Θεσσαλονίκη"),
    ],
)
def test_what_is_shown(raw: str, shown: str) -> None:
    assert one_line(raw) == shown


def test_a_message_is_bounded() -> None:
    assert len(one_line("x" * 10_000)) == 500
    assert one_line("x" * 10_000).endswith("…")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Βόλος".encode(), "Βόλος"),
        (b"\xef\xbb\xbfa", "a"),
        (b"Z\xfcrich", "Zürich"),
        (b"Z\xfc\xf6rich \xce\xb2\xff\xce\xb2", "Züörich βÿβ"),
        (b"\xe2\x82", "â‚"),
        (b"\xed\xa0\x80", "í\xa0€"),
        (b"\x81", "\ufffd"),
        ("Βόλος".encode("utf-16"), "Βόλος"),
        (b"\xfe\xff\x00a\xd8", "a\ufffd"),
        (b"\xff\xfea\x00\x3c\xd8b\x00\x3c\xdcc\x00", "a\ufffdb\ufffdc"),
        (b"\xff" * 5, "ÿ" * 5),
    ],
)
def test_bytes_become_text(body: bytes, text: str) -> None:
    assert decoded(body) == text
