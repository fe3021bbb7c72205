"""A network's performance as Markdown: for a terminal, a mail, a wiki."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from toolkit.performance.report import Performance, Timeliness
from toolkit.performance.words import amount, has_news, hours, relative_bias, seconds, sentence, share, tests, where
from toolkit.text import one_line

# So many stations and incidents are listed; JSON has all of them.
MOST = 50


def markdown(report: Performance) -> str:
    """The report; of many stations the least available, of many incidents the longest."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Performance) -> Iterator[str]:
    period, network = report.period, report.network
    yield f"# Network performance, {period.month}{'' if period.over else ' so far'}"
    yield ""
    yield f"{sentence(report)} From {period.start} to {period.end}."
    yield from _part("Variables")
    yield from _table(
        ("variable", "sensors", "available", "flagged", "by test", "bias", "spread"),
        [
            (
                one.variable, one.sensors, share(one.availability), share(one.quality.flagged_share),
                tests(one.quality), amount(one.quality.bias, one.variable), amount(one.quality.spread, one.variable),
            )
            for one in report.variables
        ],
    )  # fmt: skip
    yield from _part("Timeliness")
    yield from _table(
        ("of", "median", "95 %", "within 15 min", "30 min", "2 h", "before their time"),
        [("the network", *_late(network.timeliness))]
        + [(one.station_id, *_late(one.timeliness)) for one in report.stations[:MOST]],
    )
    yield from _part("Sensors")
    told = [sensor for station in report.stations for sensor in station.sensors if has_news(sensor)]
    sensors = sorted(
        told,
        key=lambda one: (-(one.lost_hours + one.flagged_hours), -relative_bias(one), one.station_id, one.variable),
    )
    yield "The fewest good data first, then the largest bias; of the other sensors there is nothing to tell."
    yield ""
    yield from _table(
        ("sensor", "available", "lost", "flagged", "by test", "bias", "spread"),
        [
            (
                where(one), share(one.availability), hours(one.lost_hours), share(one.quality.flagged_share),
                tests(one.quality), amount(one.quality.bias, one.variable), amount(one.quality.spread, one.variable),
            )
            for one in sensors[:MOST]
        ],
    )  # fmt: skip
    yield from _part("What cost most")
    yield from _table(
        ("sensor", "hours", "lost", "flagged"),
        [(where(one), hours(one.hours), hours(one.lost_hours), hours(one.flagged_hours)) for one in report.costs],
    )
    yield from _part("Incidents")
    found = report.incidents
    yield (
        f"{found.opened} opened, {found.resolved} resolved, {found.dismissed} dismissed; "
        f"{found.lasting} were not over at its end. Mean time to acknowledge {hours(found.mean_hours_to_acknowledge)}, "
        f"to repair {hours(found.mean_hours_to_repair)}."
    )
    yield ""
    yield from _table(
        ("incident", "of", "kind", "severity", "state", "since", "lasted", "acknowledged after"),
        [
            (
                one.id, where(one), one.kind, one.severity, one.state, one.started, hours(one.hours),
                hours(one.hours_to_acknowledge),
            )
            for one in found.all[:MOST]
        ],
    )  # fmt: skip
    yield from _part("Stations")
    if len(report.stations) > MOST:
        yield f"The {MOST} least available of {len(report.stations)}."
        yield ""
    yield from _table(
        ("station", "available", "received", "expected", "silent for"),
        [
            (one.station_id, share(one.availability), one.received, one.expected, hours(one.lost_hours))
            for one in report.stations[:MOST]
        ],
    )


def _part(name: str) -> tuple[str, str, str]:
    return "", f"## {name}", ""


def _late(one: Timeliness) -> tuple[object, ...]:
    return (
        seconds(one.median_seconds), seconds(one.p95_seconds), share(one.within_15_min), share(one.within_30_min),
        share(one.within_2_h), one.early,
    )  # fmt: skip


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    if not rows:
        yield "None."
        return
    for cells in (header, ["---"] * len(header), *rows):
        yield f"| {' | '.join(_cell(str(cell)) for cell in cells)} |"


def _cell(text: str) -> str:
    """Text as Markdown shows it: what would end a cell, or begin HTML, an emphasis or a link, is escaped."""
    return re.sub(r"([\\`*\[\]<>|&])", r"\\\1", one_line(text)) if text != "---" else text
