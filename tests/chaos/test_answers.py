"""Mutated HTTP answers over a real socket: each ends in a document or in one line, and the next is fetched."""

from __future__ import annotations

import gzip
import random
from collections import Counter

import pytest

from tests.answers import answering
from tests.conftest import collection, feature
from tests.fuzzing import TIMES, mutated
from toolkit.feed.errors import FeedError
from toolkit.feed.fetch import Fetcher
from toolkit.text import one_line

ANSWERS = 200 * TIMES
BODY = collection(feature("volos"))
COMMON = (
    b'Date: Wed, 25 Nov 2026 10:00:00 GMT\r\nLast-Modified: Wed, 25 Nov 2026 09:50:00 GMT\r\nETag: "one"\r\n'
    b"Cache-Control: public, max-age=600\r\nAge: 33\r\nExpires: Wed, 25 Nov 2026 10:10:00 GMT\r\n"
)
PACKED = gzip.compress(BODY, mtime=0)
GOOD = (
    b"HTTP/1.1 200 OK\r\n" + COMMON + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
    b"HTTP/1.1 200 OK\r\n" + COMMON + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + COMMON + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED,
    b"HTTP/1.1 302 Found\r\nLocation: /elsewhere?x=1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: Wed, 25 Nov 2026 10:00:00 GMT\r\n\r\nlater",
    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nETag: \"one\"\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + BODY,
)  # fmt: skip
WORDS = (
    b"HTTP/1.1 200 OK\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n",
    b"Content-Encoding: br\r\n", b"Location: http://[\r\n", b"Location: file:///etc/passwd\r\n", b"Retry-After: ",
    b"ETag: \"\r\n x\"\r\n", b"Date: ", b"+99999999999999999", b"max-age=", b"GMT", b"HTTP/0.9", b"0\r\n\r\n",
    b"-1\r\n", b"ffffffffffffffff\r\n", b"Connection: close\r\n", b"\r\n ", PACKED[:20],
    b"Set-Cookie: a=b; Expires=", b"Set-Cookie2: \"", b"Location: /\xce\x92\xff\r\n", b"Content-Type: text/html; charset=x\r\n",
)  # fmt: skip


def test_mutated_answers(capsys: pytest.CaptureFixture[str]) -> None:
    at, ends = random.Random(17), Counter[str]()
    with answering() as server:
        fetcher = Fetcher(server.url, timeout=20, max_bytes=1 << 20)
        for number in range(ANSWERS):
            server.answer = mutated(at.choice(GOOD), at, WORDS)
            try:
                fetched = fetcher.fetch()
            except FeedError as error:
                said = str(error)
                assert said == one_line(said), (number, server.answer)
                assert "took longer" not in said, (number, server.answer)
                ends["one line"] += 1
            except Exception as error:
                raise AssertionError(f"answer {number}: {server.answer!r}") from error
            else:
                ends["a document" if fetched else "nothing new"] += 1
                if fetched and at.random() < 0.5:
                    fetcher.acknowledge(fetched)
            if number % 10 == 0:
                server.answer = b"HTTP/1.1 200 OK\r\n\r\n" + BODY + b" " * (number + 1)
                assert fetcher.fetch() is not None
    assert ends["one line"] > ANSWERS / 10
    assert ends["a document"] > ANSWERS / 10
    with capsys.disabled():
        print(f" {ANSWERS} answers: {', '.join(f'{n} {end}' for end, n in sorted(ends.items()))} ", end="")
