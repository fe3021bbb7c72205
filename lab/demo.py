"""`make demo`: from a machine with nothing on it to a service on three real hosts that finds a broken sensor.

People are told of it, one of them says that she deals with it, and it is repaired. Hosts that are up, a service that is
deployed and a feed that runs are kept, so that a second demo is short.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lab import feed, recorded

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
DATABASE = "/var/lib/weather/data/weather_stream.db"
# Whom the hosts tell: a webhook on each of them, and the person who does something about it.
PEOPLE = "json://127.0.0.1:9099/"
TOLD = "/root/told"
PERSON = "maria"
# The console is to be seen from this machine's browser: on each host the API serves on the lab's network, too.
API_PORT = 9106
# So long after its last wrong reading the sensor's incident is resolved.
CLEAN_SECONDS = 36
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
        options = [f"--start={self.start}", f"--speed={self.speed}", *self.repaired]
        options += [f"--fault=station={self.station},{self.fault}"]
        return options

    @property
    def repaired(self) -> list[str]:
        """What it is told once the sensor is repaired: the same from the present on, without the fault."""
        options = [f"--cadence={self.cadence_seconds}"]
        if self.recording:
            observations, stations = recorded.write(ROOT / ".lab" / "recorded")
            options += [f"--replay={observations}", f"--stations={stations}"]
        else:
            options += ["--live-cadence=10"]  # so that one sees observations arrive
        return options

    @property
    def settings(self) -> dict[str, object]:
        """The settings of the service that this weather needs."""
        settings: dict[str, object] = {"weather_alert_urls": [PEOPLE], "weather_api_address": f"0.0.0.0:{API_PORT}"}
        if not self.recording:
            # An incident is resolved by itself after six hours; nobody is to wait for that here.
            return settings | {"weather_incident_clean_hours": CLEAN_SECONDS / 3600}
        return settings | {"weather_cadence_seconds": self.cadence_seconds, "weather_window_hours": self.window_hours}


# The clock runs so fast that a new document is out every 2 seconds: a pace at which a collector misses none.
WEATHERS = {
    "simulated": Weather(
        told="simulated weather of 14 stations; the thermometer of volos has been broken for 40 minutes",
        station="volos",
        fault="variable=temp_out,kind=spike,at=-40m,size=35",
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
    _run(
        [ROOT / "lab" / "lab.sh", "up", str(count)],
        "the hosts did not come up: see above",
        environment={"LAB_PACKAGES": "apprise python3-apt"},
    )
    hosts = [f"{feed.LAB_NAME}-{number}" for number in range(1, count + 1)]
    for host in hosts:
        _bring_people(host)

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
        _run_job(host, "detector")
    path = _on(hosts[0], "ls /var/log/weather/reports/*.json | tail -n 1")
    report = json.loads(_on(hosts[0], f"cat {path}"))
    arima = f"--end NOW --window {weather.window_hours} --temporal-method arima --spatial-verify".split()
    # On a terminal it is shown as it would be on the host's own.
    terminal = ["--tty"] if sys.stdout.isatty() else []
    _run(
        ["podman", "exec", *terminal, hosts[0], "weather-tool", "detect", *arima, "--no-record"],
        "the detector failed: see above",
    )
    _say(f"What the report saved by {hosts[0]} says about {weather.station}: {path}")
    found = [one for one in report["anomalies"] if one["station_id"] == weather.station]
    console.print_json(data=found)
    if "device_failure" not in {one["class"] for one in found}:
        raise DemoError(f"the saved report does not name the fault at {weather.station}: weather-tool detect --json")
    if not weather.recording:
        _tell(weather, name, hosts[0])
    _say("Look around")
    console.print(
        f"  podman exec {hosts[0]} systemctl status weather-collector\n"
        f"  podman exec {hosts[0]} weather-tool healthcheck\n"
        f"  podman exec {hosts[0]} sqlite3 {DATABASE} 'SELECT COUNT(*) FROM observations;'\n"
        f"  podman exec {hosts[0]} weather-tool detect {' '.join(arima)} --json\n"
        f"  podman exec {hosts[0]} weather-tool incidents list",
        soft_wrap=True,
        highlight=False,
    )
    _say("The console, in this machine's browser")
    for host in hosts:
        console.print(f"  {_console(host)}", soft_wrap=True, highlight=False)


def _console(host: str) -> str:
    """The address of a host's console, which answers."""
    listed = _answer([ROOT / "lab" / "lab.sh", "list"], "the hosts' addresses are not known")
    addresses = dict(line.split()[:2] for line in listed.splitlines())
    address = f"http://{addresses[host]}:{API_PORT}/console/"
    try:
        urllib.request.urlopen(address, timeout=10).close()
    except OSError as error:
        raise DemoError(
            f"the console does not answer at {address}, {error}: podman exec {host} journalctl -u weather-api"
        ) from None
    return address


