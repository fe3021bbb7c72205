"""What earlier releases found becomes incidents."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest
from psycopg import sql

from tests.databases import change, query, to_schema
from toolkit.store import open_for_reading, open_for_writing
from toolkit.store.base import migrations
from toolkit.store.incidents import IncidentFilter

BEFORE = {"sqlite": 6, "postgresql": 5}
ROW = (
    "INSERT INTO anomalies (station_id, variable, started, ended, state, class, test, value, expected, score, reason, "
    "confidence, first_run, last_run) VALUES ('{}', '{}', '{}', '{}', '{}', '{}', '{}', 35.5, 13.9, 20, 'it''s off', 0.9, "
    "'{}', '{}')"
)
DAY = "2026-10-{:02} {:02}:00:00"


def row(station: str, variable: str, day: int, class_: str, test: str, state: str = "closed") -> str:
    hours = [DAY.format(day, hour) for hour in (3, 9, 4, 12)]
    return ROW.format(station, variable, hours[0], hours[1], state, class_, test, hours[2], hours[3])


@pytest.fixture
def earlier(db: str) -> str:
    """A database of the release before incidents."""
    if db.startswith("postgresql"):
        with closing(psycopg.connect(db, autocommit=True)) as connection:
            connection.execute("CREATE TABLE schema_version (version integer NOT NULL)")
            for script in migrations("postgresql")[: BEFORE["postgresql"]]:
                connection.execute(sql.SQL(script))
            connection.execute("INSERT INTO schema_version VALUES (5)")
    else:
        open_for_writing(db).__exit__(None, None, None)
        to_schema(db, BEFORE["sqlite"])
    return db


def test_anomalies_become_incidents(earlier: str) -> None:
    for one in (
        row("volos", "temp_out", 1, "device_failure", "step"),
        row("volos", "temp_out", 3, "suspected", "spatial"),
        row("volos", "temp_out", 4, "weather_event", "shared"),
        row("volos", "temp_out", 10, "unverified", "spatial"),
        row("volos", "temp_out", 11, "device_failure", "missing"),
        row("zagora", "all", 20, "device_failure", "missing", "open"),
    ):
        change(earlier, one)
    strange = "infinity" if earlier.startswith("postgresql") else "soon"
    change(earlier, row("volos", "bar", 1, "device_failure", "step").replace(DAY.format(1, 9), strange))
    with open_for_writing(earlier) as store:
        found = store.incidents.find(IncidentFilter())[::-1]
        assert [(one.station_id, one.variable, one.kind, one.severity, one.state) for one in found] == [
            ("volos", "temp_out", "data_wrong", "warning", "resolved"),
            ("volos", "temp_out", "data_wrong", "info", "resolved"),
            ("volos", "temp_out", "data_missing", "warning", "resolved"),
            ("zagora", "all", "data_missing", "critical", "open"),
        ]
        assert sorted(found[0].symptoms.split(",")) == ["spatial", "step"]
        assert (found[0].confidence, found[0].reopened, found[0].ended - found[0].started) == (0.9, 0, 54 * 3600)
        assert [one.action for one in store.incidents.history(found[0].id)] == ["opened", "resolved"]
        assert [one.action for one in store.incidents.history(found[3].id)] == ["opened"]
        assert store.incidents.messages(["waiting"]) == []
    linked = query(earlier, "SELECT test, incident_id FROM anomalies ORDER BY id")
    assert linked == [
        ("step", 1),
        ("spatial", 1),
        ("shared", None),
        ("spatial", 2),
        ("missing", 3),
        ("missing", 4),
        ("step", None),
    ]
    open_for_writing(earlier).__exit__(None, None, None)
    with open_for_reading(earlier) as again:
        assert len(again.incidents.find()) == 4
