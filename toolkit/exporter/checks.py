"""The checks, as metrics and as findings. They are made once a minute, not at every scrape."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric

from toolkit.checks import Check
from toolkit.checks.catalogue import CHECKS
from toolkit.checks.diagnosis import Result, causes, examine
from toolkit.checks.host import Host
from toolkit.checks.host.feed import SourceSeen
from toolkit.checks.told import as_json
from toolkit.settings import load_lenient

EVERY_SECONDS = 60.0
COSTLY_SECONDS = 3600.0


class CheckResults:
    """The last result of each check."""

    def __init__(self) -> None:
        self._results: dict[str, Result] = {}
        self._made: dict[str, float] = {}
        self._seen: dict[str, SourceSeen] = {}

    def examine(self) -> Host:
        """Make the checks that are due. Returns the host as it was seen."""
        now = time.monotonic()
        # The settings as they are now, not as they were when the exporter was started.
        host = Host(load_lenient())
        # No source is fetched more often than by the collector.
        host.seen_lately = tuple(one for one in self._seen.values() if now - one.at < one.settings.cadence_seconds - 1)
        cadence = min((one.settings.cadence_seconds for one in host.sources), default=0)
        due = [check for check in CHECKS if now - self._made.get(check.id, -1e9) >= _period(check, cadence) - 1]
        for one in examine(host, due):
            self._results[one.check.id] = one
        if any(check.on_feed for check in due):
            self._seen = {one.name: one for one in host.feeds}
            for seen in host.feeds:
                seen.let_go()
        self._made |= dict.fromkeys((check.id for check in due), now)
        return host

    def findings(self) -> dict[str, Any]:
        """As `weather-tool doctor --json` has them; `at` is when a check was made, seconds since the epoch."""
        results, present = list(self._results.values()), time.time() - time.monotonic()
        found = as_json(results, causes(results))
        for one in found["checks"]:
            one["at"] = round(present + self._made[one["id"]])
        return found

    def metrics(self) -> Iterable[Metric]:
        """The status of each check, and which failures are causes."""
        results = list(self._results.values())
        text = "How a check stands: 0 OK, 1 WARNING, 2 CRITICAL, 3 not to be seen."
        statuses = GaugeMetricFamily("weather_check_status", text, labels=["check", "area"])
        for one in results:
            statuses.add_metric([one.check.id, one.check.area], int(one.status))
        yield statuses
        text = "Failed checks that no other failure explains, by how bad they and what they explain are."
        found = GaugeMetricFamily("weather_check_cause", text, labels=["check", "area"])
        for cause in causes(results):
            found.add_metric([cause.result.check.id, cause.result.check.area], int(cause.status))
        yield found


def _period(check: Check, cadence: float) -> float:
    if check.costly:
        return COSTLY_SECONDS
    return max(EVERY_SECONDS, cadence) if check.on_feed else EVERY_SECONDS
