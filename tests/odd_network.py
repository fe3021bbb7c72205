"""A network with something of everything that can be odd of one, its weather and its faults by chance."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from toolkit.model import Document, Observation, Rejected, Station
from toolkit.settings import Settings, load
from toolkit.store import open_for_writing

END = 1_763_827_200  # 2025-11-22 16:00:00 UTC
HOURS = 30
STEP = 600
FAULTS = ("step", "spike", "stuck", "noise", "offset", "gap", "contradiction", "impossible", "front", "others")


def collected(db: str, seed: int, number: int) -> Settings:
    """Fill a database with 30 hours of observations, and say how its network is judged.

    Most stations stand in a row, so that most are far from one another in steps from neighbour to neighbour. Some are
    alone, some have no place, some report once an hour or every half an hour, some are silent, and some move.
    """
    random = np.random.default_rng(seed)
    stations = list(_stations(random, number))
    moved = {row for row in range(number) if random.random() < 0.05}
    at_moved = END - 600 * int(random.integers(3, 30))
    with open_for_writing(db) as store:
        store.add(Document(stations, []), END - HOURS * 3600)
        weather = _observations(random, stations)
        store.add(Document([], [one for one in weather if one.time < at_moved]), at_moved)
        later = [
            one._replace(longitude=(one.longitude or 0) + 0.2) if row in moved and one.longitude is not None else one
            for row, one in enumerate(stations)
        ]
        rejected = [
            Rejected(END - 600 * int(random.integers(0, 30)), one.station_id, "temp_out", 999.0)
            for one in stations
            if random.random() < 0.02
        ]
        store.add(Document(later, [one for one in weather if one.time >= at_moved], rejected=rejected), END)
    return load(
        environ={"WEATHER_DB": db, "WEATHER_NEIGHBOUR_KM": "25", "WEATHER_EXCEPTIONS": _exceptions(random, stations)}
    ).settings


def _stations(random: np.random.Generator, number: int) -> Iterator[Station]:
    for row in range(number):
        place = 40 + float(random.uniform(-0.05, 0.05)), 20 + row * 0.12 + float(random.uniform(-0.05, 0.05))
        kind = random.random()
        latitude, longitude = place if kind > 0.05 else ((None, None) if kind < 0.02 else (60.0 + row, place[1]))
        yield Station(
            f"s{int(random.integers(1000)):03d}-{row}", None, None, latitude, longitude,
            float(random.uniform(0, 600)) if random.random() > 0.1 else None,
        )  # fmt: skip


def _observations(random: np.random.Generator, stations: list[Station]) -> list[Observation]:
    slots, count = HOURS * 6, len(stations)
    time = np.arange(slots)
    hour = time / 6

    def field(hours: float, km: float) -> np.ndarray:
        """Correlated noise, stations × slots."""
        keep, near = np.exp(-1 / (6 * hours)), np.exp(-10 / km)
        noise = random.normal(size=(count, slots))
        for slot in range(1, slots):
            noise[:, slot] = keep * noise[:, slot - 1] + np.sqrt(1 - keep**2) * noise[:, slot]
        for row in range(1, count):
            noise[row] = near * noise[row - 1] + np.sqrt(1 - near**2) * noise[row]
        return noise

    values: dict[str, np.ndarray] = {}
    values["temp_out"] = 15 + 4 * np.sin(2 * np.pi * (hour - 9) / 24) + 2 * field(8, 200) + 0.1 * field(0.1, 1)
    values["out_hum"] = np.clip(85 + 14 * field(6, 200), 10, 100)
    values["bar"] = 1010 + 5 * field(30, 500) + 0.1 * field(0.1, 1)
    wind = np.maximum(0, 6 + 8 * field(4, 150))
    values["wind_speed"] = np.round(wind / 1.6) * 1.6
    values["wind_dir"] = np.round((180 + 80 * field(10, 400)) % 360 / 22.5) % 16 * 22.5
    values["rain"] = np.cumsum(np.maximum(0, field(1, 100) - 1.2), axis=1)
    if random.random() < 0.5:
        values["rain"] -= np.where(hour >= 12, values["rain"][:, [72]], 0)
    values["hi_temp"], values["low_temp"] = values["temp_out"] + 0.2, values["temp_out"] - 0.2
    values["hi_speed"] = np.round(wind * 1.5 / 1.6) * 1.6
    for row in range(count):
        if random.random() < 0.25:
            _fault(random, str(random.choice(FAULTS)), row, values)
    absent = random.random((count, slots)) < 0.02
    for row in range(count):
        kind = random.random()
        if kind < 0.06:
            absent[row] |= time % 6 != 5
        elif kind < 0.1:
            absent[row] |= time % 3 != 1
        elif kind < 0.13:
            absent[row, slots - int(random.integers(10, 60)) :] = True
        elif kind < 0.15:
            absent[row] |= random.random(slots) < 0.8
        elif kind < 0.17:
            absent[row] = True
        elif kind < 0.2:
            values["out_hum"][row] = np.nan
    digits = {"out_hum": 0, "wind_dir": 1}
    rounded = {name: np.round(of_it, digits.get(name, 1)) for name, of_it in values.items()}
    nothing = Observation(0, "", *[None] * (len(Observation._fields) - 2))
    return [
        nothing._replace(
            time=END - STEP * (slots - 1 - slot),
            station_id=station.station_id,
            **{
                name: None if np.isnan(of_it[row, slot]) else float(of_it[row, slot]) for name, of_it in rounded.items()
            },
        )
        for slot in range(slots)
        for row, station in enumerate(stations)
        if not absent[row, slot]
    ]


def _fault(random: np.random.Generator, kind: str, row: int, values: dict[str, np.ndarray]) -> None:
    slots = HOURS * 6
    first = slots - int(random.integers(4, 40))
    name = str(random.choice(["temp_out", "out_hum", "bar", "wind_speed"]))
    size = {"temp_out": 8.0, "out_hum": -40.0, "bar": 9.0, "wind_speed": 40.0}[name]
    of_it = values[name][row]
    match kind:
        case "step":
            of_it[first:] += size
        case "spike":
            of_it[first : first + 2] += 2 * size
        case "stuck":
            of_it[first:] = of_it[first]
        case "noise":
            of_it[first:] += size * random.normal(size=slots - first)
        case "offset":
            of_it[max(0, first - 40) :] += size / 2
        case "gap":
            values[name][row, first:] = np.nan
        case "contradiction":
            values["hi_temp"][row, first:] -= random.uniform(1, 6)
        case "impossible":
            of_it[first : first + 3] = 500
        case "front":
            for near in range(max(0, row - 3), min(len(values[name]), row + 3)):
                values[name][near, min(first + abs(near - row), slots - 1) :] += size
        case _:
            values["rain"][row] = values["rain"][row, 0]
            values["wind_dir"][row, first:] = 90.0
    if name == "out_hum":
        np.clip(values[name], 0, 100, out=values[name])


def _exceptions(random: np.random.Generator, stations: list[Station]) -> str:
    """Some sensors that are judged otherwise."""
    found = []
    for one in stations:
        kind = random.random()
        if kind < 0.02:
            found.append({"station": one.station_id, "judged": False, "reason": "of chance"})
        elif kind < 0.04:
            found.append({"station": one.station_id, "variables": ["temp_out"], "judged": False, "reason": "of chance"})
        elif kind < 0.06:
            found.append({"station": one.station_id, "variables": ["bar"], "limits": 3, "reason": "of chance"})
        elif kind < 0.08:
            found.append({"station": one.station_id, "neighbour_km": 60, "reason": "of chance"})
    return json.dumps(found)
