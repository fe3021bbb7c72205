"""The units in which a feed may give a value, and how each comes to the unit in which it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Conversion(NamedTuple):
    """A value in the stored unit is `value * factor + offset`."""

    factor: float
    offset: float = 0


# By the stored unit. Exact by definition: the international inch and nautical mile, the conventional inch and
# millimetre of mercury (ISO 80000).
CONVERSIONS: Mapping[str, Mapping[str, Conversion]] = {
    "°C": {"°C": Conversion(1), "°F": Conversion(5 / 9, -160 / 9), "K": Conversion(1, -273.15)},
    "%": {"%": Conversion(1), "1": Conversion(100)},
    "hPa": {
        "hPa": Conversion(1), "Pa": Conversion(0.01), "kPa": Conversion(10), "inHg": Conversion(33.86389),
        "mmHg": Conversion(1.333224),
    },
    "mm": {"mm": Conversion(1), "cm": Conversion(10), "in": Conversion(25.4)},
    "km/h": {"km/h": Conversion(1), "m/s": Conversion(3.6), "kt": Conversion(1.852), "mph": Conversion(1.609344)},
    "°": {"°": Conversion(1)},
    "W/m²": {
        "W/m²": Conversion(1), "W/m2": Conversion(1), "W m-2": Conversion(1), "kW/m²": Conversion(1000),
    },
    "cm": {"cm": Conversion(1), "mm": Conversion(0.1), "m": Conversion(100), "in": Conversion(2.54)},
    "m": {"m": Conversion(1), "ft": Conversion(0.3048)},
}  # fmt: skip


def conversions_to(unit: str) -> Mapping[str, Conversion]:
    """The units in which a value that is stored in `unit` may come; of one that has no others, that one alone."""
    return CONVERSIONS.get(unit, {unit: Conversion(1)})


def udunits(unit: str) -> str:
    """A stored unit as UDUNITS and so the CF conventions write it, in ASCII."""
    return _UDUNITS.get(unit, unit)


_UDUNITS = {"°C": "degree_Celsius", "km/h": "km h-1", "°": "degree", "W/m²": "W m-2"}
