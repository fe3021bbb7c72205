"""Checks of the feed and of the way to it: each for one stage of a fetch, so that the first that fails is named."""

from __future__ import annotations

import codecs
import re
import socket
import ssl
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from toolkit import clock
from toolkit.address import shown
from toolkit.checks import Finding, Status, bad, check, good, unseen
from toolkit.checks.causes import COLLECTOR, DISK, FEED_SETTINGS, RELEASE, STORE, UNIT
from toolkit.checks.each_source import each_source
from toolkit.checks.feed_names import renamed, renamed_time
from toolkit.checks.feed_places import lost, renamed_stations, turned
from toolkit.checks.feed_time import hours_behind, served, stations_time
from toolkit.checks.feed_trust import unknown_authority
from toolkit.checks.feed_values import STATIONS, all_alike, jumped, unit_of_impossible
from toolkit.checks.host import Host
from toolkit.checks.host.feed import FEED_SECONDS, SourceSeen
from toolkit.checks.probes.network import limits_of, recent
from toolkit.checks.reach import DISCARDED, ConnectError, UnresolvedError
from toolkit.checks.remedies import Logs, OnMachine, Restart, Shell, Tool
from toolkit.durations import humanize
from toolkit.errors import ToolkitError
from toolkit.feed.entries import COMMA, TWO_PLACES
from toolkit.feed.errors import DENIES, AnswerError, TooSlowError, UntrustedError
from toolkit.settings import NOA_FIELDS
from toolkit.sources import STALE_CADENCES, fresh_seconds
from toolkit.times import from_stored
from toolkit.variables import BY_NAME

if TYPE_CHECKING:
    from toolkit.model import Document, Observation

# So much of a document that cannot be read is shown, in bytes: a server's message is in it.
SHOWN = 120
# Most certificates are renewed a month before they end.
CERTIFICATE_DAYS = 7
# A station that has reported within this is expected in the feed.
LATELY_SECONDS = 86400
# A variable that nearly all observations of this time have is one that the feed always tells.
TELLING_SECONDS, TELLING_PART = 3 * 3600, 0.9
# Some variables are told at some hours only: of a service that has just begun so many observations have to agree.
FIRST = 2
CERTIFICATE_SECONDS = 1.0
# A time of our days in milliseconds since 1970.
_MILLISECONDS = re.compile(rb":\s*1[5-9]\d{11}\b")
# What stands for no value in many programs.
_NO_VALUES = re.compile(rb":\s*\"?-9{3,}(\.9*|\.0*)?\b")
# A number with a decimal comma, by itself.
_COMMA = re.compile(rb"(?<![\d,.])(-?\d+,\d+)(?![\d,.])")
_LOG = Logs("collector")
# If so many of a feed's stations are silent, the fault is the feed's, not the stations'.
SILENT_PART = 0.5


def _failed(feed: SourceSeen) -> ToolkitError | None:
    """Why the feed could not be fetched; None if it could."""
    try:
        feed.fetched  # noqa: B018 - asked for what it raises
    except ToolkitError as error:
        return error
    return None


def _stage(feed: SourceSeen) -> str:
    """The id of the check that the failure of the fetch belongs to; empty where it did not fail."""
    error = _failed(feed)
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


def _at(stage: str, what: str, feed: SourceSeen) -> Finding | None:
    """The finding of one stage of the fetch: None where an earlier or a later one failed."""
    failed = _stage(feed)
    if failed == stage:
        # Of a name or a connection it is the proxy's that fails, where there is one.
        proxy = feed.settings.feed_proxy and stage in {"feed-name", "feed-connects"}
        return bad(f"{_failed(feed)}{': it is the proxy that WEATHER_FEED_PROXY names' if proxy else ''}")
    return None if failed else good(what)


@check(
    id="feed-name", area="feed",
    invariant="The name of the feed's server can be resolved.",
    problem="The name of the feed's server cannot be resolved.",
    severity=Status.CRITICAL, remedy=Shell("cat /etc/resolv.conf"),
    caused_by=("feed-way", *FEED_SETTINGS), on_feed=True,
)  # fmt: skip
@each_source
def feed_name(_host: Host, feed: SourceSeen) -> Finding | None:
    name = urlsplit(feed.settings.feed_proxy or feed.settings.feed_url).hostname or ""
    return _at("feed-name", f"{name} has an address", feed)


