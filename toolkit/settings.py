"""The settings, declared once.

Everything else that knows a setting derives it from the class `Settings`: the environment variable
(`WEATHER_` and the name in capitals), the option's help, the Ansible role's argument specs, the page in docs/.

A value comes from the first of: an option, a credential, the environment, the settings file, the default. A credential
is the only place for an address with a secret in it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from toolkit import actor, envfile
from toolkit.address import SecretAddress
from toolkit.authorization import Ways
from toolkit.credentials import Credential, CredentialError
from toolkit.credentials import read as read_credential
from toolkit.database import FORMS as DATABASE_FORMS
from toolkit.database import Database
from toolkit.errors import UsageError
from toolkit.kinds import (
    ADDRESS,
    AUTHORIZATION,
    DATABASE,
    EXCEPTIONS,
    HOSTS,
    LEVELS_OF_SENSORS,
    MAPPING,
    OPTIONAL_PATH,
    ORIGINS,
    PATH,
    PROXY,
    QUIET_HOURS,
    REPOSITORY,
    SCHEDULER,
    SWITCH,
    TEXT,
    TIME_ZONE,
    URL,
    VARIABLES,
    Kind,
    NamedHost,
    choice,
    number,
    optional,
)
from toolkit.mapping import FieldMapping
from toolkit.model import FORMATS, Bounds
from toolkit.notifying import LEVELS, QuietHours, SensorLevels
from toolkit.sensor_exceptions import SensorException
from toolkit.text import has_control_characters, nearest
from toolkit.variables import DETECTED

PREFIX = "WEATHER_"
FILE_VARIABLE = "WEATHER_ENV_FILE"
DEFAULT_FILE = Path("/etc/weather/weather.env")
# So much is shown of a value that cannot be used.
_SHOWN_LENGTH = 300
COMBINED = "combined"
# The correlations that the guide's system classifies by.
WEATHER_FROM = 0.6
FAILURE_BELOW = 0.3
TAKEN = Bounds()
# What the feed of the NOA network calls its fields.
NOA_FIELDS = "station_id=station_file|fid, time=ts"


class Method(StrEnum):
    """The temporal methods by name; `quality.temporal` has what each does."""

    THREE_SIGMA = "3sigma"
    MAD = "mad"
    ZSCORE = "zscore"
    IQR = "iqr"
    PERCENTILE = "percentile"
    ARIMA = "arima"
    STL = "stl"
    ISOLATION_FOREST = "isolation_forest"
    LOF = "lof"


class Correlations(NamedTuple):
    """What the correlation with the neighbours makes of an anomaly that a temporal method found.

    Attributes:
        high: from here on it is weather.
        low: below it is a failure of the device.
    """

    high: float
    low: float


def _setting(default: str, kind: Kind, doc: str, alias: str | None = None) -> Any:
    """A field whose default is written as an operator would write it."""
    return field(metadata={"default": default, "kind": kind, "doc": doc, "alias": alias})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, valid."""

    db: Database = _setting(
        "/var/lib/weather/data/weather_stream.db",
        DATABASE,
        f"Where observations are stored: {DATABASE_FORMS}.",
    )
    spool: str | None = _setting(
        "",
        OPTIONAL_PATH,
        "The folder in which documents wait while the store cannot take them. "
        "Empty: beside an SQLite file, with `.spool` added to its name; for PostgreSQL, /var/lib/weather/data/spool.",
    )
    spool_mib: int = _setting(
        "64",
        number(1, 65536),
        "How much the documents in the spool may take, compressed, in MiB; then the oldest is given up.",
    )
    sources_file: str | None = _setting(
        "",
        OPTIONAL_PATH,
        "A file with the sources of observations, where there are several; each has what the settings `feed_…` say, as "
        "far as it does not say otherwise. See docs/feeds.md. Empty: the one source that those settings describe.",
    )
    feed_url: str = _setting(
        "https://stratus.meteo.noa.gr/data/stations/latestValues_Datagems.geojson",
        URL,
        "The feed: a document with the latest values of every station. `{station}` in it, or another column of the "
        "stations file, makes an address for each of those; `{date:%Y%m%d}` is the time of the request in UTC. "
        "`mqtt://HOST/TOPIC`: a broker; `push:wunderground` or `push:ecowitt`: stations push to the receiver. With a "
        "key or a password in it the whole address is a secret: put it into the credential feed_url.",
    )
    feed_format: str = _setting("geojson", choice(*FORMATS), "The feed's format.")
    feed_records: str = _setting(
        "",
        TEXT,
        "Where documents have their entries. Of json: a JMESPath expression, such as `stations[*].latest`; empty where "
        "the document is the list. Of xml: the path of the elements, such as `stations/station`. Other formats: empty.",
    )
    feed_fields: FieldMapping = _setting(
        NOA_FIELDS,
        MAPPING,
        "What the feed calls its fields, if not by our names: OURS=THEIRS pairs, separated by commas, with the feed's "
        "unit in brackets if it is not ours, such as `temp_out=air.temp [°F]`. See docs/feeds.md.",
    )
    feed_auth: Ways = _setting(
        "",
        AUTHORIZATION,
        "How the feed's server wants to be told who asks: `header NAME`, `query NAME`, `basic`, `bearer`, `oauth2 "
        "TOKEN_URL [SCOPE …]`, `certificate`, `address`, or several separated by commas. The secrets are the "
        "credential source_secrets. See docs/feeds.md. Empty: not at all.",
    )
    feed_prefix: str = _setting(
        "",
        TEXT,
        "What is put before the ids of the feed's stations, so that two networks may use one id. Empty: nothing.",
    )
    feed_stations: str | None = _setting(
        "",
        OPTIONAL_PATH,
        "A CSV file with the stations' station_id, latitude, longitude and elevation, for a feed without them. "
        "Empty: none.",
    )
    feed_timeout_seconds: int = _setting(
        "30", number(1, 60), "How long one fetch of the feed may take in all, in seconds."
    )
    feed_pause_seconds: int = _setting(
        "30",
        number(1, 3600),
        "The shortest time between two requests of the feed, in seconds, however often it says that it changes; at "
        "most a twentieth of the cadence.",
    )
    feed_next: str = _setting(
        "",
        TEXT,
        "Where an answer says where the next page of it is. `link`: its header Link (RFC 8288); or in JSON a JMESPath "
        "expression of the address, such as `links.next`, or of what goes into a parameter of the query: "
        "`cursor=meta.next_cursor`. Empty: answers have one page.",
    )
    feed_concurrency: int = _setting(
        "4", number(1, 8), "How many addresses of a feed are asked at once, where each station has its own."
    )
    feed_requests_per_minute: int = _setting(
        "300", number(1, 6000), "How many requests are made in a minute, where a feed has several addresses or pages."
    )
    feed_max_mib: int = _setting("16", number(1, 1024), "The largest document taken from the feed, unpacked, in MiB.")
    feed_max_stations: int = _setting(
        str(TAKEN.stations),
        number(1, 1_000_000),
        "How many stations are taken from one document; others are left out, and counted. Known stations come first.",
    )
    feed_new_stations_per_day: int = _setting(
        str(TAKEN.new_stations),
        number(1, 1_000_000),
        "How many new stations are taken from the feed in 24 hours, besides those of the first document; others are "
        "left out until then, and counted.",
    )
    station_id_length: int = _setting(
        str(TAKEN.id_length),
        number(1, 600),
        "How many characters a station's id may have; a row with a longer one is left out, and counted.",
    )
    station_name_length: int = _setting(
        str(TAKEN.name_length), number(1, 1000), "How many characters of a station's name are kept."
    )
    feed_ca_file: str | None = _setting(
        "", OPTIONAL_PATH, "Certificates that vouch for the feed's server, as PEM. Empty: those that the host trusts."
    )
    feed_proxy: str | None = _setting(
        "",
        PROXY,
        "The HTTP proxy on the way to the feed. With a password in it the whole address is a secret: put it into the "
        "credential feed_proxy. Empty: none.",
    )
    cadence_seconds: int = _setting(
        "600",
        number(1, 86400),
        "How often a station reports and the feed is refreshed, in seconds. "
        "A window expects one observation of each station per cadence.",
    )
    window_hours: float = _setting(
        "6", number(0.5, 24 * 31, whole=False), "How far back a detection run looks, in hours."
    )
    detection_method: str = _setting(
        COMBINED,
        choice(COMBINED, *(method.value for method in Method)),
        "How a detection run finds anomalies: `combined` by all quality-control tests, or the name of a temporal "
        "method, which compares each value with the others of the station in the window.",
        alias="DETECTION_METHOD",
    )
    temporal_threshold: float = _setting(
        "3",
        number(1, 100, whole=False),
        "From how many standard deviations on a temporal method calls a value an anomaly; every method scales what it "
        "measures to them. Of no effect on `combined`.",
    )
    detection_variables: tuple[str, ...] = _setting(
        ",".join(DETECTED),
        VARIABLES,
        "The variables in which a detection run looks for anomalies, separated by commas.",
    )
    spatial_verify: bool = _setting(
        "1",
        SWITCH,
        "Whether the values of neighbours decide if an anomaly is weather or a fault.",
        alias="SPATIAL_VERIFY",
    )
    correlation_threshold_high: float | None = _setting(
        "",
        optional(number(0, 1, whole=False)),
        "From which median correlation with the neighbours on an anomaly of a temporal method is weather. Empty: "
        f"{WEATHER_FROM} if the low threshold is given; if neither is, what the neighbours imply decides.",
    )
    correlation_threshold_low: float | None = _setting(
        "",
        optional(number(0, 1, whole=False)),
        "Below which median correlation with the neighbours an anomaly of a temporal method is a failure of the "
        f"device; between the two it is suspected. Empty: {FAILURE_BELOW} if the high threshold is given; if neither "
        "is, what the neighbours imply decides.",
    )
    minimum_data: float = _setting(
        "0.5",
        number(0.01, 1, whole=False),
        "Which share of the observations that a window should have is enough to judge a station, or a variable of it.",
    )
    neighbour_km: float = _setting(
        "100", number(0.1, 1000, whole=False), "How far away a neighbour may be, in kilometres."
    )
    neighbour_elevation_m: float = _setting(
        "500", number(1, 9000, whole=False), "How much higher or lower a neighbour may be, in metres."
    )
    exceptions: tuple[SensorException, ...] = _setting(
        "",
        EXCEPTIONS,
        "Sensors that are judged otherwise than all others, each with a reason and, if need be, an end: not at all, "
        "with wider limits, or by other neighbours. A JSON list of objects; see docs/incidents.md. Empty: none.",
    )
    dask: str | None = _setting(
        "",
        SCHEDULER,
        "The Dask scheduler whose workers judge detection runs, as tls://HOST:PORT, or as tcp://HOST:PORT where nobody "
        "else reaches it. See docs/distributed.md. Empty: none, this machine judges.",
    )
    cluster_address: str = _setting(
        "127.0.0.1:8786", ADDRESS, "Where the scheduler of a Dask cluster listens, as ADDRESS:PORT."
    )
    incident_clean_hours: float = _setting(
        "6",
        number(0.01, 24 * 31, whole=False),
        "For how many hours a sensor must be judged well until its incident is resolved by itself.",
    )
    incident_reopen_hours: float = _setting(
        "72",
        number(0, 24 * 366, whole=False),
        "For how many hours after its last wrong reading trouble that comes back is the same incident.",
    )
    incident_network_share: float = _setting(
        "0.3",
        number(0.01, 1, whole=False),
        "From which share of the stations that measure a variable on, and from three, trouble that they have at once "
        "is one incident of the network.",
    )
    notify_severity: str = _setting(
        "warning", choice(*LEVELS), "From which severity on people are told of an incident; `never`: of none."
    )
    notify_levels: SensorLevels = _setting(
        "",
        LEVELS_OF_SENSORS,
        "Other severities for some sensors, as STATION/VARIABLE=SEVERITY separated by commas, with `*` for any: "
        "`volos/*=critical, */rain=info, volos/rain=never`. `all` is the station as a whole. The pair that names a "
        "sensor most exactly counts.",
    )
    notify_escalation_hours: float = _setting(
        "24",
        number(0, 24 * 366, whole=False),
        "After how many hours people are told once more of an incident that nobody has acknowledged: those of the "
        "credential apprise_escalation_urls, if there is one. 0: never.",
    )
    notify_quiet_hours: QuietHours | None = _setting(
        "",
        QUIET_HOURS,
        "The hours in which people are told only of what is critical, such as 22:00-07:00; the rest is told when they "
        "are over. Empty: none.",
    )
    notify_time_zone: tzinfo = _setting(
        "UTC", TIME_ZONE, "The time zone of the quiet hours and of the times in messages, such as Europe/Athens."
    )
    fresh_minutes: int = _setting(
        "15", number(1, 1440), "The age at which the newest observation is called stale, in minutes."
    )
    data_days: int = _setting("0", number(0, 36500), "For how many days observations are kept. 0: for ever.")
    log_days: int = _setting("400", number(0, 36500), "For how many days the collector's log is kept. 0: for ever.")
    report_days: int = _setting("90", number(0, 36500), "For how many days detection reports are kept. 0: for ever.")
    page_days: int = _setting("30", number(0, 36500), "For how many days the pages of reports are kept. 0: for ever.")
    reports: str = _setting("/var/log/weather/reports", PATH, "The folder in which detection reports are kept.")
    backups: str = _setting("/var/backups/weather", PATH, "The folder in which backups are kept.")
    backup_keep_daily: int = _setting(
        "7", number(0, 3660), "For how many days, of those with a backup, the newest is kept."
    )
    backup_keep_weekly: int = _setting("0", number(0, 520), "For how many weeks the newest backup is kept.")
    backup_keep_monthly: int = _setting("0", number(0, 120), "For how many months the newest backup is kept.")
    metrics_address: str = _setting(
        "127.0.0.1:9105", ADDRESS, "Where the exporter serves metrics for Prometheus, as ADDRESS:PORT."
    )
    metrics_stations: int = _setting(
        "1000",
        number(0, 1_000_000),
        "How many stations have series of their own among the metrics: those with an incident that is not over, the "
        "worst and oldest first, then others by id. All stations count in the metrics of the network.",
    )
    api_address: str = _setting(
        "127.0.0.1:9106", ADDRESS, "Where the HTTP API serves observations, stations and incidents, as ADDRESS:PORT."
    )
    api_cors_origins: tuple[str, ...] = _setting(
        "",
        ORIGINS,
        "The web sites whose pages may read the HTTP API in a browser (CORS), as origins separated by commas, such as "
        "`https://maps.example.org`; `*`: every one. Empty: none but its own.",
    )
    api_requests_per_minute: int = _setting(
        "600",
        number(0, 1_000_000),
        "How many requests of one client the HTTP API answers in a minute; further ones get the status 429. 0: all.",
    )
    receiver_address: str = _setting(
        "127.0.0.1:9107", ADDRESS, "Where the receiver takes the reports of stations that push, as ADDRESS:PORT."
    )
    receiver_reports_per_minute: int = _setting(
        "600",
        number(0, 1_000_000),
        "How many reports of one client, which may have several stations, the receiver takes in a minute; further ones "
        "get the status 429. 0: all.",
    )
    console: bool = _setting(
        "on", SWITCH, "Whether the process that serves the HTTP API serves the console, too, under `/console`."
    )
    console_hosts: tuple[NamedHost, ...] = _setting(
        "",
        HOSTS,
        "The hosts of a fleet that the console shows beside this one, as NAME=URL pairs separated by commas, the URL "
        "being that of a host's HTTP API: `volos=http://192.0.2.11:9106, athens=https://athens.example.org/weather`. "
        "It may be the same list on every host. The tokens that they ask for are the credential console_tokens. "
        "Empty: none.",
    )
    restic_repository: str | None = _setting(
        "",
        REPOSITORY,
        "The restic repository that keeps an off-site copy of the backups, as restic names it: a path, sftp:…, s3:…, "
        "rest:… Empty: none. Its password is the credential restic_password.",
    )

    @property
    def correlations(self) -> Correlations | None:
        """The thresholds of the correlation; None if what neighbours imply decides."""
        high, low = self.correlation_threshold_high, self.correlation_threshold_low
        if high is None and low is None:
            return None
        return Correlations(WEATHER_FROM if high is None else high, FAILURE_BELOW if low is None else low)

    @property
    def bounds(self) -> Bounds:
        """How much is taken from outside."""
        return Bounds(
            id_length=self.station_id_length,
            name_length=self.station_name_length,
            stations=self.feed_max_stations,
            new_stations=self.feed_new_stations_per_day,
        )


