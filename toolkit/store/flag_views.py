"""The views `flags` and `observations_qc`, on both engines: which flag of QARTOD's scheme each value has, and why.

`flags` has every interval in which something is said of values, with its precedence: of several, the one with the
lowest number decides. The order of precedence is written here and nowhere else:

0. A value that is missing is flagged 9; one that the collector turned down, because it cannot be true, 4.
1. Values of a time of maintenance: 4.
2. What people say of an incident (its verdict, or that it was dismissed): fault 4, siting 3, weather 1.
3. The worst of what is known without people: a value that a detection run calls a fault, or from which on an incident
   was traced back, 4; what a run suspects, what is within an incident, 3; what a run calls weather, 1.
4. A value for which a run had too few values is flagged 2.
5. A value that a run has judged, and of which nothing is said, passes: 1. Any other was not evaluated: 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.variables import BY_NAME, STATION

PASS, NOT_EVALUATED, SUSPECT, FAIL, MISSING = 1, 2, 3, 4, 9
"""QARTOD's flags (Manual for the Use of Real-Time Oceanographic Data Quality Control Flags, version 1.2)."""

MEANINGS = {PASS: "pass", NOT_EVALUATED: "not_evaluated", SUSPECT: "suspect", FAIL: "fail", MISSING: "missing"}

MAINTENANCE, DECISION, REJECTED = "maintenance", "decision", "gross_range"
"""What decided where no test of a detection run did: `rejected` values fail the gross range test."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the two engines write differently.

    Attributes:
        observations: the rows of observations as `o`, with the stations' ids in `station`.
        station: SQL for the station's id of a row.
        collected: SQL for when a row was collected.
        first_symptom: SQL for the first of the symptoms of an incident.
        judges: SQL for whether a row of `judged` is of a variable, whose name is `{}`.
    """

    observations: str
    station: str
    collected: str
    first_symptom: str
    judges: str


SQLITE = Dialect(
    observations="observation AS o JOIN stations AS s ON s.number = o.station",
    station="s.station_id",
    collected="datetime(o.time, o.delay || ' seconds')",
    first_symptom="substr(symptoms, 1, instr(symptoms || ',', ',') - 1)",
    judges="instr(variables, ',{},') > 0",
)
POSTGRESQL = Dialect(
    observations="observations AS o",
    station="o.station_id",
    collected="o.collected_at",
    first_symptom="split_part(symptoms, ',', 1)",
    judges="strpos(variables, ',{},') > 0",
)


def flags_view(dialect: Dialect) -> str:
    """The statement that makes the view `flags`: station_id, variable, started, ended, flag, test, precedence."""
    said = (
        "CASE WHEN verdict IN ('fault', 'maintenance') THEN 4 WHEN verdict = 'siting' THEN 3 ELSE 1 END, "
        "CASE WHEN verdict = 'maintenance' THEN 'maintenance' ELSE 'decision' END, 2"
    )
    of_people = "kind <> 'data_missing' AND (verdict IS NOT NULL OR state = 'dismissed')"
    # Only its tests saw an incident that a run found; a rule of sensor health has no anomalies, and knows no hour.
    first = "coalesce((SELECT MIN(a.started) FROM anomalies AS a WHERE a.incident_id = i.id), i.ended)"
    undecided = "kind <> 'data_missing' AND verdict IS NULL AND state <> 'dismissed'"
    test = dialect.first_symptom
    return f"""CREATE VIEW flags AS
SELECT station_id, variable, started, ended, 4 AS flag, 'maintenance' AS test, 1 AS precedence FROM maintenance
UNION ALL
SELECT station_id, variable, started, ended, {said} FROM incidents WHERE station_id IS NOT NULL AND {of_people}
UNION ALL
SELECT p.station_id, i.variable, p.started, p.ended, {said}
FROM incident_stations AS p JOIN incidents AS i ON i.id = p.incident_id WHERE {of_people}
UNION ALL
SELECT station_id, variable, started, {first}, 4, {test}, 3 FROM incidents AS i
WHERE station_id IS NOT NULL AND {undecided} AND severity <> 'info' AND kind = 'data_wrong'
UNION ALL
SELECT station_id, variable, started, ended, 3, {test}, 4 FROM incidents
WHERE station_id IS NOT NULL AND {undecided}
UNION ALL
SELECT p.station_id, i.variable, p.started, p.ended, CASE i.severity WHEN 'info' THEN 3 ELSE 4 END, {test},
    CASE i.severity WHEN 'info' THEN 4 ELSE 3 END
FROM incident_stations AS p JOIN incidents AS i ON i.id = p.incident_id WHERE {undecided}
UNION ALL
SELECT station_id, variable, started, ended, flag, test,
    CASE flag WHEN 4 THEN 3 WHEN 3 THEN 4 WHEN 1 THEN 5 ELSE 6 END
FROM detector_flags WHERE flag BETWEEN 1 AND 4"""


def observations_qc_view(dialect: Dialect, values: Sequence[tuple[str, str]]) -> str:
    """The statement that makes the view `observations_qc`.

    For each variable it has the value, `VARIABLE_qc` with the flag, and `VARIABLE_qc_test` with what decided.

    Args:
        dialect: the engine's.
        values: the columns of values, each with the SQL that shows it.
    """
    columns = ["o.time", f"{dialect.station} AS station_id"]
    for name, shown in values:
        columns.append(f"{shown} AS {name}")
        if name in BY_NAME:
            columns += [f"{_flag(dialect, name)} AS {name}_qc", f"{_test(dialect, name)} AS {name}_qc_test"]
    columns.append(f"{dialect.collected} AS collected_at")
    return f"CREATE VIEW observations_qc AS SELECT {', '.join(columns)} FROM {dialect.observations}"


def _flag(dialect: Dialect, name: str) -> str:
    return (
        f"CASE WHEN o.{name} IS NULL THEN CASE WHEN {_rejected(dialect, name)} THEN {FAIL} ELSE {MISSING} END "
        f"ELSE coalesce({_decisive('flag', dialect, name)}, {_judged(dialect, name)}, {NOT_EVALUATED}) END"
    )


def _test(dialect: Dialect, name: str) -> str:
    return (
        f"CASE WHEN o.{name} IS NULL THEN CASE WHEN {_rejected(dialect, name)} THEN '{REJECTED}' END "
        f"ELSE nullif({_decisive('test', dialect, name)}, '') END"
    )


def _rejected(dialect: Dialect, name: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM rejected AS r WHERE r.time = o.time AND r.station_id = {dialect.station} "
        f"AND r.variable = '{name}')"
    )


def _decisive(column: str, dialect: Dialect, name: str) -> str:
    return (
        f"(SELECT f.{column} FROM flags AS f WHERE f.station_id = {dialect.station} "
        f"AND f.variable IN ('{name}', '{STATION}') AND f.started <= o.time AND f.ended >= o.time "
        "ORDER BY f.precedence LIMIT 1)"
    )


def _judged(dialect: Dialect, name: str) -> str:
    # Of the rows with one variable none overlaps another: the next that ends is the only one that can have the time.
    return (
        f"(SELECT CASE WHEN j.started < o.time AND j.judged_at >= {dialect.collected} THEN {PASS} END "
        f"FROM judged AS j WHERE j.ended >= o.time AND {dialect.judges.format(name)} ORDER BY j.ended LIMIT 1)"
    )
