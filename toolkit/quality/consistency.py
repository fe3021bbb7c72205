"""Internal consistency: what two sensors of one station say cannot both be true.

WMO-No. 8's internal consistency checks, MADIS level 2. A rule counts only where the network keeps it: what a field
means differs from feed to feed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from toolkit.quality.arrays import Bools, Floats, stretches
from toolkit.variables import BY_NAME

Values = Mapping[str, Floats]

# A network in which more than this share of readings breaks a rule does not mean what the rule means.
BROKEN_BY_OTHERS = 0.02
RUNNING = 3
# A single reading counts if it is beyond the rule by so many times the sensor's accuracy.
FAR = 5.0
DRY = 40.0  # %: no rain reaches the ground through air as dry as this
VANE = 20.0  # degrees: a vane that turns by more than this has felt a wind


class Rule(NamedTuple):
    """What must not be.

    Attributes:
        variable: which variable is blamed.
        others: what else it takes.
        beyond: by how much the rule is broken, in times of what counts; above 1 it is.
        says: the rule in words.
    """

    variable: str
    others: tuple[str, ...]
    beyond: Callable[[Values], Floats]
    says: str


def _above(one: str, other: str) -> Callable[[Values], Floats]:
    accuracy = BY_NAME[one].accuracy
    return lambda values: (values[one] - values[other]) / accuracy


def _turning_in_a_calm(values: Values) -> Floats:
    turned = np.abs(np.diff(values["wind_dir"], axis=1, prepend=np.nan))
    turned = np.minimum(turned, 360 - turned)
    calm = values["wind_speed"] == 0
    # Half of the readings of the last two hours at least: a vane may be turned by a passing breath.
    return np.where(calm, _share(calm & (turned > VANE), 12) * 2.5, 0.0)


def _rain_in_dry_air(values: Values) -> Floats:
    """Whether rain was added from one reading to the next while the air was dry at both.

    In many feeds rain is the total of the day: it stays above zero in dry air until midnight, when it begins anew.
    """
    added = np.diff(values["rain"], axis=1, prepend=np.nan) > 0
    dry = values["out_hum"] < DRY
    dry[:, 1:] &= dry[:, :-1]
    return np.where(added & dry, 2.0, 0.0)


def _share(flagged: Bools, width: int) -> Floats:
    """The share of flagged slots among the last `width`."""
    summed = np.cumsum(np.hstack([np.zeros((len(flagged), width)), flagged]), axis=1)
    share: Floats = (summed[:, width:] - summed[:, :-width]) / width
    return share


RULES = (
    Rule("temp_out", ("hi_temp",), _above("temp_out", "hi_temp"), "temp_out is above hi_temp"),
    Rule("temp_out", ("low_temp",), _above("low_temp", "temp_out"), "temp_out is below low_temp"),
    Rule("wind_speed", ("hi_speed",), _above("wind_speed", "hi_speed"), "wind_speed is above the gust, hi_speed"),
    Rule("wind_speed", ("wind_dir",), _turning_in_a_calm, "the vane turns while wind_speed is 0"),
    Rule(
        "rain", ("out_hum",), _rain_in_dry_air, f"rain in air of less than {DRY:g} % humidity",
    ),
)  # fmt: skip


def needed(variable: str) -> set[str]:
    """What else has to be read to check a variable."""
    return {other for rule in RULES if rule.variable == variable for other in rule.others}


def flag(variable: str, values: Values) -> tuple[Bools, list[str]]:
    """Readings of a variable that break a rule, stations by slots, and per station the rule in words.

    Args:
        variable: which is judged.
        values: of the window, by variable, with those that are `needed`.
    """
    flagged = np.zeros(values[variable].shape, dtype=bool)
    says = [""] * len(flagged)
    for rule in RULES:
        if rule.variable != variable:
            continue
        beyond = np.nan_to_num(rule.beyond(values))
        broken = beyond > 1
        readings = ~np.isnan(values[variable]) & ~np.isnan(values[rule.others[0]])
        breaking = broken.sum(axis=1)
        others = (breaking.sum() - breaking) / np.maximum(readings.sum() - readings.sum(axis=1), 1)
        for row in np.flatnonzero((breaking > 0) & (others < BROKEN_BY_OTHERS)):
            for first, after in stretches(broken[row]):
                if after - first >= RUNNING or beyond[row, first:after].max() >= FAR:
                    flagged[row, first:after] = True
                    says[row] = rule.says
    return flagged, says
