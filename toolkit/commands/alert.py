"""`weather-tool alert`: called by units of jobs that fail, and of those that are well again."""

from __future__ import annotations

import argparse
import logging
import os
import platform
import subprocess
from pathlib import Path

from toolkit.checks.host import Host
from toolkit.diagnosis import causes, examine
from toolkit.errors import ToolkitError, reason
from toolkit.files import write_atomically
from toolkit.settings import Loaded
from toolkit.times import iso, now

TAKES_WRONG_SETTINGS = True
# A file for each job that people were told of, for as long as it is not well.
EPISODES = Path("/var/lib/weather/data/alerts")
CREDENTIAL = "apprise_urls"
SEND_SECONDS = 60

log = logging.getLogger(__name__)

EXAMPLES = (
    "weather-tool alert backup",
    "weather-tool alert backup --over",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("job", metavar="JOB", help="such as backup")
    parser.add_argument("--over", action="store_true", help="it is well again")
    parser.add_argument("--episodes", type=Path, default=EPISODES, metavar="FOLDER", help="default: %(default)s")
    parser.epilog = "Whom to tell: URLs of apprise, a line each, in the systemd credential apprise_urls."


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Tell, unless they know."""
    episode = args.episodes / args.job
    if args.over != episode.exists():
        return 0
    host = platform.node()
    if args.over:
        began = episode.read_text(encoding="utf-8").strip()
        _tell(f"{host}: weather-{args.job} is well again", f"It had failed since {began}.")
        episode.unlink()
        return 0
    _tell(f"{host}: weather-{args.job} failed", _why(loaded))
    write_atomically(episode, iso(now()) + "\n")
    return 0


def _why(loaded: Loaded) -> str:
    """What the doctor says."""
    found = causes(examine(Host(loaded)))
    lines = [
        f"{one.status.name} {one.result.check.id}: {one.result.finding.evidence}\nmend it: {one.result.remedy}"
        for one in found
    ]
    return "\n".join(lines) or "The doctor finds nothing wrong now: weather-tool doctor, journalctl -u 'weather-*'"


def _tell(title: str, text: str) -> None:
    log.warning("%s: %s", title, text)
    urls = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent"), CREDENTIAL)
    if not urls.exists():
        return
    command = ["apprise", "--title", title, "--body", text, "--config", str(urls)]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, errors="replace", timeout=SEND_SECONDS, check=False
        )
    except FileNotFoundError:
        raise ToolkitError("apprise is not installed: apt-get install apprise") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        why = reason(error) if isinstance(error, OSError) else f"no answer for {SEND_SECONDS} s"
        raise ToolkitError(f"nobody could be told: {why}") from error
    if done.returncode:
        raise ToolkitError("nobody could be told: apprise failed; see its own log by `apprise -vv`")