@check(
    id="feed-connects", area="feed",
    invariant="The feed's server takes connections.",
    problem="The feed's server takes no connections.",
    severity=Status.CRITICAL, remedy=_LOG,
    caused_by=("feed-way", "feed-name", *FEED_SETTINGS), on_feed=True,
)  # fmt: skip
@each_source
def feed_connects(_host: Host, feed: SourceSeen) -> Finding | None:
    failed = _failed(feed)
    if isinstance(failed, ConnectError) and failed.code in DISCARDED:
        return bad(str(failed), OnMachine("ip rule; ip route get {}", failed.address))
    return _at("feed-connects", "the server takes connections", feed)


@check(
    id="feed-trusted", area="feed",
    invariant="The feed's certificate is valid.",
    problem="The feed's certificate is not trusted.",
    severity=Status.CRITICAL, remedy=_LOG, caused_by=("feed-connects", "clock-right"), on_feed=True,
)  # fmt: skip
@each_source
def feed_trusted(_host: Host, feed: SourceSeen) -> Finding | None:
    if not feed.settings.feed_url.startswith("https://"):
        return None
    if _stage(feed) == "feed-trusted" and (why := unknown_authority(feed.settings, str(_failed(feed)))):
        return why
    return _at("feed-trusted", "its certificate is valid", feed)


