"""Observations with flags as arrays: what they say is what the view `observations_qc` says, on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.conftest import collection, feature
from tests.databases import change, query
from tests.feeds import parse
from toolkit.flagging.readings import FlaggedReadings, flagged_readings
from toolkit.store import Selection, Span, open_for_reading, open_for_writing
from toolkit.store.flags import FlagInterval
from toolkit.times import from_stored, stored
from toolkit.variables import BY_NAME, WORDS

TIME = 1_763_827_200
STEPS = 60
VARIABLES = [*BY_NAME]


def at(step: float) -> str:
    return stored(TIME + 600 * step)


@pytest.fixture
def every_kind(db: str) -> str:
    """Ten hours of three stations, whose numbers are not in the order of their ids, with every kind of flag."""
    with open_for_writing(db) as store:
        for step in range(STEPS):
            features = [
                feature(name, ts=TIME + 600 * step, temp_out=10 + step / 10, bar=1000 + step)
                for name in ("zagora", "volos", "argos")
                if step % 7 or name != "volos"
            ]
            features[0]["properties"].update(
                out_hum=None, rain=3.14159, wind_dir_str=("ENE", "", "N/A", None)[step % 4]
            )
            # What the collector turns down: no pressure of this world.
            features[-1]["properties"].update({"bar": -5} if step % 10 == 3 else {})
            store.add(parse(collection(*features)), TIME + 600 * step + (90_000 if step == 11 else 45))
        with store.transaction():
            window = Span(TIME - 600, TIME + 600 * 40)
            found = [
                FlagInterval("zagora", "temp_out", TIME + 600, TIME + 1800, 4, "step"),
                FlagInterval("zagora", "temp_out", TIME + 2400, TIME + 2400, 3, "spatial"),
                FlagInterval("volos", "all", TIME + 3600, TIME + 7200, 2, ""),
                FlagInterval("volos", "bar", TIME + 4200, TIME + 9000, 1, "shared"),
                FlagInterval("argos", "rain", TIME, TIME + 600 * 40, 3, "gauge"),
            ]
            store.flags.replace(window, TIME + 600 * 41, ["temp_out", "bar", "rain", "out_hum"], found)
            later = Span(TIME + 600 * 40, TIME + 600 * 50)
            store.flags.replace(later, TIME + 600 * 49, ["temp_out", "wind_dir"], [])
    person = "(station_id, variable, started, ended, actor, note)"
    change(db, f"INSERT INTO maintenance {person} VALUES ('argos', 'all', '{at(8)}', '{at(9.5)}', 'ann', '')")
    decided: list[tuple[Any, ...]] = [
        ("argos", "temp_out", "data_wrong", "step", "warning", "open", 10, 20, None),
        ("argos", "bar", "siting", "spatial", "info", "open", 12, 14, None),
        ("argos", "wind_speed", "data_wrong", "noise", "warning", "resolved", 15, 25, "weather"),
        ("zagora", "wind_speed", "data_wrong", "noise,step", "warning", "resolved", 15, 25, "fault"),
        ("zagora", "wind_dir", "siting", "direction", "warning", "resolved", 15, 25, "siting"),
        ("zagora", "hi_temp", "data_wrong", "step", "warning", "resolved", 15, 25, "maintenance"),
        ("zagora", "low_temp", "data_wrong", "step", "warning", "dismissed", 15, 25, None),
        ("zagora", "hi_speed", "data_missing", "missing", "critical", "open", 15, 25, None),
        (None, "rain", "data_wrong", "gauge", "critical", "open", 15, 25, None),
    ]
    for number, (station, variable, kind, symptoms, severity, state, begin, end, verdict) in enumerate(decided, 1):
        text = ", ".join("NULL" if one is None else f"'{one}'" for one in (
            station, variable, kind, symptoms, severity, state, at(begin), at(end), at(26), at(26), verdict,
        ))  # fmt: skip
        change(
            db,
            "INSERT INTO incidents (id, station_id, variable, kind, symptoms, severity, state, started, ended, opened, "
            f"judged, verdict, reopened, evidence) VALUES ({number}, {text}, 0, '{{}}')",
        )
    change(db, f"INSERT INTO incident_stations VALUES (9, 'volos', '{at(15)}', '{at(25)}')")
    change(db, f"INSERT INTO incident_stations VALUES (9, 'zagora', '{at(16)}', '{at(24)}')")
    return db


def seconds(time: str | datetime) -> float:
    return (from_stored(time) if isinstance(time, str) else time).timestamp()


def of_view(db: str) -> list[tuple[Any, ...]]:
    columns = [part for name in VARIABLES for part in (name, f"{name}_qc", f"coalesce({name}_qc_test, '')")]
    wanted = ", ".join(["time", "station_id", "collected_at", *WORDS, *columns])
    rows = query(db, f"SELECT {wanted} FROM observations_qc ORDER BY time, station_id")
    return [(seconds(row[0]), row[1], seconds(row[2]), *row[3:]) for row in rows]


def of_arrays(parts: Iterator[FlaggedReadings]) -> Iterator[tuple[Any, ...]]:
    for part in parts:
        for place, station in enumerate(part.station.tolist()):
            cells: list[object] = [part.words[name][place] for name in WORDS]
            for name in VARIABLES:
                value = part.values[name][place].item()
                test = part.test_names[part.tests[name][place]]
                cells += [None if value != value else value, part.flags[name][place].item(), test]  # noqa: PLR0124
            yield part.time[place].item(), part.stations[station], part.collected[place].item(), *cells


def test_they_agree_with_the_view(every_kind: str) -> None:
    wanted = of_view(every_kind)
    assert {row[place] for row in wanted for place in range(len(row))} >= {1, 2, 3, 4, 9}
    with open_for_reading(every_kind) as store:
        for length in (None, 1800.0):
            found = list(of_arrays(flagged_readings(store, Selection(), VARIABLES, words=True, seconds=length)))
            assert found == wanted


def test_a_selection_of_them(every_kind: str) -> None:
    wanted = [row for row in of_view(every_kind) if row[1] in {"argos", "volos"} and TIME < row[0] <= TIME + 9000]
    chosen = Selection(TIME, TIME + 9000, ["volos", "argos"])
    with open_for_reading(every_kind) as store:
        assert list(of_arrays(flagged_readings(store, chosen, VARIABLES, words=True))) == wanted
        assert list(flagged_readings(store, Selection(stations=["nowhere"]), VARIABLES)) == []
        assert list(flagged_readings(store, Selection(TIME + 1e6), VARIABLES)) == []
