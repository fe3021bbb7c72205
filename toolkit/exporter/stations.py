"""Metrics of stations: of some of them one by one, of all together."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import chain, islice

from prometheus_client.core import GaugeMetricFamily, Metric

from toolkit.settings import Settings
from toolkit.sources import cadences_of
from toolkit.store import Span, Store

DAY = 86400
# How long ago a station may have been observed last to count, in seconds, beside those that ever were.
WITHIN = (900, 3600, 21600, DAY)
# How old the availability may be, in seconds: at 100,000 stations 14 million rows are counted for it.
AVAILABILITY_SECONDS = 600


class Stations:
    """The metrics of stations. How available they are is counted now and then, and not by those who ask."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._available: dict[str, float] = {}
        self._counted: float | None = None

    def metrics(self, store: Store) -> Iterable[Metric]:
        """The metrics of the stations that have series of their own, and of all."""
        now = time.time()
        # An observation of the future is as old as it is ahead.
        bounds = [now + sign * seconds for sign in (-1, 1) for seconds in WITHIN]
        number, *later = store.observed_since(bounds)
        named, available = self._named(store, number), self._available
        ages = GaugeMetricFamily(
            "weather_station_data_age_seconds",
            "How old the newest observation of a station is; below 0: in the future. Of those that have series of "
            "their own, see weather_stations_named.",
            labels=["station"],
        )
        shares = GaugeMetricFamily(
            "weather_station_availability_ratio",
            "The share of the observations expected in the last 24 hours that there are, of a station that has any. "
            "Of those that have series of their own, see weather_stations_named.",
            labels=["station"],
        )
        for station in named:
            ages.add_metric([station], now - named[station])
            if (share := available.get(station)) is not None:
                shares.add_metric([station], share)
        yield ages
        yield shares
        yield _gauge("weather_stations", "Stations that were ever observed.", number)
        text = (
            "Those that have series of their own, by the setting WEATHER_METRICS_STATIONS; if they are fewer than "
            "weather_stations, those with an incident that is not over come first, then others by id."
        )
        yield _gauge("weather_stations_named", text, len(named))
        lately = GaugeMetricFamily(
            "weather_stations_observed",
            "Stations whose newest observation is at most so many seconds old, or ahead.",
            labels=["within"],
        )
        for place, seconds in enumerate(WITHIN):
            lately.add_metric([str(seconds)], later[place] - later[place + len(WITHIN)])
        yield lately
        if available:
            text = (
                "The share of the observations expected in the last 24 hours that there are, of all stations together "
                "that have any."
            )
            mean = sum(available.values()) / len(available)
            yield _gauge("weather_network_availability_ratio", text, mean)

    def _named(self, store: Store, number: int) -> dict[str, int]:
        """The stations that have series of their own, of so many, and when each was observed last; by id."""
        most = self._settings.metrics_stations
        if number <= most:
            return dict(sorted(store.latest_times().items()))
        in_trouble = (one.station_id for one in store.incidents.worst(most))
        # A dict, for it is in order and has each once.
        wanted = dict.fromkeys(chain((one for one in in_trouble if one is not None), store.some_observed(most)))
        known = store.latest_times([*wanted])
        return dict(sorted((one, known[one]) for one in islice((one for one in wanted if one in known), most)))

    def count(self, store: Store) -> None:
        """Count how available stations are, if that is long ago."""
        if self._counted is not None and time.monotonic() - self._counted < AVAILABILITY_SECONDS:
            return
        now = time.time()
        found = store.tally(Span(now - DAY, now))
        expected = (max(1.0, DAY / one) for one in cadences_of(self._settings).of(found, store.owners))
        # In the place of what a scrape may be reading.
        self._available = {name: min(1.0, found[name] / of) for name, of in zip(found, expected, strict=True)}
        self._counted = time.monotonic()


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
