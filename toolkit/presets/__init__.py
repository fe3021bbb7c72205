"""Networks that people know: for each a file NAME.toml of this folder, with what it is and how its feed is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from toolkit.mapping import parse_mapping
from toolkit.text import did_you_mean

# Formats that say where their stations are.
PLACED = frozenset({"geojson", "coveragejson"})


@dataclass(frozen=True, slots=True)
class Preset:
    """A network, and how its feed is read.

    Attributes:
        name: by which a source names it.
        title: what it is, for people.
        area: where its stations are.
        licence: of its data, and whom to name.
        terms: the address of its terms.
        documentation: the address of its documents.
        needs: what has to be asked for before anything can be fetched; empty for nothing.
        notes: what an operator has to know.
        checked: what was compared with what, and when.
        adapt: the fields of the source that an operator has to look at: what is there is an example.
        source: the fields of a source, by the names that they have in a file of sources.
    """

    name: str
    title: str
    area: str
    licence: str
    terms: str
    documentation: str
    needs: str
    notes: str
    checked: tuple[str, ...]
    adapt: tuple[str, ...]
    source: Mapping[str, str | int]

    @property
    def wants_stations(self) -> bool:
        """Whether a file of stations is needed: for the addresses, or for the places, which the feed does not say."""
        named = parse_mapping(str(self.source["fields"])).named
        placed = self.source["format"] in PLACED or {"latitude", "longitude"} <= named.keys()
        return "{station}" in str(self.source["url"]) or not placed

    @property
    def wants_credential(self) -> bool:
        """Whether a request has a key, a token or a password in it."""
        return bool(self.source.get("auth"))

    def facts(self) -> list[tuple[str, str]]:
        """What people want to know of it, each with its name."""
        return [
            ("where", self.area),
            ("licence", self.licence),
            ("terms", self.terms),
            ("documents", self.documentation),
            ("needs", self.needs or "nothing"),
            ("every", f"{self.source['cadence_seconds']} s"),
            ("to know", self.notes),
            *(("checked", one) for one in self.checked),
        ]

    def inventory(self) -> str:
        """The YAML to paste into the inventory."""
        lines = ["weather_sources:", f"  - name: {self.name}", f"    preset: {self.name}"]
        for field in self.adapt:
            lines += [f"    # Yours: it is an example.\n    {field}: >-", f"      {self.source[field]}"]
        if self.wants_stations:
            lines.append(f"    stations: /etc/weather/stations-{self.name}.csv")
        if self.wants_credential:
            each = ", a line for each in that order" if len(self._secrets()) > 1 else ""
            lines += ["weather_source_secrets:", f"  # For {self.source['auth']}{each}."]
            lines += [f"  {self.name}: |-", *(f"    {{{{ {name} }}}}" for name in self._secrets())]
        return "\n".join(lines) + "\n"

    def _secrets(self) -> list[str]:
        """What a vault may call the secrets, in the order in which the source wants them."""
        of = f"vault_{self.name.replace('-', '_')}"
        ways = str(self.source["auth"]).split(",")
        return [of] if len(ways) == 1 else [f"{of}_{number}" for number in range(1, len(ways) + 1)]


@cache
def names() -> tuple[str, ...]:
    """The names of all presets, in alphabetical order."""
    files = (one.name for one in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


@cache
def preset(name: str) -> Preset:
    """The preset of a name.

    Raises:
        ValueError: there is none; the message names those that there are.
    """
    if name not in names():
        raise ValueError(did_you_mean(name, names(), f"know {', '.join(names())}"))
    import tomllib

    said: dict[str, Any] = tomllib.loads((resources.files(__name__) / f"{name}.toml").read_text("utf-8"))
    source = {field: value.strip() if isinstance(value, str) else value for field, value in said.pop("source").items()}
    source = {"records": "", "fields": "", **source}
    checked, adapt = (tuple(said.pop(field, ())) for field in ("checked", "adapt"))
    texts = {field: str(text).strip() for field, text in {"notes": "", **said}.items()}
    return Preset(name, **texts, checked=checked, adapt=adapt, source=source)
