"""`weather-tool healthcheck`: the monitoring-plugin convention, one line and an exit code from 0 to 3."""

from __future__ import annotations

import argparse

from toolkit.checks import Finding, Status
from toolkit.checks.data import OBSERVATIONS_FRESH
from toolkit.errors import ToolkitError
from toolkit.settings import Loaded


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options: there are none."""
    parser.epilog = "exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN"


def run(_args: argparse.Namespace, loaded: Loaded) -> int:
    """Check."""
    check = OBSERVATIONS_FRESH
    try:
        finding = check.probe(loaded.settings)
    except ToolkitError as error:
        finding = Finding(Status.CRITICAL, str(error))
    advice = "" if finding.status == Status.OK else f" (try: {check.remedy})"
    figures = " ".join(f"{label}={value}" for label, value in finding.figures.items())
    print(f"WEATHER {finding.status.name} - {finding.evidence}{advice}" + (f" | {figures}" if figures else ""))
    return finding.status
