"""A restore keeps what happened to incidents since the backup, on both engines."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Run
from toolkit.store import open_for_reading, open_for_writing
from toolkit.store.incidents import Action, Affected, Incident, IncidentFilter, Maintenance, Message

TIME = 1_763_827_200
INCIDENT = Incident(
    id=0, station_id="volos", variable="temp_out", kind="data_wrong", symptoms="spatial", severity="warning",
    state="open", started=TIME, ended=TIME + 600, opened=TIME + 900, acknowledged=None, resolved=None,
    judged=TIME + 600, assignee=None, verdict=None, part_of=None, reopened=0, confidence=0.9, evidence="{}",
)  # fmt: skip
EVERYTHING = IncidentFilter(parts=True)


def message(key: str, incident: int) -> Message:
    return Message(0, key, incident, "opened", "warning", "waiting", TIME, TIME, None, 0, "")


def begin(db: str, incident: Incident = INCIDENT) -> int:
    with open_for_writing(db) as store, store.transaction():
        number = store.incidents.add(incident)
        store.incidents.note([Action(number, TIME, "detector", "opened", "")])
        store.incidents.tell([message(f"{number} opened 0", number)])
    return number


def test_what_happened_since_the_backup_stays(run: Run, db: str) -> None:
    first = begin(db)
    second = begin(db, INCIDENT._replace(station_id="zagora"))
    assert run("backup", "create", WEATHER_DB=db).returncode == 0
    with open_for_writing(db) as store, store.transaction():
        (sent,) = [one for one in store.incidents.messages(["waiting"]) if one.incident_id == first]
        store.incidents.change_messages([sent._replace(state="sent", tried=TIME + 60, attempts=1)])
        known = {one.id: one for one in store.incidents.find(EVERYTHING)}
        network = store.incidents.add(INCIDENT._replace(station_id=None, severity="critical"))
        store.incidents.affect([Affected(network, "zagora", TIME, TIME + 600)])
        store.incidents.change(
            [
                known[first]._replace(state="acknowledged", acknowledged=TIME + 3600),
                known[second]._replace(state="resolved", resolved=TIME + 3600, part_of=network),
            ]
        )
        store.incidents.note(
            [
                Action(first, TIME + 3600, "maria", "acknowledged", ""),
                Action(second, TIME + 3600, "detector", "joined", ""),
                Action(network, TIME + 3600, "detector", "opened", ""),
            ]
        )
        store.incidents.tell([message(f"{network} opened 0", network)])
        store.incidents.plan(Maintenance(0, "volos", "all", TIME, TIME + 7200, "maria", ""))
        store.incidents.note_run("detector", TIME, TIME)
    before = dump(db)
    done = run("restore", "LATEST", WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    assert "incidents" not in done.stderr
    assert dump(db) == before
    assert begin(db) == network + 1


def test_incidents_of_another_past_with_the_same_numbers_are_kept_beside(run: Run, db: str) -> None:
    number = begin(db)
    assert run("backup", "create", WEATHER_DB=db).returncode == 0
    other = INCIDENT._replace(station_id="zagora", opened=TIME + 7777, id=number)
    with open_for_writing(db) as store, store.transaction():  # a database that was lost and began anew
        store.incidents.change([other])
    done = run("restore", "LATEST", WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    with open_for_reading(db) as store:
        found = {one.station_id: one.id for one in store.incidents.find()}
        assert found == {"volos": number, "zagora": number * 2}
        assert [one.action for one in store.incidents.history(found["zagora"])] == ["opened"]
        keys = {one.key: one.incident_id for one in store.incidents.messages(["waiting"])}
    assert keys == {f"{one} opened 0": one for one in found.values()}


def test_a_later_backup_put_over_an_earlier_state_closes_and_opens_nothing_wrongly(
    run: Run, db: str, tmp_path: Path
) -> None:
    number = begin(db)
    assert run("backup", "create", WEATHER_DB=db).returncode == 0
    (name,) = (one.name for one in (tmp_path / "backups").glob("weather_*.zst"))
    before = dump(db)
    with open_for_writing(db) as store, store.transaction():
        (one,) = store.incidents.find()
        store.incidents.change([one._replace(state="resolved", resolved=TIME + 3600)])
        store.incidents.note([Action(number, TIME + 3600, "maria", "resolved", "")])
    assert run("backup", "create", WEATHER_DB=db).returncode == 0
    later = dump(db)
    assert run("restore", name, "--discard-newer", WEATHER_DB=db).returncode == 0
    assert dump(db) == before
    assert run("restore", "LATEST", WEATHER_DB=db).returncode == 0
    assert dump(db) == later


def dump(db: str) -> dict[str, object]:
    """All that a database knows of incidents."""
    with open_for_reading(db) as store:
        found = store.incidents.find(EVERYTHING)
        return {
            "incidents": found,
            "history": {one.id: store.incidents.history(one.id) for one in found},
            "affected": store.incidents.affected([one.id for one in found]),
            "messages": [
                one._replace(id=0) for one in store.incidents.messages(["waiting", "sending", "sent", "cancelled"])
            ],
            "maintenance": store.incidents.maintenance(0, TIME * 2),
            "run": store.incidents.newest_run("detector"),
        }
