"""Saying what goes wrong once when it begins, once when it changes, and once when it is over."""

from __future__ import annotations

import logging
import time
from datetime import datetime

from toolkit.errors import ToolkitError
from toolkit.times import iso, now

log = logging.getLogger(__name__)


class Trouble:
    """One thing that may fail for a while: the feed, or the store."""

    def __init__(self, meanwhile: str) -> None:
        """`meanwhile` says what is done as long as it lasts."""
        self._meanwhile = meanwhile
        self._forget()

    def _forget(self) -> None:
        self._said = ""
        self._since: datetime | None = None
        self._began = 0.0
        self._attempts = 0

    def met(self, error: ToolkitError) -> None:
        """It failed."""
        self._attempts += 1
        if self._since is None:
            self._since, self._began = now(), time.monotonic()
        if str(error) != self._said:
            self._said = str(error)
            log.warning("%s; %s", self._said, self._meanwhile)

    def over(self) -> None:
        """It works."""
        if self._since:
            lasted = time.monotonic() - self._began  # the clock may have been set meanwhile
            log.warning("well again after %.0f s and %d failed attempts: %s", lasted, self._attempts, self._said)
            self._forget()

    def __str__(self) -> str:
        """The trouble in words; empty when there is none."""
        return f"{self._attempts} failed attempts since {iso(self._since)}: {self._said}" if self._since else ""