@check(
    id="feed-certificate", area="feed",
    invariant="The feed's certificate stays valid for a week.",
    problem="The feed's certificate ends within a week.",
    severity=Status.WARNING, remedy=_LOG, caused_by=("feed-trusted",), on_feed=True,
)  # fmt: skip
@each_source
def feed_certificate(host: Host, feed: SourceSeen) -> Finding | None:
    parts = urlsplit(feed.settings.feed_url)
    if parts.scheme != "https" or feed.settings.feed_proxy or _stage(feed):
        return None
    context = ssl.create_default_context(cafile=feed.settings.feed_ca_file)
    with (
        socket.create_connection((parts.hostname or "", parts.port or 443), CERTIFICATE_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as secure,
    ):
        certificate = secure.getpeercert() or {}
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    left = ends.timestamp() - host.now
    if left < CERTIFICATE_DAYS * 86400:
        return bad(f"the certificate of {parts.hostname} ends in {humanize(left)}, on {ends:%Y-%m-%d}")
    return good(f"its certificate is valid until {ends:%Y-%m-%d}")


@check(
    id="feed-in-time", area="feed",
    invariant="The feed answers in time.",
    problem="The feed does not answer in time.",
    severity=Status.CRITICAL, remedy=_LOG, caused_by=("feed-way", "feed-connects"), on_feed=True,
)  # fmt: skip
@each_source
def feed_in_time(host: Host, feed: SourceSeen) -> Finding | None:
    if _stage(feed) != "feed-in-time":
        return None if _stage(feed) else good("it answers in time")
    limit = feed.settings.feed_timeout_seconds
    if limit <= FEED_SECONDS:
        return bad(str(_failed(feed)))
    # The collector waits for longer: what it says counts.
    with suppress(ToolkitError):
        last = next((one for one in host.log if one.source in {None, feed.name}), None)
        if last and last.status == "failed":
            return bad(f"{last.message}; the collector's limit is {limit:g} s")
        if last and host.now - last.time > feed.settings.cadence_seconds + limit:
            return bad(
                f"it has not answered for {FEED_SECONDS:g} s, nor the collector for {humanize(host.now - last.time)}"
            )
    return unseen(f"it did not answer within {FEED_SECONDS:g} s; the collector waits for {limit:g} s")


@check(
    id="feed-answers", area="feed",
    invariant="The feed answers with a document.",
    problem="The feed answers with an error, or with no document.",
    severity=Status.CRITICAL, remedy=Tool("settings"),
    caused_by=("feed-connects", "feed-in-time", *FEED_SETTINGS), on_feed=True,
)  # fmt: skip
@each_source
def feed_answers(_host: Host, feed: SourceSeen) -> Finding | None:
    return _at("feed-answers", "it answers 200", feed)


@check(
    id="feed-readable", area="feed",
    invariant="The feed's document is what the settings say, and has observations.",
    problem="The feed's document cannot be read, or has no observations.",
    severity=Status.CRITICAL, remedy=_LOG, caused_by=("feed-answers", "settings-valid"), on_feed=True,
)  # fmt: skip
@each_source
def feed_readable(host: Host, feed: SourceSeen) -> Finding | None:
    if _stage(feed):
        return None
    try:
        document = feed.document
    except ToolkitError as error:
        start = feed.fetched.beginning[:SHOWN].decode(errors="replace").strip()
        said = f"{error} (it begins with {start!r})"
        if (fields := str(feed.settings.feed_fields)) != NOA_FIELDS:
            return bad(f"{said}: are the names right that WEATHER_FEED_FIELDS gives, {fields}?", Tool("settings"))
        return bad(said)
    if not document.observations:
        why = "".join(f": {number} entries have {reason}" for reason, number in document.left_out.most_common(1))
        remedy = None
        if set(document.left_out) == {"no observation"}:  # as a station has that has never reported
            which, remedy = renamed_time(host, feed.settings, feed.fetched.beginning)
            why = f": none of its {sum(document.left_out.values())} entries tells a time" + (
                which or " (is its field named otherwise?)"
            )
        if _MILLISECONDS.search(feed.fetched.beginning):
            why += "; there are numbers in it that are milliseconds since 1970, not seconds"
        return bad(f"the feed {shown(feed.settings.feed_url)} holds no observation that can be used{why}", remedy)
    try:
        if feed.settings.feed_format != "bufr":
            codecs.getincrementaldecoder("utf-8")().decode(feed.fetched.beginning)
    except UnicodeDecodeError:
        return bad(
            f"the feed {shown(feed.settings.feed_url)} is not UTF-8 text: names in it are read wrongly",
            severity=Status.WARNING,
        )
    return good(f"{len(document.stations)} stations, {len(document.observations)} observations")


@check(
    id="feed-current", area="feed",
    invariant="The feed's observations are new.",
    problem="The feed's observations are old.",
    severity=Status.CRITICAL, remedy=Tool("data latest"), caused_by=("clock-right",), on_feed=True,
)  # fmt: skip
@each_source
def feed_current(host: Host, feed: SourceSeen) -> Finding | None:
    document = _read(feed)
    if document is None or not document.observations:
        return None
    fresh, stored = feed.settings.fresh_minutes * 60, _stored(host, feed)
    limit = max(fresh, STALE_CADENCES * feed.settings.cadence_seconds)
    # Against the server's own clock, where it tells it: what is wrong with ours has a check of its own.
    by_server = served(feed)
    present = by_server or host.now
    if stored is not None and host.now - stored > fresh:  # which is told already: here is why
        limit = fresh
    stations = stations_time(feed)
    if stations is not None and clock.ahead(stations, present):
        said = f"{humanize(stations - present)} in the future"
        if by_server:
            return bad(
                f"its stations' times are {said} by its server's own clock, so nothing of it is stored: are they UTC?",
                Tool("feed try"),
            )
        return bad(f"how new they are cannot be told: they are {said}", OnMachine("timedatectl"))
    past = [one.time for one in document.observations if not clock.ahead(one.time, present)]
    if not past:
        return None
    age = present - max(past)
    if age > limit:
        hours = hours_behind(age, feed.settings.cadence_seconds) if by_server and _changes(host, feed) else 0
        if hours:
            behind = "an hour" if hours == 1 else f"{hours} hours"
            over = "; what it tells replaces what was stored of that time" if (stored or 0) > max(past) else ""
            return bad(
                f"its stations' times are {behind} behind its server's own clock, and its values are others each time: "
                f"a time zone, or summer time, that is read wrongly{over}",
                Tool("feed try"),
            )
        kept = feed.fetched.fresh_for
        if stored is not None and stored - max(past) > limit and not clock.ahead(stored, present):
            return bad(
                f"the feed offers observations {humanize(stored - max(past))} older than those that it gave before: "
                "of several servers behind its name, or caches before them, one is behind"
            )
        why = "its source has stopped"
        if kept and kept > limit:
            why = f"a cache may hold it, which says that it stays fresh for {humanize(kept)}"
        return bad(f"the newest observation that the feed offers is {humanize(age)} old: {why}")
    return good(f"its newest observation is {humanize(max(age, 0))} old")


def _changes(host: Host, feed: SourceSeen) -> bool:
    """Whether it brought what was not stored within the last two cadences."""
    with suppress(ToolkitError):
        last = next((one for one in host.log if one.status == "success" and one.source in {None, feed.name}), None)
        return bool(last and last.observations and host.now - last.time <= 2 * feed.settings.cadence_seconds)
    return False


def _stored(host: Host, feed: SourceSeen) -> float | None:
    """The time of the newest observation of it that is stored; None where there is none, or it cannot be told."""
    with suppress(ToolkitError):
        if len(host.sources) > 1:
            return host.source_states[feed.name].newest if feed.name in host.source_states else None
        return from_stored(host.newest).timestamp() if host.newest else None
    return None


@check(
    id="feed-passed-on", area="feed",
    invariant="The collector gets what the feed has.",
    problem="The feed has newer observations than the collector gets.",
    severity=Status.CRITICAL, remedy=Restart("collector"),
    caused_by=(*DISK, *STORE, *RELEASE, *UNIT, *COLLECTOR, "feed-current", "processes-unlimited"), on_feed=True,
)  # fmt: skip
@each_source
def feed_passed_on(host: Host, feed: SourceSeen) -> Finding | None:
    document = _read(feed)
    stored = _stored(host, feed)
    if document is None or not document.observations or stored is None:
        return None
    past = [one.time for one in document.observations if not clock.ahead(one.time, host.now)]
    if past and host.now - stored > fresh_seconds(feed.source) and max(past) - stored > feed.settings.cadence_seconds:
        newer = f"the feed has observations {humanize(max(past) - stored)} newer than what is stored"
        if feed.denies:
            return bad(f"{newer}: its server {DENIES}")
        return bad(f"{newer}: its server, or a cache on the way, tells the collector that nothing is new")
    return good("what the feed has is stored")


@check(
    id="feed-complete", area="feed",
    invariant="The feed has new observations of most of its stations.",
    problem="Most of the feed's stations are silent.",
    severity=Status.WARNING, remedy=Tool("data latest"), caused_by=("feed-current",), on_feed=True,
)  # fmt: skip
@each_source
def feed_complete(_host: Host, feed: SourceSeen) -> Finding | None:
    document = _read(feed)
    if document is None or not document.observations:
        return None
    newest = max(one.time for one in document.observations)
    limit = STALE_CADENCES * feed.settings.cadence_seconds
    fresh = {one.station_id for one in document.observations if newest - one.time <= limit}
    names = {station.station_id for station in document.stations}
    silent = sorted(names - fresh)
    if names and len(silent) >= SILENT_PART * len(names):
        shown = ", ".join(silent[:5]) + (", …" if len(silent) > 5 else "")
        return bad(f"{len(silent)} of {len(names)} stations of the feed are silent: {shown}")
    return good(f"{len(fresh)} of {len(names)} stations report")


@check(
    id="feed-stations", area="feed",
    invariant="The feed has the stations that reported lately, each under an id of its own, where they were.",
    problem="Most of the stations that reported lately are not in the feed any more, have one id, or are elsewhere.",
    severity=Status.WARNING, remedy=Tool("data latest"), caused_by=("feed-readable", "feed-current"), on_feed=True,
)  # fmt: skip
@each_source
def feed_stations(host: Host, feed: SourceSeen) -> Finding | None:
    document = _read(feed)
    if document is None or not document.stations:
        return None
    names = {station.station_id for station in document.stations}
    if (alike := document.left_out[TWO_PLACES]) >= max(STATIONS, SILENT_PART * len(names)):
        return bad(
            f"{alike} entries of the feed have the id of a station that is elsewhere, such as {min(names)}: "
            "is it the id that WEATHER_FEED_FIELDS names?"
        )
    others = _others(host, feed)
    lately = {name for name, time in host.latest.items() if host.now - time < LATELY_SECONDS} - others
    gone = sorted(lately - names)
    new_ids: dict[str, str] = {}
    if len(gone) >= STATIONS:
        new_ids, passing = renamed_stations(host, gone, document.stations)
        lately -= passing
        gone = sorted(lately - names)
    if len(gone) < max(STATIONS, SILENT_PART * len(lately - _since_lately(host, names))):
        own = [station for station in document.stations if station.station_id not in others]
        elsewhere = lost(host, own) or turned(host, document.stations)
        return bad(elsewhere, Tool("settings")) if elsewhere else good(f"{len(names)} stations")
    if len(new_ids) >= SILENT_PART * len(gone):
        old, now = next(iter(new_ids.items()))
        return bad(
            f"{len(new_ids)} of {len(gone)} stations that reported lately are not in the feed, and at the same "
            f"coordinates it has others, such as {now} in the place of {old}: the feed's owner has renamed them"
        )
    shown = ", ".join(gone[:5]) + (", …" if len(gone) > 5 else "")
    new = sorted(names & _since_lately(host, names))
    renamed = f"; {len(new)} have come instead, such as {new[0]}: were they renamed?" if new else ""
    return bad(f"{len(gone)} stations that reported lately are not in the feed: {shown}{renamed}")


def _others(host: Host, feed: SourceSeen) -> set[str]:
    """The stations of other sources."""
    return {name for name, owner in host.owners.items() if owner != feed.name} if len(host.sources) > 1 else set()


def _since_lately(host: Host, names: set[str]) -> set[str]:
    """Those of the stations that are new: not stored yet, or with nothing that is older than an hour."""
    rows = recent(host)
    old = {row.station_id for row in rows if row.time < host.now - 3600}
    return names - old if old else set()


@check(
    id="feed-variables", area="feed",
    invariant="The feed tells the variables that it told before, in values that can be.",
    problem="The feed does not tell a variable any more, or only in values that cannot be.",
    severity=Status.WARNING, remedy=Tool("settings"), caused_by=("feed-readable", "feed-current"), on_feed=True,
)  # fmt: skip
@each_source
def feed_variables(host: Host, feed: SourceSeen) -> Finding | None:
    document = _read(feed)
    if document is None or not document.observations:
        return None
    for name, variable in BY_NAME.items():
        impossible = [one for one in document.rejected if one.variable == name]
        stations = {one.station_id for one in impossible}
        if len(stations) >= max(STATIONS, SILENT_PART * len(document.stations)):
            values = {one.station_id: one.value for one in impossible}
            why = unit_of_impossible(values, recent(host), name) or "has its unit changed, or is it a placeholder?"
            return bad(
                f"{name} of {len(stations)} stations is out of range in the feed, such as {impossible[0].value:g} "
                f"{variable.unit}: {why}"
            )
    others = _others(host, feed)
    lately = [row for row in recent(host) if row.station_id not in others]
    # With what is not stored yet: it is seen at once.
    known = {(row.station_id, row.time) for row in lately}
    new = [one for one in document.observations if (one.station_id, one.time) not in known]
    rows = sorted([*lately, *new], key=lambda row: row.time)
    if wrong := all_alike(document, lately) or jumped(rows, limits_of(host, rows)):
        return bad(wrong)
    left_out = document.left_out.most_common(1)
    told = {name for name in BY_NAME for one in document.observations if getattr(one, name) is not None}
    start, end = host.now - TELLING_SECONDS, host.now - 2 * feed.settings.cadence_seconds
    rows = [row for row in lately if start < row.time < end] or _first_of_each(lately)
    gone = [
        name
        for name in (BY_NAME if len({row.station_id for row in rows}) >= STATIONS else ())
        if name not in told and sum(getattr(row, name) is not None for row in rows) >= TELLING_PART * len(rows)
    ]
    if gone or not told:
        why = "".join(f"; {number} entries or values were left out: {what}" for what, number in left_out)
        other, remedy = renamed(host, feed.settings, feed.fetched.beginning, gone)
        was = "was it renamed?" if len(gone) == 1 else "were they renamed, or have they no values any more?"
        if _NO_VALUES.search(feed.fetched.beginning):
            was = "there are numbers such as -9999 in it, which stand for no value"
        if any(what.endswith(COMMA) for what in document.left_out):
            such = _COMMA.search(feed.fetched.beginning)
            was = "its numbers are written with a comma" + (f": '{such[1].decode()}'" if such else "")
        said = "no station of the feed tells any value"
        if gone:
            said = f"no station of the feed tells {', '.join(gone)}, which nearly all told until lately"
        found = bad(f"{said}: {other or was}{why}", remedy)
        # What is stored then has no value at all.
        return found if told else replace(found, severity=Status.CRITICAL, explains=frozenset(("observations-fresh",)))
    return good(f"it tells {len(told)} variables")


def _first_of_each(rows: Iterable[Observation]) -> list[Observation]:
    """The first observations of each station: what a service that has just begun was told."""
    of_stations: dict[str, list[Observation]] = defaultdict(list)
    for row in rows:
        of_stations[row.station_id].append(row)
    return [row for one in of_stations.values() if len(one) >= FIRST for row in one[:FIRST]]


def _read(feed: SourceSeen) -> Document | None:
    """The feed's document, where one came that can be read."""
    if _stage(feed):
        return None
    try:
        return feed.document
    except ToolkitError:
        return None
