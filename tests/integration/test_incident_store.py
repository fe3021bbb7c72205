"""Incidents in the store of either engine."""

from __future__ import annotations

import pytest

from tests.databases import change, query
from tests.network import Network
from toolkit.store import StoreError, open_for_reading, open_for_writing
from toolkit.store.incidents import ACTIVE, Action, Affected, Incident, IncidentFilter, Maintenance, Message

TIME = 1_763_827_200
INCIDENT = Incident(
    id=0, station_id="volos", variable="temp_out", kind="data_wrong", symptoms="spatial", severity="warning",
    state="open", started=TIME, ended=TIME + 600, opened=TIME + 900, acknowledged=None, resolved=None,
    judged=TIME + 600, assignee=None, verdict=None, part_of=None, reopened=0, confidence=0.9, evidence="{}",
)  # fmt: skip
MESSAGE = Message(0, "incident 1 opened", 1, "opened", "warning", "waiting", TIME, TIME, None, 0, "")


def test_what_is_written_is_read(db: str) -> None:
    with open_for_writing(db) as store, store.transaction():
        number = store.incidents.add(INCIDENT)
        acknowledged = INCIDENT._replace(id=number, state="acknowledged", acknowledged=TIME + 1000)
        store.incidents.change([acknowledged])
        store.incidents.note([Action(number, TIME, "maria", "acknowledged", "on Tuesday")])
        store.incidents.tell([MESSAGE, MESSAGE._replace(written=TIME + 5)])
        store.incidents.affect([Affected(number, "volos", TIME, TIME), Affected(number, "volos", TIME, TIME + 600)])
        store.incidents.note_run("detector", TIME, TIME)
        store.incidents.note_run("detector", TIME - 3600, TIME)
        store.incidents.plan(Maintenance(0, "volos", "all", TIME, TIME + 7200, "maria", ""))
    with open_for_reading(db) as store:
        found = store.incidents
        wanted = IncidentFilter(states=ACTIVE, severities=["warning"], stations=["volos"], since=TIME, until=TIME)
        assert found.find(wanted) == [acknowledged]
        assert found.find(IncidentFilter(states=["open"])) == []
        assert found.counts() == [("acknowledged", "warning", 1)]
        assert found.history(number) == [Action(number, TIME, "maria", "acknowledged", "on Tuesday")]
        assert found.noted([number], ["acknowledged"]) == found.history(number)
        assert found.noted([number], ["opened"]) == []
        assert found.messages(["waiting"]) == [MESSAGE._replace(id=1)]
        assert found.affected([number]) == [Affected(number, "volos", TIME, TIME + 600)]
        assert found.newest_run("detector") == TIME
        assert found.newest_run("sensors") is None
        assert [one.actor for one in found.maintenance(TIME + 7000, TIME + 9000)] == ["maria"]
        assert found.maintenance(TIME + 7300, TIME + 9000) == []


def test_incidents_are_found_by_when_they_were_resolved(db: str) -> None:
    with open_for_writing(db) as store, store.transaction():
        for late in (0, 60):
            store.incidents.add(INCIDENT._replace(state="resolved", resolved=TIME + late))
        store.incidents.add(INCIDENT)
        (one,) = store.incidents.find(IncidentFilter(resolved_since=TIME))
    assert one.resolved == TIME + 60


def test_all_of_a_transaction_is_written_or_nothing(db: str) -> None:
    def add_one() -> None:
        with store.transaction():
            number = store.incidents.add(INCIDENT)
            store.incidents.affect([Affected(number, "volos", TIME, TIME)])
            store.incidents.note([Action(number, None, "maria", "opened", "")])  # type: ignore[arg-type]

    with open_for_writing(db) as store:
        with pytest.raises(StoreError):
            add_one()
        assert store.incidents.find() == []


STRANGE = (
    "INSERT INTO incidents (station_id, variable, kind, symptoms, severity, state, started, ended, opened, judged, reopened, "
    "evidence) VALUES ('volos', 'temp_out', '{kind}', '', '{severity}', '{state}', '{started}', '{ended}', '{ended}', "
    "'{ended}', -7, '{evidence}')"
)
GOOD = {
    "kind": "data_wrong", "severity": "warning", "state": "open", "started": "2025-11-21 16:00:00",
    "ended": "2025-11-22 15:00:00", "evidence": "{}",
}  # fmt: skip


def test_rows_that_somebody_else_wrote_end_no_run(db: str) -> None:
    network = Network(db, "station=volos,variable=temp_out,kind=offset,size=8,at=30m")
    never = "infinity" if db.startswith("postgresql") else "never"
    for what in ({"state": "ajar"}, {"kind": "bad luck"}, {"severity": "huge"}, {"ended": never}, {"started": never}):
        change(db, STRANGE.format(**{**GOOD, **what}))
    change(db, STRANGE.format(**{**GOOD, "evidence": "[" * 9000}))
    change(db, "INSERT INTO runs VALUES ('detector', '9999-01-01 00:00:00')")
    change(db, f"INSERT INTO maintenance VALUES (7, 'volos', 'all', '{never}', '{never}', 'x', 'y')")
    change(db, f"INSERT INTO incident_history VALUES (7, 6, '{never}', 'x', 'y', 'z')")
    change(
        db,
        "INSERT INTO outbox (id, key, incident_id, event, severity, state, written, due, attempts, error, heard) "
        f"VALUES (7, 'x', 6, 'opened', 'warning', 'waiting', '{never}', '{never}', 0, '', '')",
    )
    network.run(3)
    (one,) = network.incidents()
    assert (one.state, one.reopened) == ("open", -7)
    assert "spatial" in one.symptoms or "step" in one.symptoms
    assert [line.action for line in network.history(one)][-1] == "symptom"
    with open_for_reading(db) as store:
        assert {severity for _, severity, _ in store.incidents.counts()} == {"warning"}
        assert store.incidents.maintenance(0, TIME) == []
        assert store.incidents.newest_run("detector") == network.now
        assert store.incidents.told([6]) == store.incidents.messages(["waiting"]) == []
    assert query(db, "SELECT DISTINCT incident_id FROM anomalies WHERE station_id = 'volos'") == [(one.id,)]
