"""`weather-tool sensors`: the long-term health of sensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.integration.conftest import Spoil

DAY = 24.0


def sensors(run: Run, *words: str) -> dict[tuple[str, str], dict[str, Any]]:
    done = run("sensors", "--days", "3", "--end", "2025-11-22T16:00Z", "--json", *words)
    assert done.returncode == 0, done.stderr
    return {(one["station_id"], one["variable"]): one for one in json.loads(done.stdout)["sensors"]}


def test_good_sensors_are_healthy(run: Run, spoil: Spoil) -> None:
    found = sensors(run)
    assert {one["state"] for one in found.values()} == {"healthy"}
    assert len(found) == 14 * 5
    assert found["volos", "wind_dir"]["last_good"] == "2025-11-22T16:00:00Z"


@pytest.mark.parametrize(
    ("what", "hours", "until", "variable", "state", "reason"),
    [
        ("out_hum = NULL", 2 * DAY, 0, "out_hum", "critical", "no good value for 48 h, over 24 h"),
        ("out_hum = NULL", 26, 8, "out_hum", "warning", "have no value, over 20%"),
        ("temp_out = 13.3", 30, 0, "temp_out", "critical", "unchanged for hours"),
        ("wind_dir = 90", 3 * DAY, 0, "wind_dir", "critical", "unchanged for hours"),
        ("wind_speed = 0", 3 * DAY, 0, "wind_speed", "critical", "of the time that neighbours had wind"),
        (
            "bar = bar + (julianday(time) - julianday('2025-11-19 16:00:00')) * 3",
            3 * DAY, 0, "bar", "critical", "drifts: moved against its neighbours by",
        ),
        ("temp_out = round(temp_out + random() % 30 / 10.0, 1)", 3 * DAY, 0, "temp_out", "critical", "times as noisy"),
        ("", 30, 12, "bar", "warning", "of the expected observations arrived, under 80%"),
    ],
)  # fmt: skip
def test_the_rule_that_decided_is_named(
    run: Run, spoil: Spoil, what: str, hours: float, until: float, variable: str, state: str, reason: str
) -> None:
    spoil(what, "station_id = 'volos'", hours, until)
    found = sensors(run)
    assert found["volos", variable]["state"] == state
    assert reason in found["volos", variable]["reason"]
    others = {one["station_id"] for one in found.values() if one["state"] != "healthy"}
    assert others == {"volos"}


def test_drift_is_told_in_the_unit_a_day(run: Run, spoil: Spoil) -> None:
    spoil("bar = bar + (julianday(time) - julianday('2025-11-19 16:00:00')) * 3", "station_id = 'volos'", 3 * DAY)
    assert sensors(run)["volos", "bar"]["drift_per_day"] == pytest.approx(3, abs=0.3)


def test_a_person_sees_the_worst_first_and_may_keep_it(run: Run, spoil: Spoil, tmp_path: Path) -> None:
    spoil("out_hum = NULL", "station_id = 'zagora'", 2 * DAY)
    saved = tmp_path / "sensors.json"
    done = run("sensors", "--days", "3", "--end", "2025-11-22T16:00Z", "--save", str(saved))
    first, _, top, *_ = done.stdout.splitlines()
    assert first.startswith("2025-11-19T16:00:00Z to 2025-11-22T16:00:00Z: 70 sensors, 1 critical, 0 warning")
    assert top.split()[:3] == ["zagora", "out_hum", "critical"]
    assert json.loads(saved.read_text())["schema"] == "weather-toolkit/sensors/1"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--days", "0"], "--days=0: give a number from 1 to 366"),
        (["--end", "soon"], "--end"),
        (["--station", "volas"], "there is no station 'volas'; there are: "),
        (["--end", "2001-01-01T00:00Z"], "there is no observation in the 7 days up to 2001-01-01T00:00:00Z"),
    ],
)
def test_a_wrong_option_is_named(run: Run, spoil: Spoil, words: list[str], says: str) -> None:
    done = run("sensors", *words)
    assert done.returncode != 0
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
