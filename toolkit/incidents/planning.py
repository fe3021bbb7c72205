"""What a run changes in the incidents: rows in, changes out; nothing is read or written here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from toolkit.durations import lasting
from toolkit.incidents import evidence, kinds
from toolkit.incidents.case import Case, opened
from toolkit.incidents.trouble import JudgedSensors, Sensor, Trouble
from toolkit.store.flags import SAME_WITHIN
from toolkit.store.incidents import ACTIVE, Incident, Maintenance

HOUR = 3600.0
# A fault that comes back again and again has to stay away for twice as long each time, up to so many times.
MOST_DOUBLINGS = 16


class Run(NamedTuple):
    """A run of a job that opens and resolves incidents.

    Attributes:
        job: `detector` or `sensors`.
        start, end: the window, seconds since the epoch.
        judged: which sensors it judged.
        exact: to how many seconds it tells when trouble begins.
        at: the present, seconds since the epoch.
        whole: whether it looked at all stations.
        older: whether there was a run over a newer window before: then this one tells of the past alone.
    """

    job: str
    start: float
    end: float
    judged: JudgedSensors
    at: float
    exact: float = HOUR
    whole: bool = True
    older: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of incidents.

    Attributes:
        clean: for so many seconds a sensor is judged well until its incident is resolved by itself.
        reopen: trouble that comes back within so many seconds is the same incident.
        cadences: how many seconds apart some stations report, by their ids.
        share: so large a share of the stations that have trouble at once are an incident of the network.
    """

    clean: float
    reopen: float
    cadences: Callable[[Collection[str]], Sequence[float]]
    share: float


