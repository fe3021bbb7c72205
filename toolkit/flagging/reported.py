"""What a detection run says of values, as intervals with flags."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from toolkit import times
from toolkit.detector.report import Class, Report
from toolkit.quality.missing import Missing
from toolkit.store import Span, Store
from toolkit.store.flag_views import FAIL, NOT_EVALUATED, PASS, SUSPECT
from toolkit.store.flags import FlagInterval

FLAGS: dict[Class, int] = {
    "device_failure": FAIL,
    "suspected": SUSPECT,
    "unverified": SUSPECT,
    "weather_event": PASS,
}
"""The flag of values that a detection run puts into a class."""


def keep(
    store: Store,
    report: Report,
    at: float,
    variables: Collection[str],
    *,
    only: Collection[str] | None = None,
    began: Mapping[tuple[str, str], float] | None = None,
) -> None:
    """Keep what a report says of values, within a transaction of the store.

    Args:
        store: open for writing; the caller has its `transaction`.
        report: what a run found.
        at: when the run was, seconds since the epoch.
        variables: those that it judged.
        only: the stations that it judged; None for all.
        began: see `flags_of`.
    """
    window = Span(times.epoch_of(report.window.start), times.epoch_of(report.window.end))
    store.flags.replace(window, at, variables, flags_of(report, began or {}), only)


def flags_of(report: Report, began: Mapping[tuple[str, str], float]) -> list[FlagInterval]:
    """The intervals of a report in which something is said of values; those of one sensor do not overlap.

    Args:
        report: what a run found.
        began: since when the first of a sensor's faults has lasted, seconds since the epoch, where that was traced back
            to before the window; by station and variable.
    """
    found: dict[tuple[str, str], list[FlagInterval]] = {}
    for one in report.anomalies:
        if one.test == Missing.name:
            continue  # there is no value that could have a flag
        sensor, flag = (one.station_id, one.variable), FLAGS[one.class_]
        started, of_sensor = times.epoch_of(one.start), found.setdefault((one.station_id, one.variable), [])
        if flag != PASS and all(other.flag == PASS for other in of_sensor):
            # Weather that the same run sees before it does not end what was traced back.
            started = min(started, began.get(sensor, started))
            of_sensor[:] = [other for other in of_sensor if other.started < started]
        of_sensor.append(FlagInterval(*sensor, started, times.epoch_of(one.end), flag, one.test))
    start, end = times.epoch_of(report.window.start) + 1, times.epoch_of(report.window.end)
    for poor in report.insufficient:
        of_sensor = found.setdefault((poor.station_id, poor.variable), [])
        of_sensor += _between(of_sensor, FlagInterval(poor.station_id, poor.variable, start, end, NOT_EVALUATED, ""))
    return [one for of_sensor in found.values() for one in of_sensor]


def _between(of_sensor: Collection[FlagInterval], all_: FlagInterval) -> list[FlagInterval]:
    """The parts of an interval that others, given in order of time, do not cover."""
    left, since = [], all_.started
    for one in of_sensor:
        if since < one.started:
            left.append(all_._replace(started=since, ended=one.started - 1))
        since = max(since, one.ended + 1)
    return [*left, all_._replace(started=since)] if since <= all_.ended else left