def spool_folder(settings: Settings) -> Path:
    """Where documents wait while the store cannot take them."""
    if settings.spool:
        return Path(settings.spool)
    return Path("/var/lib/weather/data/spool" if settings.db.file is None else f"{settings.db}.spool")


class Declaration(NamedTuple):
    """A setting as it was declared, for whatever derives from it."""

    name: str
    variable: str
    default: str
    kind: Kind
    doc: str
    alias: str | None


# The settings that may hold a secret, each with the credential that has it.
CREDENTIALS = {"feed_url": Credential.FEED_URL, "feed_proxy": Credential.FEED_PROXY}
DECLARATIONS = {
    item.name: Declaration(name=item.name, variable=PREFIX + item.name.upper(), **item.metadata)
    for item in fields(Settings)
}


class Source(StrEnum):
    """Where a value can come from, in order of precedence."""

    OPTION = "option"
    CREDENTIAL = "credential"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


class Origin(NamedTuple):
    """A value as it was found, and where.

    Attributes:
        text: the value.
        place: where it was found, as people are told.
        source: the kind of that place.
        line: its line in the settings file; 0 elsewhere.
    """

    text: str
    place: str
    source: Source = Source.OPTION
    line: int = 0


class Problem(NamedTuple):
    """Why a setting cannot be used, or the place where settings are written.

    Attributes:
        message: all of it in one line for people, without secrets.
        setting: the setting's name; empty where the problem is not one setting's value.
        value: the value, as people may see it.
        place: where it was found, as people are told.
        line: its line in the settings file; 0 elsewhere.
        remedy: what would be right.
    """

    message: str
    setting: str = ""
    value: str = ""
    place: str = ""
    line: int = 0
    remedy: str = ""

    def __str__(self) -> str:
        return self.message


