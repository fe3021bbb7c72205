"""Mutated documents and files: each ends in a document or in one line, and what is taken can be stored and read."""

from __future__ import annotations

import io
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.bufr import REPORT, written
from tests.conftest import collection, feature
from tests.fuzzing import TIMES, flipped, mutated
from toolkit.archive.importing import import_file
from toolkit.clock import EARLIEST, LATEST
from toolkit.errors import ToolkitError
from toolkit.feed import bufr, coveragejson, csv, ecowitt, geojson, metar, wunderground, xml
from toolkit.feed import json as plain
from toolkit.feed.entries import WORD, Entries
from toolkit.feed.errors import FeedError
from toolkit.feed.stations import read_stations
from toolkit.feed.wis2 import LeftOutError, Notifications
from toolkit.location import height, place
from toolkit.mapping import FieldMapping, parse_mapping
from toolkit.model import Bounds, Document
from toolkit.presets import names, preset
from toolkit.quality.admission import admit
from toolkit.store import Selection, Store, open_for_writing
from toolkit.text import clean, one_line
from toolkit.variables import COLUMNS, MEASURED

DOCUMENTS = 1000 * TIMES
# So many are stored together.
STORED = 100
NOW = 1_764_000_000
BOUNDS = Bounds()
NOA = parse_mapping("station_id=station_file|fid, time=ts")
LONG_FIELDS = parse_mapping(
    "station_id=../source.id, time=../time, variable=what, temp_out=t, wind_dir=d, latitude=../../lat"
)
GEOJSON = (
    collection(*(feature(f"station{number}", station_name_gr="Ζαγορά", wind_dir=number) for number in range(9))),
    collection(feature("volos", ts="2025-11-22T16:00:00+02:00", temp_out="12,5", rain="---", bar=-999.9)),
    b'{"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[23.7,38.0]},"properties":{"ts":1763827200}}',
)
HEAD = b"time,station_id,station_name_en,latitude,longitude,elevation,temp_out,out_hum,bar,wind_dir,wind_dir_str\r\n"
ROW = b"2025-11-22 16:00:00,volos,Volos,39.3,22.9,52,13.9,60,1016.4,22.5,NNE\r\n"
CSV = (
    HEAD + 9 * (ROW + ROW.replace(b"volos", b"zagora").replace(b"Volos", b'"Zagora, ""the upper"""')),
    b"Latest values\n\n" + (HEAD + 9 * ROW).replace(b",", b";").replace(b".", b","),
    (HEAD + ROW).decode().encode("utf-16"),
)
JSON = (
    b'{"date":"2025-11-22","stations":['
    + b",".join(9 * [b'{"id":"volos","latest":{"time":1763827200,"temp_out":"12,5","wind_dir":22.5}}'])
    + b"]}",
    b'{"stations":{"id":"\xce\xb2","latest":{"time":"2025-11-22T16:00Z","bar":-999.9,"out_hum":null}}}',
)
# Of lists in lists, with a row for each value.
LONG = (
    b'{"data":['
    + b",".join(
        9
        * [
            b'{"source":{"id":"volos"},"time":"2025-11-22T16:00:00Z","seen":[{"what":"t","value":13.9},'
            b'{"what":"d","value":"NNE"},{"what":"soil","value":9}]}'
        ]
    )
    + b"]}",
    b'{"data":{"source":{"id":"\xce\xb2"},"time":1763827200,"seen":{"what":"t","value":"12,5"}}}',
)
XML = (
    b'<?xml version="1.0"?><n:net xmlns:n="urn:x"><n:stations>'
    + 9
    * b'<n:station n:id="volos"><time>2025-11-22T16:00:00Z</time><temp_out unit="C">13.9</temp_out><bar/></n:station>'
    + b"</n:stations></n:net>",
    "<net><stations><station id='β'><time>1763827200</time><out_hum>60</out_hum></station></stations></net>".encode(
        "utf-16"
    ),
    b"<!DOCTYPE net [<!ENTITY a 'ten'><!ENTITY b '&a;&a;'>]><net><stations><station id='&b;'/></stations></net>",
)
COVERAGEJSON = (
    b'{"type":"CoverageCollection","coverages":[{"type":"Coverage","id":"volos","domain":{"type":"Domain","domainType":"PointSeries",'
    b'"axes":{"x":{"values":[22.9]},"y":{"values":[39.3]},"t":{"values":["2025-11-22T16:00:00Z","2025-11-22T16:10:00Z"]}}},'
    b'"ranges":{"temp_out":{"type":"NdArray","dataType":"float","shape":[2],"values":[13.9,null]},"bar":{"values":[1016.4,1e9]}}}]}',
    b'{"type":"Coverage","name":"a","domain":{"axes":{"t":{"values":[1763827200]}}},"ranges":{"out_hum":{"values":[60]}}}',
)
METAR = (
    b"2025/11/22 15:50\nLGAV 221550Z 03012G25KT 9999 FEW030 14/06 Q1018 NOSIG\n\n2025/11/22 15:53\n"
    b"KSEA 221553Z 00000KT 10SM CLR M02/M05 A2992 RMK AO2 SLP142 T10171050\n\n",
    b"METAR LGBL 221620Z AUTO 34008KT 9999\n  BKN020 11/M01 Q1019=\nSPECI EHAM 221633Z NIL=\n" * 5,
)
BUFR = (
    written(["307080"], REPORT, {**REPORT, "001002": 716, "013003": 70}, compressed=True),
    written(["301150", "307080"], REPORT, {**REPORT, "001002": 716}),
    b"ISMD01 LGAT 221600\r\r\n" + written(["307092"], REPORT) + written(["307096"], REPORT),
)
REPORTS = (
    b"ID=volos&dateutc=2025-11-22+16:00:00&tempf=57.0&humidity=60&baromin=30.01&winddir=22&windspeedmph=3.4&dailyrainin=0.1\n"
    b"ID=zagora&dateutc=now&received=1763827200&tempf=-9999&windgustmph=9.9\n" * 5,
    b"station_id=%CE%B2&dateutc=2025-11-22%2016%3A00%3A00&tempf=57.0&baromrelin=30.01&drain_piezo=0.1&solarradiation=1",
)
STATIONS = (
    b"station_id,station_name_en,latitude,longitude,elevation\nvolos,Volos,39.3,22.9,52\nzagora,,39.4,23.1,\n",
    b'\xef\xbb\xbfstation_id;latitude;longitude\n"volos";39,3;22,9\n',
)
WORDS = (
    b"-9999", b"999.9", b"NA", b"0001-01-01", b"0205-12-06 00:00:00", b"9999-12-31T23:59:59-12:00", b"NOW", b"1970-01-01",
    b"361", b"1e308", b'"open', b'""', b"\n\n", b"volos", b"\xce\xb2", b'"ts":', b'"station_file":', b'"features":[',
    b"true", b"{}", b"[]", b"<station>", b"</station>", b"&#x1F;", b"<!DOCTYPE x>", b"<![CDATA[", b"&amp;", b"xmlns='u'", b"20251122T16", b"&", b"&dateutc=now", b"%", b"%00", b"=" * 400, b"&=" * 400, b"2025-W47-6", b"-0", b"\xe2\x80\xa8", b"\xc2\xad",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, [], {}, [[]], {"a": {}}, "", "---", "NaN", "\x00", "\ud800", "\u202e", "x" * 9000, "-9999", "1e999", -999.9,
    0, -1, 361, 1e308, 10**400, float("nan"), float("inf"), 2**63, 1_763_827_200_000, "2025-11-22", "0001-01-01", [1] * 9,
)  # fmt: skip


