"""Failures that a user can understand and act on."""

from __future__ import annotations

import os
import pwd


class ToolkitError(Exception):
    """A failure that a user can understand and act on: a line on stderr, exit code 1."""

    exit_code = 1


class UsageError(ToolkitError):
    """A wrong option or setting: nothing was tried, exit code 2."""

    exit_code = 2


class InUseError(ToolkitError):
    """Another process is at work where only one may be. It is no fault of the program: no traceback is shown."""


def reason(error: OSError) -> str:
    """The system's message, as part of a sentence."""
    message = (error.strerror or str(error)).lower()
    # On a host the command runs as the service user, whoever calls it.
    return f"{message} for the user {_user()}" if isinstance(error, PermissionError) else message


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