class UnknownName(NamedTuple):
    """A name that looks like a setting's and is none of this version's.

    Attributes:
        name: as it was found.
        origin: its value and place.
        nearest: the name of a setting that is nearly the same; empty if there is none.
    """

    name: str
    origin: Origin
    nearest: str

    def __str__(self) -> str:
        hint = f"; did you mean {self.nearest}?" if self.nearest else ""
        return f"{self.name} ({self.origin.place}) is not a setting of this version{hint}"


class Loaded(NamedTuple):
    """The settings in force.

    Attributes:
        settings: every one has a value that can be used.
        origins: where each value came from, by the setting's name.
        unknown: names that mean nothing to this version.
        problems: what cannot be used; the default is in force instead.
    """

    settings: Settings
    origins: dict[str, Origin]
    unknown: list[UnknownName]
    problems: list[Problem]

    def tells(self, name: str) -> bool:
        """Whether a setting has the value that it was given, not the default in the place of one that was not read."""
        wrong = {one.setting for one in self.problems}
        return name not in wrong and not ("" in wrong and self.origins[name].source is Source.DEFAULT)


class SettingsError(UsageError):
    """Some settings cannot be used; the message has a line for each problem."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def settings_file(environ: Mapping[str, str]) -> Path:
    """The settings file: `WEATHER_ENV_FILE`, or the host's own."""
    return Path(environ.get(FILE_VARIABLE, DEFAULT_FILE))


