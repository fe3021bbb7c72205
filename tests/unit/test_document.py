from __future__ import annotations

import json

import pytest

from tests.conftest import collection, feature
from tests.feeds import parse
from toolkit.feed.errors import FeedError
from toolkit.text import one_line


def test_a_good_feature() -> None:
    document = parse(collection(feature("volos", station_name_gr="Βόλος")))
    (station,) = document.stations
    assert (station.station_id, station.station_name_gr, station.elevation) == ("volos", "Βόλος", 52.0)
    (observation,) = document.observations
    assert observation.time == 1_763_827_200
    assert (observation.temp_out, observation.wind_dir_str) == (13.9, "NNE")
    assert not document.left_out


@pytest.mark.parametrize(
    "bad",
    [
        None,
        7,
        "text",
        [],
        {},
        {"properties": None},
        {"properties": {"ts": 1}},
        {"properties": {"station_file": None, "fid": "---"}},
        feature("x", ts=0),
        feature("x", ts=None),
        feature("x", ts="soon"),
        feature("x", ts=1e300),
        feature("x", ts=1_763_827_200_000),
        feature("x", ts=-5),
        feature("x", ts=True),
        feature("x", ts=[1]),
        {**feature("x"), "geometry": "nowhere"},
        {**feature("x"), "geometry": {"coordinates": "lost"}},
    ],
)
def test_one_bad_feature_never_costs_the_others_anything(bad: object) -> None:
    document = parse(collection(feature("before"), bad, feature("after")))
    assert {"before", "after"} <= {observation.station_id for observation in document.observations}


@pytest.mark.parametrize(
    ("raw", "value", "counted"),
    [
        (None, None, False),
        ("---", None, False),
        ("", None, False),
        ("13.9", 13.9, False),
        (" 7 ", 7.0, False),
        ("warm", None, True),
        (True, None, True),
        ([1], None, True),
        ({"a": 1}, None, True),
        ("nan", None, False),
        ("1e999", None, True),
    ],
)
def test_a_value_of_any_type(raw: object, value: float | None, counted: bool) -> None:
    document = parse(collection(feature("volos", temp_out=raw)))
    assert document.observations[0].temp_out == value
    assert document.observations[0].bar == 1016.4
    assert document.left_out == ({"temp_out is no number": 1} if counted else {})


def test_what_json_does_not_allow_but_feeds_contain() -> None:
    body = b"\xef\xbb\xbf" + collection(feature("volos")).replace(b"13.9", b"NaN")
    assert parse(body).observations[0].temp_out is None


def test_fid_is_the_id_where_station_file_is_missing() -> None:
    document = parse(collection(feature("volos", station_file=None)))
    assert document.observations[0].station_id == "fid.volos"


def test_missing_elevation_and_impossible_position() -> None:
    flat, lost = feature("flat"), feature("lost")
    flat["geometry"]["coordinates"] = [22.9, 39.3]
    lost["geometry"]["coordinates"] = [539.0, 39.3, 7]
    document = parse(collection(flat, lost))
    assert [(one.latitude, one.longitude, one.elevation) for one in document.stations] == [
        (39.3, 22.9, None),
        (None, None, 7),
    ]


def test_a_station_that_comes_twice_has_one_row_a_time() -> None:
    document = parse(
        collection(feature("volos", temp_out=1), feature("volos", temp_out=2), feature("volos", ts=1_763_827_800))
    )
    assert len(document.stations) == 1
    assert [(one.time, one.temp_out) for one in document.observations] == [(1_763_827_200, 2), (1_763_827_800, 13.9)]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON: it is empty"),
        (b"<html>sorry</html>", "not JSON: it begins with '<html>sorry</html>'"),
        (b"\xff\xfe", "not JSON: it is empty"),
        (b"\x1b[31m\r\nWATCHDOG=1", "not JSON: it begins with"),
        (b"[" * 100_000, "not JSON that can be read: it is nested too deeply"),
        (collection(feature("volos"))[:-9], r"not JSON: it ends in the middle, at \d+"),
        (b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"station_id":"a"', "middle, at 88"),
        (b'{"features": "open', "middle, at 18"),
        (collection(feature("volos")).replace(b'"ts": ', b'"ts" '), r"expecting ':' delimiter at \d+, in '.*\"ts\" 17"),
        (collection(feature("volos")) * 2, "extra data at"),
        (b'{"type": "Point", "coordinates": [1, 2]}', "FeatureCollection"),
        (b"[]", "FeatureCollection"),
        (b'{"features": 7}', "FeatureCollection"),
        (collection(), "no station"),
        (collection(None, {"properties": {}}), "no station"),
    ],
)
def test_what_is_no_feed_is_refused_in_words(body: bytes, says: str) -> None:
    with pytest.raises(FeedError, match=says) as refused:
        parse(body)
    assert str(refused.value) == one_line(str(refused.value))


