"""How long a fleet takes: `python -m tests.bench.fleet`, on hosts of its own that are taken away at the end.

Beside the roles, in the same run and on the same hosts: a role of a collection that the ansible package ships and that
does the same kind of work (a service user, a program, its configuration, its unit), grafana.grafana's
opentelemetry_collector. Its program is a stand-in of a few lines, so that only the role's own time counts.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

from tests.bench.figure import Figure

LAB = "weather-bench"
os.environ["LAB_NAME"] = LAB

from lab import feed  # noqa: E402  (it reads LAB_NAME)

ROOT = Path(__file__).parent.parent.parent
LAB_SH = ROOT / "lab" / "lab.sh"
# (hosts, bound of the first run, bound of a run that changes nothing), in seconds.
FLEETS = ((3, 75, 12), (10, 150, 30))
UPGRADE_SECONDS_PER_HOST = 10
STAND_IN = """#!/bin/sh
case " $* " in *" -v "*) echo "otelcol-contrib version 0.90.1" ;; *" validate "*) ;; *) exec sleep infinity ;; esac
"""
REFERENCE = """
- name: The reference
  hosts: weather
  become: true
  roles: [grafana.grafana.opentelemetry_collector]
"""


@dataclass(frozen=True)
class Run:
    """One ansible-playbook: its wall time in seconds, and the tasks that one host ran."""

    seconds: float
    tasks: int

    @property
    def per_task(self) -> float:
        """Seconds a task."""
        return self.seconds / self.tasks


class Fleet:
    """Hosts of the lab, and playbooks on them."""

    def __init__(self, folder: Path, hosts: int) -> None:
        self._folder = folder
        self._hosts = hosts
        subprocess.run([LAB_SH, "down"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([LAB_SH, "up", str(hosts)], check=True, stdout=subprocess.DEVNULL)
        self.gateway = subprocess.run([LAB_SH, "gateway"], check=True, capture_output=True, text=True).stdout.strip()
        # As in the lab's own inventory, which has its hosts alone; of the controller nothing is said.
        said = yaml.safe_load((ROOT / "inventory" / "lab" / "group_vars" / "weather.yml").read_text("utf-8"))
        said["ansible_ssh_private_key_file"] = str(ROOT / ".lab" / "ssh_key")
        inventory = {"weather": {"hosts": {f"{LAB}-{number + 1}": None for number in range(hosts)}, "vars": said}}
        (folder / "fleet.json").write_text(json.dumps(inventory), encoding="utf-8")

    def play(self, playbook: Path | str, **variables: object) -> Run:
        """Run a playbook on all hosts; its variables may be of any JSON type.

        Raises:
            SystemExit: it failed; its output is in the message.
        """
        command = [
            "ansible-playbook",
            "-i",
            str(self._folder / "fleet.json"),
            "-e",
            json.dumps(variables),
            str(playbook),
        ]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
        tasks = re.search(rf"^{LAB}-1 .*?ok=(\d+)", done.stdout, re.MULTILINE)
        assert tasks
        return Run(seconds, int(tasks[1]))

    def wait_for_health(self) -> None:
        """Return when every host's health check is content."""
        for number in range(self._hosts):
            command = ["podman", "exec", f"{LAB}-{number + 1}", "weather-tool", "healthcheck", "--wait", "120"]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def served(folder: Path, address: str) -> Iterator[int]:
    """The folder over HTTP; yields the port."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((address, 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()


def stand_in(folder: Path) -> None:
    """Write the reference's program, packed as its makers pack theirs."""
    with tarfile.open(folder / "program.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("otelcol-contrib")
        member.mode, member.size = 0o755, len(STAND_IN)
        tar.addfile(member, io.BytesIO(STAND_IN.encode()))


def reference(fleet: Fleet, folder: Path) -> tuple[Run, Run]:
    """The first run of the reference, and one that changes nothing."""
    stand_in(folder)
    playbook = folder / "reference.yml"
    playbook.write_text(REFERENCE, encoding="utf-8")
    with served(folder, fleet.gateway) as port:
        url = f"http://{fleet.gateway}:{port}/program.tar.gz"
        first = fleet.play(playbook, otel_collector_binary_url=url)
        return first, fleet.play(playbook, otel_collector_binary_url=url)


def changed_sources(folder: Path) -> Path:
    """A copy of the project whose package differs, as a new release's does."""
    sources = folder / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, sources / name, follow_symlinks=False)
    with (sources / "toolkit" / "__init__.py").open("a", encoding="utf-8") as package:
        package.write(f"# {time.time()}\n")
    return sources


def measure(folder: Path, hosts: int, first_bound: int, unchanged_bound: int) -> Iterator[Figure]:
    """The first run, one that changes nothing, an upgrade, and the reference."""
    fleet = Fleet(folder, hosts)
    feed.start(["--start=-4h", "--speed=300", "--live-cadence=10"])
    first = fleet.play("site.yml")
    unchanged = fleet.play("site.yml")
    fleet.wait_for_health()
    upgrade = fleet.play("playbooks/deploy.yml", weather_project=str(changed_sources(folder)))
    theirs, theirs_unchanged = reference(fleet, folder)

    def against(run: Run) -> str:
        return f"its {run.tasks} tasks: {run.seconds:.1f} s, {run.per_task:.2f} s a task"

    yield Figure(f"site.yml on {hosts} fresh hosts, {first.tasks} tasks", first.seconds, "s", first_bound)
    yield Figure(f"site.yml on {hosts} hosts, nothing changes", unchanged.seconds, "s", unchanged_bound)
    what = f"an upgrade of {hosts} hosts, gated, a host"
    yield Figure(what, upgrade.seconds / hosts, "s", UPGRADE_SECONDS_PER_HOST)
    yield Figure("a task of the first run", first.per_task, "s", theirs.per_task, against=against(theirs))
    yield Figure(
        "a task when nothing changes",
        unchanged.per_task,
        "s",
        theirs_unchanged.per_task,
        against=against(theirs_unchanged),
    )


def main() -> int:
    """Measure every fleet; 1 if a bound is not kept."""
    kept = True
    try:
        for hosts, first, unchanged in FLEETS:
            if sys.argv[1:] and str(hosts) not in sys.argv[1:]:
                continue
            with tempfile.TemporaryDirectory() as folder:
                for figure in measure(Path(folder), hosts, first, unchanged):
                    print(figure, flush=True)
                    kept = kept and figure.kept
    finally:
        feed.stop()
        subprocess.run([LAB_SH, "down"], check=False, stdout=subprocess.DEVNULL)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
