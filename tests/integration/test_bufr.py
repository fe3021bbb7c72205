"""Feeds in BUFR, from the messages to the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bufr import REPORT, message, written
from tests.conftest import Feed, Run
from tests.integration.test_feeds import stored

DATA = Path(__file__).parent.parent / "data"
NUMBERS = "temp_out, dew_point, out_hum, bar, rain, wind_speed, wind_dir, hi_speed, hi_dir, solar_radiation, snow_depth"
FORM = {"WEATHER_FEED_FORMAT": "bufr", "WEATHER_FEED_FIELDS": ""}


def test_synop_of_the_gts(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = (DATA / "synop-okpr.bufr").read_bytes()
    done = run("collect", "--once", **FORM)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "7 stations, 28 new observations\n"
    query = f"SELECT time, {NUMBERS} FROM observations WHERE station_id = '0-20000-0-11603' ORDER BY time"
    assert stored(environment, query)[0] == (
        "2007-11-21 00:00:00", 1.3, -1.0, 85.0, 1018.3, 0.0, 21.6, 140.0, 46.8, None, None, None
    )  # fmt: skip
    assert stored(environment, query)[1][-1] == 10.0
    query = "SELECT station_name_en, latitude, longitude, elevation FROM stations WHERE station_id = '0-20000-0-11603'"
    assert stored(environment, query)[0] == ("Liberec", 50.77, 15.02417, 397.7)


def test_automatic_stations_with_wigos_identifiers(run: Run, feed: Feed, environment: dict[str, str]) -> None:
    feed.body = (DATA / "synop-wigos.bufr").read_bytes()
    done = run("collect", "--once", **FORM)
    assert done.returncode == 0, done.stderr
    assert stored(environment, f"SELECT station_id, {NUMBERS} FROM observations ORDER BY station_id") == [
        ("0-705-0-1931", 7.0, 5.9, 93.0, None, 0.0, 29.52, 214.0, 42.84, 215.0, 3.17, None),
        ("0-705-0-1932", 0.4, None, 97.0, None, 0.1, None, None, None, None, 1.0, 59.0),
        ("0-705-0-1933", 8.7, 8.2, 99.0, None, 0.2, None, None, None, None, 3.67, None),
    ]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("wigos", [False, True])
def test_a_station_is_the_same_whatever_it_is_called(
    run: Run, feed: Feed, environment: dict[str, str], compressed: bool, wigos: bool
) -> None:
    descriptors = ["301150", "307080"] if wigos else ["307080"]
    named: dict[str, float | str] = {"001125": 0, "001126": 20000, "001127": 0, "001128": "16733"}
    feed.body = written(
        descriptors, REPORT | (named if wigos else {}), {**REPORT, "001002": 716}, compressed=compressed
    )
    done = run("collect", "--once", **FORM)
    assert done.returncode == 0, done.stderr
    query = "SELECT time, station_id, temp_out, bar, wind_speed FROM observations WHERE station_id = '0-20000-0-16733'"
    assert stored(environment, query) == [("2025-11-22 16:00:00", "0-20000-0-16733", 13.9, 1016.4, 18.0)]
    query = "SELECT wigos_id FROM stations WHERE station_id = '0-20000-0-16733'"
    assert stored(environment, query) == [("0-20000-0-16733",)]
    assert len(stored(environment, "SELECT station_id FROM stations")) == 2


def test_what_cannot_be_read_is_counted_beside_what_can(run: Run, feed: Feed) -> None:
    good = written(["307080"], REPORT)
    bad = [
        good[:-20] + b"9999",  # cut off
        message(["307080"], "1" * 80),  # ends early
        message(["020237"], "1" * 80),  # a local descriptor
        message(["301001", "222255"], "1" * 80),
        message(["310026"], "1" * 80, category=3),  # a satellite's
        good[:7] + b"\1" + good[8:],  # edition 1
    ]
    feed.body = b"\1\r\r\n052\r\r\nISMD01 LGAT 221600\r\r\n".join([*bad, good])
    done = run("feed", "try", "--json", **FORM, WEATHER_FEED_URL=feed.url)
    assert done.returncode == 0, done.stderr
    for reason in (
        "BUFR message that is cut off",
        "BUFR message that is broken",
        "BUFR message with a descriptor that is not in WMO's tables",
        "BUFR message with an operator that is not read",
        "BUFR message of other data than a surface station's",
        "BUFR message of an edition other than 2, 3 and 4",
    ):
        assert f'"{reason}": 1' in done.stdout


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>sorry</html>", "the feed is not BUFR: it begins with '<html>sorry</html>'"),
        (b"BUFR", "the feed holds no station: 1 messages, none with a report of a surface station"),
    ],
)
def test_what_is_no_bufr_is_said(run: Run, feed: Feed, body: bytes, says: str) -> None:
    feed.body = body
    done = run("collect", "--once", **FORM)
    assert done.returncode == 1
    assert done.stderr == f"weather-tool: {says}\n"


@pytest.mark.parametrize(
    "bomb",
    [
        # Each replication repeats the other 65,535 times, and each subset is like the other.
        message(["103000", "031002", "101000", "031002", "001001"], 10 * f"{65535:016b}000000", 65535, compressed=True),
        message(["307080"], "1" * 8000, 65535, compressed=True),
        message(["103255", "102255", "101255", "001001"], "0" * 800, 65535),
        message(1000 * ["309052"], "0"),
        message(["101000", "031002", "205255"], f"{65535:016b}" * 100, 65535, compressed=True),
    ],
)
def test_a_message_that_would_never_end_is_given_up(run: Run, feed: Feed, bomb: bytes) -> None:
    feed.body = 20 * bomb + written(["307080"], REPORT)
    done = run("collect", "--once", **FORM)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("1 stations, 1 new observations, ")


def test_it_is_guessed(run: Run) -> None:
    done = run("feed", "guess", str(DATA / "synop-okpr.bufr"))
    assert done.returncode == 0, done.stderr
    assert 'weather_feed_format: "bufr"\nweather_feed_fields: ""\n' in done.stdout
