"""Reports in Weather Underground's protocol, which most weather stations and their software can send.

Its fields are those of "PWS Upload Protocol" at https://support.weather.com: degrees Fahrenheit, inches, miles an hour.
"""

from __future__ import annotations

from toolkit.feed.reports import take as parse

__all__ = ["FIELDS", "parse"]

# `rainin` is what fell in the past hour; the total of the day is what others send, too.
FIELDS = (
    "station_id=station_id|ID, time=dateutc|received, temp_out=tempf [°F], out_hum=humidity, dew_point=dewptf [°F], "
    "bar=baromin [inHg], rain=dailyrainin [in], wind_speed=windspeedmph [mph], wind_dir=winddir, "
    "hi_speed=windgustmph [mph], hi_dir=windgustdir, solar_radiation=solarradiation"
)
