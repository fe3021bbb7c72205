"""What networks call what we store, and how they say in which unit: the words by which a field is recognised.

Names of MeteoSwiss, DWD, the National Weather Service, MET Norway, Meteo-France, Davis, Ecowitt and Weather Underground
are among them, besides those of the CF conventions and plain English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# By what is stored: patterns of a name in small letters, whose words are separated by blanks; the best first.
NAMES: Mapping[str, tuple[str, ...]] = {
    "station_id": (
        r"(station|site|platform|location) ?(id|code|identifier|number|nr|file)",
        r"stid|icao( id)?|wigos.*|wmo( id)?|stn",
        r"station( location)?|site|fid|id|code|idema|mac(address)?",
    ),
    "time": (
        r"(obs(ervation|erved)? ?)?(date ?time|time ?stamp|ts)( utc| gmt)?",
        r"(obs(ervation|erved)? ?)?(time|at)( utc)?",
        r"valid( ?time)?|date ?utc|reference ?time|fint|dt|date|epoch|created at|last ?seen|updated( at)?",
    ),
    "station_name_en": (r"(station|site) ?name( en)?", r"name( en)?|title|ubi"),
    "station_name_gr": (r"(station ?)?name (gr|el|greek)",),
    "latitude": (r"lat(itude)?",),
    "longitude": (r"lon(g|gitude)?|lng",),
    "elevation": (r"elev(ation)?|alt(itude)?|height( above sea level)?|masl",),
    "temp_out": (
        r"(air|out(door|side)?) ?temp(erature)?|temp(erature)? ?(out(door|side)?|air)|air temperature.*",
        r"temp(erature)?|t2m|tre200s0|ta|tt ?10|tl|temp ?1",
        r"t",
    ),
    "hi_temp": (r"(hi(gh)?|max(imum)?) ?temp(erature)?( out)?|temp(erature)? ?max|tamax|tx",),
    "low_temp": (r"(low|min(imum)?) ?temp(erature)?( out)?|temp(erature)? ?min|tamin|tn",),
    "out_hum": (
        r"(rel(ative)?|out(door|side)?) ?hum(idity)?|hum(idity)? ?out",
        r"hum(idity)?|rh|hr|uu|rf ?10|ure200s0",
    ),
    "bar": (
        r"(station|sea ?level|barometric|atmospheric|air|relative|absolute|barom)? ?press(ure)?( rel| abs| msl)?",
        r"press(ure)?.*",
        r"bar(om(eter)?)?( ?rel)?( ?in)?|baro|mslp|slp|qnh|qfe|pp|pres|prestas0|altim(eter)?|surface air pressure|p",
    ),
    "rain": (
        r"rain ?(today|daily|day)|daily ?rain|day ?rain",
        r"rain(fall)?|precip(itation)?( amount| last hour| 1 ?h| total)?|rre150z0|rr ?(1|10)?|prec|ppt|rain ?1 ?h",
    ),
    "wind_speed": (
        r"(mean )?wind ?sp(ee)?d( avg| mean)?|wind ?(avg|mean)|wind ?speed.*",
        r"ff( ?10)?|fu3010z0|ws|vv|wind",
    ),
    "wind_dir": (
        r"(mean )?wind ?dir(ection)?( avg| mean)?|wind from direction|wind ?dir.*",
        r"dd( ?10)?|dkl010z0|wd|dv",
    ),
    "hi_speed": (
        r"(wind ?)?gust( ?sp(ee)?d)?|wind ?sp(ee)?d ?max|hi ?speed|max ?wind",
        r"fu3010z1|fx( ?10)?|wg|vmax|raf ?10",
    ),
    "hi_dir": (r"gust ?dir(ection)?|hi ?dir|dmax",),
    "solar_radiation": (
        r"(global |solar |short ?wave )+(rad(iation)?|irradiance)",
        r"solar|gre000z0|srad|ghi|glob|radiation",
    ),
    "dew_point": (r"dew ?(point|pt)( temperature)?|dew ?p", r"td( ?10)?|tde200s0|tpr|dew"),
    "snow_depth": (r"snow ?(depth|height|on ground)|depth of snow|htoauts0|sh|hs|nv",),
}

# By a stored unit: the ways to write a unit that a feed may give, as words of a name or as a text of its own.
UNITS: Mapping[str, Mapping[str, str]] = {
    "°C": {"°C": r"°c|c|deg ?c|celsius|wmounit degc", "°F": r"°f|f|deg ?f|fahrenheit", "K": r"k|kelvin"},
    "%": {"%": r"%|pct|percent|wmounit percent", "1": r"fraction|ratio"},
    "hPa": {
        "hPa": r"hpa|mb|mbar|millibar", "Pa": r"pa|wmounit pa", "kPa": r"kpa", "inHg": r"inhg|in ?hg|in|baromin",
        "mmHg": r"mmhg|torr",
    },
    "mm": {"mm": r"mm|kg m 2|l m2", "in": r"in|inch(es)?", "cm": r"cm"},
    "km/h": {
        "km/h": r"km ?h( 1)?|kmh|kph|wmounit km h 1", "m/s": r"m ?s( 1)?|ms|mps", "kt": r"kts?|knots?",
        "mph": r"mph|mi h",
    },
    "cm": {"cm": r"cm", "m": r"m", "mm": r"mm", "in": r"in|inch(es)?"},
    "m": {"m": r"m|metres?|meters?", "ft": r"ft|feet"},
}  # fmt: skip


def words_of(name: str) -> str:
    """A name in small letters, its words separated by blanks."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.sub(r"[^\w°%]+|_", " ", parted).lower().split())


def unit_in(words: str, stored: str) -> str:
    """The unit that the last words of a name say, for what is stored in another; empty where they say none."""
    for unit, pattern in UNITS.get(stored, {}).items():
        if re.search(rf"(^|\s)({pattern})$", words):
            return unit
    return ""


def without_unit(words: str, stored: str) -> str:
    """The words of a name before those that say its unit."""
    for pattern in UNITS.get(stored, {}).values():
        if found := re.search(rf"\s({pattern})$", words):
            return words[: found.start()]
    return words
