"""The kinds of values that a setting can have: how each is read from text, checked, and shown to people."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from toolkit import address_template, push
from toolkit.address import SecretAddress, secret_in, shown
from toolkit.authorization import parse_ways, shown_ways
from toolkit.broker import broker, is_broker
from toolkit.database import FORMS, Database, database
from toolkit.mapping import parse_mapping
from toolkit.notifying import parse_levels, parse_quiet_hours, parse_zone
from toolkit.sensor_exceptions import SPEC, parse_exceptions
from toolkit.text import did_you_mean
from toolkit.variables import BY_NAME


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value.

    Attributes:
        parse: converts the text to the value; raises ValueError, whose message says what would be right.
        spec: the type and the choices, as Ansible's argument specs have them.
        shown: the text as people may see it: without secrets.
    """

    parse: Callable[[str], Any]
    spec: Mapping[str, Any]
    shown: Callable[[str], str] = str


def number(low: float, high: float, whole: bool = True) -> Kind:
    """A number from `low` to `high`, both included."""
    noun = "a whole number" if whole else "a number"

    def parse(text: str) -> float:
        # An expression in an inventory, such as 3600 / 60, gives 60.0.
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high or (whole and not value.is_integer()):
            raise ValueError(f"give {noun} from {low:g} to {high:g}")
        return int(value) if whole else value

    return Kind(parse, {"type": "int" if whole else "float"})


def optional(kind: Kind) -> Kind:
    """The same, or nothing: an empty value is None."""
    return Kind(_optional(kind.parse), kind.spec, kind.shown)


def choice(*allowed: str) -> Kind:
    """One of a few words."""

    def parse(text: str) -> str:
        if text in allowed:
            return text
        raise ValueError(did_you_mean(text.lower(), allowed, f"give one of {', '.join(allowed)}"))

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


def _template(text: str) -> str:
    """The address of a feed, which may be a template, that of a broker, or a protocol of stations that push."""
    if push.protocol_of(text):
        push.require(text)
        return text
    if is_broker(text):
        broker(text)
        return text
    address = _url("feed_url")(text)
    address_template.require(address)
    return address


def _url(credential: str) -> Callable[[str], str]:
    """A web address; if there is a secret in it, it belongs into the credential."""

    def parse(text: str) -> str:
        try:
            parts = urlsplit(text)
            valid = text.startswith(("http://", "https://")) and parts.hostname and parts.port != 0
        except ValueError:
            valid = False
        if not valid:
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


def _optional(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: parse(text) if text.strip() else None


def _database(text: str) -> Database:
    named = database(text)
    if named.file is None:
        if secret_in(text):
            raise ValueError(
                "a password does not belong here: put it into the credential postgresql_password or into ~/.pgpass"
            )
        return named
    if "://" in text:
        raise ValueError(f"give {FORMS}")
    return database(_path(text))


def _variables(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in BY_NAME:
            hint = did_you_mean(name, BY_NAME, "know " + ", ".join(BY_NAME))
            raise ValueError(f"{name} is not measured; {hint}")
    if not names:
        raise ValueError(f"give one or more of {', '.join(BY_NAME)}")
    return names


def _repository(text: str) -> str:
    if secret_in(text):
        raise ValueError(
            "a password does not belong here: put RESTIC_REPOSITORY=… into the credential restic_environment"
        )
    return text if ":" in text else _path(text)


def _shown_origins(text: str) -> str:
    """Each of several addresses as people may see it."""
    return re.sub(r"[^,\s]+", lambda found: shown(found[0]), text)


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(name.strip() for name in text.split(",") if name.strip())
    for origin in origins:
        try:
            parts = urlsplit(origin)
            valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            valid = False
        # What a browser sends as Origin has neither a path nor a user, and is in small letters.
        if origin != "*" and not (valid and origin == f"{parts.scheme}://{parts.netloc}".lower() and "@" not in origin):
            raise ValueError(f"{shown(origin)} is no origin; give https://HOST, https://HOST:PORT or *, with no path")
    return origins


class NamedHost(NamedTuple):
    """Another host of a fleet: what people call it, and the address of its HTTP API, without a slash at its end."""

    name: str
    url: str


MOST_HOSTS = 1000


def _hosts(text: str) -> tuple[NamedHost, ...]:
    """NAME=URL pairs."""
    found: dict[str, NamedHost] = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        name, _, url = (part.strip() for part in pair.partition("="))
        try:
            parts = urlsplit(url)
            valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            valid = False
        if not name or not valid or secret_in(url) or any(mark in url for mark in "@?#"):
            raise ValueError(
                f"{_shown_origins(pair)} is no host; give NAME=https://HOST or NAME=https://HOST:PORT/PATH, the "
                "address of its HTTP API, without a secret"
            )
        if name in found:
            raise ValueError(f"{name} is there twice; give each host a name of its own")
        found[name] = NamedHost(name, url.rstrip("/"))
    if len(found) > MOST_HOSTS:
        raise ValueError(f"give at most {MOST_HOSTS} hosts")
    return tuple(found.values())


def _shown_hosts(text: str) -> str:
    """Names as they are, and each address as people may see it."""
    return re.sub(r"(?<==)[^,\s]+", lambda found: shown(found[0]), text)


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("give ADDRESS:PORT, such as 127.0.0.1:9105 or [::1]:9105")
    return text


def _scheduler(text: str) -> str:
    """The address of a Dask scheduler."""
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"tcp", "tls"} and parts.hostname and parts.port and text.endswith(f":{parts.port}")
    except ValueError:
        valid = False
    if not valid or "@" in text:
        raise ValueError("give tls://HOST:PORT or tcp://HOST:PORT, the address of a Dask scheduler")
    return text


MAPPING = Kind(parse_mapping, {"type": "str"})
EXCEPTIONS = Kind(parse_exceptions, SPEC)
PATH = Kind(_path, {"type": "str"})
OPTIONAL_PATH = optional(PATH)
PROXY = Kind(_optional(_url("feed_proxy")), {"type": "str"}, shown)
TEXT = Kind(str.strip, {"type": "str"})
SWITCH = Kind(_switch, {"type": "bool"})
REPOSITORY = Kind(_optional(_repository), {"type": "str"}, shown)
ADDRESS = Kind(_address, {"type": "str"})
SCHEDULER = Kind(_optional(_scheduler), {"type": "str"}, shown)
ORIGINS = Kind(_origins, {"type": "str"}, _shown_origins)
HOSTS = Kind(_hosts, {"type": "str"}, _shown_hosts)
AUTHORIZATION = Kind(parse_ways, {"type": "str"}, shown_ways)
URL = Kind(_template, {"type": "str"}, shown)
DATABASE = Kind(_database, {"type": "str"}, shown)
VARIABLES = Kind(_variables, {"type": "str"})
LEVELS_OF_SENSORS = Kind(parse_levels, {"type": "str"})
QUIET_HOURS = Kind(parse_quiet_hours, {"type": "str"})
TIME_ZONE = Kind(parse_zone, {"type": "str"})
