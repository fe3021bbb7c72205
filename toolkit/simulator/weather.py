"""Simulated weather: a pure function of seed, place and time.

It is not a forecast model; it has the features that a quality-control test must cope with. Stations see the same
large-scale waves and fronts, each at its own moment; temperature has a diurnal cycle and falls with height; fronts
bring clouds, and rain that comes and goes at each station, or snow where it is cold; each station has its own offset
and its own small, slow irregularities; readings are rounded as instruments round them.

Because it is a pure function, times can be computed in any order, and a restarted simulator continues as if it had
never stopped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from toolkit.model import Observation, Station
from toolkit.quality.humidity import dew_point
from toolkit.quality.sun import cosine_of_zenith
from toolkit.variables import COMPASS

Floats = npt.NDArray[np.float64]

HOUR = 3600.0
DAY = 24 * HOUR
KM_PER_DEGREE = 111.2
LAPSE = 6.5 / 1000  # K per metre: the ICAO standard atmosphere
FRONT_EVERY = 3 * DAY
SNOW_DAYS = 6  # snow of a front is gone after so many days: fewer than those of the fronts that are looked back at


class SimulatedWeather:
    """The weather of a network.

    Args:
        stations: the network; a station without an elevation is taken to be at sea level.
        seed: the same seed gives the same weather.
    """

    def __init__(self, stations: Sequence[Station], seed: int) -> None:
        self.stations = stations
        self._seed = seed
        latitude = np.array([station.latitude or 0.0 for station in stations])
        longitude = np.array([station.longitude or 0.0 for station in stations])
        self._height = np.array([station.elevation or 0.0 for station in stations])
        self._latitude = latitude
        self._longitude = longitude
        self._north = (latitude - latitude.mean()) * KM_PER_DEGREE
        self._east = (longitude - longitude.mean()) * KM_PER_DEGREE * np.cos(np.radians(latitude.mean()))
        self._own = np.array([_key(station.station_id) for station in stations], dtype=np.uint64)

        random = np.random.default_rng([seed, 1])
        count = 12
        length = random.uniform(400, 2500, count)  # km
        bearing = random.uniform(0, 2 * np.pi, count)
        self._wave_east = 2 * np.pi * np.sin(bearing) / length
        self._wave_north = 2 * np.pi * np.cos(bearing) / length
        self._wave_rate = 2 * np.pi / (random.uniform(0.6, 6, count) * DAY)
        self._wave_phase = random.uniform(0, 2 * np.pi, (5, count))

    def at(self, time: int) -> list[Observation | None]:
        """The observation of every station at `time`, in seconds since the epoch."""
        solar_hour = (time / HOUR + self._longitude / 15) % 24
        season = np.cos(2 * np.pi * (time / DAY - 200) / 365.25)  # 1 in mid-July: 1970 began on 1 January
        sun = np.cos(2 * np.pi * (solar_hour - 15) / 24)  # warmest at 15 h
        average = 16 + 9 * season - 0.5 * (self._latitude - 38) - LAPSE * self._height
        cooling, trough, gust, wetness, snow = self._fronts(time, average)

        clear = 1 - 0.6 * wetness
        temperature = (
            average + (4 + 1.5 * season) * clear * sun + 1.8 * self._waves(time, 0) - cooling
            + self._offset(0, 0.6) + 0.15 * self._slow(time, 0) + 0.05 * self._noise(time, 0)
        )  # fmt: skip
        humidity = np.clip(
            62 - 14 * clear * sun - 8 * season + 5 * self._waves(time, 1) + 28 * wetness
            + self._offset(1, 3) + 1.0 * self._slow(time, 1) + 0.4 * self._noise(time, 1), 12, 100,
        )  # fmt: skip
        pressure = (
            1015 + 4.5 * self._waves(time, 2) - trough + 0.5 * np.cos(4 * np.pi * (solar_hour - 10) / 24)
            + self._offset(2, 0.8) + 0.04 * self._slow(time, 2) + 0.03 * self._noise(time, 2)
        )  # fmt: skip
        breeze = 5 + 4 * np.clip(sun, 0, None) + 2 * self._waves(time, 3) + self._offset(3, 1)
        breeze = breeze * np.exp(0.6 * self._waves(time, 4)) + gust  # calm days and stormy ones
        wind = np.clip(breeze + 1.2 * self._slow(time, 3) + 0.8 * self._noise(time, 3), 0, None)
        direction = (200 + 60 * self._waves(time, 1) + 80 * wetness + 15 * self._slow(time, 4)) % 360
        # Rain comes in bands of tens of minutes; what a station gets of each is its own affair.
        shower = (1 + 0.7 * self._slow(time, 5)) * (1 + 0.3 * self._noise(time, 5))
        rain = np.where(wetness > 0.35, 1.5 * (wetness - 0.35) * shower, 0).clip(0)
        spread = 0.1 + 0.1 * np.abs(self._noise(time, 6))

        # Clear-sky radiation after Haurwitz (1945), in the middle of the ten minutes, through changing clouds.
        height = cosine_of_zenith(self._latitude, self._longitude, np.array([time - 300.0]))[:, 0]
        sky = 1098 * height * np.exp(-0.057 / np.maximum(height, 0.01))
        cloud = np.clip(0.8 - 0.65 * wetness + 0.15 * self._waves(time, 3) + 0.15 * self._slow(time, 6), 0.08, 1.05)
        sun_light = np.where(height > 0, sky * cloud, 0) + 0.3 * self._noise(time, 8)
        depth = snow + np.where(snow > 0, 0.3 * self._noise(time, 9), 0)

        point = (np.rint(direction / 22.5) % 16).astype(int)
        high_point = (point + (self._noise(time, 7) > 1)) % 16
        steps = [_rounded(values, step) for values, step in (
            (temperature, 0.1), (temperature + spread, 0.1), (temperature - spread, 0.1), (humidity, 1),
            (pressure, 0.1), (rain, 0.2), (wind, 1.6), (wind * 1.5 + 1, 1.6), (sun_light.clip(0), 1),
            (dew_point(_nearest(temperature, 0.1), _nearest(humidity, 1)), 0.1), (depth.clip(0), 1),
        )]  # fmt: skip
        return [
            Observation(
                time=time,
                station_id=station.station_id,
                temp_out=temp,
                hi_temp=high,
                low_temp=low,
                out_hum=hum,
                bar=bar,
                rain=wet,
                wind_speed=speed,
                wind_dir=22.5 * to,
                wind_dir_str=COMPASS[to],
                hi_speed=hi_speed,
                hi_dir=22.5 * hi_to,
                hi_dir_str=COMPASS[hi_to],
                solar_radiation=light,
                dew_point=dew,
                snow_depth=deep,
            )
            for station, temp, high, low, hum, bar, wet, speed, hi_speed, light, dew, deep, to, hi_to in zip(
                self.stations, *steps, point.tolist(), high_point.tolist(), strict=True
            )
        ]

    def _waves(self, time: int, field: int) -> Floats:
        """A large-scale field at every station, with a variance of about 1; array of (stations,)."""
        place = np.outer(self._east, self._wave_east) + np.outer(self._north, self._wave_north)
        waves: Floats = np.cos(place - self._wave_rate * time + self._wave_phase[field]).sum(axis=1)
        return waves * float(np.sqrt(2 / len(self._wave_rate)))

    def _fronts(self, time: int, average: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """The effect of fronts by station.

        Args:
            time: seconds since the epoch.
            average: the temperature of the season in °C.

        Returns:
            Cooling in K, pressure trough in hPa, wind in km/h, wetness from 0 to 1, snow on the ground in cm.
        """
        cooling, trough, gust, wetness, snow = np.zeros((5, len(self.stations)))
        present = int(time // FRONT_EVERY)
        for which in range(present - 3, present + 2):
            random = np.random.default_rng([self._seed, 2, which])
            passes = (which + random.uniform()) * FRONT_EVERY
            bearing = random.uniform(0, 2 * np.pi)
            speed = random.uniform(25, 60)
            strength = random.uniform(2, 8)
            arrival = passes + (self._east * np.sin(bearing) + self._north * np.cos(bearing)) / speed * HOUR
            hours = (time - arrival) / HOUR
            after = np.clip(hours, 0, None)
            cooling += strength / (1 + np.exp(-np.clip(hours / 0.4, -50, 50))) * np.exp(-after / 30)
            trough += strength * 0.8 * np.exp(-np.abs(hours) / 5)
            gust += strength * 3 * np.exp(-((hours / 1.5) ** 2))
            wetness += np.exp(-(((hours - 0.5) / 1.5) ** 2))
            cold = np.clip((strength - average) / 3, 0, 1)  # all of it falls as snow at -3 °C, none of it at 0
            fallen = strength * 3 * cold / (1 + np.exp(-np.clip((hours - 2) / 0.5, -50, 50)))
            snow += fallen * np.clip(1 - after / 24 / SNOW_DAYS, 0, 1)
        return cooling, trough, gust, np.clip(wetness, 0, 1), snow

    def _slow(self, time: int, field: int) -> Floats:
        """The variation of each station by itself, smooth over tens of minutes; variance about 1."""
        total = np.zeros(len(self.stations))
        for part in range(6):
            period = 1500 + 9000 * _uniform(self._seed, self._own, 100 + part, field)
            phase = 2 * np.pi * _uniform(self._seed, self._own, 200 + part, field)
            total += np.cos(2 * np.pi * time / period + phase)
        return total / 3**0.5

    def _offset(self, field: int, size: float) -> Floats:
        """The constant difference of each station from its surroundings, with the standard deviation `size`."""
        return size * _normal(self._seed, self._own, 300, field)

    def _noise(self, time: int, field: int) -> Floats:
        """Noise that is independent from reading to reading; variance 1."""
        return _normal(self._seed, self._own, 400 + time, field)


def _rounded(values: Floats, step: float) -> list[float]:
    return [round(value, 1) for value in _nearest(values, step).tolist()]


def _nearest(values: Floats, step: float) -> Floats:
    """The nearest multiples of a step."""
    found: Floats = np.rint(values / step) * step
    return found


def _key(station_id: str) -> int:
    """A hash of a station's id that is the same in every process (FNV-1a)."""
    value = 0xCBF29CE484222325
    for byte in station_id.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def _uniform(seed: int, own: npt.NDArray[np.uint64], moment: int, field: int) -> Floats:
    """Uniform numbers in [0, 1), a pure function of the arguments (the finaliser of splitmix64)."""
    value = own ^ np.uint64(
        (seed * 0x9E3779B97F4A7C15 + moment * 0xBF58476D1CE4E5B9 + field * 0x94D049BB133111EB) % 2**64
    )
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = (value ^ (value >> np.uint64(shift))) * np.uint64(factor)
    value ^= value >> np.uint64(31)
    return (value >> np.uint64(11)).astype(np.float64) / 2**53


def _normal(seed: int, own: npt.NDArray[np.uint64], moment: int, field: int) -> Floats:
    """Normal numbers with variance 1 (Box-Muller transform), a pure function of the arguments."""
    radius = np.sqrt(-2 * np.log(1 - _uniform(seed, own, moment, 2 * field)))
    normal: Floats = radius * np.cos(2 * np.pi * _uniform(seed, own, moment, 2 * field + 1000))
    return normal
