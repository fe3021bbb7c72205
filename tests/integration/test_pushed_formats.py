"""Reports of stations that push, as the collector stores them."""

from __future__ import annotations

import pytest

from tests.conftest import Feed, Run
from tests.databases import query

# As "PWS Upload Protocol" has it, and as a gateway GW1000 sends it.
WUNDERGROUND = (
    b"ID=KCASANFR5&dateutc=2025-11-22+10%3A32%3A35&winddir=230&windspeedmph=12&windgustmph=12&tempf=70&rainin=0&"
    b"baromin=29.1&dewptf=68.2&humidity=90&weather=&clouds=&softwaretype=vws%20versionxx&action=updateraw\n"
    b"ID=KCASANFR6&dateutc=now&received=1763827200&tempf=-9999&humidity=x&dailyrainin=0.5\n"
)
ECOWITT = (
    b"station_id=volos&stationtype=GW1000B_V1.6.8&dateutc=2025-11-22+16%3A00%3A00&tempinf=74.1&humidityin=44&"
    b"baromrelin=29.92&baromabsin=28.64&tempf=49.3&humidity=71&winddir=273&windspeedmph=2.24&windgustmph=3.36&"
    b"maxdailygust=9.17&solarradiation=120.5&uv=1&rainratein=0.000&dailyrainin=0.100&freq=868M&model=GW1000_Pro\n"
)


@pytest.mark.parametrize(
    ("form", "body", "stored"),
    [
        (
            "wunderground",
            WUNDERGROUND,
            [
                ("KCASANFR5", "2025-11-22 10:32:35", 21.11, 90.0, 985.44, None, 19.31, 230.0, 19.31, 20.11, None),
                ("KCASANFR6", "2025-11-22 16:00:00", None, None, None, 12.7, None, None, None, None, None),
            ],
        ),
        (
            "ecowitt",
            ECOWITT,
            [("volos", "2025-11-22 16:00:00", 9.61, 71.0, 1013.21, 2.54, 3.6, 273.0, 5.41, None, 120.5)],
        ),
    ],
)
def test_reports_are_stored_in_our_units(run: Run, feed: Feed, db: str, form: str, body: bytes, stored: object) -> None:
    feed.body = body
    done = run("collect", "--once", WEATHER_FEED_FORMAT=form, WEATHER_FEED_FIELDS="", WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    assert ("1 left out" in done.stderr) == (form == "wunderground")
    columns = "temp_out, out_hum, bar, rain, wind_speed, wind_dir, hi_speed, dew_point, solar_radiation"
    found = query(db, f"SELECT station_id, time, {columns} FROM observations ORDER BY station_id")
    assert [(one[0], str(one[1])[:19], *one[2:]) for one in found] == stored
