"""Step: a jump that no neighbour shared, and what came after it until it was undone.

Up and down again within hours is a spike, up for good an offset: one test finds both. Limits are learnt from what the
station and its network have shown to be possible (`quality.jump`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolkit.quality.arrays import Bools, Floats, Ints, carried
from toolkit.quality.base import (
    Evidence,
    Exclusion,
    FlaggedInterval,
    QualityTest,
    Sample,
    Thresholds,
    WorstReading,
    number,
    threshold,
)
from toolkit.quality.criteria import Condition
from toolkit.quality.expected import Comparison
from toolkit.quality.humidity import PAIR
from toolkit.quality.jump import (
    JUMP_LIMITS,
    JumpLimits,
    beyond_weather,
    changes_across_gaps,
    level_changes,
    level_width,
    undone,
    without_the_other,
)
from toolkit.quality.series import Series, differences
from toolkit.times import from_epoch
from toolkit.variables import Variable


@dataclass(frozen=True, slots=True)
class StepThresholds(Thresholds):
    """When a change of level is a jump, and when a jump is undone; how large it must be is `jump.JumpThresholds`."""

    sigmas: float = threshold(
        4.0, "robust standard deviations of the change from slot to slot", "the jump in a change of level"
    )
    part: float = threshold(0.6, "", "share of a change of level that the jump is")
    undone: float = threshold(0.45, "", "undone: nearer to the level before than this share of the jump")
    normal: float = threshold(
        1.5, "standard deviations of the residual", "undone as well: so near to what is expected; where only stations "
        "of the region are asked, a jump to it is none"
    )  # fmt: skip
    running: int = threshold(3, "readings", "in so many successive readings")
    contradicted: float = threshold(
        3.0, "standard deviations of the residual", "and where there are neighbours, it led so far from what they imply"
    )
    alone_hours: int = threshold(
        6, "h", "the longest that is flagged without close neighbours, for nobody can tell what would have been"
    )


LIMITS = StepThresholds()


class Step(QualityTest):
    """Jumps, spikes and offsets."""

    name = "step"
    standard_name = "spike, rate of change"
    source = "QARTOD manuals; WMO-No. 8, vol. V, ch. 1 (maximum allowed variability); MADIS level 2"
    finds = "a jump that no neighbour shared, and what follows until it is undone"
    limit = "never as large before"
    thresholds = LIMITS
    evidence = Evidence.CONTRADICTED
    exclusion = Exclusion.IF_FARTHEST_OFF
    compares = True
    may_pass = True
    at_once = True
    expects_own_past = True
    preparation = JUMP_LIMITS

    def needs(self, variable: Variable) -> set[str]:
        """The other one of temperature and humidity."""
        return {PAIR[variable.name]} if variable.name in PAIR else set()

    def suspects(self, sample: Sample, prepared: JumpLimits) -> Bools:
        """The stations of which a change exceeds a limit."""
        return prepared.exceeded

    def run(self, sample: Sample, prepared: JumpLimits) -> Bools:
        """Flag what lies between a jump and its undoing, rows × window slots."""
        series, expected = sample.series, sample.expected
        window, rows = series.window, expected.rows
        readings, change = series.scaled[rows], expected.change
        moved = np.abs(change)
        variable = series.variable
        large = moved > prepared.jump[rows, None]
        # A shower comes and goes as well, and where nobody is near nobody can tell.
        back = undone(change)
        spikes = (back > prepared.spike[rows, None]) & expected.has_close_neighbour[:, None]
        jumps = large.copy()
        jumps[:, :-1] |= spikes
        shift, width = level_changes(series, expected.residual), level_width(series)
        slots = slice(width - 1, width - 1 + shift.shape[1])
        size, along = np.abs(shift), change[:, slots] * np.sign(shift)
        most, clear = LIMITS.part * size, LIMITS.sigmas * prepared.sigma[rows]
        shifts = (size > prepared.shift[rows, None]) & (along > clear[:, None]) & (along > most)
        offsets = (size >= series.scale.difference) & (along > clear[:, None]) & (along > most)
        offsets &= without_the_other(sample)[:, slots] & expected.has_close_neighbour[:, None]
        jumps[:, slots] |= shifts | offsets
        across = changes_across_gaps(readings, expected.value, series.per_hour)
        jumps[across.row, across.slot] |= across.size > prepared.jump[rows][across.row]
        flagged = np.zeros((len(readings), window), dtype=bool)
        for row in np.flatnonzero(jumps.any(axis=1)):
            flagged[row] = _until_undone(series, expected, int(row), np.flatnonzero(jumps[row]))[-window:]
        flagged &= ~np.isnan(readings[:, -window:])
        since, unit = flagged.any(axis=1), series.scaled_unit
        by = "change from the reading before that neighbours did not share"
        sample.note(
            large, Condition(by, moved, ">", prepared.jump[rows], unit), what="a jump", rows=rows, earlier=since
        )
        sample.note(
            spikes,
            Condition("what of such a change the next one undid", back, ">", prepared.spike[rows], unit),
            Condition("close neighbours", sample.neighbours.close[rows].sum(axis=1), "≥", 1),
            what="a spike", rows=rows, after=1, earlier=since,
        )  # fmt: skip
        sample.note(
            shifts,
            Condition("change of the level", size, ">", prepared.shift[rows], unit),
            Condition(f"{by}, along with it", along, ">", clear, unit),
            Condition("the same, beside the change of the level", along, ">", most, unit),
            what="a change of level", rows=rows, after=width - 1, earlier=since,
        )  # fmt: skip
        if variable.name in PAIR:
            sample.note(
                offsets,
                Condition("change of the level", size, "≥", series.scale.difference, unit),
                Condition(f"{by}, along with it", along, ">", clear, unit),
                Condition("the same, beside the change of the level", along, ">", most, unit),
                Condition("close neighbours", sample.neighbours.close[rows].sum(axis=1), "≥", 1),
                what=f"an offset: it jumped, and {PAIR[variable.name]} did not as that of air does",
                rows=rows, after=width - 1, earlier=since,
            )  # fmt: skip
        return flagged

    def explain(self, interval: FlaggedInterval, worst: WorstReading, prepared: JumpLimits) -> str:
        """From which value to which it jumped, and when."""
        return last_jump(interval, prepared)


def last_jump(interval: FlaggedInterval, limits: JumpLimits) -> str:
    """The last jump up to the first flagged slot, which may have been before the window, as a clause."""
    series, row = interval.series, interval.row
    readings = series.values[row]
    there = np.flatnonzero(~np.isnan(readings[: interval.slots.start + 1]))
    changes = np.abs(np.diff(series.scaled[row, there]))
    large = np.flatnonzero(changes > LIMITS.part * limits.jump[row])
    at = int(large[-1]) if len(large) else len(there) - 2
    if at < 0:
        return "it jumped"
    when = from_epoch(series.ends[there[at + 1]])
    values = f"from {number(readings[there[at]])} to {number(readings[there[at + 1]])} {series.variable.unit}"
    return f"it jumped {values} at {when:%H:%M} UTC"


def _until_undone(series: Series, expected: Comparison, row: int, jumps: Ints) -> Bools:
    """The slots between each jump and the moment when the station is back where it was.

    Args:
        series: the variable.
        expected: what is expected of some stations.
        row: the place of the station among them.
        jumps: the slots before each jump, ascending.

    Returns:
        One bool for each slot of the series.
    """
    width = level_width(series)
    readings = series.scaled[expected.rows[row]]
    residual = _against_last_expected(readings, expected.value[row])
    large = np.abs(differences(series.variable, readings, residual)) >= series.scale.difference
    contradicted = large & (np.abs(residual) > LIMITS.contradicted * expected.sigma[row])
    unusual = large & (np.abs(residual) > LIMITS.normal * expected.residual_sigma[row])
    change = expected.change[row]
    slots = residual.size
    wrong = np.zeros(slots, dtype=bool)
    until = 0
    for slot in jumps.tolist():
        if slot < until:
            continue
        before = residual[max(0, slot - width + 1) : slot + 1]
        if np.isnan(before).all():
            continue
        level = float(np.nanmedian(before))
        jump = change[slot]
        if np.isnan(jump):
            jump = residual[slot + 1] - level
        alone_until = min(slots, slot + 1 + LIMITS.alone_hours * series.per_hour)
        last = slots if expected.has_close_neighbour[row] else alone_until
        there = slot + 1 + np.flatnonzero(~np.isnan(residual[slot + 1 : last]))
        after = residual[there] - level
        back = (np.abs(after) < LIMITS.undone * abs(jump)) | (np.sign(after) != np.sign(jump))
        back |= np.abs(residual[there]) < LIMITS.normal * expected.residual_sigma[row]
        until = last
        for first in np.flatnonzero(back).tolist():
            if back[first : first + LIMITS.running].all():
                until = max(int(there[first]), slot + 2)
                break
        if expected.has_close_neighbour[row]:
            far = np.flatnonzero(contradicted[slot:until])
            wrong[slot + 1 : max(slot + far[-1], slot + 1) + 1 if len(far) else slot + 1] = True
        elif (
            not expected.has_reference[row]
            or contradicted[slot]
            or unusual[slot + 1 : until].any()
            or beyond_weather(series, expected.rows[row], slot + 1)
        ):
            wrong[slot + 1 : until] = True
    return wrong


def _against_last_expected(readings: Floats, value: Floats) -> Floats:
    """A station's residuals in its slots; where all neighbours are silent, against what was expected last, or zero."""
    against: Floats = readings - np.nan_to_num(carried(value[None])[0])
    return against
