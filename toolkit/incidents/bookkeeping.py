"""What a run finds becomes incidents: their changes, their history and messages, in one transaction."""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import cache, partial

from toolkit import clock
from toolkit.incidents import telling
from toolkit.incidents.case import Case
from toolkit.incidents.network import Network
from toolkit.incidents.planning import HOUR, Plan, Rules, Run
from toolkit.incidents.trouble import Sensor, Trouble, folded
from toolkit.settings import Settings
from toolkit.sources import cadences_of
from toolkit.store import Store
from toolkit.store.incidents import ACTIVE, Action, Affected, Incident, IncidentFilter
from toolkit.variables import STATION

# A station that has reported nothing for so many seconds does not measure at present.
LATELY = 86_400.0


def keep(store: Store, settings: Settings, run: Run, troubles: Sequence[Trouble]) -> None:
    """Take what a run found into the incidents, within a transaction of the store.

    Args:
        store: open for writing; the caller has its `transaction`.
        settings: when an incident ends, and of what people are told.
        run: which run; whether it is of an older window is found out here.
        troubles: what it saw, interval by interval, weather as well.
    """
    run = _dated(store, run)
    rules = Rules(
        settings.incident_clean_hours * HOUR,
        settings.incident_reopen_hours * HOUR,
        partial(cadences_of(settings).of, owners=cache(store.owners)),
        settings.incident_network_share,
    )
    since = min([run.start, *(one.started for one in troubles)]) - rules.reopen
    known = _known(store, since, run.end + rules.reopen)
    plan = Plan(run, rules, known, store.incidents.maintenance(since, max(run.end, run.at)))
    measuring = cache(lambda: Measuring(store, max(run.start, run.end - LATELY)))
    if run.whole and not run.older:
        of_network = [one.id for one in known if one.station_id is None]
        affected = store.incidents.affected(of_network)
        network = Network(plan, run, rules, affected, store.stations, cache(lambda name: measuring().number(name)))
        troubles = network.take(troubles)
        network.settle()
    for trouble in folded(one for one in troubles if not one.weather):
        plan.take(trouble)
    plan.settle(measuring() if plan.ending() else ())
    _write(store, settings, run, plan.cases)
    store.incidents.link((case.now.id, *one.sensor, one.started, one.ended) for case, one in plan.taken)
    if run.whole and not run.older:
        store.incidents.note_run(run.job, min(run.end, run.at), run.at + clock.AGREE_SECONDS)


def _dated(store: Store, run: Run) -> Run:
    """The run, marked as older if a newer window was judged before it by a clock that was not ahead."""
    newest = store.incidents.newest_run(run.job)
    return run._replace(older=newest is not None and run.end < newest <= run.at + clock.AGREE_SECONDS)


def _known(store: Store, since: float, until: float) -> list[Incident]:
    """The incidents that are active, and those of some time that are over."""
    active = store.incidents.find(IncidentFilter(states=ACTIVE))
    over = store.incidents.find(IncidentFilter(states=("resolved", "dismissed"), since=since, until=until))
    return [*over, *active]


class Measuring(Container[Sensor]):
    """The stations that report at present, and their sensors of which the newest observation has a value."""

    def __init__(self, store: Store, since: float) -> None:
        self._latest = {one.station_id: one for one in store.latest() if one.time > since}

    def __contains__(self, sensor: object) -> bool:
        if not isinstance(sensor, Sensor) or sensor.station_id not in self._latest:
            return False
        return sensor.variable == STATION or getattr(self._latest[sensor.station_id], sensor.variable, None) is not None

    def number(self, variable: str) -> int:
        """How many stations have a sensor of a variable."""
        return sum(Sensor(name, variable) in self for name in self._latest)


def _write(store: Store, settings: Settings, run: Run, cases: Sequence[Case]) -> None:
    """Write the changes, their history, and what people are to be told."""
    changed = [case for case in cases if case.changed]
    for case in sorted(changed, key=lambda one: one.parent is not None):
        if case.parent is not None:
            case.now = case.now._replace(part_of=case.parent.now.id)
        if case.before is None:
            case.now = case.now._replace(id=store.incidents.add(case.now))
    store.incidents.change(case.now for case in changed if case.before is not None)
    store.incidents.affect(Affected(case.now.id, *one[1:]) for case in changed for one in case.stations.values())
    store.incidents.note(
        Action(case.now.id, run.at, run.job, action, note) for case in changed for action, note in case.actions
    )
    events = [(case.now, action) for case in changed for action in case.told]
    store.incidents.tell(telling.messages(events, settings, run.at))
