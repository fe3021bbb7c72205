"""Checks of the feed and the way to it, one for each thing that can be wrong with it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from toolkit import clock
from toolkit.address import shown
from toolkit.checks import Check, Finding, Status, bad, good, unseen
from toolkit.checks.clock import served, stations_time
from toolkit.checks.host import FEED_SECONDS, PATIENCE_SECONDS, Host, long
from toolkit.checks.reach import ConnectError, UnresolvedError
from toolkit.errors import ToolkitError
from toolkit.feed.errors import AnswerError, TooSlowError, UntrustedError

if TYPE_CHECKING:
    from toolkit.model import Document

# A certificate is renewed a month before its end, by most.
CERTIFICATE_DAYS = 7
STALE_CADENCES = 3
_LOG = "journalctl -u weather-collector.service -n 20 --no-pager"
# Stations of a feed that are silent for this part of all are the feed's trouble, not theirs.
SILENT_PART = 0.5


def _failed(host: Host) -> ToolkitError | None:
    """What the fetch said; None if it went well."""
    try:
        host.fetched  # noqa: B018 - asked for what it raises
    except ToolkitError as error:
        return error
    return None


def _stage(host: Host) -> str:
    """How far the fetch came: the check that its failure belongs to."""
    error = _failed(host)
    if error is None:
        return ""
    if isinstance(error, UnresolvedError):
        return "feed-name"
    if isinstance(error, ConnectError):
        return "feed-connects"
    if isinstance(error, AnswerError):
        return "feed-answers"
    if isinstance(error, TooSlowError):
        return "feed-in-time"
    if isinstance(error, UntrustedError):
        return "feed-trusted"
    return "feed-connects"


def _at(stage: str, what: str, host: Host) -> Finding | None:
    failed = _stage(host)
    if failed == stage:
        return bad(str(_failed(host)))
    return None if failed else good(what)


def _name(host: Host) -> Finding | None:
    name = urlsplit(host.settings.feed_proxy or host.settings.feed_url).hostname or ""
    return _at("feed-name", f"{name} has an address", host)


def _connects(host: Host) -> Finding | None:
    return _at("feed-connects", "the server takes connections", host)


def _in_time(host: Host) -> Finding | None:
    if _stage(host) != "feed-in-time":
        return None if _stage(host) else good("it answers in time")
    limit = host.settings.feed_timeout_seconds
    if limit <= FEED_SECONDS:
        return bad(str(_failed(host)))
    # The collector waits for longer: what it says counts.
    with suppress(ToolkitError):
        last = host.log[0] if host.log else None
        if last and last.status == "failed":
            return bad(f"{last.message}; the collector's limit is {limit:g} s")
        if last and host.now - last.time > host.settings.cadence_seconds + limit:
            return bad(
                f"it has not answered for {FEED_SECONDS:g} s, nor the collector for {long(host.now - last.time)}"
            )
    return unseen(f"it did not answer within {FEED_SECONDS:g} s; the collector waits for {limit:g} s")


def _trusted(host: Host) -> Finding | None:
    if not host.settings.feed_url.startswith("https://"):
        return None
    return _at("feed-trusted", "its certificate is valid", host)


def _certificate(host: Host) -> Finding | None:
    parts = urlsplit(host.settings.feed_url)
    if parts.scheme != "https" or host.settings.feed_proxy or _stage(host):
        return None
    context = ssl.create_default_context(cafile=host.settings.feed_ca_file)
    with (
        socket.create_connection((parts.hostname or "", parts.port or 443), PATIENCE_SECONDS / 2) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as secure,
    ):
        told = secure.getpeercert() or {}
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), UTC)
    left = ends.timestamp() - host.now
    if left < CERTIFICATE_DAYS * 86400:
        return bad(f"the certificate of {parts.hostname} ends in {long(left)}, on {ends:%Y-%m-%d}")
    return good(f"its certificate is valid until {ends:%Y-%m-%d}")


def _answers(host: Host) -> Finding | None:
    return _at("feed-answers", "it answers 200", host)


def _readable(host: Host) -> Finding | None:
    if _stage(host):
        return None
    try:
        document = host.document
    except ToolkitError as error:
        start = host.fetched.body[:40].decode(errors="replace").strip()
        return bad(f"{error} (it begins with {start!r})")
    if not document.observations:
        return bad(f"the feed {shown(host.settings.feed_url)} holds no observation")
    return good(f"{len(document.stations)} stations, {len(document.observations)} observations")


def _current(host: Host) -> Finding | None:
    document = _read(host)
    if document is None or not document.observations:
        return None
    limit = max(host.settings.fresh_minutes * 60, STALE_CADENCES * host.settings.cadence_seconds)
    # Against the server's own clock, where it tells it: what is wrong with ours has a check of its own.
    present = served(host) or host.now
    stations = stations_time(host)
    if stations is not None and clock.ahead(stations, present):
        return bad(f"how new they are cannot be told: they are {long(stations - present)} in the future", "timedatectl")
    past = [one.time for one in document.observations if not clock.ahead(one.time, present)]
    if not past:
        return None
    age = present - max(past)
    if age > limit:
        return bad(f"the newest observation that the feed offers is {long(age)} old: its source has stopped")
    return good(f"its newest observation is {long(max(age, 0))} old")


def _complete(host: Host) -> Finding | None:
    document = _read(host)
    if document is None or not document.observations:
        return None
    newest = max(one.time for one in document.observations)
    limit = STALE_CADENCES * host.settings.cadence_seconds
    fresh = {one.station_id for one in document.observations if newest - one.time <= limit}
    names = {station.station_id for station in document.stations}
    silent = sorted(names - fresh)
    if names and len(silent) >= SILENT_PART * len(names):
        shown = ", ".join(silent[:5]) + (", …" if len(silent) > 5 else "")
        return bad(f"{len(silent)} of {len(names)} stations of the feed are silent: {shown}")
    return good(f"{len(fresh)} of {len(names)} stations report")


def _read(host: Host) -> Document | None:
    """The feed's document, where one came that can be read."""
    if _stage(host):
        return None
    try:
        return host.document
    except ToolkitError:
        return None


