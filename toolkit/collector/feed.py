"""The feed that the settings describe: what fetches it, and what reads its documents."""

from __future__ import annotations

import logging
import math
import os
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.address import shown
from toolkit.address_template import columns, filled
from toolkit.authorization import Way, secrets
from toolkit.broker import is_broker
from toolkit.collector.cycle import Documents
from toolkit.collector.inbox import Inbox, inbox_of
from toolkit.credentials import CredentialError
from toolkit.errors import UsageError, reason
from toolkit.feed.addresses import Addresses
from toolkit.feed.authorization import Authorization
from toolkit.feed.fetch import Fetcher
from toolkit.feed.pages import NextPage
from toolkit.feed.reader import DocumentReader, require
from toolkit.feed.session import tls_context
from toolkit.feed.stations import read_columns, read_stations
from toolkit.push import protocol_of
from toolkit.settings import Settings
from toolkit.sources import Source, fresh_seconds

if TYPE_CHECKING:
    from toolkit.feed.mqtt import Subscriber

log = logging.getLogger(__name__)

# A source that others send to is looked after all the time; its back-off ends at half of this, in seconds.
RECEIVED_EVERY = 60.0


def documents_of(source: Source, folder: Path, wait: Callable[[float], bool] | None = None) -> Documents:
    """Where the documents of a source come from; see `addresses_of`, `subscriber_of` and `collector.inbox`."""
    if is_broker(source.settings.feed_url):
        return subscriber_of(source, folder)
    if protocol_of(source.settings.feed_url):
        return Inbox(source.settings.feed_url, inbox_of(source))
    return addresses_of(source, folder, wait)


def rhythm_of(settings: Settings) -> tuple[float, float]:
    """The cadence of a source and the pause between two fetches, in seconds."""
    return (RECEIVED_EVERY, 0) if is_received(settings) else (settings.cadence_seconds, settings.feed_pause_seconds)


def is_received(settings: Settings) -> bool:
    """Whether others send the documents of a source, by a broker or to the receiver; otherwise they are fetched."""
    return bool(is_broker(settings.feed_url) or protocol_of(settings.feed_url))


def subscriber_of(source: Source, folder: Path | None = None, *, lasting: bool = True) -> Subscriber:
    """What takes the messages of a source that is a broker; without a lasting session it leaves no trace there.

    Long documents are put into `folder`; by default into that for temporary files.

    Raises:
        UsageError: the file of certificates cannot be used, or a secret is not as it should be.
    """
    from toolkit.feed.mqtt import Login, Subscriber

    settings = source.settings
    found = {way.kind: secret for way, secret in _secrets_of(source).items()}
    if others := found.keys() - {"basic", "certificate"}:
        raise UsageError(f"the source {source.name} has auth {min(others)}: a broker knows basic and certificate alone")
    if settings.feed_ca_file:
        _require_certificates(settings.feed_ca_file)
    user, _, password = found.get("basic", "").partition(":")
    return Subscriber(
        settings.feed_url,
        f"weather-toolkit-{socket.gethostname()}-{source.name}" if lasting else "",
        settings.feed_timeout_seconds,
        settings.feed_max_mib << 20,
        settings.feed_ca_file,
        Login(user, password, found.get("certificate", "")),
        settings.feed_proxy,
        folder,
    )


def fetcher_of(source: Source, at_most: float = math.inf, folder: Path | None = None) -> Fetcher:
    """What fetches a source, in no more than `at_most` seconds, however long the settings allow it to take.

    Where each station has an address it fetches that of the first. Long documents are put into `folder`; by default
    into that for temporary files.

    Raises:
        UsageError: the file of certificates or that of stations cannot be used, or a secret is not as it should be.
    """
    rows = _rows(source.settings)
    url = filled(source.settings.feed_url, next(iter(rows.values())) if rows else {}, time.time())
    return _fetcher(source, url, folder, at_most)


def first_station(settings: Settings) -> str:
    """The id of the station whose address `fetcher_of` fetches; empty where there is one address for all.

    Raises:
        UsageError: the file of stations cannot be used.
    """
    return next(iter(_rows(settings) or ("",)))


def addresses_of(source: Source, folder: Path, wait: Callable[[float], bool] | None = None) -> Addresses:
    """What fetches all addresses of a source.

    Args:
        source: of which.
        folder: where long documents are put.
        wait: waits for a number of seconds; returns whether to stop. None: nothing stops it.

    Raises:
        UsageError: the file of certificates or that of stations cannot be used, a secret is not as it should be, or the
            settings say no next page.
    """
    settings = source.settings
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
        _fetcher(source, settings.feed_url, folder),
        rows,
        following,
        settings.feed_concurrency,
        settings.feed_requests_per_minute,
        wait,
    )


def _fetcher(source: Source, url: str, folder: Path | None, at_most: float = math.inf) -> Fetcher:
    settings = source.settings
    who = _secrets_of(source)
    if settings.feed_ca_file:
        _require_certificates(settings.feed_ca_file)
    return Fetcher(
        url,
        min(settings.feed_timeout_seconds, at_most),
        settings.feed_max_mib << 20,
        settings.feed_ca_file,
        settings.feed_proxy,
        Authorization(who),
        folder,
        believed_for=fresh_seconds(source),
    )


def _secrets_of(source: Source) -> dict[Way, str]:
    try:
        found = secrets(source.settings.feed_auth, source.name)
    except CredentialError as error:
        raise UsageError(str(error)) from None
    for way, secret in found.items():
        if way.kind == "certificate":
            try:
                tls_context(None, secret)
            except OSError as error:
                raise UsageError(
                    f"the certificate of the source {source.name} cannot be used, or its key: {reason(error)}"
                ) from None
    return found


def _rows(settings: Settings) -> dict[str, Mapping[str, str]] | None:
    """What an address takes from each station, by the station's id; None where there is one address for all."""
    names = columns(settings.feed_url)
    if not names or is_broker(settings.feed_url):
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
        UsageError: the file of stations cannot be used, the format does not know such entries, or stations push reports
            of another one.
    """
    protocol = protocol_of(settings.feed_url)
    if protocol and settings.feed_format != protocol:
        raise UsageError(
            f"WEATHER_FEED_FORMAT={settings.feed_format}: what comes by {settings.feed_url} has the format {protocol}: "
            f'give that, and WEATHER_FEED_FIELDS=""'
        )
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
        tls_context(ca_file)
    except OSError as error:
        why = "there is no certificate in it" if isinstance(error, ssl.SSLError) else reason(error)
        raise UsageError(f"WEATHER_FEED_CA_FILE={ca_file}: {why}") from error
