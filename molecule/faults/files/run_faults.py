#!/usr/bin/env python3
"""Run the fault matrix on this host, as root: run_faults.py FAULTS.json [WORDS]; exit code 1 if any failed.

For each fault: it is put in, the doctor's first finding has to be its cause, then the command that the doctor printed
has to make the host healthy again (where one can), so that the doctor shows nothing; where none can the fault's own
`take` has to.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

FUNCTIONS = Path(__file__).with_name("faults.sh")
SETTINGS = "/etc/weather/weather.env"
# What is printed, for those who watch the run on the host.
PROGRESS = Path("/var/log/faults.log")
BEFORE = "/run/weather.env.before"
AGAIN = (
    f"cp -p {BEFORE} {SETTINGS} && as_deployed {SETTINGS} && "
    "systemctl restart weather-collector weather-exporter weather-api"
)
# systemd, the collector and the feed need moments to see what was done: the collector waits 30 s for a feed that hangs.
FOUND_SECONDS, HEALTHY_SECONDS = 50, 60
# Between two looks: the doctor takes a second of a processor, and another scenario needs it, too.
PAUSE_SECONDS = 2.0


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the matrix."""
    script = f". {FUNCTIONS}\n{command}"
    # Not by pipes: what a fault leaves in the background would keep them open.
    with Path("/tmp/fault.log").open("w+") as log:  # noqa: S108
        done = subprocess.run(["bash", "-c", script], stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False)
        log.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, log.read())


def doctor() -> dict[str, Any]:
    """What the doctor says."""
    done = subprocess.run(["weather-tool", "doctor", "--json"], capture_output=True, text=True, check=False)
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {"verdict": "none", "causes": [{"id": done.stderr.strip()[-300:], "remedy": ""}]}
    return told


def wait(seconds: float, wanted: str | None) -> dict[str, Any]:
    """Ask the doctor until its first finding is `wanted` (None: nothing), or time is over; what it said last."""
    end = time.monotonic() + seconds
    while True:
        told = doctor()
        first = told["causes"][0]["id"] if told["causes"] else None
        if first == wanted or time.monotonic() > end:
            return told
        time.sleep(PAUSE_SECONDS)


def run(fault: dict[str, Any]) -> str:
    """Run one fault; what was wrong, empty if nothing."""
    done = shell(fault["put"])
    if done.returncode:
        return f"could not be put in: {done.stdout}"
    told = wait(FOUND_SECONDS, fault["finds"])
    first = told["causes"][0] if told["causes"] else {"id": "nothing", "remedy": ""}
    wrong = "" if first["id"] == fault["finds"] else f"the doctor names {[one['id'] for one in told['causes']]}"
    if fault.get("mends") and not wrong:
        done = shell(first["remedy"])
        if done.returncode:
            wrong = f"its remedy fails: {first['remedy']}: {done.stdout[-300:]}"
        elif "take" in fault and (left := wait(HEALTHY_SECONDS, None)["causes"]):  # which would heal what it did not
            wrong = f"its remedy does not heal: {first['remedy']}: {[one['id'] for one in left]}"
    if "take" in fault:
        shell(fault["take"])
    if not fault.get("mends") or wrong:
        shell(AGAIN)
    told = wait(HEALTHY_SECONDS, None)
    if told["causes"]:
        left = [(one["id"], one["evidence"]) for one in told["causes"] if "evidence" in one]
        wrong = "; ".join(part for part in (wrong, f"afterwards: {left}") if part)
    # A remedy may have commented a line out: the next fault begins with what was deployed.
    if Path(SETTINGS).read_bytes() != Path(BEFORE).read_bytes():
        shell(AGAIN)
        wait(HEALTHY_SECONDS, None)
    return wrong


def report(line: str) -> None:
    """Print a line, also into a file."""
    print(line, flush=True)
    with PROGRESS.open("a") as file:
        file.write(f"{line}\n")


def main() -> int:
    """Run all, or those whose names hold one of the words given."""
    faults = json.loads(Path(sys.argv[1]).read_text())
    words = sys.argv[2:]
    failed = number = 0
    shell(f"cp -p {SETTINGS} {BEFORE}")
    told = wait(HEALTHY_SECONDS, None)
    if told["causes"]:
        print(f"the host is not healthy to begin with: {told['causes']}")
        return 1
    for fault in faults:
        if words and not any(word in fault["name"] for word in words):
            continue
        number += 1
        began = time.monotonic()
        wrong = run(fault)
        failed += bool(wrong)
        mended = " and mended" if fault.get("mends") else ""
        said = wrong or f"found as {fault['finds']}{mended}"
        report(f"{'FAIL' if wrong else 'ok'}  {fault['name']}: {said} ({time.monotonic() - began:.1f} s)")
    report(f"{number - failed} of {number} faults were named first by their cause")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
