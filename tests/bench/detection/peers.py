"""Other quality control from PyPI, used as its documentation says: ioos_qc and titanlib.

Both test readings against limits that the user gives; these are WMO's and the sensor's. Neither tells weather from
faults: what they call bad is an alarm.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.bench.detection.detectors import WINDOW, Detector, runs
from tests.bench.detection.labelled import HOUR, Labelled
from tests.bench.detection.scoring import Found
from toolkit.quality.arrays import Bools, intervals
from toolkit.variables import BY_NAME

# A jump between two readings that is bad, by variable (WMO-No. 8: within a minute, temperature 3 K, humidity 15 %).
STEP = {"temp_out": 3.0, "out_hum": 15.0, "bar": 2.0, "wind_speed": 40.0}
BAD = 4  # QARTOD's flag
FLAT_HOURS = 6
BUDDY_KM = 100.0
BUDDY_LIMIT = 5.0  # standard deviations


def ioos_qc() -> Detector:
    """QARTOD's gross range, spike, rate of change and flat line tests on every series."""
    from ioos_qc import qartod

    def bad(data: Labelled, inside: Bools) -> Iterator[tuple[int, str, Bools]]:
        seconds = data.times[inside].astype("datetime64[s]")
        for variable in STEP.keys() & data.values.keys():
            values, one = data.values[variable], BY_NAME[variable]
            for row, series in enumerate(values[:, inside]):
                if np.isnan(series).mean() > 0.5:
                    continue
                tests = (
                    qartod.gross_range_test(series, fail_span=(one.low, one.high)),
                    qartod.spike_test(series, fail_threshold=STEP[variable], suspect_threshold=STEP[variable]),
                    qartod.rate_of_change_test(
                        series, seconds, STEP[variable] / data.cadence, STEP[variable] / data.cadence
                    ),
                    qartod.flat_line_test(series, seconds, 3 * HOUR, FLAT_HOURS * HOUR - data.cadence),
                )
                yield row, variable, np.logical_or.reduce([np.ma.filled(flags, 0) == BAD for flags in tests])

    return lambda data: _over_all_runs(data, bad, "ioos_qc")


def titanlib() -> Detector:
    """The range check and the buddy check at every time, over all stations."""
    import titanlib as titan

    def bad(data: Labelled, inside: Bools) -> Iterator[tuple[int, str, Bools]]:
        latitude, longitude, height = (
            np.array([getattr(station, name) or 0.0 for station in data.stations])
            for name in ("latitude", "longitude", "elevation")
        )
        for variable in STEP.keys() & data.values.keys():
            part, one = data.values[variable][:, inside], BY_NAME[variable]
            flags = (part < one.low) | (part > one.high)
            for slot in range(part.shape[1]):
                there = np.flatnonzero(~np.isnan(part[:, slot]) & ~flags[:, slot])
                if len(there) < 3:
                    continue
                points = titan.Points(latitude[there], longitude[there], height[there])
                found = titan.buddy_check(
                    points, part[there, slot], np.full(len(there), BUDDY_KM * 1000), np.full(len(there), 2), BUDDY_LIMIT,
                    500, -0.0065 if variable == "temp_out" else 0, one.accuracy, 2,
                )  # fmt: skip
                flags[there, slot] |= np.asarray(found) == 1
            for row in range(len(part)):
                yield row, variable, flags[row]

    return lambda data: _over_all_runs(data, bad, "titanlib")


def _over_all_runs(data: Labelled, bad: object, name: str) -> list[Found]:
    found = []
    for end in runs(data):
        inside = (data.times > end - WINDOW) & (data.times <= end)
        times = data.times[inside]
        for row, variable, flags in bad(data, inside):  # type: ignore[operator]
            for first, after in intervals(flags):
                found.append(
                    Found(row, variable, float(times[first]), float(times[after - 1]), "device_failure", end, name)
                )
    return found
