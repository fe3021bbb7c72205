"""Whatever a server answers ends in a document or in one line; no header of it is believed that says nothing."""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import Iterator

import pytest

from tests.answers import Answers, answering, listening
from tests.feeds import parse
from toolkit.feed.errors import (
    AnswerError,
    FeedError,
    NoStationError,
    NotAFeedError,
    RetryLaterError,
    TooSlowError,
    UnreachableError,
    UnreadableError,
    UntrustedError,
)
from toolkit.feed.fetch import Fetched, Fetcher
from toolkit.text import one_line

BODY = b'{"type": "FeatureCollection", "features": []}'
NOT_A_LINE = "\r\n\x00\x1b\x85\u2028"


@pytest.fixture(scope="module")
def server() -> Iterator[Answers]:
    with answering() as running:
        yield running


@pytest.fixture
def fetcher(server: Answers) -> Fetcher:
    server.requests.clear()
    return Fetcher(server.url, timeout=10, max_bytes=1 << 20)


def answer(*headers: bytes | str, status: bytes | str = "200 OK", body: bytes = BODY) -> bytes:
    lines = [b"HTTP/1.1 " + _bytes(status), *map(_bytes, headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def failure(fetcher: Fetcher, server: Answers, sent: bytes) -> str:
    """What is said of an answer that is none; a good one is taken afterwards."""
    server.answer = sent
    with pytest.raises(FeedError) as raised:
        fetcher.fetch()
    said = str(raised.value)
    assert said == one_line(said)
    assert said.startswith(f"the feed {fetcher.shown} ")
    server.answer = answer()
    assert fetcher.fetch() is not None
    return said


def document(fetcher: Fetcher, server: Answers, sent: bytes) -> Fetched:
    server.answer = sent
    fetched = fetcher.fetch()
    assert fetched is not None
    assert fetched.body == BODY
    return fetched


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (answer("Location: http://[", status="302 Found"), "redirects to "),
        (answer("Location: http://[::1", status="302 Found"), "redirects to "),
        (answer("Location: http://h:99999999/", status="302 Found"), "redirects to "),
        (answer("Location: http://h:x/", status="302 Found"), "redirects to "),
        (answer("Location: http://\xff\xfe/", status="307 x"), ""),
        (answer("Location: http://" + "a." * 200 + "/", status="302 Found"), ""),
        (answer("Location: http://a..b/", status="302 Found"), ""),
        (answer("Location: http://xn--\u00fc/", status="302 Found"), ""),
        (answer("Location: http://u:p@127.0.0.1/", status="302 Found"), "redirects to http://127.0.0.1/: that is not"),
        (answer("Location: ftp://h/", status="302 Found"), "redirects to ftp://h/: that is not followed"),
        (answer("Location: javascript:alert(1)", status="302 Found"), "that is not followed"),
        (answer("Location: https:///x", status="302 Found"), "that is not followed"),
        (answer("Location: /feed", status="302 Found"), "redirects more than 5 times"),
        (answer("Location: " + "/x" * 30000, status="302 Found"), "redirects more than 5 times"),
        (answer("Location: ?\r\n token=1", status="302 Found"), ""),
        (answer("Location:", status="302 Found"), "answers 302 Found"),
        (answer(status="302"), "answers 302"),
        (answer(status="304 Not Modified"), "answers 304 Not Modified"),
        (answer(status="500 " + "x" * 60000), "answers 500 xxx"),
        (answer(status=b"500 bad\rWATCHDOG=trigger"), "answers 500 bad WATCHDOG=trigger"),
        (answer(status=b"500 \x00\x1b]0;x\x07\xe2\x80\xae"), r"answers 500 \x00\x1b]0;x\x07"),
        (answer(status="204 No Content", body=b""), "answers 204"),
        (answer(status="206 Partial Content"), "answers 206"),
        (answer(status="-1 x"), "is unreachable: "),
        (answer(status="99 x"), "is unreachable: "),
        (answer(status="1000 x"), "is unreachable: "),
        (answer(status="\u0662\u0660\u0660 x"), "is unreachable: "),
        (answer(status="x"), "is unreachable: "),
        (b"", "is unreachable: "),
        (b"\r\n\r\n", "is unreachable: "),
        (b"\x00" * 100, "is unreachable: "),
        (b"HTTP/1.1", "is unreachable: "),
        (b"HTTP/9.9 200 OK\r\n\r\n", "is unreachable: "),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n", "is unreachable: "),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n", "is unreachable: "),
        (b"HTTP/1.1 " + b"2" * 70000 + b"\r\n\r\n", "is unreachable: "),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 5, "is unreachable: "),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 21 + answer(), "is unreachable: more than 20 answers come before"),
        (answer(status="101 Switching Protocols"), "answers 101 Switching Protocols"),
        (BODY + b"\x1b" * 3000, "is unreachable: it speaks no HTTP/1: it begins with"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it speaks no HTTP/1: it begins with 'SSH-2.0-OpenSSH_9.2'"),
        (answer("Content-Length: 1000"), "ends its answer earlier than it says"),
        (answer("Transfer-Encoding: chunked", body=b"-1\r\n" + b"x" * 1000), "cannot be read"),
        (answer("Transfer-Encoding: chunked", body=b"-5\r\nabc\r\n0\r\n\r\n"), "cannot be read"),
        (answer("Transfer-Encoding: chunked", body=b"FFFFFFFFFFFFFFFFFFFF\r\nabc"), ""),
        (answer("Transfer-Encoding: chunked", body=b"5"), "ends its answer earlier than it says"),
        (answer("Transfer-Encoding: chunked", body=b"zz\r\nabc"), "answers what cannot be read: "),
        (answer("Transfer-Encoding: chunked", body=b""), "answers what cannot be read: "),
        (answer("Transfer-Encoding: chunked", body=b"1;" + b"x" * 100_000), "answers what cannot be read: "),
        (answer("Transfer-Encoding: chunked", body=b"0\r\nX: " + b"x" * 200_000), ""),
        (answer("Content-Encoding: gzip"), "says that its answer is packed, and it cannot be unpacked"),
        (answer("Content-Encoding: gzip, gzip", body=gzip.compress(BODY)), "says that its answer is packed, and it cannot be unpacked"),
        (answer("Content-Encoding: deflate", body=b"\xff" * 100), "says that its answer is packed, and it cannot be unpacked"),
        (answer("Content-Encoding: br", body=b"\x0b\x02\x80"), "answers in the encoding 'br', which was not asked for"),
        (answer("Content-Encoding: zstd", body=b"\x28\xb5\x2f\xfd"), "which was not asked for"),
        (answer("Content-Encoding: gzip, \x1b[31m"), r"which was not asked for"),
        (answer("Content-Encoding: " + "gzip," * 12000), ""),
        (answer("Content-Encoding: gzip", body=gzip.compress(b" " * (2 << 20))), "is larger than 1 MiB"),
        (answer(body=b" " * (2 << 20)), "is larger than 1 MiB"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_one_line(fetcher: Fetcher, server: Answers, sent: bytes, says: str) -> None:
    assert says in failure(fetcher, server, sent)


@pytest.mark.parametrize(
    "sent",
    [
        answer("Content-Length: 45"),
        answer("Content-Length: -1"),
        answer("Content-Length: " + "9" * 5000),
        answer("Transfer-Encoding: chunked", body=b"2d\r\n" + BODY + b"\r\n0\r\n\r\n"),
        answer("Transfer-Encoding: chunked", body=b"02D;a=b\r\n" + BODY + b"\r\n0\r\nX: y\r\n\r\n"),
        answer("Content-Encoding: gzip", body=gzip.compress(BODY)),
        answer("Content-Encoding: GZIP", body=gzip.compress(BODY)),
        answer("Content-Encoding: gzip, gzip", body=gzip.compress(gzip.compress(BODY))),
        answer("Content-Encoding: deflate", body=zlib.compress(BODY)),
        answer("Content-Encoding: identity"),
        answer("Content-Encoding:"),
        answer(status="200"),
        answer(": no name", "no colon"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(),
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer(),
        answer().replace(b"\r\n", b"\n"),
    ],
)
def test_what_can_be_read_is_read(fetcher: Fetcher, server: Answers, sent: bytes) -> None:
    document(fetcher, server, sent)


ABSURD = (
    "Wed, 25 Nov 2026 10:00:00 +99999999999999999",
    "Wed, 25 Nov 99999999999999999999 10:00:00 GMT",
    "Wed, 25 Nov 2026 99:99:99 GMT",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Wed, 32 Nov 2026 10:00:00 GMT",
    "9" * 5000,
    "-1",
    "\u00b2",
    "\u0661\u0662",
    "1e9",
    "NaN",
    "Infinity",
    "",
    ", , ,",
    "(" * 5000,
    "Wed, 25 Nov 2026 10:00:00 GMT, Wed, 25 Nov 2026 10:00:00 GMT",
)


@pytest.mark.parametrize("value", ABSURD)
def test_a_date_that_is_none_says_nothing(fetcher: Fetcher, server: Answers, value: str) -> None:
    headers = [f"{name}: {value}" for name in ("Date", "Last-Modified", "Expires", "Age")]
    fetched = document(fetcher, server, answer(*headers, "Cache-Control: max-age=\u00b2, max-age=60"))
    assert (fetched.date, fetched.modified, fetched.fresh_for) == (None, None, None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("9" * 5000, 3600),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0),
        ("Thu, 31 Dec 2099 23:59:59 GMT", 3600),
        ("Thursday, 31-Dec-65 23:59:59 GMT", 3600),
        ("Thu Dec 31 23:59:59 2099", 3600),
    ],
)
def test_a_pause_is_what_the_server_asks_for_up_to_an_hour(
    fetcher: Fetcher, server: Answers, value: str, seconds: float
) -> None:
    server.answer = answer(f"Retry-After: {value}", status="429 Too Many Requests")
    with pytest.raises(RetryLaterError, match="answers 429") as raised:
        fetcher.fetch()
    assert raised.value.seconds == seconds
    assert ("asks to be left alone for" in str(raised.value)) is (seconds > 0)


@pytest.mark.parametrize("value", [value for value in ABSURD if not value.startswith("999")])
def test_a_pause_that_is_none_is_not_made(fetcher: Fetcher, server: Answers, value: str) -> None:
    server.answer = answer(f"Retry-After: {value}", status="503 Service Unavailable")
    with pytest.raises(FeedError, match="answers 503") as raised:
        fetcher.fetch()
    assert not isinstance(raised.value, RetryLaterError)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["Cache-Control: max-age=600"], 600),
        (['Cache-Control: max-age="600"'], 600),
        (["Cache-Control: MAX-AGE = 600"], 600),
        (["Cache-Control: public", "Cache-Control: max-age=600"], 600),
        (["Cache-Control: max-age=600, max-age=5"], 600),
        (["Cache-Control: s-maxage=5, x-max-age=6, max-age=600"], 600),
        (['Cache-Control: ext="a, max-age=5", max-age=600'], 600),
        (["Cache-Control: max-age=600", "Age: 550"], 50),
        (["Cache-Control: max-age=600", "Age: 600"], None),
        (["Cache-Control: max-age=600", "Age: " + "9" * 4000], None),
        (["Cache-Control: max-age=600", "Age: old"], 600),
        (["Cache-Control: max-age=600", "Age: 1", "Date: Mon, 01 Jan 2001 00:00:00 GMT"], 599),
        (["Cache-Control: max-age=600", "Date: Mon, 01 Jan 2001 00:00:00 GMT"], None),
        (["Cache-Control: max-age=600", "Date: Thu, 31 Dec 2099 23:59:59 GMT"], 600),
        (["Cache-Control: max-age=" + "9" * 4000], 2**31),
        (["Cache-Control: max-age=0"], None),
        (["Cache-Control: max-age=-1"], None),
        (["Cache-Control: max-age=1.5"], None),
        (["Cache-Control: max-age"], None),
        (["Cache-Control: no-cache, max-age=600"], None),
        (["Cache-Control: max-age=600, no-store"], None),
        (["Cache-Control: " + '"' * 30000 + "max-age=6"], None),
        (["Date: Thu, 31 Dec 2099 23:49:59 GMT", "Expires: Thu, 31 Dec 2099 23:59:59 GMT"], 600),
        (["Date: Thu, 31 Dec 2099 23:49:59 GMT", "Expires: 0"], None),
        (["Expires: Thu, 31 Dec 2099 23:59:59 GMT"], None),
        (
            [
                "Date: Thu, 31 Dec 2099 23:49:59 GMT",
                "Expires: Thu, 31 Dec 2099 23:59:59 GMT",
                "Cache-Control: max-age=5",
            ],
            5,
        ),
    ],
)
def test_how_long_a_document_stays_fresh(
    fetcher: Fetcher, server: Answers, headers: list[str], seconds: float | None
) -> None:
    fresh = document(fetcher, server, answer(*headers)).fresh_for
    assert fresh == seconds if seconds is None else fresh == pytest.approx(seconds, abs=5)


