"""Other quality control from PyPI, used as its documentation says: ioos_qc and titanlib.

Both test readings against limits that the user gives: the textbook's, or those of the network's own archive. Neither
tells weather from faults: what they call bad is an alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tests.bench.detection.detectors import Detector, runs
from tests.bench.detection.labelled import HOUR, Floats, Labelled
from tests.bench.detection.scoring import Found
from toolkit.quality.arrays import Bools, intervals
from toolkit.variables import BY_NAME

BAD = 4  # QARTOD's flag
CONTEXT = 24 * HOUR
"""What a run is given, so that a flat line can be longer than our window."""
BUDDY_KM = 100.0
BUDDY_LIMIT = 5.0  # standard deviations
RARE = 1e-4
"""A limit from an archive is passed by this share of its readings, those of flat lines and buddies by ten times as many.

Tried on two networks with shares from 1e-5 to 0.01: these are the best by F1.
"""


@dataclass(frozen=True)
class Limits:
    """What a user sets for a variable, in its unit.

    Attributes:
        low, high: the gross range.
        spike: how far a reading may be from the mean of the two beside it.
        step: how far from the reading before, one cadence ago.
        flat_hours: how long it may stay the same.
        spread: the smallest standard deviation that the buddy check assumes among neighbours.
    """

    low: float
    high: float
    spike: float
    step: float
    flat_hours: float
    spread: float


# A jump between two readings that is bad (WMO-No. 8: within a minute, temperature 3 K, humidity 15 %).
_STEP = {"temp_out": 3.0, "out_hum": 15.0, "bar": 2.0, "wind_speed": 40.0}
TEXTBOOK = {
    name: Limits(BY_NAME[name].low, BY_NAME[name].high, step, step, 6, BY_NAME[name].accuracy)
    for name, step in _STEP.items()
}


def learnt(archive: Labelled) -> dict[str, Limits]:
    """Limits from a network's archive: what its readings hardly ever pass."""
    return {name: _learnt(archive, name) for name in _STEP if name in archive.values}


def _learnt(archive: Labelled, name: str) -> Limits:
    values = archive.values[name]
    one = BY_NAME[name]
    margin = float(np.ptp(np.nanquantile(values, (0.25, 0.75))))
    middle = np.abs(values[:, 1:-1] - (values[:, :-2] + values[:, 2:]) / 2)
    lengths = [after - first for row in values for first, after in intervals(row[1:] == row[:-1])]
    # From the mean of the others: what the buddy check takes for off.
    others = np.count_nonzero(~np.isnan(values), axis=0) - 1
    mean = (np.nansum(values, axis=0) - values) / np.maximum(others, 1)
    return Limits(
        low=-_rare(-values) - margin,
        high=_rare(values) + margin,
        spike=_rare(middle),
        step=_rare(np.abs(np.diff(values))),
        flat_hours=_rare(np.array(lengths, dtype=np.float64), 10 * RARE) * archive.cadence / HOUR,
        spread=max(one.accuracy, _rare(np.abs(values - mean)[:, others > 0], 10 * RARE) / BUDDY_LIMIT),
    )


def _rare(values: Floats, share: float = RARE) -> float:
    known = values[~np.isnan(values)]
    return float(np.quantile(known, 1 - share)) if known.size else np.inf


def ioos_qc(limits: Mapping[str, Limits] = TEXTBOOK) -> Detector:
    """QARTOD's gross range, spike, rate of change and flat line tests on every series."""
    from ioos_qc import qartod

    def bad(data: Labelled, inside: Bools) -> Iterator[tuple[int, str, Bools]]:
        seconds = data.times[inside].astype("datetime64[s]")
        for variable, one in limits.items():
            if variable not in data.values:
                continue
            for row, series in enumerate(data.values[variable][:, inside]):
                if np.isnan(series).mean() > 0.5:
                    continue
                flat = one.flat_hours * HOUR
                tests = [
                    qartod.gross_range_test(series, fail_span=(one.low, one.high)),
                    qartod.spike_test(series, fail_threshold=one.spike, suspect_threshold=one.spike),
                    qartod.rate_of_change_test(series, seconds, one.step / data.cadence, one.step / data.cadence),
                ]
                if flat < CONTEXT:
                    tests.append(qartod.flat_line_test(series, seconds, flat / 2, flat))
                yield row, variable, np.logical_or.reduce([np.ma.filled(flags, 0) == BAD for flags in tests])

    return lambda data: _over_all_runs(data, bad, "ioos_qc")


def titanlib(limits: Mapping[str, Limits] = TEXTBOOK) -> Detector:
    """The range check and the buddy check at every time, over all stations."""
    import titanlib as titan

    def bad(data: Labelled, inside: Bools) -> Iterator[tuple[int, str, Bools]]:
        latitude, longitude, height = (
            np.array([getattr(station, name) or 0.0 for station in data.stations])
            for name in ("latitude", "longitude", "elevation")
        )
        for variable, one in limits.items():
            if variable not in data.values:
                continue
            part = data.values[variable][:, inside]
            flags = (part < one.low) | (part > one.high)
            for slot in range(part.shape[1]):
                there = np.flatnonzero(~np.isnan(part[:, slot]) & ~flags[:, slot])
                if len(there) < 3:
                    continue
                points = titan.Points(latitude[there], longitude[there], height[there])
                found = titan.buddy_check(
                    points, part[there, slot], np.full(len(there), BUDDY_KM * 1000), np.full(len(there), 2), BUDDY_LIMIT,
                    500, -0.0065 if variable == "temp_out" else 0, one.spread, 2,
                )  # fmt: skip
                flags[there, slot] |= np.asarray(found) == 1
            for row in range(len(part)):
                yield row, variable, flags[row]

    return lambda data: _over_all_runs(data, bad, "titanlib")


def _over_all_runs(
    data: Labelled, bad: Callable[[Labelled, Bools], Iterator[tuple[int, str, Bools]]], name: str
) -> list[Found]:
    found = []
    for end in runs(data):
        inside = (data.times > end - CONTEXT) & (data.times <= end)
        times = data.times[inside]
        for row, variable, flags in bad(data, inside):
            for first, after in intervals(flags):
                found.append(
                    Found(row, variable, float(times[first]), float(times[after - 1]), "device_failure", end, name)
                )
    return found
