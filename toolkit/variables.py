"""The variables of an observation, declared once: their names, units, and how finely the store keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Nature = Literal["level", "gusty", "circular", "rare"]


@dataclass(frozen=True, slots=True)
class Variable:
    """A measured quantity.

    Attributes:
        name: the field of the feed and the column of `observations`.
        unit: as people read it.
        per_unit: stored steps per unit; 10 keeps tenths as a small integer (see `store.encoding`).
        accuracy: of a good station's sensor, in `unit` (Davis Vantage Pro2, which the NOA network uses; a direction
            is told to 16 points). A deviation within it is no anomaly, however calm the window was.
        nature: how it varies: `level` about a level that neighbours share, `gusty` likewise but the more the higher
            it is, `circular` (a direction), or `rare` (zero for days).
        low, high: what is physically possible, in `unit`: wider than the WMO's records of weather extremes
            (-89.2 and 56.7 °C, 408 km/h, 1825 mm in a day) and than pressure at the highest stations.
    """

    name: str
    unit: str
    per_unit: int
    accuracy: float
    low: float
    high: float
    nature: Nature


MEASURED = (
    Variable("temp_out", "°C", 10, 0.3, -95, 62, "level"),
    Variable("hi_temp", "°C", 10, 0.3, -95, 62, "level"),
    Variable("low_temp", "°C", 10, 0.3, -95, 62, "level"),
    Variable("out_hum", "%", 1, 3.0, 0, 100, "level"),
    Variable("bar", "hPa", 10, 1.0, 450, 1100, "level"),
    Variable("rain", "mm", 10, 0.2, 0, 2000, "rare"),
    Variable("wind_speed", "km/h", 10, 3.2, 0, 450, "gusty"),
    Variable("wind_dir", "°", 10, 22.5, 0, 360, "circular"),
    Variable("hi_speed", "km/h", 10, 3.2, 0, 450, "gusty"),
    Variable("hi_dir", "°", 10, 22.5, 0, 360, "circular"),
)

BY_NAME = {variable.name: variable for variable in MEASURED}

# Judged unless asked otherwise. Where the wind comes from is a matter of place; rain is mostly zero or, as the total of
# the day, a staircase: neither fits a test made for a series that varies around a mean.
DETECTED = ("temp_out", "out_hum", "bar", "wind_speed")

COMPASS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
"""The 16 points, clockwise from north, 22.5° apart."""
