"""Metrics of incidents, and of the messages about them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import product

from prometheus_client.core import GaugeMetricFamily, Metric

from toolkit.store.incidents import ACTIVE, SEVERITIES, Incidents

# So many incidents have a series of their own, the worst and oldest; all are counted.
NAMED = 500
PACE_DAYS = 30
DAY = 86400


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
    for one in incidents.worst(NAMED):
        labels = [str(one.id), one.station_id or "", one.variable, one.kind, one.severity, one.state]
        family.add_metric(labels, one.started)
    return family
