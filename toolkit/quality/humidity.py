"""Dew point, temperature and relative humidity: any two of them give the third."""

from __future__ import annotations

import numpy as np

from toolkit.quality.arrays import Floats

# The variable whose air a relative humidity is of.
TEMPERATURE = "temp_out"
HUMIDITY = "out_hum"
# Each is the witness of the other: air that is warmed or cooled without a change of its vapour has its relative
# humidity changed by so much of itself for each kelvin, the other way: d ln(es)/dT of Magnus' formula at 15 °C.
PAIR = {TEMPERATURE: HUMIDITY, HUMIDITY: TEMPERATURE}
PER_KELVIN = 0.065
# Magnus' formula, with the constants of WMO-No. 8, vol. I, annex 4.B: over water and over ice.
WATER = 17.62, 243.12
ICE = 22.46, 272.62


def dew_point(temperature: Floats, humidity: Floats) -> Floats:
    """The dew point in °C; all arrays have one shape, which may be any.

    Args:
        temperature: °C.
        humidity: % of saturation over water.
    """
    return _saturated_at(temperature, humidity, WATER)


def frost_point(temperature: Floats, humidity: Floats) -> Floats:
    """The temperature at which the same air is saturated over ice, in °C; see `dew_point`."""
    return _saturated_at(temperature, humidity, ICE)


def _saturated_at(temperature: Floats, humidity: Floats, over: tuple[float, float]) -> Floats:
    # The logarithm of the vapour pressure, in units of 6.112 hPa.
    pressure = np.log(np.clip(humidity, 0.1, None) / 100) + WATER[0] * temperature / (WATER[1] + temperature)
    found: Floats = over[1] * pressure / (over[0] - pressure)
    return found
