"""Checks of the sources, where there are several, by what the collector has noted of each."""

from __future__ import annotations

from pathlib import Path

from toolkit import clock
from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.causes import CLOCK, OBSERVATIONS
from toolkit.checks.each_source import joined
from toolkit.checks.host import Host
from toolkit.checks.humanize import humanize
from toolkit.checks.remedies import Logs, Tool
from toolkit.sources import Source, fresh_seconds
from toolkit.store.sources import SourceState


@check(
    id="sources-told", area="data quality",
    invariant="Every source that is listed has told something.",
    problem="A source that is listed has never told anything.",
    severity=Status.WARNING, remedy=Tool("feed try"), caused_by=OBSERVATIONS, quick=True,
)  # fmt: skip
def sources_told(host: Host) -> Finding | None:
    if len(host.sources) < 2 or not host.settings.sources_file:
        return None
    listed = Path(host.settings.sources_file).stat().st_mtime
    states = host.source_states
    never = [one for one in host.sources if one.name not in states or states[one.name].succeeded is None]
    late = [one for one in never if host.now - listed > fresh_seconds(one)]
    if not late:
        return good(f"{len(host.sources) - len(never)} of {len(host.sources)} sources have told something")
    names = ", ".join(one.name for one in late[:5]) + (", …" if len(late) > 5 else "")
    last = states[late[0].name].message if late[0].name in states else "the collector has not tried it"
    seen = f"{len(late)} of {len(host.sources)} sources have never told anything: {names}"
    return bad(f"{seen} ({late[0].name}: {last})", Tool(f"feed try {late[0].name}"))


@check(
    id="sources-fresh", area="data quality",
    invariant="Every source tells new observations.",
    problem="A source tells nothing new.",
    severity=Status.WARNING, remedy=Logs("collector"),
    caused_by=(*OBSERVATIONS, *CLOCK, "observations-not-ahead", "observations-fresh"), quick=True,
)  # fmt: skip
def sources_fresh(host: Host) -> Finding | None:
    if len(host.sources) < 2:
        return None
    states = host.source_states
    found = [(one.name, _fresh(host, one, states[one.name])) for one in host.sources if one.name in states]
    return joined([(name, finding) for name, finding in found if finding], len(host.sources))


def _fresh(host: Host, source: Source, state: SourceState) -> Finding | None:
    if state.newest is None or clock.ahead(state.newest, host.now):
        return None
    age = max(0.0, host.now - state.newest)
    seen = f"its newest observation is {humanize(age)} old"
    if age <= fresh_seconds(source):
        return good(seen)
    why = f": {state.message}" if state.has_failed else ""
    return bad(f"{seen}, more than {humanize(fresh_seconds(source))}{why}")
