"""`weather-tool alert`: send an alert when a job has failed, and once more when it works again.

It is sent whatever the doctor finds or fails at, and whatever is in the place of the file that says whether it was sent
before.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import re
import stat
from contextlib import suppress
from pathlib import Path

from toolkit import credentials
from toolkit.credentials import Credential
from toolkit.errors import UsageError
from toolkit.files import write_atomically
from toolkit.sending import LINE_LENGTH, LINES, send
from toolkit.settings import Loaded
from toolkit.text import one_line
from toolkit.times import iso, now

TAKES_WRONG_SETTINGS = True
# The folder with a file for each job that an alert was sent for and that does not work again yet.
EPISODES = Path("/var/lib/weather/data/alerts")
JOB = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}")

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
    """Send an alert, unless it was sent before."""
    if not JOB.fullmatch(args.job):
        raise UsageError(f"{one_line(repr(args.job))} is no name of a job: give one such as backup")
    episode = args.episodes / args.job
    known = _known(episode)
    host = platform.node()
    if args.over:
        if known:
            _send(f"{host}: weather-{args.job} is well again", [f"It had failed since {_began(episode)}."])
            _remove(episode)
    elif known != stat.S_IFREG:
        _send(f"{host}: weather-{args.job} failed", _why(loaded))
        _remove(episode)
        write_atomically(episode, iso(now()) + "\n")
    return 0


def _known(episode: Path) -> int:
    """The type of what is in the place of the file, as in stat(2); 0 for nothing. Only a file counts."""
    try:
        return stat.S_IFMT(episode.lstat().st_mode)
    except OSError:
        return 0


def _began(episode: Path) -> str:
    """When the job failed, as the file says; no more of it is read than a time is long."""
    try:
        # The flags keep it from waiting for the writer of a pipe, and from following a link.
        file = os.open(episode, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            content = os.read(file, 40) if stat.S_ISREG(os.fstat(file).st_mode) else b""
        finally:
            os.close(file)
    except OSError:
        content = b""
    return one_line(content.decode(errors="replace")) or "a time that is not known"


def _remove(episode: Path) -> None:
    with suppress(OSError):  # what cannot be removed fails again, and is reported, when it is written
        if _known(episode) == stat.S_IFDIR:
            episode.rmdir()
        else:
            episode.unlink()


def _why(loaded: Loaded) -> list[str]:
    """What the doctor finds, a line for each cause and one for its remedy."""
    lines: list[str] = []
    try:
        from toolkit.checks.diagnosis import causes, examine
        from toolkit.checks.host import Host

        for one in causes(examine(Host(loaded))):
            lines.append(f"{one.status.name} {one.result.check.id}: {one.result.finding.evidence}")
            lines.append(f"mend it: {one.result.command}")
    except Exception as error:  # an alert without a diagnosis is better than none
        lines.append(f"The doctor failed: {type(error).__name__}: {error}")
    return lines or ["The doctor finds nothing wrong now: weather-tool doctor, journalctl -u 'weather-*'"]


def _send(title: str, lines: list[str]) -> None:
    log.warning("%s: %s", one_line(title), "\n".join(one_line(line, LINE_LENGTH) for line in lines[:LINES]))
    urls = credentials.read(Credential.APPRISE_URLS)
    if urls is not None:
        send(urls, title, lines)