def load(options: Mapping[str, Origin] | None = None, environ: Mapping[str, str] | None = None) -> Loaded:
    """The settings in force.

    Args:
        options: values given as options, by the setting's name.
        environ: the environment, `os.environ` if not given.

    Raises:
        SettingsError: it names every value that cannot be used, with its place and what would be right.
    """
    loaded = load_lenient(options, environ)
    if loaded.problems:
        raise SettingsError(loaded.problems)
    return loaded


def load_lenient(options: Mapping[str, Origin] | None = None, environ: Mapping[str, str] | None = None) -> Loaded:
    """As `load`, for commands that must work with wrong settings, too: what cannot be used is at its default."""
    environ = os.environ if environ is None else environ
    options = options or {}
    problems: list[Problem] = []
    in_file = _read_file(settings_file(environ), problems)
    in_credentials = _read_credentials(environ, problems)
    in_environment = {name: Origin(text, "the environment", Source.ENVIRONMENT) for name, text in environ.items()}
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for name, declared in DECLARATIONS.items():
        label, origin = declared.variable, Origin(declared.default, "default", Source.DEFAULT)
        if name in options:
            label, origin = options[name].place, options[name]
        else:
            for source in (in_credentials, in_environment, in_file):
                found = next((key for key in (declared.variable, declared.alias) if key and key in source), None)
                if found:
                    label, origin = found, source[found]
                    break
        origins[name] = origin
        try:
            values[name] = value_of(declared, origin.text)
        except ValueError as error:
            problems.append(_problem(declared, label, origin, str(error)))
            values[name] = declared.kind.parse(declared.default)
    settings = Settings(**values)
    if settings.correlations and settings.correlations.low > settings.correlations.high:
        problems.append(_crossed(settings.correlations, origins, options))
        settings = replace(settings, correlation_threshold_high=None, correlation_threshold_low=None)
    return Loaded(settings, origins, _unknown({**in_environment, **in_file}), problems)


