"""The settings, declared once.

Everything else that knows a setting derives it from the class `Settings`: the environment variable
(`WEATHER_` and the name in capitals), the option's help, the Ansible role's argument specs, the page in docs/.

A value comes from the first of: an option, a credential, the environment, the settings file, the default. Credentials
are for addresses with a secret in them, which no other place may hold.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from toolkit.address import SecretAddress, secret_in, shown, without_secrets
from toolkit.credentials import Credential, CredentialError
from toolkit.credentials import read as read_credential
from toolkit.errors import UsageError
from toolkit.mapping import FieldMapping, parse_mapping
from toolkit.model import FORMATS, Bounds
from toolkit.variables import BY_NAME, DETECTED

PREFIX = "WEATHER_"
FILE_VARIABLE = "WEATHER_ENV_FILE"
DEFAULT_FILE = Path("/etc/weather/weather.env")
# A value in quotes, as systemd and a shell read it: within double ones a backslash keeps what would be special.
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SINGLE = re.compile(r"'([^']*)'")
_KEPT = re.compile(r'\\(["\\$`])')
# Control characters, and what ends a line in one reader or another.
_NOT_IN_A_VALUE = {"Cc", "Cs", "Zl", "Zp"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: how it is read from text, and what it is called in an argument spec.

    Attributes:
        parse: text to value; raises ValueError with what would have been right.
        spec: the type and limits, in the terms of Ansible's argument specs.
        shown: how people are told the text.
    """

    parse: Callable[[str], Any]
    spec: Mapping[str, Any]
    shown: Callable[[str], str] = str


def number(low: float, high: float, whole: bool = True) -> Kind:
    """A number from `low` to `high`, both allowed."""
    noun = "a whole number" if whole else "a number"

    def parse(text: str) -> float:
        # What an inventory works out, such as 3600 / 60, is written 60.0.
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high or (whole and not value.is_integer()):
            raise ValueError(f"give {noun} from {low:g} to {high:g}")
        return int(value) if whole else value

    return Kind(parse, {"type": "int" if whole else "float"})


def choice(*allowed: str) -> Kind:
    """One of a few words."""

    def parse(text: str) -> str:
        if text in allowed:
            return text
        near = get_close_matches(text.lower(), allowed, n=1)
        raise ValueError(f"did you mean {near[0]}?" if near else f"give one of {', '.join(allowed)}")

    return Kind(parse, {"type": "str", "choices": list(allowed)})


def _switch(text: str) -> bool:
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    try:
        return words[text.lower()]
    except KeyError:
        raise ValueError("give 1 or 0 (true/false, yes/no and on/off are understood)") from None


def _url(credential: str) -> Callable[[str], str]:
    """An address; what is secret in it belongs into a credential."""

    def parse(text: str) -> str:
        try:
            parts = urlsplit(text)
            well = text.startswith(("http://", "https://")) and parts.hostname and parts.port != 0
        except ValueError:
            well = False
        if not well:
            raise ValueError("give an http:// or https:// address")
        if not isinstance(text, SecretAddress) and (what := secret_in(text)):
            raise ValueError(
                f"{what} does not belong here: put the whole address into the credential {credential} "
                f"(weather_{credential.replace('_', '_secret_')})"
            )
        return text

    return parse


def _path(text: str) -> str:
    if not text.strip():
        raise ValueError("give a path")
    return str(Path(text).absolute())


def _optional(parse: Callable[[str], str]) -> Callable[[str], str | None]:
    return lambda text: parse(text) if text.strip() else None


def _database(text: str) -> str:
    if is_postgresql(text):
        if secret_in(text):
            raise ValueError(
                "a password does not belong here: put it into the credential postgresql_password or into ~/.pgpass"
            )
        return text
    if "://" in text:
        raise ValueError("give the path of an SQLite file, or postgresql://USER@HOST/DATABASE")
    return _path(text)