FUZZED = (
    "GeoJSON",
    "CSV",
    "JSON",
    "JSON in levels",
    "XML",
    "CoverageJSON",
    "METAR",
    "BUFR",
    "Weather Underground",
    "Ecowitt",
)


def check(document: Document) -> None:
    """What is taken obeys the bounds, whatever was offered."""
    for station in document.stations:
        for text, length in ((station[0], BOUNDS.id_length), (station[1], 200), (station[2], 200)):
            assert text is None or (text == clean(text) and 0 < len(text) <= length)
        assert station.latitude is None or place(*station[3:5]) == station[3:5]
        assert station.elevation == height(station.elevation)
    ids = {station.station_id for station in document.stations}
    for one in document.observations:
        assert type(one.time) is int
        assert EARLIEST <= one.time < LATEST
        assert one.station_id in ids
        for variable in MEASURED:
            value = getattr(one, variable.name)
            assert value is None or (type(value) is float and variable.low <= value <= variable.high)
        for word in (one.wind_dir_str, one.hi_dir_str):
            assert word is None or (word == clean(word) and 0 < len(word) <= WORD)
    assert len({one[:2] for one in document.observations}) == len(document.observations)
    assert all(one.station_id in ids for one in document.rejected)


def test_mutated_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends, reasons = Counter[str](), Counter[str]()
    with open_for_writing(str(tmp_path / "weather.db")) as store:
        for name, parse, records, fields, good in (
            ("GeoJSON", geojson.parse, "", NOA, GEOJSON),
            ("CSV", csv.parse, "", FieldMapping(), CSV),
            ("JSON", plain.parse, "stations", parse_mapping("station_id=id, time=latest.time, bar=latest.bar"), JSON),
            ("JSON in levels", plain.parse, "data / seen", LONG_FIELDS, LONG),
            ("CoverageJSON", coveragejson.parse, "", parse_mapping("station_id=id|name"), COVERAGEJSON),
            ("METAR", metar.parse, "", FieldMapping(), METAR),
            ("BUFR", bufr.parse, "", FieldMapping(), BUFR),
            ("Weather Underground", wunderground.parse, "", parse_mapping(wunderground.FIELDS), REPORTS),
            ("Ecowitt", ecowitt.parse, "", parse_mapping(ecowitt.FIELDS), REPORTS),
            ("XML", xml.parse, "stations/station", parse_mapping("station_id=@id"), XML),
        ):
            at, waiting = random.Random(17), list[Document]()
            for number in range(DOCUMENTS):
                body = at.choice(good)
                if body[:1] == b"{" and at.random() < 0.5:
                    body = json.dumps(_other(json.loads(body), at)).encode()
                elif name == "BUFR" and at.random() < 0.8:
                    body = flipped(body, at)
                else:
                    body = mutated(body, at, WORDS)
                document = _read(parse, body, records, fields, f"{name} {number}")
                ends[f"{name}: {'one line' if document is None else 'a document'}"] += 1
                if document is not None:
                    reasons.update(document.left_out)
                    waiting.append(admit(document, NOW))
                if len(waiting) == STORED or number == DOCUMENTS - 1:
                    _store(store, waiting)
                    waiting = []
    assert all(
        ends[f"{name}: {end}"] > DOCUMENTS / 50
        for name in ("GeoJSON", "CSV", "JSON", "XML", "BUFR")
        for end in ("one line", "a document")
    )
    assert len({" ".join(word for word in one.split() if word not in COLUMNS) for one in reasons}) < 50
    with capsys.disabled():
        print(f" {_summary(ends)} ", end="")