def _check(
    name: str,
    guards: str,
    probe: Callable[[Host], Finding | None],
    remedy: str,
    *because: str,
    severity: Status = Status.CRITICAL,
) -> Check:
    return Check(name, "feed", guards, severity, probe, remedy, because, on_feed=True)


CHECKS = (
    _check("feed-name", "The name of the feed's server can be resolved.", _name, "cat /etc/resolv.conf",
           "settings-known", "settings-valid", "packages-complete"),
    _check("feed-connects", "The feed's server takes connections.", _connects, _LOG,
           "feed-name", "settings-known", "settings-valid", "packages-complete"),
    _check("feed-trusted", "The feed's certificate is valid.", _trusted, _LOG,
           "feed-connects", "clock-right"),
    _check("feed-certificate", "The feed's certificate stays valid for a week.", _certificate,
           _LOG, "feed-trusted", severity=Status.WARNING),
    _check("feed-in-time", "The feed answers in time.", _in_time, _LOG,
           "feed-connects"),
    _check("feed-answers", "The feed answers with a document.", _answers, "weather-tool settings",
           "feed-connects", "feed-in-time", "settings-known"),
    _check("feed-readable", "The feed's document is what the settings say, and has observations.", _readable,
           _LOG, "feed-answers", "settings-valid"),
    _check("feed-current", "The feed's observations are new.", _current, "weather-tool data latest", "clock-right"),
    _check("feed-complete", "The feed has news of most of its stations.", _complete, "weather-tool data latest",
           "feed-current", severity=Status.WARNING),
)  # fmt: skip
