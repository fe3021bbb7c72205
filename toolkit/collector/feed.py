"""The feed that the settings describe: what fetches it, and what reads its documents."""

from __future__ import annotations

import logging
import math
import os
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from toolkit.address import shown
from toolkit.address_template import columns, filled
from toolkit.errors import UsageError, reason
from toolkit.feed.addresses import Addresses
from toolkit.feed.fetch import Fetcher
from toolkit.feed.pages import NextPage
from toolkit.feed.reader import DocumentReader, require
from toolkit.feed.stations import read_columns, read_stations
from toolkit.settings import Settings

log = logging.getLogger(__name__)


def fetcher_of(settings: Settings, at_most: float = math.inf, folder: Path | None = None) -> Fetcher:
    """What fetches the feed, in no more than `at_most` seconds, however long the settings allow it to take.

    Where each station has an address it fetches that of the first. Long documents are put into `folder`; by default
    into that for temporary files.

    Raises:
        UsageError: the file of certificates or that of stations cannot be used.
    """
    rows = _rows(settings)
    url = filled(settings.feed_url, next(iter(rows.values())) if rows else {}, time.time())
    return _fetcher(settings, url, folder, at_most)


def first_station(settings: Settings) -> str:
    """The id of the station whose address `fetcher_of` fetches; empty where there is one address for all.

    Raises:
        UsageError: the file of stations cannot be used.
    """
    return next(iter(_rows(settings) or ("",)))


def addresses_of(settings: Settings, folder: Path, wait: Callable[[float], bool] | None = None) -> Addresses:
    """What fetches all addresses of the feed.

    Args:
        settings: of the feed.
        folder: where long documents are put.
        wait: waits for a number of seconds; returns whether to stop. None: nothing stops it.

    Raises:
        UsageError: the file of certificates or that of stations cannot be used, or the settings say no next page.
    """
    try:
        following = NextPage(settings.feed_next) if settings.feed_next else None
    except ValueError as error:
        raise UsageError(f"WEATHER_FEED_NEXT={settings.feed_next}: {error}") from None
    rows = _rows(settings)
    seconds = 60 * len(rows or ()) / settings.feed_requests_per_minute
    if seconds > settings.cadence_seconds:
        log.warning(
            "%d addresses, %d in a minute, take %.0f s, which is longer than the cadence of %d s: raise "
            "WEATHER_FEED_REQUESTS_PER_MINUTE, if the network allows it, or WEATHER_CADENCE_SECONDS",
            len(rows or ()),
            settings.feed_requests_per_minute,
            seconds,
            settings.cadence_seconds,
        )
    return Addresses(
        _fetcher(settings, settings.feed_url, folder),
        rows,
        following,
        settings.feed_concurrency,
        settings.feed_requests_per_minute,
        wait,
    )


def _fetcher(settings: Settings, url: str, folder: Path | None, at_most: float = math.inf) -> Fetcher:
    if settings.feed_ca_file:
        _require_certificates(settings.feed_ca_file)
    return Fetcher(
        url,
        min(settings.feed_timeout_seconds, at_most),
        settings.feed_max_mib << 20,
        settings.feed_ca_file,
        settings.feed_proxy,
        folder,
    )


def _rows(settings: Settings) -> dict[str, Mapping[str, str]] | None:
    """What an address takes from each station, by the station's id; None where there is one address for all."""
    names = columns(settings.feed_url)
    if not names:
        return None
    if not settings.feed_stations:
        raise UsageError(
            f"WEATHER_FEED_URL={shown(settings.feed_url)} is an address for each station, and there is no list of "
            "stations: name a file in WEATHER_FEED_STATIONS"
        )
    return read_columns(Path(settings.feed_stations), names, settings.bounds)


def reader_of(settings: Settings) -> DocumentReader:
    """What reads the feed's documents.

    Raises:
        UsageError: the file of stations cannot be used, or the format does not know such entries.
    """
    try:
        require(settings.feed_format, settings.feed_records)
    except ValueError as error:
        raise UsageError(f"WEATHER_FEED_RECORDS={settings.feed_records}: {error}") from None
    stations = read_stations(Path(settings.feed_stations), settings.bounds) if settings.feed_stations else []
    by_id = {one.station_id: one for one in stations}
    return DocumentReader(
        settings.feed_format,
        settings.feed_records,
        settings.feed_fields,
        settings.feed_prefix,
        by_id,
        settings.bounds,
    )


def _require_certificates(ca_file: str) -> None:
    if not os.access(ca_file, os.R_OK):
        raise UsageError(f"WEATHER_FEED_CA_FILE={ca_file}: it cannot be read")
    try:
        ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = "there is no certificate in it" if isinstance(error, ssl.SSLError) else reason(error)
        raise UsageError(f"WEATHER_FEED_CA_FILE={ca_file}: {why}") from error
