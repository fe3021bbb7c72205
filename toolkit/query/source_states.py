"""How each source does, in a word, and how old the newest observation of its stations may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from toolkit.errors import ToolkitError
from toolkit.settings import Settings
from toolkit.sources import Cadences, Source, fresh_seconds, sources_of
from toolkit.store import Store
from toolkit.store.sources import SourceState

Status = Literal["failed", "stale", "empty", "fresh"]


class Told(NamedTuple):
    """A source.

    Attributes:
        name: of the source.
        status: `failed` where its last cycle failed, `empty` where it has told no observation yet, `stale` where its
            newest one is older than the source's settings allow, and else `fresh`.
        state: what the store has noted of it; None where it has noted nothing.
    """

    name: str
    status: Status
    state: SourceState | None


def told(store: Store, settings: Settings, now: float) -> list[Told]:
    """Every source of the settings, in their order; where the settings cannot be used, every one in the store."""
    states = {one.name: one for one in store.sources.states()}
    sources = _sources(settings) or [Source(name, settings) for name in states]
    return [Told(one.name, _status(one, states.get(one.name), now), states.get(one.name)) for one in sources]


def freshness(settings: Settings) -> Cadences:
    """The age, in seconds, at which the newest observation of a station is stale: by its source, where several are."""
    limits: Mapping[str, float] = {}
    if settings.sources_file:
        limits = {one.name: fresh_seconds(one) for one in _sources(settings)}
    return Cadences(settings.fresh_minutes * 60, limits)


def _sources(settings: Settings) -> tuple[Source, ...]:
    """None where the file cannot be used: what only shows them goes on, and `settings-valid` says what is wrong."""
    try:
        return sources_of(settings)
    except ToolkitError:
        return ()


def _status(source: Source, state: SourceState | None, now: float) -> Status:
    if state is None:
        return "empty"
    if state.has_failed:
        return "failed"
    if state.newest is None:
        return "empty"
    return "stale" if now - state.newest > fresh_seconds(source) else "fresh"
