from __future__ import annotations

import json

import pytest

from tests.conftest import collection, feature
from tests.feeds import parse
from toolkit.feed.document import FeedError


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
        ("13,9", None, True),
        (True, None, True),
        ([1], None, True),
        ({"a": 1}, None, True),
        ("nan", None, True),
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
        (b"", "not JSON"),
        (b"<html>sorry</html>", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (collection(feature("volos"))[:-9], "not JSON"),
        (b"[]", "FeatureCollection"),
        (b'{"features": 7}', "FeatureCollection"),
        (collection(), "no station"),
        (collection(None, {"properties": {}}), "no station"),
    ],
)
def test_what_is_no_feed_is_refused_in_words(body: bytes, says: str) -> None:
    with pytest.raises(FeedError, match=says):
        parse(body)


def test_reasons_are_counted() -> None:
    document = parse(
        collection(feature("a", ts=0), feature("b", ts=0), None, {"properties": {}}, feature("c", ts=9e12))
    )
    assert document.left_out == {"no observation": 2, "not a feature": 1, "no station id": 1, "impossible time": 1}
    assert json.dumps(document.left_out)
