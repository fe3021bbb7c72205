"""What the detector's runs make of trouble: incidents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.network import BEGIN, Network

VOLOS = "station=volos,variable=temp_out"


@pytest.mark.parametrize(
    ("spec", "variable", "kind", "severity"),
    [
        (f"{VOLOS},kind=offset,size=6,at=30m", "temp_out", "data_wrong", "warning"),
        (f"{VOLOS},kind=stuck,at=30m", "temp_out", "data_wrong", "warning"),
        (f"{VOLOS},kind=noise,size=4,at=30m", "temp_out", "data_wrong", "warning"),
        (f"{VOLOS},kind=drift,size=1,at=30m", "temp_out", "data_wrong", "warning"),
        (f"{VOLOS},kind=dropout,at=30m", "temp_out", "data_missing", "warning"),
        ("station=volos,kind=silent,at=30m", "all", "data_missing", "critical"),
    ],
)
def test_twelve_runs_over_a_fault_are_one_incident(
    tmp_path: Path, spec: str, variable: str, kind: str, severity: str
) -> None:
    network = Network(str(tmp_path / "weather.db"), spec)
    network.run(12)
    found = network.incidents()
    assert [(one.station_id, one.variable, one.kind, one.severity, one.state, one.reopened) for one in found] == [
        ("volos", variable, kind, severity, "open", 0)
    ]
    assert BEGIN - 3600 <= found[0].started <= BEGIN + 3 * 3600
    assert found[0].ended > network.now - 3600


def test_a_repaired_sensor_is_resolved_by_itself(db: str) -> None:
    network = Network(db, f"{VOLOS},kind=offset,size=6,at=30m,for=3h")
    network.run(4)
    (one,) = network.incidents()
    assert (one.state, one.resolved) == ("open", None)
    network.run(6)
    (one,) = network.incidents()
    assert one.state == "resolved"
    assert [action.action for action in network.history(one) if action.action != "symptom"] == ["opened", "resolved"]
