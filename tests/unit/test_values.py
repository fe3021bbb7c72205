"""The one door for values, times, ids, names and places: what a feed and a file are read by."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.feed.entries import Entries
from toolkit.location import height, place
from toolkit.mapping import parse_mapping
from toolkit.model import Bounds, Document
from toolkit.quality.admission import bound

TIME = 1_763_827_200


def taken(fields: str = "", /, **said: Any) -> Document:
    entries = Entries(parse_mapping(fields))
    entries.take({"station_id": "a", "time": TIME, **said})
    return entries.document()


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (12.5, 12.5), (7, 7.0), ("12.5", 12.5), (" +5 ", 5.0), ("1e1", 10.0), (".5", 0.5), ("\u22125", -5.0), (-0.0, 0.0),
        ("1_0", None), ("0x10", None), ("١٢", None), ("１２", None), ("12 °C", None), (True, None),
        ("inf", None), (float("inf"), None), (10**400, None), ("9" * 5000, None), ([12.5], None), (b"12", None),
        ("1\x002", None), ("T", None),  # a trace is of rain
    ],
)  # fmt: skip
def test_a_number_is_a_number(raw: object, value: float | None) -> None:
    document = taken(temp_out=raw)
    assert document.observations[0].temp_out == value
    assert str(document.observations[0].temp_out) != "-0.0"
    assert document.left_out == ({} if value is not None else {"temp_out is no number": 1})
    assert not document.rejected


@pytest.mark.parametrize(("raw", "comma"), [("12,5", True), ("-1,013", True), ("1,2,3", False), ("warm, dry", False)])
def test_a_number_with_a_comma_is_counted_as_such(raw: str, comma: bool) -> None:
    document = taken(temp_out=raw)
    assert document.observations[0].temp_out is None
    assert document.left_out == {f"temp_out is {'a number with a comma' if comma else 'no number'}": 1}


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "",
        " ",
        "-",
        "---",
        "///",
        "NA",
        "n/a",
        "NaN",
        "null",
        "None",
        "M",
        "missing",
        float("nan"),
        "#N/A",
        "n.a.",
        "(null)",
        "undefined",
        "?",
        "******",
        "-nan",
        "/////",
    ],
)
def test_no_value_is_not_counted(raw: object) -> None:
    document = taken(temp_out=raw, wind_dir_str=None if raw == "M" else raw)
    assert (document.observations[0].temp_out, document.observations[0].wind_dir_str) == (None, None)
    assert not document.left_out


@pytest.mark.parametrize(
    ("fields", "raw"),
    [
        ("", -999), ("", -9999), ("", "-999.9"), ("", 999.9), ("", "9999"), ("", 999), ("", -99), ("", -99.9), ("", 9999.99),
        ("", -99999), ("", -888.8), ("", 7777), ("", 32767), ("", -32768), ("", 3276.7), ("", 65535), ("", 255),
        ("", 9.96921e36), ("", 2147483647), ("", -999.9000244140625), ("", 1e308), ("", -6999),
        ("", "-7999.0"), ("", -999.25),
        ("temp_out=temp_out [°F]", -999), ("temp_out=temp_out [K]", 9999), ("temp_out=temp_out [°F]", 999.9),
    ],
)  # fmt: skip
def test_a_placeholder_is_no_value(fields: str, raw: object) -> None:
    document = taken(fields, temp_out=raw)
    assert document.observations[0].temp_out is None
    assert not document.left_out
    assert not document.rejected


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [("bar", 999.9, 999.9), ("bar", 888, 888), ("rain", 99.99, 99.99), ("wind_dir", 255, 255), ("out_hum", 99, 99)],
)
def test_what_is_possible_is_no_placeholder(name: str, raw: float, value: float) -> None:
    assert getattr(taken(**{name: raw}).observations[0], name) == value


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("temp_out", 99), ("temp_out", 99.9), ("temp_out", -120), ("temp_out", 150.5), ("out_hum", 105.1), ("out_hum", -1), ("bar", 101.3),
        ("rain", -0.2), ("wind_dir", -5), ("wind_dir", 365), ("wind_speed", 451), ("hi_dir", 360.1),
    ],
)  # fmt: skip
def test_what_is_impossible_is_rejected(name: str, raw: float) -> None:
    document = taken(**{name: raw})
    assert getattr(document.observations[0], name) is None
    assert document.left_out == {f"{name} out of range": 1}
    assert document.rejected == [(TIME, "a", name, raw)]


@pytest.mark.parametrize(("raw", "value"), [(100, 100), (100.4, 100), (103, 100), (105, 100)])
def test_a_hygrometer_in_fog(raw: float, value: float) -> None:
    document = taken(out_hum=raw)
    assert document.observations[0].out_hum == value
    assert not document.left_out


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "no observation"), ("", "no observation"), (0, "no observation"), ("null", "no observation"),
        ("0001-01-01T00:00:00", "impossible time"), ("0205-12-06 00:00:00", "impossible time"),
        ("1900-01-01", "impossible time"), ("1970-01-01T00:00:00Z", "impossible time"), (1, "impossible time"),
        ("9999-12-31T23:59:59-12:00", "impossible time"), ("0001-01-01T00:00:00+14:00", "impossible time"),
        ("2100-01-01", "impossible time"), (TIME * 1000, "impossible time"), (1e300, "impossible time"),
        ("yesterday", "no time"), ("20.11.2026 10:00", "no time"), ("NOW", "no time"), ([1], "no time"),
        (True, "no time"), ("2026-11-20 10:00:60", "no time"), (float("inf"), "no time"), ("x" * 100_000, "no time"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("fields", ["", "time=time [%Y-%m-%d %H:%M:%S]"])
def test_a_time_that_cannot_be(raw: object, reason: str, fields: str) -> None:
    document = taken(fields, time=raw)
    assert not document.observations
    if not fields:
        assert document.left_out == {reason: 1}
    assert document.left_out.total() == 1
    assert set(document.left_out) <= {"no observation", "no time", "impossible time"}


@pytest.mark.parametrize(
    ("latitude", "longitude", "found"),
    [
        (39.3, 22.9, (39.3, 22.9)), (-90, 180, (-90, 180)), (39.3, 337.5, (39.3, -22.5)), (39.3, 360, (39.3, 0)),
        ("39.3", "22.9", (39.3, 22.9)), (0, 22.9, (0, 22.9)), (39.3, 0, (39.3, 0)),
        (0, 0, None), ("0.0", "-0", None), (91, 22.9, None), (39.3, 361, None), (39.3, -181, None),
        (39.3, None, None), ("north", 22.9, None), (float("inf"), 22.9, None), (True, False, None),
    ],
)  # fmt: skip
def test_a_place(latitude: object, longitude: object, found: tuple[float, float] | None) -> None:
    document = taken(latitude=latitude, longitude=longitude)
    assert document.stations[0][3:5] == (found or (None, None))
    assert ("impossible place" in document.left_out) == (found is None)


@pytest.mark.parametrize(
    ("raw", "metres", "counted"),
    [
        (52, 52, False), (-430, -430, False), (8849, 8849, False), (0, 0, False), (None, None, False),
        ("---", None, False), (-9999, None, False), (-999, None, False), (9999, None, False), (8850, None, True),
        ("inf", None, True), ("high", None, True),
    ],
)  # fmt: skip
def test_a_height(raw: object, metres: float | None, counted: bool) -> None:
    document = taken(latitude=39.3, longitude=22.9, elevation=raw)
    assert document.stations[0].elevation == metres
    assert document.left_out == ({"impossible elevation": 1} if counted else {})


def test_a_form_that_nobody_filled_in() -> None:
    assert taken(latitude=0, longitude=0, elevation=0).stations[0][3:6] == (None, None, None)
    assert place(None, None) is None
    assert height(None) is None


def test_ids_and_names_are_bounded() -> None:
    bounds = Bounds(id_length=5, name_length=5)
    entries = Entries(bounds=bounds)
    for name in ("12345", "123456", " 12\u00ad345 ", "x" * 9000, "\u200b", "a\x00b", "\ud800"):
        entries.take(
            {"station_id": name, "time": TIME, "station_name_en": "Four words of it", "wind_dir_str": "N" * 99}
        )
    document = entries.document()
    assert [(one.station_id, one.station_name_en) for one in document.stations] == [("12345", "Four"), ("a b", "Four")]
    assert document.left_out == {"station id too long": 2, "no station id": 2, "wind_dir_str is no text": 3}


def test_two_entries_of_one_time_are_one() -> None:
    entries = Entries()
    entries.take({"station_id": "a", "time": TIME, "temp_out": 12.3, "station_name_en": "A", "elevation": 5})
    entries.take({"station_id": "a", "time": TIME, "bar": 1013.2})
    entries.take({"station_id": "a", "time": TIME, "temp_out": 12.4, "bar": -5})
    entries.take({"station_id": "a", "time": TIME - 600, "temp_out": 1})
    document = entries.document()
    assert [(one.time, one.temp_out, one.bar) for one in document.observations] == [
        (TIME, 12.4, 1013.2), (TIME - 600, 1, None),
    ]  # fmt: skip
    assert document.stations == [("a", "A", None, None, None, 5, None)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("temp_out=t", ("t",)),
        ('temp_out="Temp, °C (LGR S/N: 1)"', ("Temp, °C (LGR S/N: 1)",)),
        ("temp_out='Temp, °C' [°F]", ("Temp, °C",)),
        ('temp_out="Wind [m/s]" | "a|b"|c', ("Wind [m/s]", "a|b", "c")),
        ('temp_out="5"" pipe"', ('5" pipe',)),
        ('temp_out="it\'s"', ("it's",)),
        ("temp_out=a=b", ("a=b",)),
        ('station_id=id,temp_out = "x" ,, ', ("x",)),
        ("time=t [%d,%m,%Y], temp_out=x", ("x",)),
    ],
)
def test_names_in_quotes(text: str, names: tuple[str, ...]) -> None:
    assert parse_mapping(text).of("temp_out").names == names


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("station_id=id, time=Date Time, GMT+00:00, temp_out=x", "'GMT+00:00'"),
        ("wind_speed=Wind [m/s] [m/s]", "'wind_speed=Wind [m/s] [m/s]'"),
        ('temp_out="open', "'temp_out=\"open'"),
        ('temp_out="a"b', "'temp_out=\"a\"b'"),
        ("temp_out=", "'temp_out='"),
        ("temp_out=a||b", "'temp_out=a||b'"),
    ],
)
def test_what_is_no_name_is_said(text: str, piece: str) -> None:
    with pytest.raises(ValueError, match="is not of the form") as said:
        parse_mapping(text)
    assert str(said.value).startswith(piece)
    assert "belongs in quotes" in str(said.value)


@pytest.mark.parametrize(
    ("unit", "said", "time"),
    [
        ("Europe/Athens", "2025-11-22T18:00:00", TIME),
        ("Europe/Athens", "2025-11-22T16:00:00Z", TIME),
        ("%d/%m/%Y %H:%M Europe/Athens", "22/11/2025 18:00", TIME),
        ("%d/%m/%Y %H:%M America/Argentina/Buenos_Aires", "22/11/2025 13:00", TIME),
        ("%Y-%m-%dT%H:%M%z Europe/Athens", "2025-11-22T17:00+01:00", TIME),
        ("Europe/Athens", "2025-10-26T03:30:00", None),
        ("Europe/Athens", "2025-03-30T03:30:00", None),
    ],
)
def test_times_of_a_zone(unit: str, said: str, time: int | None) -> None:
    document = taken(f"time=at [{unit}]", at=said)
    assert [one.time for one in document.observations] == ([time] if time else [])
    assert document.left_out == ({} if time else {"a local time that the clocks skipped or showed twice": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [("x.0", 1.0), ("x.1.y", 2.5), ("x.2", None), ("x.-1", None), ("x.٠", None), ("x." + "9" * 5000, None)],
)
def test_values_in_lists(name: str, value: float | None) -> None:
    assert [one.temp_out for one in taken(f"temp_out={name}", x=[1, {"y": 2.5}]).observations] == [value]


def test_a_zone_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="there is no time zone 'Europe/Athen': give one such as Europe/Athens"):
        parse_mapping("time=at [Europe/Athen]")


@pytest.mark.parametrize(
    ("raw", "degrees"),
    [("N", 0), ("nne", 22.5), (" WSW ", 247.5), ("SWW", 247.5), ("NNW", 337.5), ("VRB", None), ("O", None)],
)
def test_points_of_the_compass(raw: str, degrees: float | None) -> None:
    document = taken(wind_dir=raw)
    assert [one.wind_dir for one in document.observations] == [degrees]
    assert document.left_out == ({"wind_dir is no number": 1} if raw == "O" else {})


@pytest.mark.parametrize("pattern", ["%Q", "%Y%Y", "%H:%M", "%Y-%m", "%-d.%m.%Y", "%Y-%m-%d %", "%"])
def test_a_pattern_that_tells_no_day_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="tells no day of a year; give one such as"):
        parse_mapping(f"time=t [{pattern}]")


@pytest.mark.parametrize(
    "pattern", ["%Y%m%d%H%M", "%d/%m/%y %I:%M %p", "%Y-%j", "%a %d %b %Y %H:%M:%S.%f %z", "%Y-%m-%d %Z"]
)
def test_a_pattern_that_tells_the_day_is_taken(pattern: str) -> None:
    assert parse_mapping(f"time=t [{pattern}]").of("time").unit == pattern


def several(*ids: str) -> Document:
    entries = Entries()
    for name in ids:
        entries.take({"station_id": name, "time": TIME, "temp_out": 99})
    return entries.document()


@pytest.mark.parametrize(
    ("known", "before", "kept", "counted"),
    [
        (set(), None, "abc", {"station beyond those of a document": 2}),
        ({"d", "e"}, 0, "ade", {"station beyond those of a document": 2}),
        ({"d", "e"}, 2, "de", {"station beyond those of a document": 2, "new station beyond those of a day": 1}),
        ({"d", "e"}, 99, "de", {"station beyond those of a document": 2, "new station beyond those of a day": 1}),
        ({"a", "b", "c", "d"}, 99, "abc", {"station beyond those of a document": 2}),
    ],
)
def test_how_many_stations_come(known: set[str], before: int | None, kept: str, counted: dict[str, int]) -> None:
    document = bound(several(*"abcde"), known, Bounds(stations=3, new_stations=2), lambda: before)
    assert [one.station_id for one in document.stations] == [*kept]
    assert [one.station_id for one in document.observations] == [*kept]
    assert [one.station_id for one in document.rejected] == [*kept]
    assert document.left_out == {"temp_out out of range": 5, **counted}


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("wind_dir", 990, None), ("hi_dir", "990", None), ("wind_dir", 0, 0), ("wind_dir", 360, 360), ("wind_dir", 180, 180),
        ("snow_depth", 997, 0), ("snow_depth", 998, None), ("snow_depth", "999", None), ("snow_depth", -2, None),
        ("snow_depth", 996.5, 996.5), ("snow_depth", 1182, 1182), ("snow_depth", 0, 0), ("snow_depth", -1, 0),
        ("rain", "T", 0), ("rain", "trace", 0), ("rain", -0.1, 0), ("rain", 0, 0), ("rain", 990, 990),
        ("temp_out", -127, None), ("temp_out", 0, 0), ("temp_out", -40, -40),
    ],
)  # fmt: skip
def test_what_a_number_means_depends_on_the_variable(name: str, raw: object, value: float | None) -> None:
    document = taken(**{name: raw})
    assert getattr(document.observations[0], name) == value
    assert (document.left_out, document.rejected) == ({}, [])


@pytest.mark.parametrize(("latitude", "longitude"), [(-9999, -9999), (999.9, 999.9), ("-999", "-999"), (9999, 9999)])
def test_a_place_of_placeholders_is_none(latitude: object, longitude: object) -> None:
    document = taken(latitude=latitude, longitude=longitude, elevation=-999.9)
    assert document.stations[0][3:6] == (None, None, None)
    assert not document.left_out


@pytest.mark.parametrize(
    ("values", "placeholder"),
    [
        ([0.0] * 10, True),  # a barometer of no station reads 0 hPa
        ([0.0] * 9, False),
        ([101.0 + 0.1 * station for station in range(12)], False),  # another unit
    ],
)
def test_an_impossible_value_of_many_stations_is_a_placeholder(values: list[float], placeholder: bool) -> None:
    entries = Entries()
    for station, value in enumerate(values):
        entries.take({"station_id": str(station), "time": TIME, "bar": value})
    document = entries.document()
    reason = "bar impossible and constant" if placeholder else "bar out of range"
    assert document.left_out == {reason: len(values)}
    assert len(document.rejected) == (0 if placeholder else len(values))


@pytest.mark.parametrize(("last", "placeholder"), [(-242.02, True), (-241.9, False)])
def test_an_impossible_value_again_and_again_is_a_placeholder(last: float, placeholder: bool) -> None:
    entries = Entries()
    for row in range(20):
        entries.take({"station_id": "a", "time": TIME + row, "temp_out": last if row == 19 else -242.02})
    assert len(entries.document().rejected) == (0 if placeholder else 20)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("0-20000-0-16716", True), ("0-300-0-Volos1", True), ("0-65534-65534-1234567890abcdef", True), ("", None), (None, None),
        ("16716", False), ("1-20000-0-16716", False), ("0-65535-0-1", False), ("0-20000-0-", False), (16716, False),
        ("0-020000-0-16716", False), ("0-20000-0-1234567890abcdefg", False), ("0-20000-0-167 16", False),
    ],
)  # fmt: skip
def test_a_wigos_identifier(raw: object, found: bool | None) -> None:
    document = taken(wigos_id=raw)
    assert document.stations[0].wigos_id == (raw if found else None)
    assert document.left_out == ({"impossible WIGOS identifier": 1} if found is False else {})
