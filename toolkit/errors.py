"""What a command says when it cannot do its work."""

from __future__ import annotations

import os
import pwd


class ToolkitError(Exception):
    """A failure that a user can understand and act on: one line on stderr, exit code 1."""

    exit_code = 1


class UsageError(ToolkitError):
    """A wrong option or setting: nothing was tried, exit code 2."""

    exit_code = 2


class InUseError(ToolkitError):
    """Another process is at work where only one may be: no failure of the program, so no traceback is shown of it."""


def reason(error: OSError) -> str:
    """What the system says, as part of a sentence."""
    said = (error.strerror or str(error)).lower()
    # On a host it is not the person who called the command to whom it is denied.
    return f"{said} for the user {_user()}" if isinstance(error, PermissionError) else said


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
