"""Who runs a command, and where."""

from __future__ import annotations

from enum import Enum, auto


class As(Enum):
    """Who runs a command that mends a finding."""

    ANYBODY = auto()
    """Root on a host, the container's user in a container."""
    ROOT = auto()
    """Root, also in a container."""
    SERVICE = auto()
    """The service user."""
    MACHINE = auto()
    """Root of the machine itself, also where the service is in a container on it."""
