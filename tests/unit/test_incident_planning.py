"""What a run changes in the incidents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toolkit.incidents.case import Case
from toolkit.incidents.network import Network
from toolkit.incidents.planning import HOUR, Plan, Rules, Run
from toolkit.incidents.trouble import JudgedSensors, Sensor, Trouble
from toolkit.store.incidents import Incident, Maintenance, Severity

TIME = 1_763_827_200
VOLOS = Sensor("volos", "temp_out")
RULES = Rules(clean=6 * HOUR, reopen=72 * HOUR, cadences=lambda stations: [600.0] * len(stations), share=0.3)
WORK = Maintenance(1, "volos", "all", TIME - 3 * HOUR, TIME, "maria", "")


def trouble(started: float, ended: float, severity: Severity = "warning", symptom: str = "spatial") -> Trouble:
    """Hours from TIME on."""
    return Trouble(
        VOLOS, "data_wrong", (symptom,), severity, TIME + started * HOUR, TIME + ended * HOUR, 0.9, {"symptom": symptom}
    )


def run(
    end: float, known: list[Incident], *seen: Trouble, work: tuple[Maintenance, ...] = (), older: bool = False
) -> list[Case]:
    """The incidents that one run changes."""
    at = TIME + end * HOUR
    judged = JudgedSensors({"volos"}, {"temp_out"})
    plan = Plan(Run("detector", at - 6 * HOUR, at, judged, at, older=older), RULES, known, work)
    for one in seen:
        plan.take(one)
    plan.settle({VOLOS})
    return [case for case in plan.cases if case.changed]


def after(*hours: tuple[float, Trouble | None], work: tuple[Maintenance, ...] = ()) -> Incident:
    """The one incident after some runs."""
    known: list[Incident] = []
    for end, seen in hours:
        for case in run(end, known, *([seen] if seen else []), work=work):
            known = [case.now._replace(id=1)]
    (incident,) = known
    return incident


def test_a_window_of_the_past_extends_and_notes_but_never_opens_reopens_resolves_or_tells() -> None:
    open_ = after((0, trouble(-2, 0)))
    (case,) = run(-3, [open_], trouble(-8, -3), older=True)
    assert (case.now.started, case.now.ended, case.now.state, case.told) == (TIME - 8 * HOUR, TIME, "open", [])
    assert run(20, [open_], older=True) == []
    resolved = after((0, trouble(-2, 0)), (6.5, None))
    assert resolved.state == "resolved"
    (case,) = run(5, [resolved], trouble(-3, 5), older=True)
    assert (case.now.state, case.now.reopened) == ("resolved", 0)
    (case,) = run(-500, [], trouble(-502, -501), older=True)
    assert (case.now.state, case.told) == ("resolved", [])
    assert [action for action, _ in case.actions] == ["opened", "resolved"]


def test_trouble_in_maintenance_is_told_to_nobody_and_is_over_with_it() -> None:
    (case,) = run(-1, [], trouble(-2, -1), work=(WORK,))
    assert (case.now.state, [action for action, _ in case.actions]) == ("maintenance", ["opened", "maintenance"])
    repaired = after((-1, trouble(-2, -1)), (0.5, trouble(-2, -0.2)), (1.5, trouble(-2, -0.2)), work=(WORK,))
    assert (repaired.state, repaired.verdict) == ("resolved", "maintenance")
    (end,) = run(1.5, [after((-1, trouble(-2, -0.2)), work=(WORK,))], work=(WORK,))
    assert end.told == []


def test_trouble_that_outlives_maintenance_is_open_and_told() -> None:
    in_work = after((-1, trouble(-2, -1)), work=(WORK,))
    (case,) = run(1, [in_work], trouble(-2, 1), work=(WORK,))
    assert (case.now.state, case.told) == ("open", ["open"])
    acknowledged = after((-5, trouble(-6, -5)))._replace(state="acknowledged", acknowledged=TIME - 4.5 * HOUR)
    (case,) = run(-1, [acknowledged], trouble(-6, -1), work=(WORK,))
    assert case.now.state == "maintenance"
    (back,) = run(1, [case.now], trouble(-6, 1), work=(WORK,))
    assert back.now.state == "acknowledged"
    (repaired,) = run(1.2, [case.now], trouble(-6, -1), work=(WORK,))
    assert (repaired.now.state, repaired.now.verdict, repaired.told) == ("resolved", None, ["resolved"])


def test_what_a_person_resolved_is_reopened_by_later_readings_alone() -> None:
    resolved = after((0, trouble(-2, 0)))._replace(state="resolved", resolved=TIME + 0.5 * HOUR, verdict="fault")
    (same,) = run(1, [resolved], trouble(-2, 0.6))
    assert (same.now.state, same.told) == ("resolved", [])
    (again,) = run(2, [resolved], trouble(-2, 2))
    assert (again.now.state, again.now.reopened, again.now.verdict, again.told) == ("open", 1, None, ["reopened"])


def test_what_a_person_dismissed_stays_so_until_it_was_away_for_long() -> None:
    dismissed = after((0, trouble(-2, 0)))._replace(state="dismissed", resolved=TIME, verdict="weather")
    (same,) = run(50, [dismissed], trouble(48, 50))
    assert (same.now.state, same.now.ended, same.told) == ("dismissed", TIME + 50 * HOUR, [])
    _, new = [Case(dismissed), *run(90, [dismissed], trouble(88, 90))]
    assert (new.now.id, new.now.state, new.told) == (0, "open", ["opened"])


def test_severity_only_rises_and_symptoms_are_kept_in_order() -> None:
    info = after((0, trouble(-1, 0, "info")))
    (worse,) = run(1, [info], trouble(-1, 1, "warning", "step"))
    assert (worse.now.severity, worse.now.symptoms, worse.told) == ("warning", "spatial,step", ["worsened"])
    (again,) = run(2, [worse.now], trouble(-1, 2, "info"))
    assert (again.now.severity, again.now.symptoms) == ("warning", "spatial,step")


def test_a_level_beside_wrong_data_is_no_trouble_of_its_own() -> None:
    wrong = after((0, trouble(-2, 0)))
    level = trouble(-2, 1, "info", "level")._replace(kind="siting")
    (case,) = run(1, [wrong], level)
    assert (case.now.id, case.now.kind, case.now.symptoms) == (1, "data_wrong", "spatial,level")
    (alone,) = run(1, [], level)
    assert alone.now.kind == "siting"


@pytest.mark.parametrize(("cadence", "number"), [(600.0, 0), (3 * HOUR, 1)])
def test_what_began_within_the_cadence_of_the_stations_source_is_of_the_network(cadence: float, number: int) -> None:
    """Three stations whose trouble began within two hours and a half."""
    rules = replace(RULES, cadences=lambda stations: [cadence] * len(stations))
    run = Run("detector", TIME - 48 * HOUR, TIME, JudgedSensors({"a", "b", "c"}, {"temp_out"}), TIME)
    plan = Plan(run, rules, [])
    network = Network(plan, run, rules, [], list, lambda _: 3)
    troubles = zip("abc", (-5.0, -3.0, -2.5), strict=True)
    rest = network.take([trouble(at, 0)._replace(sensor=Sensor(name, "temp_out")) for name, at in troubles])
    assert [case.now.station_id for case in plan.cases] == [None] * number
    assert len(rest) == 3 - 3 * number