def _bring_people(host: str) -> None:
    """See that a host has people who are told: a webhook, and one who may do something about it."""
    if subprocess.run(["podman", "exec", host, "which", "apprise"], capture_output=True, check=False).returncode:
        raise DemoError(f"{host} has no apprise, for it was not made by `make demo`: lab/lab.sh down, then `make demo`")
    _answer(["podman", "cp", ROOT / "lab" / "people.py", f"{host}:/root/people.py"], f"{host} took no file")
    port = PEOPLE.split(":")[2].rstrip("/")
    _on(
        host,
        f"id {PERSON} >/dev/null 2>&1 || useradd --create-home {PERSON}; "
        f"echo '{PERSON} ALL=(root) NOPASSWD: /usr/local/bin/weather-tool' >/etc/sudoers.d/{PERSON}; "
        "systemctl is-active --quiet people || "
        f"systemd-run --quiet --collect --unit=people python3 /root/people.py {port} {TOLD}",
    )


def _tell(weather: Weather, name: str, host: str) -> None:
    """The story of the broken sensor: from a verdict to its repair."""
    wanted = f"weather-tool incidents list --station {weather.station} --variable temp_out"
    incident = _incident(host, wanted)
    if incident["state"] == "open":
        _say(f"What the detector found is an incident, once, however many runs and tests see it: on {host}")
        _show_output(host, shlex.split(wanted))
        _say("People are told of it, as the timer does every five minutes: systemctl start weather-notify")
        _tell_people(weather, host)
        _say(f"{PERSON} does something about it")
        note = "the shield is broken; the technician is on the way"
        number = str(incident["id"])
        _show_output(host, ["weather-tool", "incidents", "ack", number, "--note", note], PERSON)
        _say("The thermometer is replaced: the fault of the simulated feed ends")
        try:
            feed.start(weather.repaired, name)
        except feed.FeedError as error:
            raise DemoError(str(error)) from None
        _wait_until_well(weather, host)
        _run_job(host, "detector")
        incident = _incident(host, wanted)
        if incident["state"] != "resolved":
            raise DemoError(
                f"incident {number} is {incident['state']}, and not resolved: weather-tool incidents show {number}"
            )
        _say("The next run finds nothing wrong, and resolves the incident; people are told of that, too")
        _tell_people(weather, host)
    _say("What happened to the incident, when, and by whom")
    _show_output(host, ["weather-tool", "incidents", "show", str(incident["id"])])


def _incident(host: str, wanted: str) -> dict[str, object]:
    """The newest incident of the thermometer that broke."""
    found = json.loads(_on(host, f"{wanted} --all --json"))
    if not found:
        raise DemoError(f"there is no incident: podman exec {host} {wanted} --all")
    return dict(max(found, key=lambda one: int(one["id"])))


def _tell_people(weather: Weather, host: str) -> None:
    """Send what is due, and show what people heard last of the sensor."""
    _run_job(host, "notify")
    heard = [json.loads(line) for line in _on(host, f"cat {TOLD} 2>/dev/null || true").splitlines()]
    told = [one for one in heard if "temp_out" in one["title"] and f"({weather.station})" in one["title"]]
    if not told:
        raise DemoError(f"nobody was told: podman exec {host} journalctl -u weather-notify")
    console.print(
        f"[bold]{escape(told[-1]['title'])}[/]\n{escape(told[-1]['message'])}", soft_wrap=True, highlight=False
    )


def _wait_until_well(weather: Weather, host: str) -> None:
    """Wait until the sensor has been well for so long that its incident is over."""
    since = _on(host, "date -u +'%F %T'")
    query = (
        f"SELECT COALESCE(MAX(time) > datetime('{since}', '+{CLEAN_SECONDS} seconds'), 0) "
        f"FROM observations WHERE station_id = '{weather.station}' AND temp_out < 30"
    )
    deadline = time.monotonic() + 300
    with console.status("readings of the new thermometer arrive"):
        while _on(host, f'sqlite3 -readonly {DATABASE} "{query}"') != "1":
            if time.monotonic() > deadline:
                raise DemoError(f"observations do not arrive: podman exec {host} journalctl -u weather-collector")
            time.sleep(1)


def _show_output(host: str, command: Sequence[str], user: str = "root") -> None:
    """Show a command and its output, as on the host's own terminal."""
    console.print(f"{user}@{host}$ {shlex.join(command)}", style="bold", soft_wrap=True, highlight=False, markup=False)
    terminal = ["--tty"] if sys.stdout.isatty() else []
    _run(["podman", "exec", *terminal, "--user", user, host, *command], "that failed: see above")


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


def _run_job(host: str, job: str) -> None:
    """Run a job once, from now on: systemd takes one that its timer has begun for it, which may have read too early."""
    unit = f"weather-{job}.service"
    _on(host, f'[ "$(systemctl is-active {unit})" != activating ] || systemctl start {unit}; systemctl start {unit}')


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
