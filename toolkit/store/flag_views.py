"""The views `flags` and `observations_qc`, on both engines: which flag of QARTOD's scheme each value has, and why.

`flags` has every interval in which something is said of values, with its precedence: of several, the one with the
lowest number decides. The order of precedence is written here and nowhere else:

0. A value that is missing is flagged 9; one that the collector turned down, because it cannot be true, 4.
1. Values of a time of maintenance: 4.
2. What people say of an incident (its verdict, or that it was dismissed): fault 4, siting 3, weather 1.
3. What a detection run calls a fault, also before its window as far as it traced that back: 4.
4. What a run suspects, and what is within an incident of which people have said nothing: 3.
5. What a run calls weather: 1.
6. A value for which a run had too few values: 2.
7. A value that a run has judged, and of which nothing is said, passes: 1. Any other was not evaluated: 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from toolkit.variables import BY_NAME, STATION

PASS, NOT_EVALUATED, SUSPECT, FAIL, MISSING = 1, 2, 3, 4, 9
"""QARTOD's flags (Manual for the Use of Real-Time Oceanographic Data Quality Control Flags, version 1.2)."""

MEANINGS = {PASS: "pass", NOT_EVALUATED: "not_evaluated", SUSPECT: "suspect", FAIL: "fail", MISSING: "missing"}

MAINTENANCE, DECISION, REJECTED = "maintenance", "decision", "range"
"""What decided where no test of a detection run did: `rejected` values fail the gross range test."""

DETECTOR = "detector_flags"


@dataclass(frozen=True, slots=True)
class ViewDialect:
    """What the two engines write differently.

    Attributes:
        observations: the rows of observations as `o`, with the stations' ids in `station`.
        station: SQL for the station's id of a row.
        collected: SQL for when a row was collected.
        shown: makes SQL that shows the value of a column, as a column of that name.
        first_symptom: SQL for the first of the symptoms of an incident.
        judges: SQL for whether a row of `judged` is of a variable, whose name is `{}`.
    """

    observations: str
    station: str
    collected: str
    shown: Callable[[str], str]
    first_symptom: str
    judges: str


@dataclass(frozen=True, slots=True)
class _Source:
    """A table of intervals.

    Attributes:
        table: the table, or several that are joined.
        of: before the names of its columns station_id, started and ended.
        flag, test, precedence: SQL for what it says.
        where: which of its rows count.
    """

    table: str
    of: str
    flag: str
    test: str
    precedence: str
    where: str


def _sources(dialect: ViewDialect) -> list[_Source]:
    decided = "verdict IS NOT NULL OR state = 'dismissed'"
    of_incidents = (
        "CASE WHEN verdict IN ('fault', 'maintenance') THEN 4 WHEN verdict = 'siting' THEN 3 "
        f"WHEN {decided} THEN 1 ELSE 3 END",
        f"CASE WHEN verdict = 'maintenance' THEN '{MAINTENANCE}' WHEN {decided} THEN '{DECISION}' "
        f"ELSE {dialect.first_symptom} END",
        f"CASE WHEN {decided} THEN 2 ELSE 4 END",
        "kind <> 'data_missing'",
    )
    return [
        _Source("maintenance", "", "4", f"'{MAINTENANCE}'", "1", "true"),
        _Source("incidents", "", *of_incidents),
        _Source("incident_stations AS p JOIN incidents AS i ON i.id = p.incident_id", "p.", *of_incidents),
        _Source(
            DETECTOR,
            "",
            "flag",
            "test",
            "CASE flag WHEN 4 THEN 3 WHEN 3 THEN 4 WHEN 1 THEN 5 ELSE 6 END",
            "flag BETWEEN 1 AND 4",
        ),
    ]


def flags_view(dialect: ViewDialect) -> str:
    """The statement that makes the view `flags`: station_id, variable, started, ended, flag, test, precedence."""
    selects = (
        f"SELECT {one.of}station_id AS station_id, variable, {one.of}started AS started, {one.of}ended AS ended, "
        f"{one.flag} AS flag, {one.test} AS test, {one.precedence} AS precedence FROM {one.table} "
        f"WHERE {one.where} AND {one.of}station_id IS NOT NULL"
        for one in _sources(dialect)
    )
    return "CREATE VIEW flags AS " + " UNION ALL ".join(selects)


def observations_qc_view(dialect: ViewDialect, names: Sequence[str]) -> str:
    """The statement that makes the view `observations_qc`.

    For each variable it has the value, `VARIABLE_qc` with the flag, and `VARIABLE_qc_test` with what decided.

    Args:
        dialect: the engine's.
        names: the columns of values.
    """
    columns = ["o.time", f"{dialect.station} AS station_id"]
    for name in names:
        columns.append(dialect.shown(name))
        if name in BY_NAME:
            columns += [f"{_flag(dialect, name)} AS {name}_qc", f"{_test(dialect, name)} AS {name}_qc_test"]
    columns.append(f"{dialect.collected} AS collected_at")
    return f"CREATE VIEW observations_qc AS SELECT {', '.join(columns)} FROM {dialect.observations}"


def _flag(dialect: ViewDialect, name: str) -> str:
    return (
        f"CASE WHEN o.{name} IS NULL THEN CASE WHEN {_rejected(dialect, name)} THEN {FAIL} ELSE {MISSING} END "
        f"ELSE coalesce({_decisive('flag', dialect, name)}, {_judged(dialect, name)}, {NOT_EVALUATED}) END"
    )


def _test(dialect: ViewDialect, name: str) -> str:
    return (
        f"CASE WHEN o.{name} IS NULL THEN CASE WHEN {_rejected(dialect, name)} THEN '{REJECTED}' END "
        f"ELSE nullif({_decisive('test', dialect, name)}, '') END"
    )


def _rejected(dialect: ViewDialect, name: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM rejected AS r WHERE r.time = o.time AND r.station_id = {dialect.station} "
        f"AND r.variable = '{name}')"
    )


def _decisive(column: str, dialect: ViewDialect, name: str) -> str:
    # SQLite does not push the conditions down into a view: each source is asked here for the few rows of the time.
    found = []
    for one in _sources(dialect):
        said = f"SELECT {getattr(one, column)} AS {column}, {one.precedence} AS precedence FROM"
        at = f"{one.of}station_id = {dialect.station}"
        if one.table == DETECTOR:
            # Those of one sensor do not overlap: the last that began is the only one that can have the time.
            found += [
                f"{said} (SELECT * FROM {DETECTOR} WHERE {at} AND variable = '{variable}' AND started <= o.time "
                f"ORDER BY started DESC LIMIT 1) AS last WHERE ended >= o.time AND {one.where}"
                for variable in (name, STATION)
            ]
        else:
            found.append(
                f"{said} {one.table} WHERE {one.where} AND {at} AND variable IN ('{name}', '{STATION}') "
                f"AND {one.of}started <= o.time AND {one.of}ended >= o.time"
            )
    return f"(SELECT {column} FROM ({' UNION ALL '.join(found)}) AS f ORDER BY precedence LIMIT 1)"


def _judged(dialect: ViewDialect, name: str) -> str:
    # Of the rows with one variable none overlaps another: the next that ends is the only one that can have the time.
    return (
        f"(SELECT CASE WHEN j.started < o.time AND j.judged_at >= {dialect.collected} THEN {PASS} END "
        f"FROM judged AS j WHERE j.ended >= o.time AND {dialect.judges.format(name)} ORDER BY j.ended LIMIT 1)"
    )
