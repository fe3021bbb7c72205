"""Prometheus' alert rules, derived from the checks: one for each, and those for an exporter that does not answer."""

from __future__ import annotations

from typing import Any

from toolkit.checks import Check
from toolkit.checks.catalogue import CHECKS
from toolkit.checks.targets import Systemd

# The exporter makes the checks every minute: nobody is woken for a failure that passes by itself.
FOR = "5m"
# The role puts an address before it.
RUNBOOKS = "docs/runbooks/"
SEVERITY = "{{ if ge $value 2.0 }}critical{{ else }}warning{{ end }}"


def alert_name(check: str) -> str:
    """The name of a check's alert, as Prometheus' conventions have it."""
    return "Weather" + "".join(word.capitalize() for word in check.split("-")) + "Failed"


def rules() -> dict[str, Any]:
    """The rules file."""
    return {
        "groups": [
            {"name": "weather_exporter", "rules": _exporter()},
            {"name": "weather_incidents", "rules": _incidents()},
            {"name": "weather_checks", "rules": [_of_check(check) for check in CHECKS]},
        ]
    }


def _of_check(check: Check) -> dict[str, Any]:
    remedy = check.remedy.render(Systemd())
    # Only of causes: a failure that another explains is part of that one's alert.
    return {
        "alert": alert_name(check.id),
        "expr": f'weather_check_cause{{check="{check.id}"}} > 0',
        "for": FOR,
        "labels": {"severity": SEVERITY},
        "annotations": {
            "summary": f"{{{{ $labels.instance }}}}: {check.problem}",
            "description": f"`weather-tool doctor` there says what it saw. In general: {remedy}",
            "runbook_url": f"{RUNBOOKS}{check.id}.md",
        },
    }


def _exporter() -> list[dict[str, Any]]:
    return [
        {
            "alert": "WeatherExporterDown",
            "expr": 'up{job="weather"} == 0',
            "for": FOR,
            "labels": {"severity": "critical"},
            "annotations": {
                "summary": "{{ $labels.instance }} does not answer: nothing is known of its health.",
                "description": "The host, the network or weather-exporter.service is down.",
                "runbook_url": f"{RUNBOOKS}exporter-running.md",
            },
        },
        {
            "alert": "WeatherChecksMissing",
            "expr": 'up{job="weather"} == 1 unless on (instance) weather_check_status',
            "for": FOR,
            "labels": {"severity": "warning"},
            "annotations": {
                "summary": "{{ $labels.instance }} answers, and makes no checks.",
                "description": "systemctl restart weather-exporter.service",
                "runbook_url": f"{RUNBOOKS}exporter-answers.md",
            },
        },
    ]


def _incidents() -> list[dict[str, Any]]:
    """An alert lasts as long as its incident. Of what people know of there is another one, which inhibits it."""
    series = "weather_incident_started_timestamp_seconds"
    what = "{{ $labels.kind }}, since {{ $value | humanizeTimestamp }}"
    remedy = "weather-tool incidents show {{ $labels.incident }}"
    return [
        {
            "alert": alert,
            "expr": f"max without (state) ({series}{{{which}}})",
            "labels": labels,
            "annotations": {
                "summary": f"{{{{ $labels.instance }}}}: {where}, {{{{ $labels.variable }}}}: {what}",
                "description": remedy,
                "runbook_url": f"{RUNBOOKS}incidents-seen.md",
            },
        }
        for alert, which, where, labels in (
            ("WeatherNetworkIncident", 'station="", severity!="info"', "the network", {}),
            ("WeatherIncident", 'station!="", severity!="info"', "{{ $labels.station }}", {}),
            ("WeatherIncidentKnown", 'state!="open"', "{{ $labels.station }}", {"severity": "none"}),
        )
    ]
