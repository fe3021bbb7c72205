"""The flags of values, as both engines' own clients see them."""

from __future__ import annotations

from typing import Any

from tests.databases import change, query
from tests.network import BEGIN, Network
from toolkit.model import Observation
from toolkit.times import stored

VOLOS = "station=volos,variable=temp_out"
HOUR = 3600


def flags(db: str, variable: str, where: str = "true") -> list[tuple[Any, ...]]:
    """How many values have which flag and test, and the times of the first and the last of them (text, in UTC)."""
    rows = query(
        db,
        f"SELECT {variable}_qc, {variable}_qc_test, COUNT(*), MIN(time), MAX(time) FROM observations_qc "
        f"WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2",
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
