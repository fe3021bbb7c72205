"""Check that the commands which people and monitors call lead to weather-tool."""

from __future__ import annotations

import os
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.as_deployed import mended
from toolkit.checks.host import Host
from toolkit.checks.remedies import OnController

FOLDER = Path("/usr/local/bin")
# Each is a script of one line that calls weather-tool so.
CALLS = {"weather-backup.sh": "weather-tool backup", "weather-healthcheck.sh": "weather-tool healthcheck"}
LARGEST_BYTES = 1 << 20


@check(
    id="commands-genuine", area="service",
    invariant="The scripts that people and monitors call run weather-tool.",
    problem="A script that people or monitors call does not run weather-tool: what it says is not of the service.",
    severity=Status.WARNING, remedy=OnController(),
)  # fmt: skip
def commands_genuine(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    for name, call in CALLS.items():
        path = FOLDER / name
        found = host.look(path)
        if found is None:
            return bad(f"there is no {path}", mended(host, path))
        if not os.access(path, os.X_OK):
            return bad(f"{path} cannot be run", mended(host, path))
        lines = [] if found.st_size > LARGEST_BYTES else path.read_text(encoding="utf-8", errors="replace").splitlines()
        if not any(call in line for line in lines if not line.lstrip().startswith("#")):
            return bad(f"{path} does not call {call}: it is another script than was deployed", mended(host, path))
    return good(f"{', '.join(CALLS)} run weather-tool")
