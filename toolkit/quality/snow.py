"""Snow depth: what no snow does, falling, settling or melting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.quality.arrays import Bools, Floats, previous, slots_since_previous
from toolkit.quality.base import Evidence, Exclusion, Preparation, Sample, Thresholds, threshold
from toolkit.quality.contradiction import Contradictions, ContradictionTest, of_rows, one_by_one
from toolkit.quality.criteria import Condition
from toolkit.variables import Variable


@dataclass(frozen=True, slots=True)
class SnowThresholds(Thresholds):
    """How fast the depth may change, and in which air."""

    rise: float = threshold(20.0, "cm/h", "snow does not fall faster", "the record of a day, 193 cm, is 8 cm an hour")
    fall: float = threshold(20.0, "cm/h", "nor settle or melt faster: some centimetres an hour at most")
    jump: float = threshold(10.0, "cm", "a smaller change is noise: grass, drift, a person")
    warm: float = threshold(5.0, "°C", "no snow stays on the ground that falls through air as warm as this",
                            "rain and snow are equally likely at -0.4 to 2.4 °C (Jennings et al. 2018)")  # fmt: skip
    warm_rise: float = threshold(4.0, "cm", "a rise of so much in so warm air is no snow: four times the accuracy")
    warm_hours: float = threshold(3.0, "h", "the time over which it is counted")


LIMITS = SnowThresholds()


def judge(sample: Sample) -> Contradictions:
    """Which depths contradict the one before or the air."""
    series = sample.series
    window, hour = series.window, series.per_hour
    depth, air = series.values, sample.values["temp_out"]
    back = max(1, round(LIMITS.warm_hours * hour))
    grown = np.full(depth.shape, np.nan)
    coldest = np.full(depth.shape, np.nan)
    if depth.shape[1] > back:
        least = _least(depth, back + 1)
        grown[:, back:] = depth[:, back:] - np.where(np.isinf(least), np.nan, least)
        coldest[:, back:] = _least(air, back + 1)
    warm = (grown >= LIMITS.warm_rise) & (coldest > LIMITS.warm) & np.isfinite(coldest)
    # What grew in warm air was no snow: where that is gone, the depth is as it was before.
    believed = np.where(warm, np.nan, depth)
    before, hours = previous(believed), slots_since_previous(believed) / hour
    change = depth - before
    rise, fall = np.maximum(LIMITS.jump, LIMITS.rise * hours), np.maximum(LIMITS.jump, LIMITS.fall * hours)
    risen, fallen = change > rise, -change > fall
    jumped = risen | fallen
    since = jumped[:, -window:].any(axis=1)
    sample.note(risen, Condition("rise since the reading before", change, ">", rise, "cm"), earlier=since)
    sample.note(fallen, Condition("fall since the reading before", -change, ">", fall, "cm"), earlier=since)
    sample.note(
        warm,
        Condition("growth", grown, "≥", LIMITS.warm_rise, "cm"),
        Condition("the coldest air meanwhile", coldest, ">", LIMITS.warm, "°C"),
        what="snow that grows in warm air",
    )
    return {
        "{value} cm is a jump that no snow makes": _until_back(depth, before, jumped)[:, -window:],
        "it has grown in air that is too warm for snow": warm[:, -window:],
    }


class Snow(ContradictionTest):
    """Jumps of the depth, and a depth that grows in warm air."""

    name = "snow"
    standard_name = "rate of change"
    source = "WMO-No. 8, vol. II, ch. 2; QARTOD manuals"
    finds = "a snow depth that jumps, or grows in warm air"
    limit = "what snow can do in an hour; 5 °C"
    thresholds = LIMITS
    evidence = Evidence.CONCLUSIVE
    exclusion = Exclusion.NEVER
    preparation = Preparation(one_by_one(judge), of_rows)

    def applies(self, variable: Variable) -> bool:
        """To snow depth."""
        return variable.standard_name == "surface_snow_thickness"

    def needs(self, variable: Variable) -> set[str]:
        """The temperature of the air."""
        return {"temp_out"}


def _least(values: Floats, width: int) -> Floats:
    """The least of every `width` successive columns without NaNs, infinite where there is nothing else.

    It is rows × (columns - width + 1).
    """
    columns = values.shape[1] - width + 1
    found: Floats = np.full((len(values), columns), np.inf)
    for first in range(width):
        np.fmin(found, values[:, first : first + columns], out=found)
    return found


def _until_back(depth: Floats, before: Floats, jumped: Bools) -> Bools:
    """The readings from a jump on until the depth is again as before it; stations × slots."""
    found = np.zeros(depth.shape, dtype=bool)
    for row in np.flatnonzero(jumped.any(axis=1)):
        level = np.nan
        for slot in range(depth.shape[1]):
            value = depth[row, slot]
            if np.isnan(value):
                continue
            if np.isnan(level) and jumped[row, slot]:
                level = before[row, slot]
            if not np.isnan(level):
                if abs(value - level) <= LIMITS.jump:
                    level = np.nan
                else:
                    found[row, slot] = True
    return found
