"""The rules of a sensor's health, each declared once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

State = Literal["healthy", "warning", "critical"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A figure of a sensor's health, and from where on it makes a warning or is critical.

    Attributes:
        name: of the figure.
        warning: the limit of a warning.
        critical: the limit of what is critical.
        unit: of the figure and its limits.
        finds: what is wrong with a sensor that breaks the rule.
        reason: the sentence for people, with the places `{value}`, `{limit}`, and `{more}` for what else is known.
        origin: where the limits come from.
        least: whether the limits are the least that is good; otherwise they are the most.
    """

    name: str
    warning: float
    critical: float
    unit: str
    finds: str
    reason: str
    origin: str = ""
    least: bool = False

    def state(self, value: float) -> State:
        """The state that a value gives; NaN, where a figure is not known, is never wrong."""
        if self._broken(value, self.critical):
            return "critical"
        return "warning" if self._broken(value, self.warning) else "healthy"

    def looser(self, factor: float) -> Rule:
        """The same rule with limits that are as many times as far from what is good."""
        factor = 1 / factor if self.least else factor
        return self if factor == 1 else replace(self, warning=self.warning * factor, critical=self.critical * factor)

    def says(self, value: float, more: str) -> str:
        """What is wrong with a value that breaks the rule."""
        limit = self.critical if self._broken(value, self.critical) else self.warning
        return self.reason.format(value=value, limit=limit, more=more)

    def _broken(self, value: float, limit: float) -> bool:
        return value < limit if self.least else value > limit


_BENCH = "`tests/bench/detection/health.py`, 2026-11-26"
_USUAL = "times what is usual between stations of the network"

RULES = (
    Rule(
        "unit", 4, 4, "times nearer to the neighbours in another unit",
        "a unit that is another, for all the time or from one day on",
        "the unit is wrong: the values fit the neighbours' if they are {more}", _BENCH,
    ),
    Rule(
        "silent", 12, 24, "h", "nothing good arrives any more",
        "no good value for {value:.0f} h, over {limit:g} h", "an outage of a night, and of a day",
    ),
    Rule(
        "completeness", 0.8, 0.5, "share", "the station reports less often than its own rhythm promises",
        "{value:.0%} of the expected observations arrived, under {limit:.0%}",
        "CrowdQC+, level o3: 80 % of a month", least=True,
    ),
    Rule(
        "missing", 0.2, 0.5, "share", "observations without this value",
        "{value:.0%} of the observations have no value, over {limit:.0%}", "CrowdQC+, level o3",
    ),
    Rule(
        "flipping", 1, 2, "times a day", "a hygrometer that jumps between the ends of its scale",
        "flips between the ends of its scale, {value:.1f} times a day, over {limit:g}", _BENCH,
    ),
    Rule(
        "saturated", 0.15, 0.3, "share of the days", "a hygrometer that stays near 100 % beside drier neighbours",
        "stuck near 100% on {value:.0%} of the days beside drier neighbours, over {limit:.0%}", _BENCH,
    ),
    Rule(
        "clock", 0.7, 1.6, "h", "weather that comes later or earlier than the neighbours'",
        "the clock is wrong: its weather comes {value:.1f} h {more} than its neighbours'",
        "between hourly values a little less than an hour is an hour",
    ),
    Rule(
        "exchanged", 2, 2, "times better", "two sensors that were taken for one another",
        "swapped with {more}: each fits the other's neighbours, both together {value:.1f} times better", _BENCH,
    ),
    Rule(
        "misplaced", 0, 100, "km", "wrong coordinates",
        "the coordinates are wrong: the stations that measure its weather are {value:.0f} km away",
        "whatever is beyond what is usual in the network",
    ),
    Rule(
        "indoors", 0.5, 0.4, "share of the neighbours' range of a day", "a thermometer or hygrometer in a room",
        "indoors: its days have {value:.0%} of its neighbours' range, correlation {more}", _BENCH, least=True,
    ),
    Rule(
        "stuck", 0.05, 0.25, "share", "unchanged for hours while the neighbours' weather goes on",
        "unchanged for hours in {value:.0%} of the time, over {limit:.0%}", "",
    ),
    Rule(
        "stalled", 0.1, 0.4, "share", "an anemometer that stands still in the wind",
        "calm in {value:.0%} of the time that neighbours had wind, over {limit:.0%}", "",
    ),
    Rule(
        "sunlit", 1.25, 4, "K", "a thermometer in the sun or heated, by the warmest hours of the day",
        "in the sun or heated: {value:.1f} K too warm at some hours of the day, over {limit:g} K",
        "beyond 99 % of good stations: " + _BENCH,
    ),
    Rule(
        "noise", 3, 6, "times the network's median", "noise from reading to reading",
        "{value:.1f} times as noisy as a typical sensor of the network, over {limit:g}", "",
    ),
    Rule(
        "growing", 2, 5, "times what it was", "noise that grows",
        "the noise grew to {value:.1f} times what it was, over {limit:g}", _BENCH,
    ),
    Rule(
        "step", 5, 15, _USUAL, "a level that changed on one day",
        "the level changed by {more} on one day, {value:.1f} times what is usual", _BENCH,
    ),
    Rule(
        "drift", 3, 10, _USUAL, "a drift over all the time",
        "drifts: moved against its neighbours by {more}, {value:.1f} times what is usual, over {limit:g}", _BENCH,
    ),
    Rule(
        "level", 4, 8, _USUAL, "an offset, a wrong elevation, or a place unlike the others",
        "the level does not fit its place and height: {more}, {value:.1f} times what is usual", _BENCH,
    ),
    Rule(
        "correlation", 0.9, 0.6, "Pearson's coefficient",
        "what follows its neighbours badly, and far worse than other stations follow theirs",
        "follows its neighbours badly: correlation {value:.2f}, under {limit:g}", "CrowdQC+, level m4", least=True,
    ),
)  # fmt: skip
"""Of several rules that are broken as badly, the first gives the reason."""
