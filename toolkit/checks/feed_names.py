"""What a feed calls its fields now, where it does not have the one that the settings name."""

from __future__ import annotations

import re
from collections.abc import Sequence as Several

from toolkit.checks.host import Host
from toolkit.checks.remedies import EditSettings, Remedy, Restart, Sequence
from toolkit.settings import DECLARATIONS, Settings

# Fields of JSON, and elements of XML, with a time of our days: seconds or milliseconds since 1970, or ISO 8601.
_TIME = rb"(?:\"?1[5-9]\d{8}(?:\d{3})?\b|\"?20\d\d-\d\d-\d\d[T ]\d\d:\d\d)"
_OF_TIMES = re.compile(rb"\"([^\"\\\n]{1,64})\"\s*:\s*" + _TIME + rb"|<([\w:.-]{1,64})[^<>]{0,200}>\s*" + _TIME)
_OURS = re.compile(r"(?<![^,\s])time=([^,]*)")
# Names of fields, as JSON, XML and a table of text has them.
_FIELDS = re.compile(rb"\"([^\"\\\n]{1,64})\"\s*:|<([\w:.-]{1,64})|(?:^|[,;\t])\"?([\w.-]{1,64})\"?(?=[,;\t\r\n])")
# What stands in a script of sed as it is.
_PLAIN = re.compile(r"[\w|.,= -]+", re.ASCII)
MOST = 5
SETTING = DECLARATIONS["feed_fields"].variable


def renamed_time(host: Host, settings: Settings, beginning: bytes) -> tuple[str, Remedy | None]:
    """The end of a sentence that says which fields tell times, none of which is the one named; and what mends it."""
    theirs = [(one[0] or one[1]).decode(errors="replace") for one in _OF_TIMES.findall(beginning)]
    names = list(dict.fromkeys(theirs))[:MOST]
    fields = str(settings.feed_fields)
    wanted = _OURS.search(fields)
    if not names or wanted is None or set(names).intersection(wanted[1].strip().split("|")):
        return "", None
    said = f"; {SETTING} says that {wanted[1].strip()} does, and what looks like times is in {', '.join(names)}"
    return said, _set_to(host, settings, _OURS.sub(f"time={names[0]}", fields)) if len(names) == 1 else None


def renamed(host: Host, settings: Settings, beginning: bytes, gone: Several[str]) -> tuple[str, Remedy | None]:
    """The same of variables that no station tells, of which the document has no field of the name that is read."""
    there = dict.fromkeys(one.decode(errors="replace") for found in _FIELDS.findall(beginning) for one in found if one)
    lacking = [name for name in gone if not any(part.encode() in beginning for part in _last_parts(settings, name))]
    alike = {_plain(one): one for one in there}
    has = {name: alike[plain] for name in lacking for plain in map(_plain, (name, *_last_parts(settings, name)))
           if plain in alike}  # fmt: skip
    if (
        not lacking
        or settings.feed_format == "bufr"
        or (not has and not settings.feed_fields.named.keys() & set(lacking))
    ):
        return "", None
    reads = ", ".join(f"{name} from {'|'.join(settings.feed_fields.of(name).names)}" for name in lacking)
    said = f"{SETTING} reads {reads}, and the feed has no such field"
    if not has:
        return said, None
    fields = str(settings.feed_fields)
    for name, theirs in has.items():
        fields = re.sub(rf"(?<![^,\s]){name}\s*=[^,]*(,\s*|$)", "", fields).rstrip(", ")
        fields += f", {name}={theirs}" if theirs != name else ""
    return f"{said}, but {', '.join(has.values())}", _set_to(host, settings, fields)


def _last_parts(settings: Settings, name: str) -> set[str]:
    """The names by which a feed may tell a variable, without what they lead through."""
    return {re.split(r"[./]", one.partition("[")[0])[-1] for one in settings.feed_fields.of(name).names}


def _plain(name: str) -> str:
    return re.sub(r"\W|_", "", name).lower()


def _set_to(host: Host, settings: Settings, fields: str) -> Remedy | None:
    """Have the feed's fields read by other names; None where that is not to be said in one line of sed."""
    if settings.sources_file or not _PLAIN.fullmatch(fields):
        return None
    line = host.loaded.origins["feed_fields"].line or f"/^# {SETTING}=/"
    return Sequence(EditSettings(f'{line}s/.*/{SETTING}="{fields}"/', host.settings_file), Restart("collector"))
