"""Judging past time anew, window by window: flags are written, and neither anomalies nor incidents.

A detection run judges the hours up to the present, and is made again before they are over, so that what it says last of
a value rests on hours after it. A window here is longer, so that a year takes less than a minute, and overlaps the next
one by as much as a run of the detector judges: what the next says of these hours counts.

Longer windows judge almost alike. Over 20 days of the default network with 40 faults of `weather-tool simulate`,
windows of 24 h gave 0.15 % of the values another flag than runs every hour over 6 h, found as many faulty values (66 %
against 65 %), and flagged 0.026 % of the others against 0.022 %. Windows of a week gave 0.19 % another flag, and
flagged 0.050 % of the others (2026-11-26).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from math import ceil
from typing import Any

from toolkit import __version__, clock, times
from toolkit.detector.run import detect, judged_variables, needed_besides
from toolkit.flagging import reported
from toolkit.flagging.remembered import Remembered
from toolkit.settings import Settings
from toolkit.store import Span, Store, open_for_reading, open_for_writing

HOUR = 3600.0
SHORTEST = HOUR
"""Less time than this, in seconds, is not judged by itself."""
# A window is so many times as long as that of a detection run, in a network of up to so many stations. In a larger one
# it is shorter, down to that of a run, for its memory grows with the stations and the hours.
LONGER, STATIONS = 4, 2000

JUDGED_BY = (
    "cadence_seconds", "window_hours", "detection_method", "temporal_threshold", "detection_variables",
    "spatial_verify", "correlation_threshold_high", "correlation_threshold_low", "minimum_data", "neighbour_km",
    "neighbour_elevation_m", "exceptions",
)  # fmt: skip
"""The settings that decide what a run says of a value."""


def how(settings: Settings) -> dict[str, Any]:
    """What decides what a run says of a value: the release and the settings, as they can be compared later."""
    return {"release": __version__, **{name: repr(getattr(settings, name)) for name in JUDGED_BY}}


def known(store: Store, asked: Span) -> Span | None:
    """The part of a span of time in which there may be observations, from a full hour on; None if there are none.

    It is no shorter than `SHORTEST`, so it may begin earlier in a database that is younger.
    """
    oldest, newest = store.oldest(), store.newest()
    if oldest is None or newest is None:
        return None
    first, last = (times.from_stored(one).timestamp() for one in (oldest, newest))
    if last <= asked.start or first > asked.end:
        return None
    end = min(asked.end, last)
    return Span(min(max(asked.start, (first - 1) // HOUR * HOUR), end - SHORTEST), end)


def windows(span: Span, settings: Settings, stations: int) -> list[Span]:
    """The windows in which a span of time is judged, in order; the last one ends where the span does.

    Args:
        span: at least `SHORTEST`.
        settings: how long the window of a detection run is.
        stations: how many there are.
    """
    run = settings.window_hours * HOUR
    length = run * min(LONGER, max(1.0, LONGER * STATIONS / max(stations, 1)))
    step = max(length - run, run / 2)
    number = max(0, ceil((span.end - span.start - length) / step))
    starts = [span.start + place * step for place in range(number)]
    return [*(Span(start, start + length) for start in starts), Span(max(span.start, span.end - length), span.end)]


def judge(settings: Settings, some: Iterable[Span], judged: Callable[[Span], None]) -> None:
    """Judge windows anew, and keep what is said of their values: each in a short transaction of its own.

    Args:
        settings: those in force.
        some: the windows, in order.
        judged: called after each window.

    Raises:
        StoreError: the store could not be read or written; what was judged until then is kept.
    """
    variables = judged_variables(settings)
    with open_for_reading(settings.db) as reading, open_for_writing(settings.db, begin=False) as writing:
        source = Remembered(reading, [*variables, *needed_besides(variables)])
        for window in some:
            newest = reading.newest()
            at = clock.at_least(time.time(), times.from_stored(newest).timestamp() if newest else None)
            hours = (window.end - window.start) / HOUR
            report = detect(source, replace(settings, window_hours=hours), window.end)
            with writing.transaction():
                reported.keep(writing, report, at, variables)
            judged(window)