def _crossed(found: Correlations, origins: Mapping[str, Origin], options: Mapping[str, Origin]) -> Problem:
    """The low threshold of the correlation is above the high one: told of the one that was given, of both the low."""
    low = bool(origins["correlation_threshold_low"].text.strip())
    name = "correlation_threshold_low" if low else "correlation_threshold_high"
    declared, origin = DECLARATIONS[name], origins[name]
    remedy = (
        f"give at most {found.high:g}, the high threshold" if low else f"give at least {found.low:g}, the low threshold"
    )
    return _problem(declared, origin.place if name in options else declared.variable, origin, remedy)


def value_of(declared: Declaration, text: str) -> Any:
    """The value of a setting.

    Raises:
        ValueError: the text cannot be used; the message says what would be right.
    """
    if has_control_characters(text):
        raise ValueError("there is a line break or another control character in it")
    return declared.kind.parse(text)


def _problem(declared: Declaration, label: str, origin: Origin, remedy: str) -> Problem:
    value = declared.kind.shown(origin.text)
    if len(value) > _SHOWN_LENGTH:  # what is to be done about it comes behind it
        value = value[: _SHOWN_LENGTH - 1] + "…"
    # An option's place is its name.
    place = "" if origin.source is Source.OPTION else f" ({origin.place})"
    message = f"{label}={value!r}{place}: {remedy}"
    return Problem(message, declared.name, value, origin.place, origin.line, remedy)


