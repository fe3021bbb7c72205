"""The metrics, named by Prometheus' rules. Counters are kept in the store, so that a restart does not reset them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from toolkit import __version__
from toolkit.backup.drill_record import Drill, last
from toolkit.backup.folder import Folder
from toolkit.collector.spool import waiting, waiting_by_source
from toolkit.errors import ToolkitError
from toolkit.exporter.checks import CheckResults
from toolkit.exporter.incidents import of_incidents
from toolkit.exporter.stations import Stations
from toolkit.settings import Settings, spool_folder
from toolkit.sources import sources_of
from toolkit.store import Store, open_for_reading
from toolkit.times import from_stored

# Open anomalies that began before are not counted.
OPEN_DAYS = 31


class Weather(Collector):
    """The service's metrics, read at each scrape, without waiting for a lock."""

    def __init__(self, settings: Settings, checks: CheckResults) -> None:
        self._settings = settings
        self._checks = checks
        self._stations = Stations(settings)

    def count(self) -> None:
        """Count what takes too long to be counted at each scrape, if that is due and the store can be read."""
        with suppress(ToolkitError), open_for_reading(self._settings.db, 0.0, look=True) as store:
            self._stations.count(store)

    def collect(self) -> Iterable[Metric]:
        """All metrics, without those of the store if it cannot be read now: `weather_store_up` says whether it can."""
        yield _gauge("weather_build_info", "The release, and the Python that it runs on.", 1, {
            "version": __version__, "python": ".".join(map(str, sys.version_info[:3])),
        })  # fmt: skip
        try:
            with open_for_reading(self._settings.db, 0.0, look=True) as store:
                found = [*_of_the_store(store), *self._stations.metrics(store), *of_incidents(store.incidents)]
            up = 1
        except ToolkitError:
            found, up = [], 0
        yield _gauge("weather_store_up", "Whether the database can be read.", up)
        yield from found
        yield self._spools()
        documents = len(waiting(spool_folder(self._settings)))
        yield _gauge("weather_spool_documents", "Documents that wait for the database.", documents)
        yield from _of_backups(Path(self._settings.backups))
        yield from self._checks.metrics()

    def _spools(self) -> Metric:
        text = "Documents of a source that wait for the database."
        family = GaugeMetricFamily("weather_source_spool_documents", text, labels=["source"])
        numbers = waiting_by_source(spool_folder(self._settings))
        with suppress(ToolkitError):
            numbers.update({one.name: 0 for one in sources_of(self._settings)})
        for name, number in sorted(numbers.items()):
            family.add_metric([name], number)
        return family


def _of_sources(store: Store) -> Iterable[Metric]:
    """How each source does that ever told anything or failed."""
    states = store.sources.states()
    for name, text, at in (
        ("last_success", "When a document of a source was stored last, seconds since the epoch.", "succeeded"),
        ("newest_observation", "The time of a source's newest observation, seconds since the epoch.", "newest"),
    ):
        gauge = GaugeMetricFamily(f"weather_source_{name}_timestamp_seconds", text, labels=["source"])
        for one in states:
            if (told := getattr(one, at)) is not None:
                gauge.add_metric([one.name], told)
        yield gauge
    for name, text in (
        ("cycles", "Cycles that brought a document of a source."),
        ("failures", "Cycles of a source that failed."),
        ("observations", "Observations of a source that were new, or corrected."),
        ("left_out", "Entries and values of a source that were not stored."),
    ):
        counter = CounterMetricFamily(f"weather_source_{name}", text, labels=["source"])
        for one in states:
            counter.add_metric([one.name], getattr(one, name))
        yield counter


def _of_the_store(store: Store) -> Iterable[Metric]:
    now = time.time()
    newest = store.newest()
    if newest is not None:
        age = now - from_stored(newest).timestamp()
        yield _gauge("weather_data_age_seconds", "How old the newest observation is; below 0: in the future.", age)
    yield _gauge("weather_db_size_bytes", "The space that the database takes.", store.size_bytes())
    yield from _counters(store)
    yield from _of_sources(store)
    open_now = GaugeMetricFamily("weather_anomalies_open", "Anomalies that last, by class.", labels=["class"])
    numbers = store.statistics.open_anomalies(now - OPEN_DAYS * 86400)
    for name in ("device_failure", "weather_event", "suspected", "unverified"):
        open_now.add_metric([name], numbers.get(name, 0))
    yield open_now


def _counters(store: Store) -> Iterable[Metric]:
    counters = store.counters()
    families = {
        "cycles": CounterMetricFamily(
            "weather_collection_cycles", "Cycles of the collector, by status.", labels=["status"]
        ),
        "observations": CounterMetricFamily(
            "weather_observations", "Observations that were offered, by what came of them.", labels=["change"]
        ),
        "left_out": CounterMetricFamily(
            "weather_rejections", "Observations and values that could not be taken, by reason.", labels=["reason"]
        ),
        "messages": CounterMetricFamily(
            "weather_messages", "Messages of incidents to people, by whether they could be sent.", labels=["outcome"]
        ),
        "anomalies": CounterMetricFamily("weather_anomalies", "Anomalies that were found, by class.", labels=["class"]),
    }
    for name, family in families.items():
        for one in counters:
            if one.name == name:
                family.add_metric([one.label], one.number)
        yield family
    numbers = {(one.name, one.label): one.number for one in counters}
    yield CounterMetricFamily(
        "weather_collection_errors", "Cycles that failed.", value=numbers.get(("cycles", "failed"), 0)
    )
    yield CounterMetricFamily("weather_detections", "Detection runs.", value=numbers.get(("detections", "made"), 0))


def _of_backups(folder: Path) -> Iterable[Metric]:
    try:
        backups, damaged = Folder(str(folder)).look()
    except (ToolkitError, OSError):
        return
    yield _gauge("weather_backups", "Backups that are whole at first sight.", len(backups))
    yield _gauge("weather_backups_damaged", "Files that have the name of a backup and are none.", len(damaged))
    if backups:
        newest = backups[0].manifest
        age = time.time() - newest.created
        yield _gauge(
            "weather_backup_age_seconds", "The age of the newest verified backup: what would be lost (RPO).", age
        )
        yield _gauge("weather_backup_size_bytes", "The size of the newest backup.", newest.bytes)
    if drill := _drill(folder):
        age = time.time() - drill.ended
        yield _gauge("weather_drill_age_seconds", "How long ago the last restore drill was made.", age)
        yield _gauge("weather_drill_success", "Whether the last restore drill succeeded.", int(not drill.wrong))
        if drill.restore_seconds is not None:
            text = "How long the restore took in the last drill (RTO)."
            yield _gauge("weather_restore_duration_seconds", text, drill.restore_seconds)


def _drill(folder: Path) -> Drill | None:
    try:
        return last(folder)
    except ToolkitError:  # the checks say why
        return None


def _gauge(name: str, text: str, value: float, labels: dict[str, str] | None = None) -> Metric:
    family = GaugeMetricFamily(name, text, labels=list(labels or {}))
    family.add_metric(list((labels or {}).values()), value)
    return family