def is_postgresql(db: str) -> bool:
    """Whether a value of the setting `db` names a PostgreSQL database."""
    return db.startswith(("postgresql://", "postgres://"))


def _variables(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in BY_NAME:
            near = get_close_matches(name, BY_NAME, n=1)
            raise ValueError(
                f"{name} is not measured; " + (f"did you mean {near[0]}?" if near else "know " + ", ".join(BY_NAME))
            )
    if not names:
        raise ValueError(f"give one or more of {', '.join(BY_NAME)}")
    return names


def _repository(text: str) -> str:
    if secret_in(text):
        raise ValueError(
            "a password does not belong here: put RESTIC_REPOSITORY=… into the credential restic_environment"
        )
    return text if ":" in text else _path(text)


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("give ADDRESS:PORT, such as 127.0.0.1:9105 or [::1]:9105")
    return text


FIELDS = Kind(parse_mapping, {"type": "str"})
PATH = Kind(_path, {"type": "str"})
OPTIONAL_PATH = Kind(_optional(_path), {"type": "str"})
PROXY = Kind(_optional(_url("feed_proxy")), {"type": "str"}, shown)
SWITCH = Kind(_switch, {"type": "bool"})
REPOSITORY = Kind(_optional(_repository), {"type": "str"}, shown)
ADDRESS = Kind(_address, {"type": "str"})
URL = Kind(_url("feed_url"), {"type": "str"}, shown)
DATABASE = Kind(_database, {"type": "str"}, shown)
VARIABLES = Kind(_variables, {"type": "str"})
COMBINED = "combined"
TAKEN = Bounds()
# What the feed of the NOA network calls its fields.
NOA_FIELDS = "station_id=station_file|fid, time=ts"
METHODS = (COMBINED, "3sigma", "mad", "zscore", "iqr", "percentile", "arima", "stl")


def _setting(default: str, kind: Kind, doc: str, alias: str | None = None) -> Any:
    """A field whose default is written as an operator would write it."""
    return field(metadata={"default": default, "kind": kind, "doc": doc, "alias": alias})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, valid."""

    db: str = _setting(
        "/var/lib/weather/data/weather_stream.db",
        DATABASE,
        "Where observations are stored: the path of an SQLite file, or postgresql://USER@HOST/DATABASE.",
    )
    spool: str | None = _setting(
        "",
        OPTIONAL_PATH,
        "The folder in which documents wait while the store cannot take them. "
        "Empty: beside an SQLite file, with `.spool` added to its name; for PostgreSQL, /var/lib/weather/data/spool.",
    )
    spool_mib: int = _setting(
        "64", number(1, 65536), "How much may wait in the spool, packed, in MiB; then the oldest document is given up."
    )
    feed_url: str = _setting(
        "https://stratus.meteo.noa.gr/data/stations/latestValues_Datagems.geojson",
        URL,
        "The feed: a document with the latest values of every station. With a key or a password in it the whole "
        "address is a secret: put it into the credential feed_url.",
    )
    feed_format: str = _setting("geojson", choice(*FORMATS), "The feed's format.")
    feed_fields: FieldMapping = _setting(
        NOA_FIELDS,
        FIELDS,
        "What the feed calls its fields, where that is not what we call them: OURS=THEIRS pairs, separated by commas, "
        "with the feed's unit behind in brackets where it is not ours, such as `temp_out=air.temp [°F]`. See "
        "docs/feeds.md.",
    )
    feed_stations: str | None = _setting(
        "",
        OPTIONAL_PATH,
        "A CSV file with the stations' station_id, latitude, longitude and elevation, for a feed that does not tell. "
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
    feed_max_mib: int = _setting("16", number(1, 1024), "The largest document taken from the feed, unpacked, in MiB.")
    feed_max_stations: int = _setting(
        str(TAKEN.stations),
        number(1, 1_000_000),
        "How many stations are taken from one document; what is more is left out, and counted. Stations that are "
        "known come first.",
    )
    feed_new_stations_per_day: int = _setting(
        str(TAKEN.new_stations),
        number(1, 1_000_000),
        "How many stations that were never seen before are taken from the feed in 24 hours, besides those of the "
        "first document; others are left out until then, and counted.",
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
        choice(*METHODS),
        "How a detection run tells an anomaly: `combined` by every test there is, or the name of a temporal method, "
        "which compares each reading with the station's own window.",
        alias="DETECTION_METHOD",
    )
    detection_variables: tuple[str, ...] = _setting(
        ",".join(DETECTED), VARIABLES, "The variables a detection run judges, separated by commas."
    )
    spatial_verify: bool = _setting(
        "1",
        SWITCH,
        "Whether neighbours are asked if an anomaly is weather or a fault.",
        alias="SPATIAL_VERIFY",
    )
    neighbour_km: float = _setting(
        "100", number(0.1, 1000, whole=False), "How far away a neighbour may be, in kilometres."
    )
    neighbour_elevation_m: float = _setting(
        "500", number(1, 9000, whole=False), "How much higher or lower a neighbour may be, in metres."
    )
    fresh_minutes: int = _setting(
        "15", number(1, 1440), "The age at which the newest observation is called stale, in minutes."
    )
    data_days: int = _setting("0", number(0, 36500), "For how many days observations are kept. 0: for ever.")
    log_days: int = _setting("400", number(0, 36500), "For how many days the collector's log is kept. 0: for ever.")
    report_days: int = _setting("90", number(0, 36500), "For how many days detection reports are kept. 0: for ever.")
    page_days: int = _setting("30", number(0, 36500), "For how many days their pages are kept. 0: for ever.")
    reports: str = _setting("/var/log/weather/reports", PATH, "The folder in which detection reports are kept.")
    backups: str = _setting("/var/backups/weather", PATH, "The folder in which backups are kept.")
    backup_keep_daily: int = _setting(
        "7", number(0, 3660), "Of how many days, among those with a backup, the newest is kept."
    )
    backup_keep_weekly: int = _setting("0", number(0, 520), "Of how many weeks the newest backup is kept.")
    backup_keep_monthly: int = _setting("0", number(0, 120), "Of how many months the newest backup is kept.")
    metrics_address: str = _setting(
        "127.0.0.1:9105", ADDRESS, "Where the exporter serves metrics for Prometheus, as ADDRESS:PORT."
    )
    restic_repository: str | None = _setting(
        "",
        REPOSITORY,
        "The restic repository that keeps an off-site copy of the backups, as restic names it: a path, sftp:…, s3:…, "
        "rest:… Empty: none. Its password is the credential restic_password.",
    )

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
    return Path("/var/lib/weather/data/spool" if is_postgresql(settings.db) else f"{settings.db}.spool")


class Declaration(NamedTuple):
    """A setting as it was declared, for whatever derives from it."""

    name: str
    variable: str
    default: str
    kind: Kind
    doc: str
    alias: str | None


# Settings that a secret may be in: the credential of this name counts more than the file.
CREDENTIALS = {"feed_url": Credential.FEED_URL, "feed_proxy": Credential.FEED_PROXY}
DECLARATIONS = {
    item.name: Declaration(name=item.name, variable=PREFIX + item.name.upper(), **item.metadata)
    for item in fields(Settings)
}


class Origin(NamedTuple):
    """A value as it was found, and where."""

    text: str
    place: str


class Loaded(NamedTuple):
    """The settings in force, where each came from, names that mean nothing to this version, and what is wrong."""

    settings: Settings
    origins: dict[str, Origin]
    unknown: list[str]
    wrong: list[str]


def settings_file(environ: Mapping[str, str]) -> Path:
    """The settings file: `WEATHER_ENV_FILE`, or the host's own."""
    return Path(environ.get(FILE_VARIABLE, DEFAULT_FILE))


def read_file(path: Path) -> dict[str, Origin]:
    """The assignments in an environment file, in the form that systemd's `EnvironmentFile=` reads.

    Raises:
        UsageError: the file cannot be read, or a line is no assignment.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"cannot read the settings in {path}: {why}") from error
    found: dict[str, Origin] = {}
    for row, raw in enumerate(lines, start=1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        name, equals, written = line.partition("=")
        value = _unquoted(written)
        if not equals or not name.strip().isidentifier() or value is None:
            raise UsageError(f'{path} line {row}: {without_secrets(line)!r} is not of the form NAME="value"')
        found[name.strip()] = Origin(value, f"{path} line {row}")
    return found


def _unquoted(written: str) -> str | None:
    """A value without its quotes; None where they are not closed, or something follows them."""
    if written[:1] not in {'"', "'"}:
        return written.strip()
    if double := _DOUBLE.fullmatch(written.strip()):
        return _KEPT.sub(r"\1", double[1])
    single = _SINGLE.fullmatch(written.strip())
    return single[1] if single else None


def load(options: Mapping[str, Origin] | None = None, environ: Mapping[str, str] | None = None) -> Loaded:
    """The settings in force.

    Args:
        options: values given as options, by the setting's name.
        environ: the environment, `os.environ` if not given.

    Raises:
        UsageError: it names every value that cannot be used, with its place and what would be right.
    """
    loaded = load_lenient(options, environ)
    if loaded.wrong:
        raise UsageError("\n".join(loaded.wrong))
    return loaded


def load_lenient(options: Mapping[str, Origin] | None = None, environ: Mapping[str, str] | None = None) -> Loaded:
    """The same for who has to work with wrong settings, too: what cannot be used is at its default, and told."""
    environ = os.environ if environ is None else environ
    options = options or {}
    wrong: list[str] = []
    in_environment = {name: Origin(text, "the environment") for name, text in environ.items()}
    try:
        in_file = read_file(settings_file(environ))
    except UsageError as error:
        in_file = {}
        wrong.append(str(error))

    in_credentials = _read_credentials(environ, wrong)

    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for name, declared in DECLARATIONS.items():
        named, origin = declared.variable, Origin(declared.default, "default")
        if name in options:
            origin = options[name]
            named = origin.place
        else:
            for source in (in_credentials, in_environment, in_file):
                given = next((key for key in (declared.variable, declared.alias) if key and key in source), None)
                if given:
                    named, origin = given, source[given]
                    break
        origins[name] = origin
        try:
            if any(unicodedata.category(letter) in _NOT_IN_A_VALUE for letter in origin.text):
                raise ValueError("there is a line break or another control character in it")
            values[name] = declared.kind.parse(origin.text)
        except ValueError as error:
            place = "" if name in options else f" ({origin.place})"
            wrong.append(f"{named}={declared.kind.shown(origin.text)!r}{place}: {error}")
            values[name] = declared.kind.parse(declared.default)
    return Loaded(Settings(**values), origins, _unknown({**in_environment, **in_file}), wrong)


def _read_credentials(environ: Mapping[str, str], wrong: list[str]) -> dict[str, Origin]:
    """The settings that were handed over as credentials, by variable."""
    found = {}
    for name, credential in CREDENTIALS.items():
        try:
            text = read_credential(credential, environ)
        except CredentialError as error:
            wrong.append(str(error))
            continue
        if text is not None:
            found[DECLARATIONS[name].variable] = Origin(SecretAddress(text), f"the credential {credential}")
    return found


def _unknown(found: Mapping[str, Origin]) -> list[str]:
    """Names with our prefix that are no setting: said, not refused, for an older release may meet a newer file."""
    known = {FILE_VARIABLE, *(declared.variable for declared in DECLARATIONS.values())}
    messages = []
    for name in sorted(set(found) - known):
        if name.startswith(PREFIX):
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            messages.append(f"{name} ({found[name].place}) is not a setting of this version{hint}")
    return messages
