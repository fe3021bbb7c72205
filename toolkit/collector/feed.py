"""The feed that the settings describe: what fetches it, and what reads its documents."""

from __future__ import annotations

import math
import os
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import credentials
from toolkit.broker import is_broker
from toolkit.collector.cycle import Fetches
from toolkit.credentials import CredentialError
from toolkit.errors import UsageError, reason
from toolkit.feed.fetch import Fetcher
from toolkit.feed.reader import DocumentReader, require
from toolkit.feed.stations import read_stations
from toolkit.settings import Settings
from toolkit.sources import Source, spool_of

if TYPE_CHECKING:
    from toolkit.feed.mqtt import Login


# A source that is not asked, for others send, is looked after so often, and its back-off ends at half of this.
RECEIVED_EVERY = 60.0


def fetches_of(source: Source, at_once: bool = False) -> Fetches:
    """What brings the documents of a source.

    Args:
        source: of which source.
        at_once: whether it is to look once, and to leave no trace of that with a broker.

    Raises:
        UsageError: the file of certificates cannot be used.
        CredentialError: the source's credential cannot be used.
    """
    settings = source.settings
    if not is_broker(settings.feed_url):
        return fetcher_of(settings, folder=None if at_once else spool_of(source))
    from toolkit.feed.mqtt import Subscriber

    if settings.feed_ca_file:
        _require_certificates(settings.feed_ca_file)
    return Subscriber(
        settings.feed_url,
        "" if at_once else f"weather-toolkit-{socket.gethostname()}-{source.name}",
        settings.feed_timeout_seconds,
        settings.feed_max_mib << 20,
        settings.feed_ca_file,
        _login(credentials.of_source(source.name)),
    )


def rhythm_of(settings: Settings) -> tuple[float, float]:
    """The cadence of a source and the pause between two fetches, in seconds."""
    received = is_broker(settings.feed_url)
    return (RECEIVED_EVERY, 0) if received else (settings.cadence_seconds, settings.feed_pause_seconds)


def _login(credential: str) -> Login:
    """Who asks a broker: the credential has USER:PASSWORD, or the PEM of a certificate and its key."""
    from toolkit.feed.mqtt import Login

    text = credentials.read(credential)
    if text is None:
        return Login()
    if "-----BEGIN" in text:
        return Login(certificate=str(credentials.path(credential)))
    user, colon, password = text.partition(":")
    if not user or not colon:
        raise CredentialError(
            f"the credential {credential} of a broker is USER:PASSWORD, or a certificate with its key"
        )
    return Login(user, password)


def fetcher_of(settings: Settings, at_most: float = math.inf, folder: Path | None = None) -> Fetcher:
    """What fetches the feed, in no more than `at_most` seconds, however long the settings allow it to take.

    Long documents are put into `folder`; by default into that for temporary files.

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
        folder,
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
