"""`make demo`: from a machine with nothing on it to a service on three real hosts that has found a broken sensor.

Hosts that are up, a service that is deployed and a feed that runs are kept, so that a second demo is short.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lab import feed, recorded

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
DATABASE = "/var/lib/weather/data/weather_stream.db"
console = Console()


class DemoError(Exception):
    """What went wrong, and what to do about it."""


@dataclass(frozen=True)
class Weather:
    """What the demo's stations measure, and which of their sensors breaks."""

    told: str
    station: str
    fault: str
    start: str
    speed: int
    cadence_seconds: int
    window_hours: int
    recording: bool = False

    @property
    def simulator_options(self) -> list[str]:
        """What `weather-tool simulate` is told."""
        options = [f"--start={self.start}", f"--speed={self.speed}", f"--cadence={self.cadence_seconds}"]
        options += [f"--fault=station={self.station},{self.fault}"]
        if self.recording:
            observations, stations = recorded.write(ROOT / ".lab" / "recorded")
            options += [f"--replay={observations}", f"--stations={stations}"]
        else:
            options += ["--live-cadence=10"]  # so that one sees observations arrive
        return options

    @property
    def settings(self) -> dict[str, int]:
        """The settings of the service that this weather needs."""
        if not self.recording:
            return {}
        return {"weather_cadence_seconds": self.cadence_seconds, "weather_window_hours": self.window_hours}


# The clock runs so fast that a new document is out every 2 seconds: a pace at which a collector misses none.
WEATHERS = {
    "simulated": Weather(
        told="simulated weather of 14 stations; the thermometer of volos fails for 20 minutes",
        station="volos",
        fault="variable=temp_out,kind=spike,at=-40m,for=20m,size=35",
        start="-7h",
        speed=300,
        cadence_seconds=600,
        window_hours=6,
    ),
    "replay": Weather(
        told="recorded weather of the airports EWR, JFK and LGA; the thermometer of JFK fails for 2 hours",
        station="JFK",
        fault="variable=temp_out,kind=spike,at=-5h,for=2h,size=35",
        start="-50h",
        speed=1800,
        cadence_seconds=3600,
        window_hours=48,
        recording=True,
    ),
}


def main() -> int:
    """Run the demo; 1 when something of it failed."""
    parser = argparse.ArgumentParser(description="Show the toolkit at work on real hosts.")
    parser.add_argument("--feed", choices=WEATHERS, default="simulated")
    parser.add_argument("--hosts", type=int, default=3)
    args = parser.parse_args()
    started = time.monotonic()
    try:
        _show(WEATHERS[args.feed], args.feed, args.hosts)
    except DemoError as error:
        console.print(f"[red]demo: {error}[/]", soft_wrap=True)
        return 1
    console.print(f"\nThe demo took {time.monotonic() - started:.0f} s. The hosts stay until `make clean`.")
    return 0


def _show(weather: Weather, name: str, count: int) -> None:
    _say("Hosts")
    if feed.name() not in {None, name}:
        feed.stop()
        _run([ROOT / "lab" / "lab.sh", "down"], "the hosts of the other feed could not be removed")
    _run([ROOT / "lab" / "lab.sh", "up", str(count)], "the hosts did not come up: see above")
    hosts = [f"{feed.LAB_NAME}-{number}" for number in range(1, count + 1)]

    _say("The service: ansible-playbook -i inventory/lab site.yml")
    _run(
        [BIN / "ansible-playbook", "-i", "inventory/lab", "site.yml", "--extra-vars", json.dumps(weather.settings)],
        "the service could not be deployed: see the task above, then run `make demo` again",
        environment={"ANSIBLE_DISPLAY_OK_HOSTS": "false"},
    )

    _say(f"The feed: {weather.told}")
    # Once the fault is about to leave the window it is time for a new one.
    age = feed.age()
    if age is None or age > weather.window_hours / 2 * 3600:
        try:
            feed.start(weather.simulator_options, name)
        except feed.FeedError as error:
            raise DemoError(str(error)) from None
    _wait_for_observations(weather, hosts)

    _say("A detection run, as the timer starts it every hour: systemctl start weather-detector")
    for host in hosts:
        _on(host, "systemctl start weather-detector.service")
    path = _on(hosts[0], "ls /var/log/weather/reports/*.json | tail -n 1")
    report = json.loads(_on(hosts[0], f"cat {path}"))
    arima = f"--end NOW --window {weather.window_hours} --temporal-method arima --spatial-verify".split()
    # On a terminal it is shown as it would be on the host's own.
    terminal = ["--tty"] if sys.stdout.isatty() else []
    _run(
        ["podman", "exec", *terminal, hosts[0], "weather-tool", "detect", *arima],
        "the detector failed: see above",
    )
    _say(f"What the report saved by {hosts[0]} says about {weather.station}: {path}")
    found = [one for one in report["anomalies"] if one["station_id"] == weather.station]
    console.print_json(data=found)
    if "device_failure" not in {one["class"] for one in found}:
        raise DemoError(f"the saved report does not name the fault at {weather.station}: weather-tool detect --json")
    _say("Look around")
    console.print(
        f"  podman exec {hosts[0]} systemctl status weather-collector\n"
        f"  podman exec {hosts[0]} weather-tool healthcheck\n"
        f"  podman exec {hosts[0]} sqlite3 {DATABASE} 'SELECT COUNT(*) FROM observations;'\n"
        f"  podman exec {hosts[0]} weather-tool detect {' '.join(arima)} --json",
        soft_wrap=True,
        highlight=False,
    )


def _wait_for_observations(weather: Weather, hosts: Sequence[str]) -> None:
    """Wait until every host holds the window's observations, but for one still to come."""
    wanted = weather.window_hours * 3600 // weather.cadence_seconds - 1
    past = f"datetime('now', '-{weather.window_hours} hours')"
    query = f"SELECT COUNT(DISTINCT time) FROM observations WHERE time > {past}"
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f}/{task.total:.0f}"))
    deadline = time.monotonic() + 300
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bars = {host: progress.add_task(f"observation times on {host}", total=wanted) for host in hosts}
        while not progress.finished:
            for host, bar in bars.items():
                counted = _on(host, f'sqlite3 -readonly {DATABASE} "{query}" 2>/dev/null || echo 0')
                progress.update(bar, completed=min(int(counted), wanted))
            if feed.age() is None:
                raise DemoError(f"the feed has stopped: see {feed.LOG.relative_to(ROOT)}")
            if time.monotonic() > deadline:
                raise DemoError(f"observations do not arrive: podman exec {hosts[0]} journalctl -u weather-collector")
            time.sleep(1)


def _say(text: str) -> None:
    console.print(f"\n[bold]==> {text}[/]", soft_wrap=True, highlight=False)


def _on(host: str, command: str) -> str:
    return _answer(["podman", "exec", host, "sh", "-c", command], f"{command!r} failed on {host}")


def _run(command: Sequence[str | Path], otherwise: str, environment: dict[str, str] | None = None) -> None:
    if subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}, check=False).returncode:
        raise DemoError(otherwise)


def _answer(command: Sequence[str | Path], otherwise: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DemoError(f"{otherwise}: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
