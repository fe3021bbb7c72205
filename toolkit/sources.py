"""The sources of observations: the one that the settings describe, or those of a file, a TOML table for each.

A source is the settings as they are for it: what its table does not say is what the preset says that it names, and else
what the settings say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from toolkit import authorization
from toolkit.address import SecretAddress
from toolkit.authorization import Ways
from toolkit.credentials import CredentialError
from toolkit.errors import UsageError, reason
from toolkit.presets import preset
from toolkit.push import protocol_of
from toolkit.settings import DECLARATIONS, Settings, spool_folder, value_of
from toolkit.text import did_you_mean, one_line

# The name of the source that the settings describe.
ONLY = "feed"
# What a source may say otherwise than the settings, by the name that it has in the file.
FIELDS = {
    **{name.removeprefix("feed_"): name for name in DECLARATIONS if name.startswith("feed_")},
    "cadence_seconds": "cadence_seconds",
    "fresh_minutes": "fresh_minutes",
}
STALE_CADENCES = 3
MOST = 1000
LARGEST_BYTES = 4 << 20
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class Source(NamedTuple):
    """A source.

    Attributes:
        name: by which it is known in the store, in metrics and in messages.
        settings: as they are for this source.
    """

    name: str
    settings: Settings


def sources_of(settings: Settings) -> tuple[Source, ...]:
    """The sources that the settings name, in the order in which they count.

    Raises:
        UsageError: the file cannot be used; a line for each thing that is wrong in it.
    """
    if not settings.sources_file:
        return (Source(ONLY, settings),)
    problems: list[str] = []
    found = tuple(_read(Path(settings.sources_file), settings, problems))
    if problems:
        raise UsageError("\n".join(problems))
    return found


def fresh_seconds(source: Source) -> float:
    """The age at which the newest observation of a source is stale, in seconds.

    Of several sources each may be three cadences late: the settings' age is that of one feed.
    """
    limit = source.settings.fresh_minutes * 60
    return limit if source.name == ONLY else max(limit, STALE_CADENCES * source.settings.cadence_seconds)


def source_named(name: str, sources: Sequence[Source]) -> Source:
    """The source of a name.

    Raises:
        UsageError: there is none.
    """
    names = [one.name for one in sources]
    if name not in names:
        known = f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)}"
        raise UsageError(f"there is no source {_shown(name)}; {did_you_mean(name, names, known)}")
    return sources[names.index(name)]


def as_given(name: str, settings: Settings) -> dict[str, str]:
    """What the file, and the preset that it names, say of a source, by the setting that it replaces.

    Nothing where there is no file.
    """
    tables = _tables(Path(settings.sources_file)) if settings.sources_file else []
    own = next((dict(table) for table in tables if table.get("name") == name), {})
    return {FIELDS[field]: str(value) for field, value in _filled(own, "", []).items() if field in FIELDS}


class Cadences(NamedTuple):
    """How often stations report, or another time that differs by source, in seconds.

    Attributes:
        usual: where the source of a station is not known, or says nothing else.
        of_source: by source, where there are several.
    """

    usual: float
    of_source: Mapping[str, float] = MappingProxyType({})

    def of(self, stations: Iterable[str], owners: Callable[[], Mapping[str, str | None]]) -> list[float]:
        """Those of some stations.

        Args:
            stations: their ids.
            owners: gives the source of each; it is asked where there are several.
        """
        source = owners() if self.of_source else {}
        return [self.of_source.get(source.get(one) or "", self.usual) for one in stations]


def cadences_of(settings: Settings) -> Cadences:
    """How often the stations of each source report.

    Raises:
        UsageError: the file of the sources cannot be used.
    """
    several = sources_of(settings) if settings.sources_file else ()
    return Cadences(settings.cadence_seconds, {one.name: one.settings.cadence_seconds for one in several})


def spool_of(source: Source) -> Path:
    """Where documents of a source wait while the store cannot take them."""
    folder = spool_folder(source.settings)
    return folder if source.name == ONLY else folder / source.name


def _read(path: Path, settings: Settings, problems: list[str]) -> Iterator[Source]:
    names: dict[str, int] = {}
    for number, table in enumerate(_tables(path), start=1):
        name = table.get("name")
        where = f"{path}, source {number}"
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            given = "it has no name" if name is None else f"name = {_shown(name)}"
            problems.append(f"{where}: {given}: give one of at most 40 of a-z, 0-9, - and _")
            continue
        if names.setdefault(name, number) != number:
            problems.append(f"{where}: source {names[name]} has the name {name!r}, too: give another one")
            continue
        own = {field: value for field, value in table.items() if field != "name"}
        named = f"{path}, source {name}"
        yield Source(name, _as_of(name, _filled(own, named, problems), settings, named, problems))


def _filled(own: dict[str, Any], where: str, problems: list[str]) -> Mapping[str, Any]:
    """What a source says, and what its protocol or the preset that it names says where it does not."""
    if protocol := protocol_of(str(own.get("url", ""))):
        own = {"format": protocol, "fields": "", **own}
    if "preset" not in own:
        return own
    name = own.pop("preset")
    try:
        return {**preset(str(name)).source, **own}
    except ValueError as error:
        problems.append(f"{where}: preset = {_shown(name)}: {error}")
        return {"url": DECLARATIONS["feed_url"].default, **own}  # one mistake, one line


def _tables(path: Path) -> list[Mapping[str, Any]]:
    import tomllib  # a single feed needs none

    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        if len(content) > LARGEST_BYTES:
            raise UsageError(f"the sources in {path}: the file is larger than {LARGEST_BYTES >> 20} MiB")
        document = tomllib.loads(content.decode())
    except OSError as error:
        raise UsageError(f"cannot read the sources in {path}: {reason(error)}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the sources in {path} are not TOML: {one_line(str(error), 200)}") from None
    tables = document.pop("source", None)
    if document:
        raise UsageError(f"{path}: {one_line(min(document), 60)!r} means nothing here: give tables [[source]]")
    if not isinstance(tables, list) or not tables or not all(isinstance(one, dict) for one in tables):
        raise UsageError(f"{path}: there is no source in it: give a table [[source]] for each")
    if len(tables) > MOST:
        raise UsageError(f"{path}: there are {len(tables)} sources in it: give at most {MOST}")
    return tables


def _as_of(name: str, own: Mapping[str, Any], settings: Settings, where: str, problems: list[str]) -> Settings:
    """The settings with what a source says otherwise."""
    values = {}
    for field, value in own.items():
        try:
            if field not in FIELDS:
                raise ValueError(
                    did_you_mean(field, FIELDS, f"it means nothing; a source has preset, {', '.join(FIELDS)}")
                )
            if not isinstance(value, str | int | float):
                raise ValueError("give a text or a number")
            values[FIELDS[field]] = value_of(DECLARATIONS[FIELDS[field]], str(value))
        except ValueError as error:
            # The value of what means nothing may be a secret.
            shown = f" = {_shown(DECLARATIONS[FIELDS[field]].kind.shown(str(value)))}" if field in FIELDS else ""
            problems.append(f"{where}: {one_line(field, 60)}{shown}: {error}")
    secret = any(way.kind == "address" for way in values.get("feed_auth", settings.feed_auth).ways)
    if secret:
        values["feed_url"] = _secret_address(name, values.get("feed_auth", settings.feed_auth))
    elif own.get("url") is None:
        problems.append(f"{where}: it has no url: give the address of its documents")
    return replace(settings, **values)


def _secret_address(name: str, ways: Ways) -> SecretAddress:
    """The address that a credential has; where it was not handed over, one that leads nowhere."""
    try:
        found = authorization.secrets(ways, name)
    except CredentialError:
        return SecretAddress("https://secret.invalid/")
    return SecretAddress(next(secret for way, secret in found.items() if way.kind == "address"))


def _shown(value: object) -> str:
    return repr(one_line(str(value), 200))
