"""An incident as one run changes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from toolkit import times
from toolkit.incidents import evidence, kinds
from toolkit.incidents.trouble import Sensor, Trouble
from toolkit.store.incidents import ACTIVE, Affected, Incident, State, Verdict


@dataclass(slots=True)
class Case:
    """An incident as one run finds it and leaves it.

    Attributes:
        now: the incident; its number is 0 until the store has given one.
        before: how it was; None for a new one.
        actions: what happened to it in this run, for its history: each with a note.
        told: those of the actions that people may be told of.
        parent: the incident of the network that it turned out to be a part of.
        stations: of an incident of the network, the stations that changed.
    """

    now: Incident
    before: Incident | None = None
    actions: list[tuple[str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    parent: Case | None = None
    stations: dict[str, Affected] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether it is open, acknowledged or in maintenance."""
        return self.now.state in ACTIVE

    @property
    def sensor(self) -> Sensor:
        """Where it is; for an incident of one station."""
        return Sensor(self.now.station_id or "", self.now.variable)

    @property
    def changed(self) -> bool:
        """Whether the store has to be told."""
        return self.now != self.before or bool(self.actions)

    def did(self, action: str, note: str = "", *, tell: bool = False) -> None:
        """Note what happened."""
        self.actions.append((action, note))
        if tell:
            self.told.append(action)

    def see(self, job: str, trouble: Trouble, judged: float) -> None:
        """Take what a run saw."""
        now, active = self.now, self.active
        known = [name for name in now.symptoms.split(",") if name]
        for name in trouble.symptoms:
            if name not in known:
                known.append(name)
                if active:
                    self.did("symptom", name)
        severity = kinds.worse(now.severity, trouble.severity) if active else trouble.severity
        if active and severity != now.severity:
            self.did("worsened", severity, tell=True)
        confidences = [one for one in (now.confidence, trouble.confidence) if one is not None]
        self.now = now._replace(
            symptoms=",".join(known),
            severity=severity,
            started=min(now.started, trouble.started),
            ended=max(now.ended, trouble.ended),
            judged=max(now.judged, judged),
            confidence=max(confidences, default=None),
            evidence=with_evidence(now.evidence, job, trouble),
        )

    def go_on(self, job: str, ended: float, judged: float) -> None:
        """Take that it goes on; the evidence stays that of its beginning."""
        found = evidence.read(self.now.evidence)
        seen = {name: value for name, value in found.get(job, {}).items() if name != "clear"}
        found[job] = {**seen, "ended": times.iso_of(ended)}
        self.now = self.now._replace(
            ended=max(self.now.ended, ended), judged=max(self.now.judged, judged), evidence=evidence.written(found)
        )

    def resolve(self, at: float, verdict: Verdict | None = None, note: str = "", *, tell: bool = True) -> None:
        """Resolve it."""
        self.now = self.now._replace(state="resolved", resolved=at, verdict=verdict or self.now.verdict)
        self.did("resolved", note, tell=tell)

    def move(self, state: State, action: str, *, tell: bool = False) -> None:
        """Bring it into another state."""
        self.now = self.now._replace(state=state)
        self.did(action, tell=tell)


def opened(job: str, trouble: Trouble, judged: float, at: float) -> Case:
    """A new incident of one station."""
    incident = Incident(
        id=0,
        station_id=trouble.sensor.station_id,
        variable=trouble.sensor.variable,
        kind=trouble.kind,
        symptoms=",".join(trouble.symptoms),
        severity=trouble.severity,
        state="open",
        started=trouble.started,
        ended=trouble.ended,
        opened=at,
        acknowledged=None,
        resolved=None,
        judged=judged,
        assignee=None,
        verdict=None,
        part_of=None,
        reopened=0,
        confidence=trouble.confidence,
        evidence=with_evidence("{}", job, trouble),
    )
    return Case(incident)


def with_evidence(text: str, job: str, trouble: Trouble) -> str:
    """Evidence with what a run saw; what other jobs saw stays, and what a newer run of this one did."""
    found = evidence.read(text)
    seen: dict[str, Any] = found.get(job, {})
    last, first = evidence.time(seen.get("ended")), evidence.time(seen.get("started"))
    spoken = trouble.evidence if last is None or trouble.ended >= last else seen
    found[job] = {
        **{name: value for name, value in spoken.items() if name != "clear"},
        "started": times.iso_of(trouble.started if first is None else min(first, trouble.started)),
        "ended": times.iso_of(trouble.ended if last is None else max(last, trouble.ended)),
    }
    return evidence.written(found)
