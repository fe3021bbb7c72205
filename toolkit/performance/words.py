"""Figures of a network's performance as people read them."""

from __future__ import annotations

from toolkit.performance.report import Cost, Incident, Performance, Quality, Sensor
from toolkit.variables import BY_NAME, STATION

NONE = "–"


def sentence(report: Performance) -> str:
    """The month in a sentence or two."""
    network, found = report.network, report.incidents
    said = (
        f"{_number(network.stations, 'station')} sent {share(network.availability)} of what was expected, half of it "
        f"within {seconds(network.timeliness.median_seconds)}, 95 % within {seconds(network.timeliness.p95_seconds)}; "
        f"{share(network.flagged_share)} of the values were flagged; {_number(found.opened, 'incident')} opened, "
        f"{found.lasting} were not over at its end."
    )
    if network.typical_seconds and network.typical_seconds > network.cadence_seconds:
        said += (
            f" A typical station reports every {seconds(network.typical_seconds)}, and is expected to every "
            f"{seconds(network.cadence_seconds)} (WEATHER_CADENCE_SECONDS)."
        )
    return said


def where(one: Cost | Incident | Sensor) -> str:
    """The sensor, the station or the network."""
    if one.station_id is None:
        return "the network" if one.variable == STATION else f"the network, {one.variable}"
    return one.station_id if one.variable == STATION else f"{one.station_id}, {one.variable}"


def relative_bias(one: Sensor) -> float:
    """The size of a sensor's bias in accuracies of a good one; 0 where it is not known."""
    return abs(one.quality.bias or 0) / BY_NAME[one.variable].accuracy


def has_news(one: Sensor) -> bool:
    """Whether there is something to tell of a sensor: a loss, a flag, a bias."""
    return one.lost_hours > 0 or one.quality.flagged > 0 or one.quality.bias is not None


def share(value: float | None) -> str:
    """A share as a percentage: 100 % only where nothing is missing, 0 % only where nothing is there."""
    if value is None:
        return NONE
    if 0 < value < 0.001:
        return "< 0.1 %"
    percent = min(round(100 * value, 1), 99.9) if value < 1 else 100.0
    return f"{percent:g} %"


def seconds(value: float | None) -> str:
    """A delay in its largest unit."""
    if value is None:
        return NONE
    if value < 120:
        return f"{value:.0f} s"
    if value < 7200:
        return f"{value / 60:.1f}".removesuffix(".0") + " min"
    return hours(value / 3600)


def hours(value: float | None) -> str:
    """A duration in hours, or in days if there are many."""
    if value is None:
        return NONE
    if not value:
        return "0 h"
    return f"{value:.1f} h" if value < 72 else f"{value / 24:.1f} days"


def amount(value: float | None, variable: str) -> str:
    """A bias or a spread in its variable's unit."""
    return NONE if value is None else f"{value:g} {BY_NAME[variable].unit}"


def tests(quality: Quality) -> str:
    """What was flagged, by test."""
    return ", ".join(f"{one.test} {share(one.share)}" for one in quality.tests) or NONE


def _number(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