@pytest.mark.parametrize(
    "tag",
    [b'"\x00"', b'"\x0b"', b'"' + b"x" * 5000 + b'"', b'"\x80\x85"', b'\xa0"x"', b""],
)
def test_a_validator_cannot_write_into_the_next_request(fetcher: Fetcher, server: Answers, tag: bytes) -> None:
    fetcher.acknowledge(document(fetcher, server, answer(b"ETag: " + tag)))
    server.answer = answer(body=BODY + b" ")
    assert fetcher.fetch() is not None
    assert b"If-None-Match" not in server.requests[-1]


def test_a_validator_is_sent_back_as_it_came(fetcher: Fetcher, server: Answers) -> None:
    tag = b'W/"\xe9-1"'
    fetcher.acknowledge(document(fetcher, server, answer(b"ETag: " + tag)))
    server.answer = answer(status="304 Not Modified", body=b"")
    assert fetcher.fetch() is None
    assert b"If-None-Match: " + tag + b"\r\n" in server.requests[-1]


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (answer(status="404 Not Found"), AnswerError),
        (answer("Retry-After: 60", status="503 Busy"), RetryLaterError),
        (answer("Location: ftp://h/", status="302 Found"), AnswerError),
        (answer(body=b" " * (2 << 20)), AnswerError),
        (answer("Transfer-Encoding: chunked", body=b"-1\r\n"), AnswerError),
        (b"", UnreachableError),
        (b"SSH-2.0-OpenSSH_9.2\r\n", UnreachableError),
    ],
)
def test_a_failure_to_fetch_has_a_type(fetcher: Fetcher, server: Answers, sent: bytes, kind: type[FeedError]) -> None:
    server.answer = sent
    with pytest.raises(FeedError) as raised:
        fetcher.fetch()
    assert type(raised.value) is kind


def test_a_server_without_tls_is_not_trusted() -> None:
    def take(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer())

    with listening() as (port, serve):
        serve(take)
        with pytest.raises(UntrustedError):
            Fetcher(f"https://127.0.0.1:{port}/", timeout=60, max_bytes=1 << 20).fetch()


def test_a_server_that_is_silent_is_too_slow() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TooSlowError):
        Fetcher(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.2, max_bytes=1).fetch()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", UnreadableError),
        (b"<html>", UnreadableError),
        (b"[" * 100_000, UnreadableError),
        (b'{"error": "no data"}', NotAFeedError),
        (BODY, NoStationError),
    ],
)
def test_a_document_that_is_none_has_a_type(body: bytes, kind: type[FeedError]) -> None:
    with pytest.raises(FeedError) as raised:
        parse(body)
    assert type(raised.value) is kind
