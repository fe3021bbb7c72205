"""Checks that detection runs can judge: that settings which can be used also fit the network."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from statistics import median

from toolkit import clock
from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.causes import CLOCK
from toolkit.checks.feed_values import STATIONS
from toolkit.checks.host import Host
from toolkit.checks.probes.network import recent
from toolkit.checks.remedies import AsUser, EditSettings, Remedy, Restart, Sequence, Tool
from toolkit.durations import humanize
from toolkit.errors import ToolkitError
from toolkit.location import distance_km, without_impossible_place
from toolkit.settings import DECLARATIONS, Settings, Source
from toolkit.sources import cadences_of
from toolkit.times import from_stored

# A station with fewer observations in a window shows neither a jump nor a standstill.
LEAST_OBSERVATIONS = 6
# Quiet hours that are longer leave hardly a moment in which people are told.
LONGEST_QUIET_MINUTES = 23 * 60
# Stations may report a few times as often, or as rarely, as the settings say: missing ones are counted by their own.
CADENCE_FACTOR = 4
MOST_COMPARED = 2000


@check(
    id="settings-fit", area="configuration",
    invariant="The settings fit the network: detection runs can judge its stations, and backups are kept.",
    problem="A setting can be used and does not fit: stations cannot be judged, or backups are not kept.",
    severity=Status.WARNING, remedy=Tool("settings"), caused_by=("settings-readable", "settings-valid"),
)  # fmt: skip
def settings_fit(host: Host) -> Finding:
    """Only what was set here is doubted: a network may be such that a default does not fit it."""
    for names, why in _unfit(host, host.settings):
        if given := [name for name in names if host.loaded.origins[name].source is not Source.DEFAULT]:
            said = ", ".join(f"{DECLARATIONS[name].variable}={host.loaded.origins[name].text}" for name in given)
            away = _least(host, given, names)
            then = ", ".join(f"{DECLARATIONS[name].variable}={DECLARATIONS[name].default or 'none'}" for name in away)
            return bad(f"{said}: {why} (the default: {then})", _at_default(host, away))
    return good("the settings fit the network")


def _least(host: Host, given: list[str], names: tuple[str, ...]) -> list[str]:
    """The first of settings whose default is enough for them to fit; all of them where no single one's is."""
    for name in given if len(given) > 1 else ():
        one = DECLARATIONS[name]
        if not any(
            found == names for found, _ in _unfit(host, replace(host.settings, **{name: one.kind.parse(one.default)}))
        ):
            return [name]
    return given


def _at_default(host: Host, names: list[str]) -> Remedy | None:
    """Put settings of the file back to their defaults; what reads them begins anew."""
    marks = [f"/^{DECLARATIONS[name].variable}=/s/^/# /" for name in names if host.loaded.origins[name].line]
    return (
        Sequence(EditSettings("; ".join(marks), host.settings_file), Restart(*(host.services or ["collector"])))
        if marks
        else None
    )


def _unfit(host: Host, settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Settings that do not fit, by name, what is lost least without first; and why."""
    expected = settings.window_hours * 3600 / settings.cadence_seconds
    if expected < LEAST_OBSERVATIONS:
        yield ("window_hours", "cadence_seconds"), f"a window of detection has {expected:g} observations of a station"
    if 0 < settings.data_days * 24 < settings.window_hours:
        yield (
            ("window_hours", "data_days"),
            f"a run looks at {settings.window_hours:g} hours, and observations are kept for {settings.data_days * 24}",
        )
    if not settings.backup_keep_daily + settings.backup_keep_weekly + settings.backup_keep_monthly:
        yield (
            ("backup_keep_daily", "backup_keep_weekly", "backup_keep_monthly"),
            "every backup but the newest is removed",
        )
    if (quiet := settings.notify_quiet_hours) and quiet.minutes > LONGEST_QUIET_MINUTES:
        yield ("notify_quiet_hours",), "people are told of nothing that is not critical but in what is left of the day"
    used: dict[str, str] = {}
    for name, job in (("metrics_address", "exporter"), ("api_address", "api"), ("receiver_address", "receiver")):
        if job in host.jobs and (other := used.setdefault(getattr(settings, name), name)) != name:
            yield (other, name), "two services are to serve at one address"
    if host.deployed and host.db_folder and Path(settings.backups).resolve().is_relative_to(host.db_folder.resolve()):
        yield ("backups",), f"backups are in {host.db_folder}, and are lost together with the database"
    try:
        yield from _unlike(host, settings)
    except ToolkitError:
        return  # the checks of the database say so


def _unlike(host: Host, settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Settings that are unlike what the stations do."""
    times = defaultdict(list)
    for row in recent(host):
        times[row.station_id].append(row.time)
    gaps = [after - before for moments in times.values() for before, after in pairwise(sorted(set(moments)))]
    usual = median(gaps) if len(gaps) >= LEAST_OBSERVATIONS * STATIONS else settings.cadence_seconds
    # Of several sources, `sources-fresh` tells of each.
    several = bool(cadences_of(settings).of_source)
    if not several and not 1 / CADENCE_FACTOR < usual / settings.cadence_seconds < CADENCE_FACTOR:
        yield ("cadence_seconds",), f"stations report every {humanize(usual)}"
    if len(times) > settings.feed_max_stations:
        yield ("feed_max_stations",), f"{len(times)} stations have reported lately, and the others are left out"
    if not settings.spatial_verify or not STATIONS <= len(times) <= MOST_COMPARED:
        return
    with host.store() as store:
        placed = [one for one in map(without_impossible_place, store.stations()) if one.station_id in times]
    nearest = math.inf
    # It ends with the first pair of neighbours, of which there are many in most networks.
    for one, other in combinations((one for one in placed if one.latitude is not None), 2):
        apart = distance_km(one, other)
        higher = abs((one.elevation or 0) - (other.elevation or 0))
        if apart <= settings.neighbour_km and higher <= settings.neighbour_elevation_m:
            return
        nearest = min(nearest, apart)
    if nearest < math.inf:
        yield (
            ("neighbour_km", "neighbour_elevation_m"),
            f"no station has a neighbour, the nearest two are {nearest:.1f} km apart: none can say whether "
            "it was the weather",
        )


@check(
    id="reports-not-ahead", area="data quality",
    invariant="No detection report is dated in the future.",
    problem="A detection report is dated in the future, and is taken for the newest.",
    severity=Status.WARNING, remedy=Tool("report"), caused_by=(*CLOCK, "observations-not-ahead", "places-plain"),
)  # fmt: skip
def reports_not_ahead(host: Host) -> Finding | None:
    reports = [path for path in Path(host.settings.reports).glob("report_*") if not path.is_symlink()]
    future = sorted(path for path in reports if clock.ahead(_dated(path), host.now))
    if future:
        return bad(f"{len(future)} of {len(reports)} are dated in the future: {future[0]}", AsUser("rm -- {}", future))
    return good("no report is dated in the future") if reports else None


def _dated(report: Path) -> float:
    """The time in a report's name, seconds since the epoch; 0 where there is none."""
    digits = "".join(letter for letter in report.name.partition(".")[0] if letter.isdecimal())
    try:
        return from_stored(
            f"{digits[:4]}-{digits[4:6]}-{digits[6:8]} {digits[8:10]}:{digits[10:12]}:{digits[12:14]}"
        ).timestamp()
    except ValueError:
        return 0.0
