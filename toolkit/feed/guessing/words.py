"""What networks call what we store, and how they say in which unit: the words by which a field is recognised.

What they call a variable is declared with it, in toolkit/variables.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from toolkit.variables import MEASURED

# By what is stored: patterns of a name in small letters, whose words are separated by blanks; the best first.
NAMES: Mapping[str, tuple[str, ...]] = {
    "station_id": (
        r"(station|site|source|platform|location) ?(id|code|identifier|number|nr|file)",
        r"stid|icao( id)?|wigos.*|wmo( id)?|stn",
        r"station( location)?|site|fid|id|code|idema|mac(address)?",
        r"key",
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
    **{one.name: (*one.called, re.escape(one.label)) for one in MEASURED},
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
