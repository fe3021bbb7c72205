"""Where the sun stands, and how much of its radiation arrives above the atmosphere."""

from __future__ import annotations

import numpy as np

from toolkit.quality.arrays import Floats

SOLAR_CONSTANT = 1361.0  # W/m², total solar irradiance (Kopp and Lean 2011)
DAY = 86400.0
YEAR_DAYS = 365.2425


def cosine_of_zenith(latitude: Floats, longitude: Floats, times: Floats) -> Floats:
    """The cosine of the sun's zenith angle, negative at night; within a degree of the true sun.

    J. W. Spencer (1971): Fourier series representation of the position of the sun, Search 2, p. 172.

    Args:
        latitude: degrees north; stations.
        longitude: degrees east; stations.
        times: seconds since the epoch; slots.

    Returns:
        Stations × slots; NaN for a station whose place is not known.
    """
    angle = _year_angle(times)
    declination = (
        0.006918
        - 0.399912 * np.cos(angle) + 0.070257 * np.sin(angle)
        - 0.006758 * np.cos(2 * angle) + 0.000907 * np.sin(2 * angle)
        - 0.002697 * np.cos(3 * angle) + 0.001480 * np.sin(3 * angle)
    )  # fmt: skip
    # How far the true sun is ahead of the mean sun, in radians.
    equation_of_time = (
        0.000075
        + 0.001868 * np.cos(angle) - 0.032077 * np.sin(angle)
        - 0.014615 * np.cos(2 * angle) - 0.040849 * np.sin(2 * angle)
    )  # fmt: skip
    hour = 2 * np.pi * (times % DAY / DAY - 0.5) + equation_of_time + np.radians(longitude)[:, None]
    north = np.radians(latitude)[:, None]
    cosine: Floats = np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(declination) * np.cos(hour)
    return cosine


def above_the_atmosphere(times: Floats) -> Floats:
    """The irradiance above the atmosphere on a plane that faces the sun, in W/m²; slots. Spencer (1971)."""
    angle = _year_angle(times)
    squared_distance = (
        1.000110
        + 0.034221 * np.cos(angle) + 0.001280 * np.sin(angle)
        + 0.000719 * np.cos(2 * angle) + 0.000077 * np.sin(2 * angle)
    )  # fmt: skip
    return SOLAR_CONSTANT * squared_distance


def _year_angle(times: Floats) -> Floats:
    """The part of the year that has passed at each time, as an angle in radians; the epoch began with a year."""
    return 2 * np.pi * (times / DAY % YEAR_DAYS) / YEAR_DAYS
