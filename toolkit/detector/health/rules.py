"""The rules of a sensor's health, each declared once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["healthy", "warning", "critical"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A figure of a sensor's health, and from where on it makes a warning or is critical.

    Attributes:
        name: of the figure.
        warning: the limit of a warning.
        critical: the limit of what is critical.
        reason: the sentence for people, with the places `{value}` and `{limit}`, and `{more}` for what is known besides.
        least: whether the limits are the least that is good; otherwise they are the most.
        compares: whether the others of the network have to be known.
    """

    name: str
    warning: float
    critical: float
    reason: str
    least: bool = False

    def broken(self, value: float, limit: float) -> bool:
        """Whether a value is wrong; NaN, where a figure is not known, never is."""
        return value < limit if self.least else value > limit

    def state(self, value: float) -> State:
        """The state that a value gives."""
        if self.broken(value, self.critical):
            return "critical"
        return "warning" if self.broken(value, self.warning) else "healthy"

    def says(self, value: float, more: str) -> str:
        """What is wrong with a value that breaks the rule."""
        limit = self.critical if self.state(value) == "critical" else self.warning
        return self.reason.format(value=value, limit=limit, more=more)


RULES = (
    Rule("silent", 6.0, 24.0, "no good value for {value:.0f} h, over {limit:g} h"),  # hours
    # A month of 80 % is what CrowdQC+ asks for (level o3).
    Rule("completeness", 0.8, 0.5, "{value:.0%} of the expected observations arrived, under {limit:.0%}", least=True),
    Rule("missing", 0.2, 0.5, "{value:.0%} of the observations have no value, over {limit:.0%}"),
    # In times by which another unit brings the values nearer to the neighbours'.
    Rule("unit", 4.0, 4.0, "the unit is wrong: the values fit the neighbours' if they are {more}"),
    # Hours; between hourly readings a half is as good as a whole one.
    Rule("clock", 0.6, 1.6, "the clock is wrong: its weather comes {value:.1f} h {more} than its neighbours'"),
    # In times by which both fit better if they are exchanged.
    Rule("exchanged", 2.0, 2.0, "swapped with {more}: each fits the other's neighbours {value:.1f} times better"),
    Rule(
        "misplaced", 0.0, 100.0, "the coordinates are wrong: it measures the weather of {more}, {value:.0f} km away"
    ),  # km
    # In times a day.
    Rule("flipping", 1.0, 4.0, "flips between the ends of its scale, {value:.1f} times a day, over {limit:g}"),
    Rule(
        "saturated", 0.15, 0.4, "stuck near 100% in {value:.0%} of the time that neighbours were dry, over {limit:.0%}"
    ),
    Rule("stuck", 0.05, 0.25, "unchanged for hours in {value:.0%} of the time, over {limit:.0%}"),
    Rule("stalled", 0.1, 0.4, "calm in {value:.0%} of the time that neighbours had wind, over {limit:.0%}"),
    # The range of the day as a share of the neighbours', of a sensor that does not follow them.
    Rule(
        "indoors",
        0.65,
        0.4,
        "indoors: its days have {value:.0%} of its neighbours' range, correlation {more}",
        least=True,
    ),
    Rule(
        "sunlit", 1.25, 4.0, "in the sun or heated: {value:.1f} K too warm at some hours of the day, over {limit:g} K"
    ),  # K
    # In times of the network's median.
    Rule("noise", 3.0, 6.0, "{value:.1f} times as noisy as a typical sensor of the network, over {limit:g}"),
    Rule("growing", 2.0, 5.0, "the noise grew {value:.1f} times during the time, over {limit:g}"),
    # In times of what is usual between the network's stations.
    Rule("level", 4.0, 8.0, "the level is wrong for its place and height: {more}, {value:.1f} times what is usual"),
    Rule("step", 5.0, 15.0, "the level changed by {more} on one day, {value:.1f} times what is usual"),
    Rule("drift", 4.0, 12.0, "moved against its neighbours by {more}, {value:.1f} times what is usual, over {limit:g}"),
    # 0.9 is level m4 of CrowdQC+; of a variable that has less everywhere, what is far below the network's.
    Rule("correlation", 0.9, 0.6, "follows its neighbours badly: correlation {value:.2f}, under {limit:g}", least=True),
)
"""Of several rules that are broken as badly, the first gives the reason."""
