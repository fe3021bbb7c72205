"""Reports in Ecowitt's own protocol, which its gateways and those of other brands by the same maker send.

Nobody publishes its fields but the gateways themselves: degrees Fahrenheit, inches, miles an hour, as in Weather
Underground's protocol, with names of their own for pressure (`baromrelin` is that at mean sea level, as the owner has
set it up) and for the rain of a haptic sensor (`drain_piezo`).
"""

from __future__ import annotations

from toolkit.feed.reports import take as parse

__all__ = ["FIELDS", "parse"]

FIELDS = (
    "station_id=station_id, time=dateutc|received, temp_out=tempf [°F], out_hum=humidity, bar=baromrelin [inHg], "
    "rain=dailyrainin|drain_piezo [in], wind_speed=windspeedmph [mph], wind_dir=winddir, "
    "hi_speed=windgustmph [mph], solar_radiation=solarradiation"
)
