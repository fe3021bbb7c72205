"""What a subset of BUFR says of a surface station: the elements of WMO's templates for SYNOP and automatic stations.

A station's id is its WIGOS identifier. Where a message has only a block and a station number it is the one that WMO's
Guide to WIGOS (WMO-No. 1165) gives such a station: 0-20000-0- and the five digits. A station is then the same whether a
message has one or the other. Stations without either have the name by which their own network calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from toolkit.wigos import is_wigos_id

KELVIN = 273.15
METRES_PER_SECOND = 3.6
# The heights above ground, in metres, of thermometers and of anemometers (WMO-No. 8); of several the nearest is taken.
SCREEN, MAST = 2.0, 10.0
# Of what is a sum or an extreme of a period the shortest period is taken; of an unknown one if there is no other.
UNKNOWN = 1e9
MEAN = 4  # of the code table of 008023, statistics

_HEIGHT, _STATISTIC = "007032", "008023"
_PERIODS = {"004024": 3600.0, "004025": 60.0, "004026": 1.0}
_TIME = ("004001", "004002", "004003", "004004", "004005", "004006")
_WIGOS = ("001125", "001126", "001127", "001128")
_ONCE = {
    "005001": "latitude", "005002": "latitude", "006001": "longitude", "006002": "longitude", "007030": "elevation",
    "007001": "elevation", "001015": "station_name_en", "001019": "station_name_en", "010051": "bar",
    "013013": "snow_depth",
}  # fmt: skip
_NEAREST = {
    "012101": ("temp_out", SCREEN), "012001": ("temp_out", SCREEN), "012004": ("temp_out", SCREEN),
    "012103": ("dew_point", SCREEN), "012003": ("dew_point", SCREEN), "012006": ("dew_point", SCREEN),
    "013003": ("out_hum", SCREEN), "011001": ("wind_dir", MAST), "011011": ("wind_dir", MAST),
    "011002": ("wind_speed", MAST), "011012": ("wind_speed", MAST),
}  # fmt: skip
_RAIN = {
    "013011": 0,
    "013019": 1,
    "013020": 3,
    "013021": 6,
    "013022": 12,
    "013023": 24,
}  # hours; 0 where the message says it
_GUST_FROM, _GUST, _RADIATION = "011043", "011041", "014028"
_NAMES = ("001001", "001002", "001018", "001011", "001101", "001102")
_ABOUT = frozenset({*_TIME, *_WIGOS, *_NAMES})

WANTED = frozenset(
    {_HEIGHT, _STATISTIC, *_PERIODS, *_TIME, *_WIGOS, *_ONCE, *_NEAREST, *_RAIN, _GUST_FROM, _GUST, _RADIATION, *_NAMES}
)


def fields(said: Iterable[tuple[str, float | str | None]]) -> dict[str, Any]:
    """What a subset says, under the names and in the units of the store."""
    report = _Report()
    for name, value in said:
        report.take(name, value)
    return _stored(report.found) | _identifier(report.about) | {"time": _time(report.about)}


class _Report:
    """A report, while its elements are taken in their order: heights and periods hold for those that follow.

    Attributes:
        found: values, by the names of the store, in the units of the tables.
        about: elements of station and time, by descriptor.
    """

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.about: dict[str, Any] = {}
        self._ranks: dict[str, float] = {}
        self._height: Any = None
        self._period: float | None = None
        self._statistic: Any = None
        self._gust_from: Any = None

    def take(self, name: str, value: Any) -> None:
        if name == _HEIGHT:
            self._height = value
        elif name == _STATISTIC:
            self._statistic = value
        elif name in _PERIODS:
            self._period = None if value is None else abs(value) * _PERIODS[name]
        elif value is not None:
            if name in _ONCE:
                self.found.setdefault(_ONCE[name], value)
            elif name in _ABOUT:
                self.about.setdefault(name, value)
            elif self._statistic in {None, MEAN}:
                self._measured(name, value)

    def _measured(self, name: str, value: float) -> None:
        period = self._period or UNKNOWN
        if name in _NEAREST:
            stored, usual = _NEAREST[name]
            self._offer(stored, value, 0.0 if self._height is None else abs(self._height - usual))
        elif name in _RAIN:
            self._offer("rain", value, 3600 * _RAIN[name] or period)
        elif name == _GUST_FROM:
            self._gust_from = value
        elif name == _GUST:
            self._offer("hi_dir", self._gust_from, period)
            self._offer("hi_speed", value, period)
            self._gust_from = None
        elif period != UNKNOWN:
            self._offer("solar_radiation", value / period, period)

    def _offer(self, stored: str, value: float | None, rank: float) -> None:
        if rank < self._ranks.get(stored, UNKNOWN + 1):
            self._ranks[stored] = rank
            self.found[stored] = value


def _celsius(kelvin: float) -> float:
    return kelvin - KELVIN


def _per_hour(speed: float) -> float:
    return speed * METRES_PER_SECOND


_CHANGES: dict[str, Callable[[float], float | None]] = {
    "temp_out": _celsius,
    "dew_point": _celsius,
    "bar": lambda pascal: pascal / 100,
    "wind_speed": _per_hour,
    "hi_speed": _per_hour,
    "solar_radiation": lambda watts: watts,
    # The tables give traces numbers below zero: -0.1 mm; -0.01 m for less than 0.5 cm, -0.02 m for snow in places.
    "rain": lambda amount: max(0.0, amount),
    "snow_depth": lambda metres: None if metres < -0.015 else max(0.0, metres * 100),
}


def _stored(found: dict[str, Any]) -> dict[str, Any]:
    for name, change in _CHANGES.items():
        if (value := found.get(name)) is not None:
            changed = change(value)
            found[name] = changed if changed is None else round(changed, 2)
    # A direction of 0 is calm, or variable; north is 360.
    return found | {name: found.get(name) or None for name in ("wind_dir", "hi_dir")}


def _identifier(about: dict[str, Any]) -> dict[str, str | None]:
    """The station's id, and the WIGOS identifier if it has one."""
    block, number, short, ship, state, national = map(about.get, _NAMES)
    series, issuer, issue, local = map(about.get, _WIGOS)
    given = None not in {series, issuer, issue, local}
    wigos_id = f"{series:.0f}-{issuer:.0f}-{issue:.0f}-{local}" if given else ""
    if not is_wigos_id(wigos_id):
        wigos_id = "" if None in {block, number} else f"0-20000-0-{block:02.0f}{number:03.0f}"
    if wigos_id:
        return {"station_id": wigos_id, "wigos_id": wigos_id}
    return {"station_id": short or ship or (None if None in {state, national} else f"{state:.0f}-{national:.0f}")}


def _time(about: dict[str, Any]) -> str | None:
    year, month, day, hour, minute, second = (about.get(name) for name in _TIME)
    if year is None or month is None or day is None or hour is None:
        return None
    clock = f"{hour:02.0f}:{minute or 0:02.0f}:{(second or 0) // 1:02.0f}"
    return f"{year:04.0f}-{month:02.0f}-{day:02.0f}T{clock}Z"
