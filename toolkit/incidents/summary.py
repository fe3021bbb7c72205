"""The weekly summary: what is open, what came and went, how fast people were."""

from __future__ import annotations

import platform
from collections import Counter

from toolkit.durations import lasting
from toolkit.incidents import telling
from toolkit.incidents.kinds import rank
from toolkit.incidents.wording import IS, Letter, place, sensor
from toolkit.settings import Settings
from toolkit.store import Store
from toolkit.store.incidents import ACTIVE, Incident, IncidentFilter, Message
from toolkit.text import clean
from toolkit.times import from_epoch

EVENT = "summary"
DAYS = 7
# So many incidents are named.
NAMED = 30


def message(settings: Settings, at: float) -> Message:
    """The summary of the week that ends at a time; there is one for each week."""
    year, week, _ = from_epoch(at).astimezone(settings.notify_time_zone).isocalendar()
    return Message(
        id=0,
        key=f"{EVENT} {year}-W{week:02}",
        incident_id=None,
        event=EVENT,
        severity="info",
        state="waiting",
        written=at,
        due=telling.due("info", settings, at),
        tried=None,
        attempts=0,
        error="",
    )


def letter(store: Store, settings: Settings, message: Message) -> Letter:
    """The summary in words."""
    until, since = message.written, message.written - DAYS * 86400
    names = {one.station_id: clean(one.station_name_en or "") for one in store.stations()}
    active = store.incidents.find(IncidentFilter(states=ACTIVE))
    ended = store.incidents.find(IncidentFilter(resolved_since=since))
    opened = sum(one.opened > since for one in (*active, *ended))
    day = from_epoch(until).astimezone(settings.notify_time_zone)
    title = f"{platform.node()}: the week to {day:%Y-%m-%d}: incidents: {len(active)} open, {opened} new"
    lines = [_counted("resolved", ended), _counted("dismissed", ended)]
    for what, found in (
        ("acknowledge", [one.seconds_to_acknowledge for one in (*active, *ended)]),
        ("repair", [one.seconds_to_repair for one in ended]),
    ):
        spans = [one for one in found if one is not None]
        if spans:
            lines.append(f"mean time to {what}: {lasting(sum(spans) / len(spans))}")
    lines += ["", "Open, the worst and oldest first:" if active else "Nothing is open."]
    worst = sorted(active, key=lambda one: (-rank(one.severity), one.started))
    lines += [_line(one, names, until) for one in worst[:NAMED]]
    if (more := len(worst) - NAMED) > 0:
        lines.append(f"and {more} more: weather-tool incidents list")
    return Letter(title, lines)


def _counted(state: str, ended: list[Incident]) -> str:
    counts = Counter(one.verdict or "no verdict" for one in ended if one.state == state)
    verdicts = ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common())
    return f"{state}: {counts.total()}{f' ({verdicts})' if verdicts else ''}"


def _line(one: Incident, names: dict[str, str], at: float) -> str:
    whose = f", {clean(one.assignee)} is to repair it" if one.assignee else ""
    return (
        f"{one.id}: {one.severity}, {one.state}{whose}: {place(one, names)}, {sensor(one.variable)}: {IS[one.kind]}, "
        f"for {lasting(at - one.started)}"
    )
