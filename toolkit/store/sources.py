"""The sources of a store: how each does, and which stations belong to it.

A station belongs to the source that is earliest in the list of sources, of those that have told of it: that one's
description of it counts, and its values replace those of others, which only fill gaps.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from toolkit.model import Document
from toolkit.store.dialect import Dialect


class SourceState(NamedTuple):
    """How a source does. Times are seconds since the epoch; None where there was none.

    Attributes:
        name: of the source.
        succeeded: when a document of it was stored last.
        failed: when a cycle failed last.
        newest: the time of the newest observation of which it has told.
        message: what became of the last cycle.
        cycles, failures: how many brought a document, and how many failed.
        observations: how many were new or corrected.
        left_out: how many entries and values were not stored.
    """

    name: str
    succeeded: float | None
    failed: float | None
    newest: float | None
    message: str
    cycles: int
    failures: int
    observations: int
    left_out: int

    @property
    def has_failed(self) -> bool:
        """Whether the last cycle failed."""
        return self.failed is not None and (self.succeeded is None or self.failed > self.succeeded)


_STORED = """
INSERT INTO sources AS s (name, succeeded, newest, message, cycles, observations, left_out) VALUES (?, ?, ?, ?, 1, ?, ?)
ON CONFLICT (name) DO UPDATE SET
    succeeded = excluded.succeeded, newest = coalesce(excluded.newest, s.newest), message = excluded.message,
    cycles = s.cycles + 1, observations = s.observations + excluded.observations,
    left_out = s.left_out + excluded.left_out
"""
_FAILED = """
INSERT INTO sources AS s (name, failed, message, failures) VALUES (?, ?, ?, 1)
ON CONFLICT (name) DO UPDATE SET failed = excluded.failed, message = excluded.message, failures = s.failures + 1
"""


class Sources:
    """The sources of a store. What writes is called within the store's `transaction`."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def states(self) -> list[SourceState]:
        """Every source that ever told anything or failed, by name."""
        times = ", ".join(map(self._dialect.seconds, ("succeeded", "failed", "newest")))
        rows = self._dialect.query(
            f"SELECT name, {times}, message, cycles, failures, observations, left_out FROM sources ORDER BY name"
        )
        return [SourceState(*row) for row in rows]

    def owners(self, only: Collection[str] | None = None) -> dict[str, str | None]:
        """The source to which each station belongs; None where no source has told of it.

        Args:
            only: ids of those that are asked for; None for all.
        """
        query = "SELECT station_id, source FROM stations"
        if only is None:
            return dict(self._dialect.query(query))
        where, value = self._dialect.among("station_id", only)
        return dict(self._dialect.query(f"{query} WHERE {where}", (value,)))

    def has_told(self, source: str) -> bool:
        """Whether a source ever told of an observation, of its own stations or of others'."""
        return any(one.name == source and one.newest is not None for one in self.states())

    def stored(self, document: Document, at: float, changed: int, message: str) -> None:
        """Note that a document was stored.

        Args:
            document: what was stored; nothing is noted of one without a source.
            at: when it was collected, seconds since the epoch.
            changed: how many observations were new or corrected.
            message: what became of it.
        """
        if document.source is None:
            return
        newest = max((one.time for one in document.observations), default=None)
        time = self._dialect.time
        row = (time(at), None if newest is None else time(newest), message, changed, document.left_out.total())
        self._dialect.many(_STORED, [(document.source, *row)])

    def failed(self, source: str, at: float, message: str) -> None:
        """Note that a cycle of a source failed."""
        self._dialect.many(_FAILED, [(source, self._dialect.time(at), message)])
