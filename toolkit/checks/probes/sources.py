"""Checks of the sources, where there are several, by what the collector has noted of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from toolkit import clock
from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.causes import CLOCK, DISK, OBSERVATIONS
from toolkit.checks.each_source import joined
from toolkit.checks.host import Host
from toolkit.checks.probes.spool import WAIT_SECONDS
from toolkit.checks.remedies import Logs, ServiceStatus, Shell, Tool
from toolkit.durations import humanize
from toolkit.push import protocol_of
from toolkit.sources import ONLY, Source, fresh_seconds
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


@check(
    id="inbox-empty", area="data quality",
    invariant="What stations have pushed is taken from the inbox.",
    problem="What stations have pushed waits in the inbox, and nothing takes it.",
    severity=Status.WARNING, remedy=ServiceStatus("collector"),
    caused_by=("places-plain", *DISK, "collector-running", "collector-enabled", "collector-responds", "settings-valid"),
)  # fmt: skip
def inbox_empty(host: Host) -> Finding | None:
    if not host.sources:  # they cannot be read
        return None
    present = {one.name for one in host.sources if protocol_of(one.settings.feed_url)}
    inboxes = [(name, folder) for name, folder in _inboxes(host.spool) if folder.is_dir()]
    if inboxes:
        from toolkit.collector import inbox
    for name, folder in inboxes:
        if not (files := inbox.waiting(folder)):
            continue
        seen = f"{len(files)} files of reports wait in {folder}"
        if name not in present:
            note = "put the source back, or remove them"
            return bad(
                f"{seen}, and {name} is no source any more that stations push to", Shell("ls -l {}", folder, note=note)
            )
        if host.now - inbox.file_of(folder, files[0][0]).stat().st_mtime > WAIT_SECONDS:
            return bad(f"{seen}: the collector does not take them")
    return good("nothing waits that stations have pushed") if present else None


def _inboxes(spool: Path) -> Iterator[tuple[str, Path]]:
    """The inbox of each source that is or was, by its name."""
    yield ONLY, spool / "inbox"
    for folder in sorted(spool.iterdir()) if spool.is_dir() else ():
        if folder.name != "inbox" and folder.is_dir():
            yield folder.name, folder / "inbox"
