"""Checks that are made of each source, and the one finding that they come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TypeAlias

from toolkit.checks import Finding, Probe, Status, bad, good, unseen
from toolkit.checks.host import Host
from toolkit.checks.host.feed import ALL_FEEDS_SECONDS, SourceSeen
from toolkit.errors import ToolkitError

# So many sources are named in one finding.
NAMED = 5
Look: TypeAlias = Callable[[Host, SourceSeen], Finding | None]


def each_source(look: Look) -> Probe:
    """The probe that looks at each source that is fetched, once, and names those that are not as they should be."""

    @wraps(look)
    def probe(host: Host) -> Finding | None:
        found = [(one.name, _of_one(look, host, one)) for one in host.feeds]
        return joined([(name, finding) for name, finding in found if finding], len(host.sources))

    return probe


def joined(found: Sequence[tuple[str, Finding]], number: int) -> Finding | None:
    """The finding of all sources.

    Args:
        found: the findings, each with the source's name.
        number: how many sources there are. A failure of some of several is a warning.
    """
    if number == 1 or not found:
        return found[0][1] if found else None
    wrong = [(name, one) for name, one in found if one.ok is False]
    if wrong:
        whole = len(wrong) == number and any(one.severity is None for _, one in wrong)
        return bad(_named(wrong), wrong[0][1].remedy, None if whole else Status.WARNING)
    hidden = [(name, one) for name, one in found if one.ok is None]
    return unseen(_named(hidden)) if hidden else good(_named(found))


def _of_one(look: Look, host: Host, one: SourceSeen) -> Finding | None:
    name = look.__name__
    if not one.is_told and not one.knows(name):
        return unseen(f"it did not answer within {ALL_FEEDS_SECONDS:g} s")
    try:
        return one.once(name, lambda: look(host, one))
    except (ToolkitError, OSError) as error:
        if len(host.sources) == 1:
            raise
        return unseen(str(error))


def _named(found: Sequence[tuple[str, Finding]]) -> str:
    more = f"; {len(found) - NAMED} sources more" if len(found) > NAMED else ""
    return "; ".join(f"{name}: {one.evidence}" for name, one in found[:NAMED]) + more