def test_a_byte_that_is_not_utf_8_costs_a_letter_at_most() -> None:
    body = collection(feature("volos", station_name_en="Zuerich"), feature("zagora"))
    document = parse(body.replace(b"ue", b"\xfc"))
    assert [one.station_name_en for one in document.stations] == ["Zürich", "Zagora"]
    assert len(document.observations) == 2


def test_utf_16_with_its_mark() -> None:
    body = collection(feature("volos", station_name_gr="Βόλος"))
    assert parse(body.decode().encode("utf-16")).stations[0].station_name_gr == "Βόλος"


def test_a_control_character_costs_itself_and_padding_nothing() -> None:
    body = collection(feature("volos", station_name_en="A~B^C"), feature("zagora"))
    document = parse(body.replace(b"~", b"\t\n").replace(b"^", b"\0") + b"\n\0\0\0")
    assert [one.station_name_en for one in document.stations] == ["A B C", "Zagora"]
    assert len(document.observations) == 2


def test_half_a_surrogate_pair_costs_itself() -> None:
    body = collection(feature("volos", station_name_en="A~"), feature("zagora")).decode()
    document = parse(body.encode("utf-16").replace("~".encode("utf-16-le"), b"\x3c\xd8"))
    assert [one.station_name_en for one in document.stations] == ["A\ufffd", "Zagora"]


@pytest.mark.parametrize(
    ("said", "place", "counted"),
    [
        ({"elevation": -9999}, (38, 23, 120), set()),
        ({"elevation": 12000}, (38, 23, 120), {"impossible elevation"}),
        ({"latitude": -999, "longitude": -999}, (38, 23, 120), set()),
        ({"latitude": 95, "longitude": 23}, (38, 23, 120), {"impossible place"}),
        ({"latitude": 0, "longitude": 0, "elevation": 0}, (38, 23, 120), {"impossible place"}),
        ({"latitude": 39, "longitude": 22, "elevation": 0}, (39, 22, 0), set()),
    ],
)
def test_the_point_counts_where_the_fields_say_no_place(
    said: dict[str, float], place: tuple[float, ...], counted: set[str]
) -> None:
    point = {"type": "Point", "coordinates": [23, 38, 120]}
    document = parse(collection({**feature("volos", **said), "geometry": point}))
    assert document.stations[0][3:6] == place
    assert set(document.left_out) == counted


def test_two_stations_with_one_id_are_not_mixed() -> None:
    def at(longitude: float, temp: float) -> dict[str, object]:
        point = {"type": "Point", "coordinates": [longitude, 38, 120]}
        return {**feature("volos", temp_out=temp, longitude=None, latitude=None, elevation=None), "geometry": point}

    document = parse(collection(at(23, 10.0), at(23.05, 11.0), at(25, 30.0)))
    assert [one.temp_out for one in document.observations] == [11.0]
    assert document.stations[0].longitude == 23.05
    assert document.left_out == {"id of a station elsewhere": 1}


def test_a_number_of_too_many_digits_costs_itself() -> None:
    body = collection(feature("volos", serial=7777, temp_out=8888), feature("zagora"))
    document = parse(body.replace(b"7777", b"9" * 5000).replace(b"8888", b"9" * 500))
    assert [one.temp_out for one in document.observations] == [None, 13.9]
    assert [one.bar for one in document.observations] == [1016.4, 1016.4]


def test_a_single_feature() -> None:
    body = json.dumps({**feature("volos"), "id": 7}).encode()
    assert [one.station_id for one in parse(body).observations] == ["volos"]
    assert parse(body).stations[0].elevation == 52


@pytest.mark.parametrize(
    ("geometry", "place"),
    [
        ({"type": "Point", "coordinates": ["22.9", "39.3", "52"]}, (39.3, 22.9, 52)),
        ({"type": "Point", "coordinates": [337.1, 39.3]}, (39.3, -22.9, None)),
        ({"type": "Point", "coordinates": []}, (None, None, None)),
        ({"type": "Point", "coordinates": [0, 0, 0]}, (None, None, None)),
        ({"type": "Point", "coordinates": [None, None, None]}, (None, None, None)),
        ({"type": "Point", "coordinates": {"x": 1}}, (None, None, None)),
        ({"type": "LineString", "coordinates": [22.9, 39.3]}, (None, None, None)),
        ({"type": "Polygon", "coordinates": [[[22.9, 39.3]]]}, (None, None, None)),
        ({"type": "GeometryCollection", "geometries": [{"type": "Point"}]}, (None, None, None)),
        ([22.9, 39.3], (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_only_a_point_is_a_place(geometry: object, place: tuple[float | None, ...]) -> None:
    document = parse(collection({**feature("volos"), "geometry": geometry}))
    station = document.stations[0]
    assert station[3:6] == pytest.approx(place)
    assert len(document.observations) == 1


def test_reasons_are_counted() -> None:
    document = parse(
        collection(feature("a", ts=0), feature("b", ts=0), None, {"properties": {}}, feature("c", ts=9e12))
    )
    assert document.left_out == {"no observation": 2, "not a feature": 1, "no station id": 1, "impossible time": 1}
    assert json.dumps(document.left_out)
