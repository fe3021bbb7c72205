"""The feed that the settings describe: what fetches it, and what reads its documents."""

from __future__ import annotations

import math
import os
import ssl
from pathlib import Path

from toolkit.errors import UsageError, reason
from toolkit.feed.fetch import Fetcher
from toolkit.feed.reader import DocumentReader, require
from toolkit.feed.stations import read_stations
from toolkit.settings import Settings


def fetcher_of(settings: Settings, at_most: float = math.inf) -> Fetcher:
    """What fetches the feed, in no more than `at_most` seconds, however long the settings allow it to take.

    Raises:
        UsageError: the file of certificates cannot be used.
    """
    if settings.feed_ca_file:
        _require_certificates(settings.feed_ca_file)
    return Fetcher(
        settings.feed_url,
        min(settings.feed_timeout_seconds, at_most),
        settings.feed_max_mib << 20,
        settings.feed_ca_file,
        settings.feed_proxy,
    )


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
