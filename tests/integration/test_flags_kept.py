"""Flags are kept as long as the values, and a restore brings them back, on both engines."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.conftest import Run
from tests.databases import change, query
from tests.network import BEGIN, Network
from toolkit.store import Span, open_for_reading, open_for_writing
from toolkit.store.flags import Decisive, FlagInterval, JudgedTime

HOUR = 3600


def run_over(db: str, hours: int, *found: tuple[int, int, int], length: int = 6) -> None:
    """Keep what a run says that judged the hours before one: from hour to hour, which flag."""
    end = BEGIN + hours * HOUR
    intervals = [
        FlagInterval("volos", "bar", BEGIN + first * HOUR, BEGIN + last * HOUR, flag, "step")
        for first, last, flag in found
    ]
    with open_for_writing(db) as store, store.transaction():
        store.flags.replace(Span(end - length * HOUR, end), end + 60, ["bar"], intervals)


class Kept(NamedTuple):
    """All that a database knows of flags."""

    flags: list[Decisive]
    judged: list[JudgedTime]


def kept(db: str) -> Kept:
    with open_for_reading(db) as store:
        span = Span(0, BEGIN * 2)
        return Kept(store.flags.decisive(span), store.flags.judged(span))


def test_what_was_judged_since_the_backup_stays(run: Run, db: str) -> None:
    run_over(db, 6, (2, 5, 4))
    run_over(db, 12, (8, 12, 3))
    assert run("backup", "create", WEATHER_DB=db).returncode == 0
    run_over(db, 15, (10, 14, 4), (15, 15, 3))  # it judges some of the same hours, otherwise
    before = kept(db)
    assert [(one[2], one[3], one.flag) for one in sorted(before.flags)] == [
        (BEGIN + 2 * HOUR, BEGIN + 5 * HOUR, 4),
        (BEGIN + 8 * HOUR, BEGIN + 9 * HOUR, 3),
        (BEGIN + 10 * HOUR, BEGIN + 14 * HOUR, 4),
        (BEGIN + 15 * HOUR, BEGIN + 15 * HOUR, 3),
    ]
    done = run("restore", "LATEST", WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    assert kept(db) == before
    run_over(db, 21)  # the next run goes on


def test_a_later_backup_put_over_an_earlier_state_has_all_it_had(run: Run, db: str, tmp_path: Path) -> None:
    run_over(db, 6, (2, 5, 4))
    assert run("backup", "create", WEATHER_DB=db).returncode == 0
    (name,) = (one.name for one in (tmp_path / "backups").glob("weather_*.zst"))
    run_over(db, 12, (8, 11, 3))
    assert run("backup", "create", WEATHER_DB=db).returncode == 0
    later = kept(db)
    assert run("restore", name, "--discard-newer", WEATHER_DB=db).returncode == 0
    assert [one[2] for one in kept(db).flags] == [BEGIN + 2 * HOUR]
    assert run("restore", "LATEST", WEATHER_DB=db).returncode == 0
    assert kept(db) == later


def test_flags_go_with_the_values(run: Run, db: str) -> None:
    network = Network(db, hours=0)
    network.observe(72)
    run_over(db, 12, (6, 6, 4), (8, 9, 3))
    run_over(db, 72, (60, 61, 3))
    done = run("maintain", "--data-days", "1", "--log-days", "1", WEATHER_DB=db)
    assert done.returncode == 0, done.stderr
    assert [(one[2], one.flag) for one in kept(db).flags] == [(BEGIN + 60 * HOUR, 3)]
    assert [one.ended for one in kept(db).judged] == [BEGIN + 72 * HOUR]
    assert query(
        db, "SELECT bar_qc, COUNT(*) FROM observations_qc WHERE station_id = 'volos' AND bar_qc <> 2 GROUP BY 1"
    ) == [(1, 36), (3, 7)]


def test_the_doctor_knows_the_tables_and_views_of_flags(run: Run, db: str) -> None:
    run_over(db, 6)
    change(db, "DROP VIEW observations_qc")
    found = run("doctor", "--area", "database", WEATHER_DB=db).stdout
    assert "observations_qc is gone" in found
