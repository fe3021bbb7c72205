"""`weather-tool schedule`."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from toolkit.checks.host.deployment import JOBS_FILE
from toolkit.errors import ToolkitError, reason
from toolkit.scheduler import Scheduler, seconds
from toolkit.schedules import is_due
from toolkit.settings import Loaded

EXAMPLES = ("weather-tool schedule --jobs jobs.json",)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--jobs", type=Path, default=JOBS_FILE, metavar="FILE", help="default: %(default)s")
    parser.epilog = "For containers; on a host, systemd or cron does this."


def run(args: argparse.Namespace, _loaded: Loaded) -> int:
    """Run the jobs of the file when they are due, for ever."""
    try:
        declared = json.loads(args.jobs.read_text(encoding="utf-8"))["jobs"]
        jobs = {name: job for name, job in declared.items() if job.get("schedule") is not None}
    except OSError as error:
        raise ToolkitError(f"cannot read {args.jobs}: {reason(error)}") from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ToolkitError(f'{args.jobs} is not {{"jobs": {{NAME: {{"command", "schedule"}}}}}}: {error}') from error
    for job in jobs.values():  # a schedule that is wrong is reported now, not when it is due
        is_due(job["schedule"], datetime.now(UTC))
        seconds(job["schedule"].get("random_delay", "0"))
    Scheduler(jobs).run()
    return 0
