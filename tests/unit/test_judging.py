"""Exceptions as detection applies them."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from toolkit.detector.judging import judging
from toolkit.model import Station
from toolkit.quality.neighbours import nearest
from toolkit.sensor_exceptions import parse_exceptions
from toolkit.settings import load


@pytest.mark.parametrize(("km", "elevation"), [(15, None), (150, 80), (0.1, None), (None, 40)])
def test_another_neighbourhood_is_what_the_whole_network_would_have_with_it(
    km: float | None, elevation: float | None
) -> None:
    source = random.Random(20)
    stations = [
        Station(f"s{number}", None, None, source.uniform(35, 41), source.uniform(20, 27), source.uniform(0, 900))
        for number in range(300)
    ]
    stations[7] = stations[7]._replace(latitude=None)
    settings = load(environ={"WEATHER_ENV_FILE": "/dev/null"}).settings
    entry = {"station": "s42", "reason": "a valley", "neighbour_km": km, "neighbour_elevation_m": elevation}
    text = repr([{name: value for name, value in entry.items() if value is not None}]).replace("'", '"')
    settings = replace(settings, exceptions=parse_exceptions(text))
    usual = nearest(stations, settings.neighbour_km, settings.neighbour_elevation_m)
    whole = nearest(stations, km or settings.neighbour_km, elevation or settings.neighbour_elevation_m)
    found = judging(stations, settings, usual, ["temp_out", "bar"], 0).neighbours_of("bar")
    for name in ("rows", "exists", "close", "km"):
        one, expected, others = (getattr(each, name) for each in (found, whole, usual))
        there = whole.exists[42] if name in {"rows", "km"} else slice(None)
        np.testing.assert_allclose(one[42][there], expected[42][there], atol=1e-6)
        np.testing.assert_array_equal(np.delete(one, 42, axis=0), np.delete(others, 42, axis=0))