def _other(content: Any, at: random.Random) -> Any:
    """JSON of another shape: one to four of its members are something else."""
    for _ in range(at.randint(1, 4)):
        here, key = content, at.choice([*content])
        while isinstance(here[key], (dict, list)) and here[key] and at.random() < 0.9:
            here = here[key]
            key = at.choice([*here] if isinstance(here, dict) else range(len(here)))
        here[key] = deepcopy(at.choice(ODD))
    return content


@pytest.mark.parametrize("name", names())
def test_mutated_documents_of_a_network(name: str) -> None:
    source, at = preset(name).source, random.Random(17)
    (path,) = (Path(__file__).parent.parent / "data" / "presets").glob(f"{name}.*")
    good, mapping = path.read_bytes(), parse_mapping(str(source["fields"]))
    parse = import_module(f"toolkit.feed.{source['format']}").parse
    ends = Counter[bool]()
    for number in range(DOCUMENTS // 20):
        if good[:1] == b"{" and at.random() < 0.5:
            body = json.dumps(_other(json.loads(good), at)).encode()
        else:
            body = mutated(good, at, WORDS)
        station = "" if "station_id" in mapping.named else name
        ends[_read(parse, body, str(source["records"]), mapping, f"{name} {number}", station) is None] += 1
    assert min(ends[True], ends[False]) > 0


def _read(
    parse: Callable[[BinaryIO, Entries], None],
    body: bytes,
    records: str,
    mapping: FieldMapping,
    which: str,
    station: str = "",
) -> Document | None:
    entries = Entries(mapping, BOUNDS, records=records, station=station)
    try:
        parse(io.BytesIO(body), entries)
    except FeedError as error:
        assert str(error) == one_line(str(error)), (which, body)
        return None
    except Exception as error:
        raise AssertionError(f"{which}: {body!r}") from error
    document = entries.document()
    check(document)
    return document


def _store(store: Store, documents: list[Document]) -> None:
    for document in documents:
        store.add(document, NOW)
        there = {one[:2]: one for one in store.observations(Selection(stations=[s[0] for s in document.stations][:50]))}
        for one in document.observations[:50]:
            assert all(new is None or new == old for new, old in zip(one, there[one[:2]], strict=True))
    assert {one.station_id for one in store.latest()} <= {one.station_id for one in store.stations()}


def test_mutated_notifications() -> None:
    def get(address: str) -> bytes:
        assert address.startswith("https://")
        raise FeedError("nobody is there")

    good: dict[str, Any] = {
        "type": "Feature",
        "properties": {
            "data_id": "wis2/a", "pubtime": "2025-11-22T16:00:00Z", "content": {"encoding": "base64", "value": "QUJD"},
            "integrity": {"method": "sha256", "value": "tdQEXD9GYa4W1gajkQaSYC/YdxRMUvg2eCqfWb0oHZA="},
        },
        "links": [{"rel": "canonical", "href": "https://localhost/a"}],
    }  # fmt: skip
    linked = {**good, "properties": {**good["properties"], "content": None}}
    notifications, at, ends = Notifications(get, 1000), random.Random(17), Counter[str]()
    for number in range(DOCUMENTS):
        body = json.dumps(_other(deepcopy(at.choice((good, linked))), at)).encode()
        try:
            told = notifications.told(mutated(body, at, WORDS) if number % 2 else body)
            notifications.data(told)
            notifications.remember(told)
            ends["data"] += 1
        except (LeftOutError, FeedError) as error:
            ends[str(error)] += 1
        except Exception as error:
            raise AssertionError(body) from error
    assert 5 < len(ends) < 15, ends


def test_mutated_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = Counter[str]()
    at = random.Random(17)
    with open_for_writing(str(tmp_path / "weather.db")) as store:
        for number in range(DOCUMENTS):
            file = tmp_path / "import.csv"
            file.write_bytes(body := mutated(at.choice(CSV), at, WORDS))
            try:
                done = import_file(store, file, replace=at.random() < 0.5)
            except ToolkitError as error:
                assert str(error) == one_line(str(error)), body
                ends["import: one line"] += 1
            except Exception as error:
                raise AssertionError(f"import {number}: {body!r}") from error
            else:
                ends["import: rows" if any(done.stored) else "import: nothing"] += 1
                assert set(done.first) <= set(done.left_out)
            network = tmp_path / "stations.csv"
            network.write_bytes(body := mutated(at.choice(STATIONS), at, WORDS))
            try:
                check(Document(read_stations(network), []))
            except ToolkitError as error:
                assert str(error) == one_line(str(error)), body
                ends["stations: one line"] += 1
            except Exception as error:
                raise AssertionError(f"stations {number}: {body!r}") from error
            else:
                ends["stations: a network"] += 1
        check(Document(store.stations(), list(store.observations(Selection()))))
    assert len(ends) == 5
    assert min(ends["import: rows"], ends["stations: a network"], ends["stations: one line"]) > DOCUMENTS / 50
    with capsys.disabled():
        print(f" {_summary(ends)} ", end="")


def test_mutated_databases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends, at = Counter[str](), random.Random(17)
    whole = tmp_path / "whole.db"
    connection = sqlite3.connect(whole)
    connection.executescript(
        """
        PRAGMA page_size = 512;
        CREATE TABLE stations (station_id TEXT PRIMARY KEY, station_name_en TEXT, latitude REAL, elevation REAL);
        CREATE TABLE observations (time TEXT, station_id TEXT, temp_out REAL, wind_dir_str TEXT);
        INSERT INTO stations VALUES ('volos', 'Volos', 39.3, 9999);
        INSERT INTO observations VALUES ('2025-11-22 16:00:00', 'volos', 13.9, 'NNE'), (1763827200, 'volos', 'warm', x'00');
        """
    )
    connection.close()
    good = whole.read_bytes()
    with open_for_writing(str(tmp_path / "weather.db")) as store:
        for number in range(DOCUMENTS // 10):
            file = tmp_path / "import.db"
            file.write_bytes(good[:16] + mutated(good[16:], at))
            try:
                done = import_file(store, file, replace=False)
            except ToolkitError as error:
                assert str(error) == one_line(str(error)), number
                ends["database: one line"] += 1
            except Exception as error:
                raise AssertionError(f"database {number}") from error
            else:
                ends["database: rows" if any(done.stored) else "database: nothing"] += 1
        check(Document(store.stations(), list(store.observations(Selection()))))
    assert min(ends["database: rows"], ends["database: one line"]) > 0
    with capsys.disabled():
        print(f" {_summary(ends)} ", end="")


def _summary(ends: Counter[str]) -> str:
    return ", ".join(f"{end} {number}" for end, number in sorted(ends.items()))
