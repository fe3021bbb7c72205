"""The feed that the settings describe: what fetches it, and what reads its documents."""

from __future__ import annotations

import math
import os
import ssl
from pathlib import Path

from toolkit.authorization import Way, secrets
from toolkit.credentials import CredentialError
from toolkit.errors import UsageError, reason
from toolkit.feed.authorization import Authorization
from toolkit.feed.fetch import Fetcher
from toolkit.feed.reader import DocumentReader, require
from toolkit.feed.session import tls_context
from toolkit.feed.stations import read_stations
from toolkit.settings import Settings
from toolkit.sources import Source


def fetcher_of(source: Source, at_most: float = math.inf, folder: Path | None = None) -> Fetcher:
    """What fetches a source, in no more than `at_most` seconds, however long the settings allow it to take.

    Long documents are put into `folder`; by default into that for temporary files.

    Raises:
        UsageError: the file of certificates cannot be used, or a secret is not as it should be.
    """
    settings = source.settings
    who = _secrets_of(source)
    if settings.feed_ca_file:
        _require_certificates(settings.feed_ca_file)
    return Fetcher(
        settings.feed_url,
        min(settings.feed_timeout_seconds, at_most),
        settings.feed_max_mib << 20,
        settings.feed_ca_file,
        settings.feed_proxy,
        Authorization(who),
        folder,
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
