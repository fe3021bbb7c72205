"""GeoJSON of more than two megabytes: read feature by feature, with what a shorter document gives."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Feed, Run, collection, feature
from tests.feeds import noa
from tests.integration.test_feeds import stored
from toolkit.feed import geojson
from toolkit.feed.errors import UnreadableError
from toolkit.feed.long_json import LONG, members
from toolkit.feed.reader import BROKEN
from toolkit.model import Document

STATIONS = 6000


def body(stations: int = STATIONS, **around: Any) -> bytes:
    features = [feature(f"s{number:05d}", temp_out=number % 300 / 10) for number in range(stations)]
    return json.dumps({"type": "FeatureCollection", **around, "features": features, "after": {"a": [1, 2.5]}}).encode()


def read(text: bytes) -> list[Document]:
    parts: list[Document] = []
    noa().read_parts(io.BytesIO(text), parts.append)
    return parts


ODD = {
    "as it is": lambda text: text,
    "with a byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "in UTF-16": lambda text: text.decode().encode("utf-16"),
    "with white space": lambda text: text.replace(b", ", b" \r\n\t, ").replace(b": ", b"\n:\n"),
    "in the rest of a buffer": lambda text: text + b"\0 \n" * 1000,
    "with a long number": lambda text: text.replace(b'"out_hum": 60', b'"out_hum": ' + 5000 * b"6", 1),
    "with a letter of Windows": lambda text: text.replace(b"S00001", b"S\xe9", 1),
    "with what is no feature": lambda text: text.replace(b'"features": [', b'"features": [1, "x", null, [2], {}, '),
    "with a long text before": lambda text: text.replace(b'"features"', b'"note": "' + b"\\u00e9" * 500_000 + b'", "features"'),
    "with NaN": lambda text: text.replace(b'"rain": 0.2', b'"rain": NaN'),
}  # fmt: skip


@pytest.mark.parametrize("change", ODD.values(), ids=[*ODD])
def test_it_says_what_a_short_one_says(change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = change(body())
    assert len(text) > LONG
    long = read(text)
    monkeypatch.setattr(geojson, "LONG", 1 << 30)
    assert read(text) == long
    assert sum(len(one.observations) for one in long) == STATIONS


def test_memory_does_not_grow_with_it() -> None:
    code = (
        "import io, sys\nfrom pathlib import Path\nfrom tests.integration.test_long_geojson import Made\n"
        "from tests.feeds import noa\nfrom toolkit.content import new_content\n"
        "file = new_content(None)\nfor piece in Made(int(sys.argv[1])):\n    file.write(piece)\nfile.seek(0)\n"
        "noa().read_parts(file, lambda part: None)\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    peaks = [
        int(subprocess.run([sys.executable, "-c", code, str(number)], check=True, capture_output=True).stdout)
        for number in (10_000, 60_000)
    ]
    assert peaks[1] - peaks[0] < 8_000, peaks  # kB; the longer document has 21 MB more


class Made:
    """A document of many stations, piece by piece."""

    def __init__(self, stations: int) -> None:
        self._stations = stations

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"type": "FeatureCollection", "features": ['
        for number in range(self._stations):
            yield (b"," if number else b"") + json.dumps(feature(f"s{number:06d}")).encode()
        yield b"]}"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda text: text[:-5000], "it ends in the middle, at "),
        (lambda text: text + b"more", "extra data at "),
        (lambda text: text[:-4000].rpartition(b", {")[0] + b", {]" + text[-4000:], " at "),
        (lambda text: text.replace(b'"after"', b"after"), " at "),
        (lambda text: text.replace(b'], "after"', b', ], "after"'), " at "),
    ],
)
def test_of_one_that_is_broken_what_is_before_is_kept(broken: Any, said: str) -> None:
    text = broken(body())
    parts = read(text)
    assert sum(len(one.observations) for one in parts) > STATIONS - 20
    assert parts[-1].left_out == {BROKEN: 1}
    with pytest.raises(UnreadableError, match=said):
        list(members(io.BytesIO(text), "features") or ())


@pytest.mark.parametrize("text", [b"[1]", b'{"features": 3}', b'{"features": []}', b"", b'{"a": [[[', b"<html>"])
def test_what_has_no_such_list_is_read_otherwise(text: bytes) -> None:
    assert members(io.BytesIO(text), "features") is None


def test_a_short_one_is_looked_at_as_a_whole_first(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = collection(*(feature(f"s{number}") for number in range(100)))[:-10]
    assert run("collect", "--once").returncode == 1
    assert stored(environment, "SELECT COUNT(*) FROM observations") == [(0,)]
