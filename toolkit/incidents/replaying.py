"""What the detector would have found with other settings in the time of incidents that people decided of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal, get_args

from toolkit import times
from toolkit.detector.report import Anomaly
from toolkit.detector.run import detect
from toolkit.incidents import evidence
from toolkit.settings import Settings
from toolkit.store import Store
from toolkit.store.flags import SAME_WITHIN
from toolkit.store.incidents import LABELS, Incident, IncidentFilter
from toolkit.variables import STATION

HOUR = 3600.0
# An incident is looked for in so many runs at most, from its beginning on: who finds it does so early.
MOST_RUNS = 12

Outcome = Literal["found", "missed", "avoided", "found all the same", "not replayed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True)
class Replayed:
    """An incident, and what the detector makes of its time.

    Attributes:
        incident: which, as people decided it.
        outcome: a fault is found or missed; one that was dismissed is avoided, or found all the same.
        reason: what is found of it, or why it could not be replayed; may be empty.
    """

    incident: Incident
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What is found in the time of the incidents.

    Attributes:
        incidents: each incident of which people said what it was, the latest first.
        runs: how many windows were looked at.
        others: how many sensors had anomalies in them that belong to none of these incidents; weather is none.
    """

    incidents: list[Replayed]
    runs: int
    others: int

    def count(self, outcome: Outcome) -> int:
        """How many incidents had an outcome."""
        return sum(one.outcome == outcome for one in self.incidents)


def decided(store: Store, since: float) -> list[Incident]:
    """The incidents that ended after a time of which people said what they were."""
    over = store.incidents.find(IncidentFilter(states=("resolved", "dismissed"), since=since))
    return [one for one in over if one.verdict in LABELS]


def ends(incident: Incident, hours: float, until: float) -> list[float]:
    """The ends of the windows in which an incident is looked for: whole hours, and none after `until`."""
    first = ceil((incident.started + HOUR) / HOUR) * HOUR
    last = max(first, ceil((incident.ended + HOUR) / HOUR) * HOUR)
    step = max(HOUR, hours * HOUR / 2 // HOUR * HOUR)
    number = min(MOST_RUNS, int((last - first) // step) + 1)
    found = {*(first + step * place for place in range(number)), min(last, first + step * number)}
    return sorted({min(end, until) for end in found})


def windows_of(incidents: Iterable[Incident], settings: Settings, until: float) -> dict[int, list[float]]:
    """The ends of the windows in which each incident is looked for, by its number."""
    return {one.id: ends(one, settings.window_hours, until) for one in incidents if _by_detector(one)}


def replay(
    store: Store,
    settings: Settings,
    incidents: Sequence[Incident],
    windows: Mapping[int, Sequence[float]],
    step: Callable[[int], None],
) -> Replay:
    """Look again at the time of incidents of which people said what they were. Nothing is written.

    Args:
        store: where they and the observations are.
        settings: those to try.
        incidents: which.
        windows: where they are looked for, see `windows_of`.
        step: called after every run.
    """
    stations = defaultdict[int, set[str]](set)
    for one in incidents:
        if one.station_id is not None:
            stations[one.id].add(one.station_id)
    for part in store.incidents.affected([one.id for one in incidents if one.station_id is None]):
        stations[part.incident_id].add(part.station_id)
    wanted = sorted({end for some in windows.values() for end in some})
    found: dict[float, list[Anomaly]] = {}
    empty: set[float] = set()
    for end in wanted:
        report = detect(store, settings, end)
        found[end] = [one for one in report.anomalies if one.class_ != "weather_event"]
        if not report.stations.with_data:
            empty.add(end)
        step(1)
    outcomes = []
    for one in incidents:
        of_it = windows.get(one.id, [])
        if not of_it or empty.issuperset(of_it):
            why = "there are no observations of that time" if of_it else "it was found by the health of sensors alone"
            outcomes.append(Replayed(one, "not replayed", why))
            continue
        seen = next((each for end in of_it for each in found[end] if _is(one, stations[one.id], each)), None)
        good: Outcome
        if one.verdict == "fault":
            good = "found" if seen else "missed"
        else:
            good = "found all the same" if seen else "avoided"
        outcomes.append(Replayed(one, good, f"{seen.test}: {seen.reason}" if seen else ""))
    others = {
        (one.station_id, one.variable)
        for some in found.values()
        for one in some
        if not any(_is(each, stations[each.id], one) for each in incidents)
    }
    return Replay(outcomes, len(wanted), len(others))


def _by_detector(one: Incident) -> bool:
    """Whether the detector saw it, and not only the health of sensors."""
    jobs = evidence.read(one.evidence)
    return not jobs or "detector" in jobs


def _is(incident: Incident, stations: set[str], anomaly: Anomaly) -> bool:
    """Whether an anomaly is what an incident was about: the same sensor, at the same time or within an hour."""
    if anomaly.station_id not in stations or incident.variable not in {anomaly.variable, STATION}:
        return False
    start, end = (times.epoch_of(text) for text in (anomaly.start, anomaly.end))
    return start <= incident.ended + SAME_WITHIN and end >= incident.started - SAME_WITHIN
