"""The whole service with its settings, on a host: whole.py SCHEDULER EXPECTED, the settings as JSON.

It ends with what is not as it should be.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

TABLE = Path("/etc/cron.d/weather")
# A station of each source (feed.py), under the prefix that the settings give.
STATIONS = {"Aßling", "Eging", "Füssen", "Grünau", "LOWS"}


def run(*command: str, code: int = 0) -> str:
    """What a command prints, which has to end with a code."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != code:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def until(true: Callable[[], bool], what: str) -> None:
    """Wait until it is so."""
    end = time.monotonic() + 60
    while not true():
        if time.monotonic() > end:
            said = subprocess.run(["weather-tool", "doctor"], capture_output=True, text=True, check=False).stdout
            sys.exit(f"not so after a minute: {what}\n{said}")
        time.sleep(0.5)


def job(scheduler: str, name: str) -> None:
    """Run a job as its scheduler does."""
    if scheduler == "systemd":
        run("systemctl", "start", f"weather-{name}.service")
    else:
        (line,) = (line for line in TABLE.read_text("utf-8").splitlines() if f" {name} " in line and "root /" in line)
        command = line.partition(" root ")[2].replace("\\%", "%").replace("--delay 1800 ", "")
        run("sh", "-c", command)


def tool(*arguments: str) -> str:
    """What weather-tool prints."""
    return run("weather-tool", *arguments)


def well(command: str) -> bool:
    """Whether weather-tool says so."""
    return not subprocess.run(["weather-tool", command], stdout=subprocess.DEVNULL, check=False).returncode


def stations() -> set[str]:
    """Those of which something is stored."""
    return {one["station_id"] for one in json.loads(tool("data", "latest", "--json"))}


def files(folder: str, pattern: str) -> list[Path]:
    """What is in a folder, as root sees it."""
    return sorted(Path(folder).glob(pattern))


def main(scheduler: str, wanted: dict[str, Any]) -> None:
    """Go through the service."""
    shown = json.loads(tool("settings", "--json"))
    for name, value in wanted.items():
        text = json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, list) else str(value)
        text = str(int(value)) if isinstance(value, bool) else text
        found = shown[name.upper()]
        # A query of an address may hold a secret and is not shown; the feed answers to none but the right one.
        assert found["value"].partition("?")[0] == text.partition("?")[0], (name, found)
        assert found["from"] != "default", name

    until(lambda: well("healthcheck"), "healthy")
    tool("healthcheck", "--wait", "60")
    names = {wanted["weather_feed_prefix"] + name for name in STATIONS}
    until(lambda: stations() >= names, "every source is stored")
    assert json.loads(tool("data", "summary", "--json"))["observations"] > 300
    assert Path(wanted["weather_db"]).is_file()
    assert files(wanted["weather_spool"], "lock")

    if scheduler == "systemd":
        limits = run("systemctl", "show", "--property=MemoryMax", "weather-*.service", "weather-alert@x.service")
        assert "infinity" not in limits, limits

    before = len(files(wanted["weather_reports"], "report_*.json"))
    job(scheduler, "detector")
    reports = files(wanted["weather_reports"], "report_*.json")
    assert len(reports) == before + 1, reports
    report = json.loads(reports[-1].read_text("utf-8"))
    assert (report["method"], report["window"]["hours"]) == ("mad", 2.5)
    assert report["stations"]["with_data"] == 4, report["insufficient"]
    assert files(wanted["weather_reports"], "report_*.html")
    assert files(wanted["weather_reports"], "index.html")

    job(scheduler, "backup")
    assert files(wanted["weather_backups"], "*.zst")
    assert files(wanted["weather_restic_repository"], "config")
    job(scheduler, "restore-drill")
    drill = json.loads(Path(wanted["weather_backups"], "drill.json").read_text("utf-8"))
    assert drill["wrong"] is None, drill
    job(scheduler, "maintenance")
    job(scheduler, "network-report")
    tool("restore", "LATEST")

    metrics = urllib.request.urlopen(f"http://{wanted['weather_metrics_address']}/metrics", timeout=10).read().decode()
    assert "weather_check_status" in metrics
    tool("healthcheck")
    until(lambda: well("doctor"), "the doctor finds nothing wrong")


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