class Plan:
    """The changes of one run.

    Args:
        run: the run.
        rules: the settings.
        known: the incidents that are active, and those that ended a short while ago.
        maintenance: when people work at which sensors, at that time.

    Attributes:
        cases: the incidents, with their changes.
        taken: of which incident each trouble turned out to be.
    """

    def __init__(
        self, run: Run, rules: Rules, known: Iterable[Incident], maintenance: Sequence[Maintenance] = ()
    ) -> None:
        self._run = run
        self._rules = rules
        self._work = Work(maintenance)
        # Nothing is judged in the future, whatever a window's end says.
        self.until = min(run.end, run.at)
        self.cases = [Case(one, one) for one in known]
        self.taken: list[tuple[Case, Trouble]] = []
        self._of_sensor = {
            (case.sensor, case.now.kind): case
            for case in sorted(self.cases, key=_lateness)
            if case.now.station_id is not None and case.now.part_of is None
        }

    def take(self, trouble: Trouble) -> None:
        """Take one station's trouble into its incident."""
        if {*trouble.symptoms} <= kinds.FOLLOWING:
            wrong = trouble._replace(kind="data_wrong")
            trouble = wrong if self.active_of(wrong) else trouble
        case = self._of_sensor.get((trouble.sensor, trouble.kind))
        if case is None or self._is_another(case.now, trouble):
            case = self._open(trouble)
        elif self._run.older:
            case.now = case.now._replace(started=min(case.now.started, trouble.started))
        elif case.active:
            case.see(self._run.job, trouble, self.until)
            self._leave_maintenance(case, trouble)
        elif case.now.state == "resolved" and trouble.ended > _settled(case.now):
            self.reopen(case, trouble)
        else:
            case.now = case.now._replace(ended=max(case.now.ended, trouble.ended))
        self.taken.append((case, trouble))

    def active_of(self, trouble: Trouble) -> Case | None:
        """The incident that is active at the sensor of some trouble, of its kind."""
        case = self._of_sensor.get((trouble.sensor, trouble.kind))
        return case if case and case.active else None

    def ending(self) -> list[Case]:
        """The incidents of a station that this run may find to be over."""
        if self._run.older:
            return []
        return [case for case in self.cases if case.active and case.before and case.sensor in self._run.judged]

    def settle(self, measured: Container[Sensor]) -> None:
        """Resolve what is over, and bring into maintenance what people work at.

        Args:
            measured: the sensors that measure at present, and the stations that report.
        """
        for case in self.ending():
            if self._work.all_of(case.sensor, self.until, self.until):
                if case.now.state != "maintenance":
                    case.move("maintenance", "maintenance")
            elif case.sensor in measured:
                self.resolve_if_over(case)

    def _is_another(self, incident: Incident, trouble: Trouble) -> bool:
        """Whether trouble at the sensor of an incident that is over is another incident."""
        apart = max(trouble.started - incident.ended, incident.started - trouble.ended)
        return incident.state not in ACTIVE and apart > self._rules.reopen

    def _open(self, trouble: Trouble) -> Case:
        run = self._run
        case = opened(run.job, trouble, self.until, run.at)
        case.did("opened", str(trouble.evidence.get("reason", "")), tell=not run.older)
        if run.older:
            within = self._work.all_of(trouble.sensor, trouble.started, trouble.ended)
            case.resolve(run.at, "maintenance" if within else None, "it was in a window of the past", tell=False)
        elif self.is_maintained(trouble):
            case.move("maintenance", "maintenance")
        self.cases.append(case)
        self._of_sensor[trouble.sensor, trouble.kind] = case
        return case

    def reopen(self, case: Case, trouble: Trouble) -> None:
        """Open an incident again that comes back."""
        case.now = case.now._replace(
            state="open", severity=trouble.severity, acknowledged=None, resolved=None, verdict=None,
            reopened=case.now.reopened + 1,
        )  # fmt: skip
        case.did("reopened", str(trouble.evidence.get("reason", "")), tell=True)
        case.see(self._run.job, trouble, self.until)
        if self.is_maintained(trouble):
            case.move("maintenance", "maintenance")

    def is_maintained(self, trouble: Trouble) -> bool:
        """Whether all of the trouble lies within maintenance, or its sensor is in maintenance at present."""
        spans = (trouble.started, trouble.ended), (self.until, self.until)
        return any(self._work.all_of(trouble.sensor, *span) for span in spans)

    def _leave_maintenance(self, case: Case, trouble: Trouble) -> None:
        """Open an incident again whose trouble is still seen after its maintenance."""
        present = self._work.all_of(case.sensor, self.until, self.until)
        if (
            case.now.state == "maintenance"
            and not present
            and trouble.ended > self._work.ended(case.sensor, self.until)
        ):
            case.move("acknowledged" if case.now.acknowledged else "open", "open", tell=True)

    def resolve_if_over(self, case: Case) -> None:
        """Resolve an incident whose sensor the run judged, if each job that saw it found the sensor well for long."""
        run, incident = self._run, case.now._replace(judged=max(case.now.judged, self.until))
        case.now = incident
        found = evidence.read(incident.evidence)
        seen = found.get(run.job)
        if seen is None:
            return  # another job's symptoms: this one cannot see them
        last = evidence.time(seen.get("ended")) or incident.ended
        within = self._work.all_of(case.sensor, incident.started, incident.ended)
        if within or incident.state == "maintenance":
            last, clean = max(last, self._work.ended(case.sensor, self.until)), float(SAME_WITHIN)
        else:
            clean = self._rules.clean * 2.0 ** max(0, min(incident.reopened, MOST_DOUBLINGS))
            clean = min(clean, max(self._rules.clean, self._rules.reopen))
        if run.end - last < clean:
            return
        seen["clear"] = True
        case.now = incident._replace(evidence=evidence.written(found))
        if all(one.get("clear") or one.get("symptom") == "silent" for one in found.values()):
            told = f"nothing was wrong for {lasting(run.end - incident.ended)}"
            case.resolve(run.at, "maintenance" if within else None, told, tell=not within)


class Work:
    """When people work at which sensors."""

    def __init__(self, maintenance: Iterable[Maintenance]) -> None:
        self._of_station: dict[str, list[Maintenance]] = {}
        for window in maintenance:
            self._of_station.setdefault(window.station_id, []).append(window)

    def all_of(self, sensor: Sensor, started: float, ended: float) -> bool:
        """Whether a time lies completely within one maintenance of a sensor."""
        return any(one.started <= started and ended <= one.ended for one in self._windows(sensor))

    def ended(self, sensor: Sensor, until: float) -> float:
        """When the last maintenance of a sensor before a time ended; 0 if there was none."""
        return max((one.ended for one in self._windows(sensor) if one.ended <= until), default=0.0)

    def _windows(self, sensor: Sensor) -> Iterable[Maintenance]:
        return (one for one in self._of_station.get(sensor.station_id, ()) if one.covers(*sensor))


def _lateness(case: Case) -> tuple[bool, float, int]:
    return case.active, case.now.ended, case.now.id


def _settled(incident: Incident) -> float:
    """Until when trouble at the sensor still counts as that of a resolved incident.

    A person may resolve it while the last wrong readings are still under way.
    """
    if incident.verdict is None or incident.resolved is None:
        return incident.ended
    return max(incident.ended, incident.resolved + SAME_WITHIN)
