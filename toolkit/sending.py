"""Sending text to people by apprise. Whom to, a credential says: addresses in apprise's form, one a line."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from toolkit.errors import ToolkitError, reason
from toolkit.text import one_line

SEND_SECONDS = 60
LINE_LENGTH = 2000
LINES = 100
_MARK = 4


class NoAnswerError(ToolkitError):
    """It is not known whether somebody was told."""


class ProgramError(ToolkitError):
    """Apprise is not installed, or does not run."""


class Receiver(NamedTuple):
    """One line of a credential.

    Attributes:
        mark: by what it is known again. It tells nothing of the address, which may hold a secret.
        shown: as people may see it.
        address: the line.
    """

    mark: str
    shown: str
    address: str


def receivers(text: str) -> list[Receiver]:
    """The receivers that a credential names."""
    found: dict[str, Receiver] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        address = line.strip()
        if not address or address.startswith("#"):
            continue
        mark = sha256(address.encode()).hexdigest()[:_MARK]
        while mark in found and found[mark].address != address:
            mark += "x"
        scheme = one_line(address.partition("://")[0], 20) if "://" in address else "?"
        found.setdefault(mark, Receiver(mark, f"line {number} ({scheme}://…)", address))
    return list(found.values())


def send(addresses: str, title: str, lines: Sequence[str]) -> None:
    """Send a text to everybody whom the lines of `addresses` name.

    Raises:
        NoAnswerError: there was no answer in time.
        ToolkitError: somebody could not be told.
    """
    text = "\n".join(_indent(line) + one_line(line, LINE_LENGTH) for line in lines[:LINES])
    if _apprise(addresses, f"--title={one_line(title)}", text=text).returncode:
        raise ToolkitError("nobody could be told: apprise failed; see its own log by `apprise -vv`")


def try_out(addresses: str, seconds: float) -> None:
    """Have apprise read the lines of `addresses`, and tell nobody.

    Raises:
        NoAnswerError: there was no answer within `seconds`.
        ProgramError: apprise is not there, or does not run.
        ToolkitError: it cannot use one of them. What it says may hold secrets, and is not repeated.
    """
    done = _apprise(addresses, "--dry-run", text="try", seconds=seconds)
    if b"Traceback " in done.stderr:
        raise ProgramError("apprise does not run: one of its modules is missing or damaged")
    if done.returncode or b" - ERROR - " in done.stdout + done.stderr:  # releases differ in where they say it
        raise ToolkitError("apprise cannot use one of the addresses: see `apprise --dry-run -vv`")


def _apprise(
    addresses: str, *options: str, text: str, seconds: float = SEND_SECONDS
) -> subprocess.CompletedProcess[bytes]:
    # Neither the text nor an address is an argument, which has a limit, and which other users can see.
    config = os.memfd_create("apprise_urls")
    try:
        os.write(config, addresses.encode())
        command = ["apprise", *options, f"--config=/proc/self/fd/{config}"]
        environment = {**os.environ, "PYTHONUTF8": "1"}
        return subprocess.run(  # noqa: S603
            command, input=text.encode(), env=environment, capture_output=True, timeout=seconds, check=False,
            pass_fds=[config],
        )  # fmt: skip
    except FileNotFoundError:
        raise ProgramError("apprise is not installed: apt-get install apprise") from None
    except subprocess.TimeoutExpired:
        raise NoAnswerError(f"nobody could be told: no answer for {seconds:g} s") from None
    except OSError as error:
        raise ToolkitError(f"nobody could be told: {reason(error)}") from error
    finally:
        os.close(config)


def _indent(line: str) -> str:
    return " " * min(len(line) - len(line.lstrip(" ")), 8)
