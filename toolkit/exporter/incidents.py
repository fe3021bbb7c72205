"""Metrics of incidents, of the messages about them, and of how available stations are."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import product

from prometheus_client.core import GaugeMetricFamily, Metric

from toolkit.incidents.kinds import rank
from toolkit.settings import Settings
from toolkit.sources import cadences_of
from toolkit.store import Span, Store
from toolkit.store.incidents import ACTIVE, SEVERITIES, IncidentFilter, Incidents

# So many incidents have a series of their own, the worst and oldest; all are counted.
NAMED = 500
PACE_DAYS = 30
DAY = 86400
# How old the availability may be, in seconds: at 10,000 stations a million rows are counted for it.
AVAILABILITY_SECONDS = 600


def of_incidents(incidents: Incidents) -> Iterable[Metric]:
    """The metrics of incidents and of the outbox."""
    now = time.time()
    numbers = {(state, severity): number for state, severity, number in incidents.counts()}
    text = "Incidents that are not over, by state and severity."
    active = GaugeMetricFamily("weather_incidents_active", text, labels=["state", "severity"])
    for state, severity in product(ACTIVE, SEVERITIES):
        active.add_metric([state, severity], numbers.get((state, severity), 0))
    yield active
    yield _named(incidents)
    pace = incidents.pace(now - PACE_DAYS * DAY)
    lately = f"in the last {PACE_DAYS} days"
    for name, text, value in (
        ("weather_incidents_resolved", f"Incidents that were resolved {lately}.", pace.resolved),
        (
            "weather_incidents_repair_seconds",
            f"Time to repair, from the first bad reading to the last, summed over the incidents resolved {lately}.",
            pace.repairing,
        ),
        (
            "weather_incidents_acknowledged",
            f"Those of the incidents resolved {lately} that somebody had acknowledged.",
            pace.acknowledged,
        ),
        (
            "weather_incidents_acknowledge_seconds",
            f"Time to acknowledge, from opening to acknowledging, summed over the acknowledged ones resolved {lately}.",
            pace.acknowledging,
        ),
    ):
        yield GaugeMetricFamily(name, text, value=value)
    due = [one.due for one in incidents.messages(["waiting", "sending"]) if one.due <= now]
    yield GaugeMetricFamily(
        "weather_outbox_messages", "Changes of incidents that people are yet to be told of.", len(due)
    )
    text = "How long the oldest of them has waited."
    yield GaugeMetricFamily("weather_outbox_age_seconds", text, now - min(due, default=now))


def _named(incidents: Incidents) -> Metric:
    family = GaugeMetricFamily(
        "weather_incident_started_timestamp_seconds",
        f"When an incident began that is not over; of the {NAMED} worst and oldest. Of the network, it has no station.",
        labels=["incident", "station", "variable", "kind", "severity", "state"],
    )
    found = incidents.find(IncidentFilter(states=ACTIVE))
    found.sort(key=lambda one: (one.station_id is not None, -rank(one.severity), one.opened))
    for one in found[:NAMED]:
        labels = [str(one.id), one.station_id or "", one.variable, one.kind, one.severity, one.state]
        family.add_metric(labels, one.started)
    return family


class Availability:
    """Which share of the expected observations there is of each station; counted now and then."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._found: dict[str, float] = {}
        self._counted: float | None = None

    def metric(self, store: Store) -> Metric:
        """The share of each station that was observed lately."""
        now = time.monotonic()
        if self._counted is None or now - self._counted >= AVAILABILITY_SECONDS:
            present = time.time()
            found = store.tally(Span(present - DAY, present))
            cadences = cadences_of(self._settings).of(found, store.owners)
            expected = (max(1.0, DAY / one) for one in cadences)
            self._found = {name: min(1.0, found[name] / of) for name, of in zip(found, expected, strict=True)}
            self._counted = now
        family = GaugeMetricFamily(
            "weather_station_availability_ratio",
            "The share of the observations expected in the last 24 hours that there are, of a station that has any.",
            labels=["station"],
        )
        for station, share in sorted(self._found.items()):
            family.add_metric([station], share)
        return family
