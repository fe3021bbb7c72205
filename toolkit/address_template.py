"""Templates of addresses: `{station}`, another column of the stations file, and times such as `{date-1h:%Y%m%d%H}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from toolkit.address import SecretAddress

STATION = "station"
# What a template calls the column `station_id`.
_NAMES = {STATION: "station_id"}
_DATE = "date"
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_PLACE = re.compile(r"\{([A-Za-z_]\w{0,39})(?:([+-]\d{1,4})([mhd]))?(?::([^{}]*))?\}", re.ASCII)
# The codes of strftime that mean the same everywhere.
_CODES = re.compile(r"(?:[^%]|%[YymdHMSjGVu%])*")
PLAIN_FORM = "%Y-%m-%d"


def require(text: str) -> None:
    """Look whether an address is a possible template; one without braces is.

    Raises:
        ValueError: it is none; the message says what would be right.
    """
    for name, shift, form in ((found[1], found[2], found[4]) for found in _PLACE.finditer(text)):
        if name == _DATE and not _CODES.fullmatch(form or ""):
            raise ValueError(f"the form {form!r} of a date has codes other than %Y %y %m %d %H %M %S %j %G %V %u")
        if name != _DATE and (shift or form is not None):
            raise ValueError(f"only a date has a form: give {{{name}}}")
    if "{" in (rest := _PLACE.sub("", text)) or "}" in rest:
        raise ValueError("in braces give station, another column of the stations file, or a date such as {date:%Y%m%d}")
    if _PLACE.search(urlsplit(_PLACE.sub("{x}", text)).netloc):
        raise ValueError("there are braces in its host: give an address of one host")


def columns(text: str) -> list[str]:
    """The columns of the stations file of which a template takes values, each once; none if it is of no station."""
    names = [_NAMES.get(found[1], found[1]) for found in _PLACE.finditer(text) if found[1] != _DATE]
    return list(dict.fromkeys(names))


def filled(text: str, row: Mapping[str, str], at: float) -> str:
    """The address for a station at a time.

    Args:
        text: the template.
        row: the station's values of the columns.
        at: seconds since the epoch.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] != _DATE:
            return quote(row[_NAMES.get(found[1], found[1])], safe="")
        moment = datetime.fromtimestamp(at, UTC)
        if found[2]:
            moment += timedelta(**{_UNITS[found[3]]: int(found[2])})
        return moment.strftime(found[4] or PLAIN_FORM)

    address = _PLACE.sub(value, text)
    return SecretAddress(address) if isinstance(text, SecretAddress) else address
