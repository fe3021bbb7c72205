"""The flags of values, as both engines' own clients see them."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.conftest import Feed, Run, collection, feature
from tests.databases import change, query, to_schema
from tests.documents import ROOT
from tests.network import BEGIN, Network
from tests.postgresql import Server
from toolkit.model import Document, Observation, Station
from toolkit.quality.gross_range import GrossRange
from toolkit.store import open_for_writing
from toolkit.store.base import migrations
from toolkit.store.incidents import Affected, Incident
from toolkit.times import stored

VOLOS = "station=volos,variable=temp_out"
HOUR = 3600
INCIDENT = Incident(
    0, "volos", "temp_out", "data_wrong", "step", "warning", "open", BEGIN, BEGIN, BEGIN, None, None, BEGIN, None, None,
    None, 0, None, "{}",
)  # fmt: skip


def flags(db: str, variable: str, where: str = "true") -> list[tuple[Any, ...]]:
    """How many values have which flag and test, and the times of the first and the last of them (text, in UTC)."""
    rows = query(
        db,
        f"SELECT {variable}_qc, {variable}_qc_test, COUNT(*), MIN(time), MAX(time) FROM observations_qc "
        f"WHERE {where} GROUP BY 1, 2 ORDER BY {variable}_qc, coalesce({variable}_qc_test, '')",
    )
    return [(*row[:3], str(row[3])[:19], str(row[4])[:19]) for row in rows]


def at(hours: float) -> str:
    """A time so many hours after the network began, as text."""
    return stored(BEGIN + hours * HOUR)


def test_a_run_flags_what_it_judges(db: str) -> None:
    network = Network(db, f"{VOLOS},kind=offset,size=8,at=3h,for=2h", hours=24)
    network.observe(6)
    network.detect()
    window = f"station_id = 'volos' AND time > '{at(0)}'"
    assert [row[:3] for row in flags(db, "temp_out", window)] == [(1, None, 24), (4, "step", 12)]
    assert flags(db, "temp_out", f"{window} AND temp_out_qc = 4")[0][3:] == (at(3), at(5 - 1 / 6))
    assert [row[:2] for row in flags(db, "bar", window)] == [(1, None)]
    # Before the window nothing was judged; what is missing is missing everywhere.
    assert [row[:2] for row in flags(db, "bar", f"time <= '{at(0)}'")] == [(2, None)]
    assert flags(db, "dew_point", "(dew_point IS NULL) <> (dew_point_qc = 9)") == []


def test_a_fault_that_began_before_the_window_is_flagged_from_its_start(db: str) -> None:
    network = Network(db, f"{VOLOS},kind=offset,size=8,at=30m", hours=24)
    network.observe(20)
    network.detect()
    assert flags(db, "temp_out", "temp_out_qc = 4") == [(4, "step", 118, at(0.5), at(20))]


def test_what_a_later_run_says_takes_the_place_of_what_earlier_ones_said(db: str) -> None:
    network = Network(db, f"{VOLOS},kind=offset,size=8,at=1h,for=3h", hours=24)
    network.run(12)
    ((_, _, number, first, last),) = flags(db, "temp_out", "temp_out_qc = 4")
    assert (number, first, last) == (18, at(1), at(4 - 1 / 6))
    assert query(db, "SELECT COUNT(*) FROM detector_flags WHERE variable = 'temp_out' AND flag = 4") == [(1,)]
    # The values are corrected by hand: a run over their time finds nothing, but their incident is not decided.
    change(
        db,
        "UPDATE observations SET temp_out = temp_out - 8 "
        f"WHERE station_id = 'volos' AND time BETWEEN '{first}' AND '{last}'",
    )
    network.detect(BEGIN + 6 * HOUR)
    assert flags(db, "temp_out", "temp_out_qc IN (3, 4)") == [(3, "step", 18, first, last)]


def test_a_value_that_came_after_the_run_over_its_time_is_not_evaluated_until_the_next(db: str) -> None:
    network = Network(db, hours=24)
    network.run(2)
    late = BEGIN + HOUR
    gone = f"station_id = 'volos' AND time = '{at(1)}'"
    (before,) = query(db, f"SELECT temp_out FROM observations WHERE {gone}")
    change(db, f"DELETE FROM observations WHERE {gone}")
    network.now += 60
    network.arrive([Observation(late, "volos", temp_out=before[0])])
    assert [row[:2] for row in flags(db, "temp_out", gone)] == [(2, None)]
    network.detect(BEGIN + 2 * HOUR)
    assert [row[:2] for row in flags(db, "temp_out", gone)] == [(1, None)]


def test_a_station_with_too_few_values_is_not_evaluated(db: str) -> None:
    network = Network(db, "station=volos,kind=silent,at=30m,for=5h", f"{VOLOS},kind=offset,size=9,at=6h", hours=24)
    network.observe(6)
    network.detect()
    assert [row[:2] for row in flags(db, "bar", f"station_id = 'volos' AND time > '{at(0)}'")] == [(2, None)]
    assert [row[:2] for row in flags(db, "bar", f"station_id = 'zagora' AND time > '{at(0)}'")] == [(1, None)]
    # With enough values, a run over the same time judges them; what it calls a fault stays one.
    network.observe(4)
    network.detect()
    assert [row[:2] for row in flags(db, "bar", f"station_id = 'volos' AND time > '{at(4)}'")] == [(1, None)]
    assert (4,) in {row[:1] for row in flags(db, "temp_out", f"station_id = 'volos' AND time > '{at(4)}'")}


def test_a_run_of_one_station_flags_it_alone(db: str) -> None:
    network = Network(db, f"{VOLOS},kind=offset,size=8,at=3h,for=2h", hours=24)
    network.observe(6)
    network.detect(only="zagora")
    assert flags(db, "temp_out", "temp_out_qc <> 2") == []
    network.detect(only="volos")
    assert [row[:3] for row in flags(db, "temp_out", "temp_out_qc <> 2")] == [(4, "step", 12)]


def test_what_people_decide_counts_more_than_what_runs_say(run: Run, db: str) -> None:
    network = Network(db, f"{VOLOS},kind=offset,size=8,at=30m,for=90m", hours=24)
    network.run(3)
    (incident,) = network.incidents()

    def tell(*words: str) -> list[tuple[Any, ...]]:
        done = run("incidents", *words, "--by", "maria", WEATHER_DB=db)
        assert done.returncode == 0, done.stderr
        return [row[:3] for row in flags(db, "temp_out", f"station_id = 'volos' AND time > '{at(0)}'")]

    one = str(incident.id)
    assert tell("ack", one) == [(1, None, 9), (4, "step", 9)]
    assert tell("dismiss", one, "--as", "weather") == [(1, None, 9), (1, "decision", 9)]
    assert tell("dismiss", one, "--as", "siting") == [(1, None, 9), (3, "decision", 9)]
    # Maintenance counts more than all: from 01:00 to 02:00 after the beginning, both included.
    assert tell("maintenance", "volos", "--from", f"{at(1)}Z", "--to", f"{at(2)}Z", "--variables", "temp_out") == [
        (1, None, 9 - 1),
        (3, "decision", 9 - 6),
        (4, "maintenance", 7),
    ]
    assert {row[:2] for row in flags(db, "bar", "station_id = 'volos'")} == {(1, None), (2, None)}


def test_incidents_of_the_network_count_for_each_of_its_stations(db: str) -> None:
    with open_for_writing(db) as store:
        two = [Station(name, None, None, None, None, None) for name in ("a", "b")]
        seen = [Observation(BEGIN + step * 600, name, bar=1013.0) for name in ("a", "b") for step in range(4)]
        store.add(Document(two, seen), BEGIN)
        with store.transaction():
            incident = INCIDENT._replace(station_id=None, variable="bar", symptoms="shared,step", started=BEGIN)
            number = store.incidents.add(incident)
            store.incidents.affect([Affected(number, "a", BEGIN + 600, BEGIN + 1200)])
        assert flags(db, "bar", "bar_qc <> 2") == [(3, "shared", 2, at(1 / 6), at(2 / 6))]
        with store.transaction():
            store.incidents.change([incident._replace(id=number, verdict="fault")])
        assert flags(db, "bar", "bar_qc <> 2") == [(4, "decision", 2, at(1 / 6), at(2 / 6))]
        with store.transaction():
            store.incidents.change([incident._replace(id=number, kind="data_missing")])
        assert flags(db, "bar", "bar_qc <> 2") == []


def test_a_value_that_the_collector_turned_down_fails_and_one_that_is_missing_is_missing(
    run: Run, feed: Feed, db: str
) -> None:
    feed.body = collection(feature("volos", temp_out=99.9, bar=None))
    assert run("collect", "--once", WEATHER_DB=db).returncode == 0
    assert [row[:2] for row in flags(db, "temp_out")] == [(4, GrossRange.name)]
    assert [row[:2] for row in flags(db, "bar")] == [(9, None)]
    assert [row[:2] for row in flags(db, "out_hum")] == [(2, None)]


def test_what_earlier_releases_found_is_flagged(earlier: str) -> None:
    for number, (class_, test, started, ended) in enumerate(
        (
            ("device_failure", "step", 2, 5),
            ("suspected", "spatial", 4, 6),  # it overlaps the one before, as an extended row may
            ("weather_event", "shared", 8, 9),
            ("device_failure", "missing", 10, 11),
        )
    ):
        when = (DAY.format(started), DAY.format(ended), DAY.format(9), DAY.format(9 + number))
        change(earlier, ANOMALY.format(*when, class_, test))
    with open_for_writing(earlier) as store:
        steps = [Observation(OCTOBER + hour * HOUR, "volos", temp_out=1.0) for hour in range(24)]
        store.add(Document([Station("volos", None, None, None, None, None)], steps), OCTOBER)
    assert [row[:3] for row in flags(earlier, "temp_out")] == [
        (1, "shared", 2),
        (2, None, 24 - 7),
        (3, "spatial", 3),
        (4, "step", 2),
    ]


def test_the_newest_values_are_shown_with_their_flags(run: Run, db: str) -> None:
    network = Network(db, f"{VOLOS},kind=offset,size=8,at=3h", "station=zagora,kind=silent,at=2h", hours=24)
    network.observe(6)
    network.detect()
    change(db, f"UPDATE observations SET bar = NULL WHERE station_id = 'volos' AND time = '{at(6)}'")
    done = run("data", "latest", "--json", WEATHER_DB=db)
    latest = {one["station_id"]: one["flags"] for one in json.loads(done.stdout)}
    assert latest["volos"]["temp_out"] == {"flag": 4, "test": "step"}
    assert latest["volos"]["bar"] == {"flag": 9, "test": None}
    assert latest["volos"]["out_hum"] == {"flag": 1, "test": None}
    assert latest["zagora"]["bar"]["flag"] in {1, 2}
    assert "temp_out fail (step)" in run("data", "latest", WEATHER_DB=db).stdout


def test_the_queries_of_the_page_on_flags_are_answered(db: str) -> None:
    network = Network(db, f"{VOLOS},kind=offset,size=8,at=3h", hours=24)
    network.observe(6)
    network.detect()
    blocks = re.findall(r"(?:^    .*\n)+", (ROOT / "docs" / "flags.md").read_text("utf-8"), re.MULTILINE)
    good, counted, intervals = (query(db, one.replace("2026-11-01", "2025-11-01")) for one in blocks)
    assert len(good) == 17
    assert ("volos", 1, None, 36) in counted
    assert [row[0] for row in intervals] == ["temp_out", "temp_out"]


OCTOBER = 1_790_812_800
DAY = "2026-10-01 {:02}:00:00"
ANOMALY = (
    "INSERT INTO anomalies (station_id, variable, started, ended, first_run, last_run, class, test, state, reason) "
    "VALUES ('volos', 'temp_out', '{}', '{}', '{}', '{}', '{}', '{}', 'closed', '')"
)


def test_postgresql_does_not_compile_what_it_asks(postgresql: Server, run: Run) -> None:
    db = postgresql.database("jit")
    open_for_writing(db).__exit__(None, None, None)
    done = run("data", "query", "--csv", "SELECT current_setting('jit') AS jit", WEATHER_DB=db)
    assert done.stdout.split() == ["jit", "off"], done.stderr


@pytest.fixture
def earlier(db: str) -> str:
    """A database of the release before flags."""
    if db.startswith("postgresql"):
        with closing(psycopg.connect(db, autocommit=True)) as connection:
            connection.execute("CREATE TABLE schema_version (version integer NOT NULL)")
            for script in migrations("postgresql")[:6]:
                connection.execute(sql.SQL(script))
            connection.execute("INSERT INTO schema_version VALUES (6)")
    else:
        open_for_writing(db).__exit__(None, None, None)
        to_schema(db, 7)
    return db