def _read_file(path: Path, problems: list[Problem]) -> dict[str, Origin]:
    """What the settings file assigns, by the variable's name."""
    try:
        found = envfile.read(path)
    except envfile.EnvironmentFileError as error:
        place = f"{path} line {error.line}" if error.line else str(path)
        problems.append(Problem(str(error), place=place, line=error.line, remedy=error.reason))
        return {}
    return {name: Origin(one.value, f"{path} line {one.line}", Source.FILE, one.line) for name, one in found.items()}


def _read_credentials(environ: Mapping[str, str], problems: list[Problem]) -> dict[str, Origin]:
    """The settings that were handed over as credentials, by the variable's name."""
    found = {}
    for name, credential in CREDENTIALS.items():
        place = f"the credential {credential}"
        try:
            text = read_credential(credential, environ)
        except CredentialError as error:
            problems.append(Problem(str(error), name, place=place))
            continue
        if text is not None:
            found[DECLARATIONS[name].variable] = Origin(SecretAddress(text), place, Source.CREDENTIAL)
    return found


def _unknown(found: Mapping[str, Origin]) -> list[UnknownName]:
    """Names with our prefix that are no setting. They are no error: an older release may meet a newer file."""
    known = {FILE_VARIABLE, actor.VARIABLE, *(declared.variable for declared in DECLARATIONS.values())}
    names = sorted(name for name in set(found) - known if name.startswith(PREFIX))
    return [UnknownName(name, found[name], nearest(name, known)) for name in names]
