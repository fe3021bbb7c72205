"""Placeholders told from facts: numbers that stand for no value, or for one that is told in words.

What is possible is a fact, however suspicious: 0 °C, 0 mm, 999.9 hPa, a direction of 0° (north, as is 360°). What is
impossible is a placeholder if `values.is_placeholder` knows its form, if `CODES` has it for its variable, or if a
document tells the very same value of many stations, or again and again of one. Every other impossible value is one that
a sensor gave: it is rejected, and the detector sees it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from toolkit.model import Rejected
from toolkit.variables import Variable

CODES: Mapping[str, Mapping[float, float | None]] = {
    # 990: a variable direction (WMO-No. 306, vol. I.1, code table 0877: 99).
    "wind_dir": {990.0: None},
    "hi_dir": {990.0: None},
    # Of the depth of snow 997 is less than 0.5 cm, 998 a cover that is not continuous, 999 none that could be measured
    # (code table 3889); in BUFR the last two are -2 cm (descriptor 0 13 013).
    "snow_depth": {997.0: 0.0, 998.0: None, 999.0: None, -2.0: None},
    # A trace of precipitation: less than can be measured (BUFR, descriptor 0 13 011).
    "rain": {-0.1: 0.0},
    # What drivers give for a thermometer that does not answer.
    "temp_out": {-127.0: None},
}
"""By variable, in its unit: what a number means that measures nothing."""

TRACE = {"t", "tr", "trace"}
"""What stands for less precipitation than can be measured: it counts as none (WMO-No. 8, vol. I, ch. 6)."""

STATIONS = 10
"""The same impossible value at so many stations of one document is a placeholder."""
TIMES = 12
"""The same at one station so many times in one document, and no other impossible value of that variable, likewise."""


def highest(variable: Variable) -> float:
    """Up to which value all that are possible are facts, without looking further."""
    codes = [code for code in CODES.get(variable.name, {}) if variable.low <= code <= variable.high]
    return math.nextafter(min(codes), -math.inf) if codes else variable.high


def constant(rejected: Iterable[Rejected]) -> set[tuple[str, str, float]]:
    """The station, variable and value of those impossible values that are placeholders, for they are constant.

    Args:
        rejected: the impossible values of a document.
    """
    at: dict[tuple[str, float], set[str]] = defaultdict(set)
    of: dict[tuple[str, str], Counter[float]] = defaultdict(Counter)
    for one in rejected:
        at[one.variable, one.value].add(one.station_id)
        of[one.station_id, one.variable][one.value] += 1
    found = {
        (station, variable, value)
        for (variable, value), stations in at.items()
        if len(stations) >= STATIONS
        for station in stations
    }
    for (station, variable), values in of.items():
        (value, number), *others = values.most_common(2)
        if number >= TIMES and not others:
            found.add((station, variable, value))
    return found
