"""The runbook of a check: what is wrong when it fails, what mends it, what to look at."""

from __future__ import annotations

from toolkit.checks import Check
from toolkit.checks.catalogue import BY_ID, CHECKS
from toolkit.checks.remedies import (
    AllServices,
    AllTimers,
    Logs,
    OfSystemd,
    OnMachine,
    Remedy,
    ServiceStatus,
    Shell,
    Tool,
)
from toolkit.checks.targets import Systemd, Target

_COLLECTOR_LOG = Logs("collector", 50)
# How to look closer, by area.
_CLOSER: dict[str, tuple[Remedy, ...]] = {
    "Python environment": (Shell("ls -l /opt/weather/current /opt/weather/releases"), Tool("--version")),
    "configuration": (Tool("settings"), Shell("cat /etc/weather/weather.env")),
    "disk": (Shell("df -h"), Shell("df -i"), Shell("findmnt -t noproc,nosysfs,nocgroup2")),
    "security posture": (
        OfSystemd("systemd-analyze security 'weather-*'"), OfSystemd("systemd-delta --type=extended"),
        Shell("ss -ltnp"),
    ),
    "service": (AllServices(), _COLLECTOR_LOG),
    "timers": (AllTimers(),),
    "database": (Tool("data summary"), Shell("ls -la /var/lib/weather/data")),
    "permissions": (Shell("ls -la /var/lib/weather/data /etc/weather /var/backups/weather"),),
    "clock": (OnMachine("timedatectl"), OnMachine("date -u")),
    "feed": (Tool("settings"), _COLLECTOR_LOG),
    "incidents": (Tool("incidents list"), Logs("notify")),
    "data quality": (Tool("data latest"), Tool("sensors --days 7")),
    "backup": (Tool("backup list"), Tool("backup verify"), Shell("cat /var/backups/weather/drill.json")),
    "metrics": (ServiceStatus("exporter"), Tool("metrics")),
    "api": (ServiceStatus("api"), Logs("api")),
    "cluster": (Tool("cluster status"), Logs("cluster-scheduler"), Logs("cluster-worker")),
}  # fmt: skip


def page(check: Check, target: Target | None = None) -> str:
    """A check's runbook, in Markdown, with the commands of a target (systemd where none is given)."""
    target = target or Systemd()
    causes = [BY_ID[name] for name in check.caused_by]
    caused = [one for one in CHECKS if check.id in one.caused_by]
    lines = [
        f"# {check.id}",
        "",
        f"**{check.problem}**",
        "",
        f"What must be so: {check.invariant}",
        "",
        f"Area: {check.area}. Severity: {check.severity.name.lower()}, unless the finding says another.",
        "",
    ]
    if command := check.remedy.render(target):
        lines += [
            "## To mend it",
            "",
            "As root, unless `weather-tool doctor` shows a command that fits what it found better:",
            "",
            f"    {command}",
            "",
        ]
    if closer := [command for one in _CLOSER[check.area] if (command := one.render(target))]:
        lines += ["## To look closer", "", *(f"    {command}" for command in closer), ""]
    if causes:
        lines += ["## It may be only a symptom", "", "The doctor names these first when they fail, too:", ""]
        lines += [f"- [{one.id}]({one.id}.md): {one.problem}" for one in causes]
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
        "| check | area | severity | what must be so |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| [{one.id}]({one.id}.md) | {one.area} | {one.severity.name.lower()} | {one.invariant} |" for one in CHECKS
    ]
    return "\n".join(lines) + "\n"
