"""Of which changes of incidents people are told, and when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from toolkit.incidents.telling import messages
from toolkit.settings import Origin, Settings, SettingsError, load
from toolkit.store.incidents import Incident
from toolkit.times import from_epoch, iso

AT = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
INCIDENT = Incident(
    id=7, station_id="volos", variable="temp_out", kind="data_wrong", symptoms="spatial", severity="warning",
    state="open", started=AT - 7200, ended=AT - 600, opened=AT, acknowledged=None, resolved=None,
    judged=AT, assignee=None, verdict=None, part_of=None, reopened=0, confidence=0.9, evidence="{}",
)  # fmt: skip


def settings(**values: str) -> Settings:
    return load({f"notify_{name}": Origin(text, name) for name, text in values.items()}, {}).settings


def told(
    action: str, at: float = AT, changes: Mapping[str, Any] = MappingProxyType({}), /, **values: str
) -> dict[str, str]:
    """What people are told and when it is due, by event."""
    found = messages([(INCIDENT._replace(**changes), action)], settings(**values), at)
    return {one.event: iso(from_epoch(one.due)) for one in found}


def test_a_new_incident_is_told_at_once_and_again_when_nobody_acknowledges_it() -> None:
    assert told("opened") == {"opened": "2026-11-23T12:00:00Z", "escalated": "2026-11-24T12:00:00Z"}
    assert told("opened", escalation_hours="0") == {"opened": "2026-11-23T12:00:00Z"}
    assert set(told("resolved", AT, {"state": "resolved"})) == {"resolved"}
    assert set(told("worsened", AT, {"state": "acknowledged"})) == {"worsened"}


@pytest.mark.parametrize("action", ["symptom", "noted", "assigned", "acknowledged", "joined", "maintenance", "told"])
def test_what_is_no_news(action: str) -> None:
    assert told(action) == {}


def test_nobody_is_told_of_maintenance_and_of_parts() -> None:
    assert told("opened", AT, {"state": "maintenance"}) == {}
    assert told("worsened", AT, {"state": "maintenance", "severity": "critical"}) == {}
    assert told("resolved", AT, {"state": "resolved", "part_of": 3}) == {}


def test_severities() -> None:
    info = {"severity": "info"}
    levels = "volos/rain=never, volos/*=info, */bar=critical"
    assert told("opened", AT, info) == {}
    assert told("opened", AT, info, severity="info")
    assert told("opened", severity="critical") == {}
    assert told("opened", AT, {"severity": "critical"}, severity="never") == {}
    assert told("opened", AT, info, levels=levels)
    assert told("opened", AT, info | {"station_id": "a"}, levels=levels) == {}
    assert told("opened", AT, {"severity": "critical", "variable": "rain"}, levels=levels) == {}
    assert told("opened", AT, {"variable": "bar", "station_id": None}, levels=levels) == {}
    assert told("opened", AT, {"variable": "bar"}, levels=levels)


def test_a_message_has_one_key_however_often_it_is_written() -> None:
    def keys(action: str, at: float = AT, **changes: Any) -> set[str]:
        return {one.key for one in messages([(INCIDENT._replace(**changes), action)], settings(), at)}

    assert keys("opened") == keys("opened", AT + 60)
    assert not keys("reopened", reopened=1) & keys("reopened", reopened=2)
    assert keys("open") & keys("opened") == {"7 escalated 0"}
    assert keys("worsened", state="acknowledged") != keys("worsened", state="acknowledged", severity="critical")


ATHENS = {"quiet_hours": "22:00-07:00", "time_zone": "Europe/Athens", "escalation_hours": "0"}


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-11-23T19:59:00+00:00", "2026-11-23T19:59:00Z"),
        ("2026-11-23T20:00:00+00:00", "2026-11-24T05:00:00Z"),
        ("2026-11-24T04:59:59+00:00", "2026-11-24T05:00:00Z"),
        ("2026-11-24T05:00:00+00:00", "2026-11-24T05:00:00Z"),
        # The night in which summer time begins, and the one in which it ends.
        ("2026-03-28T21:00:00+00:00", "2026-03-29T04:00:00Z"),
        ("2026-10-24T21:00:00+00:00", "2026-10-25T05:00:00Z"),
    ],
)
def test_what_is_not_critical_waits_for_the_morning(at: str, due: str) -> None:
    moment = datetime.fromisoformat(at).timestamp()
    assert told("opened", moment, **ATHENS) == {"opened": due}
    assert told("opened", moment, {"severity": "critical"}, **ATHENS)["opened"] == iso(from_epoch(moment))


@pytest.mark.parametrize(
    ("day", "hour", "due"),
    [
        # At 03:00 the clocks went to 04:00: there was no 03:30.
        ("2026-03-29", "03:30", "2026-03-29T01:30:00Z"),
        # At 04:00 they went back to 03:00: the second 03:30 counts, also for what is written between the two.
        ("2026-10-25", "03:30", "2026-10-25T01:30:00Z"),
    ],
)
def test_hours_that_end_in_the_hour_of_the_change(day: str, hour: str, due: str) -> None:
    values = ATHENS | {"quiet_hours": f"22:00-{hour}"}
    for written in ("00:10", "00:20"):
        moment = datetime.fromisoformat(f"{day}T{written}+00:00").timestamp()
        assert told("opened", moment, **values) == {"opened": due}


def test_hours_of_a_day_and_escalation_in_the_night() -> None:
    noon = {"quiet_hours": "12:00-14:00", "escalation_hours": "0"}
    assert told("opened", **noon) == {"opened": "2026-11-23T14:00:00Z"}
    assert told("opened", AT - 3600, **noon) == {"opened": "2026-11-23T11:00:00Z"}
    night = ATHENS | {"escalation_hours": "10"}
    assert told("opened", **night) == {"opened": "2026-11-23T12:00:00Z", "escalated": "2026-11-24T05:00:00Z"}


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("severity", "Warning", "did you mean warning?"),
        ("levels", "volos=info", "volos/rain=info"),
        ("levels", "volos/temp=info", "did you mean "),
        ("levels", "volos/rain=loud", "info, warning, critical, never"),
        ("levels", "*/*=info", "notify_severity"),
        ("levels", "a/rain=info,a/rain=never", "given twice"),
        ("quiet_hours", "22-7", "22:00-07:00"),
        ("quiet_hours", "22:00-25:00", "22:00-07:00"),
        ("quiet_hours", "07:00-07:00", "two different times"),
        ("time_zone", "Athens", "Europe/Athens"),
        ("time_zone", "../../etc/passwd", "Europe/Athens"),
        ("escalation_hours", "-1", "from 0"),
    ],
)
def test_what_is_no_value_says_what_would_be(name: str, value: str, remedy: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(remedy)):
        settings(**{name: value})
