"""The page of a check: what it guards, and what to do when it fails."""

from __future__ import annotations

from collections.abc import Callable

from toolkit.checks import Check
from toolkit.checks.catalogue import BY_ID, CHECKS

# How to look closer, by area.
_CLOSER = {
    "Python environment": ["ls -l /opt/weather/current /opt/weather/releases", "weather-tool --version"],
    "configuration": ["weather-tool settings", "cat /etc/weather/weather.env"],
    "disk": ["df -h", "df -i", "findmnt -t noproc,nosysfs,nocgroup2"],
    "security posture": ["systemd-analyze security 'weather-*'", "systemd-delta --type=extended", "ss -ltnp"],
    "service": ["systemctl status 'weather-*'", "journalctl -u weather-collector.service -n 50 --no-pager"],
    "timers": ["systemctl list-timers --all 'weather-*'"],
    "database": ["weather-tool data summary", "ls -la /var/lib/weather/data"],
    "permissions": ["ls -la /var/lib/weather/data /etc/weather /var/backups/weather"],
    "clock": ["timedatectl", "date -u"],
    "feed": ["weather-tool settings", "journalctl -u weather-collector.service -n 50 --no-pager"],
    "data quality": ["weather-tool data latest", "weather-tool sensors --days 7"],
    "backup": ["weather-tool backup list", "weather-tool backup verify", "cat /var/backups/weather/drill.json"],
    "metrics": ["systemctl status weather-exporter.service", "weather-tool metrics"],
}  # fmt: skip


def page(check: Check, say: Callable[[str], str] = str) -> str:
    """A check's runbook, in Markdown; `say` puts a command into the words of who runs the service."""
    causes = [BY_ID[name] for name in check.because]
    caused = [one for one in CHECKS if check.id in one.because]
    lines = [
        f"# {check.id}",
        "",
        check.guards,
        "",
        f"Area: {check.area}. Severity: {check.severity.name.lower()}, unless the finding says another.",
        "",
        "## To mend it",
        "",
        "As root, unless `weather-tool doctor` shows a command that fits what it found better:",
        "",
        f"    {say(check.remedy)}",
        "",
        "## To look closer",
        "",
        *(f"    {said}" for command in _CLOSER[check.area] if (said := say(command))),
        "",
    ]
    if causes:
        lines += ["## It may be only a symptom", "", "The doctor names these first when they fail, too:", ""]
        lines += [f"- [{one.id}]({one.id}.md): {one.guards}" for one in causes]
        lines.append("")
    if caused:
        lines += ["## What else fails with it", "", ", ".join(f"[{one.id}]({one.id}.md)" for one in caused) + ".", ""]
    return "\n".join(lines)


def index() -> str:
    """The list of all runbooks, in Markdown."""
    lines = [
        "# Runbooks",
        "",
        "<!-- Generated from toolkit/checks/ by `make generate`. -->",
        "",
        f"What `weather-tool doctor` looks at: {len(CHECKS)} checks. A page for each, also by",
        "`weather-tool doctor --explain ID`.",
        "",
        "| check | area | severity | guards |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| [{one.id}]({one.id}.md) | {one.area} | {one.severity.name.lower()} | {one.guards} |" for one in CHECKS
    ]
    return "\n".join(lines) + "\n"
