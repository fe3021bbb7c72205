"""An outage is logged when it begins, when its reason changes, and when it is over."""

from __future__ import annotations

import logging
import time
from datetime import datetime

from toolkit.errors import ToolkitError
from toolkit.times import iso, now

log = logging.getLogger(__name__)


class Outage:
    """The outages of one thing, the feed or the store, one after another."""

    def __init__(self, meanwhile: str, begins: str = "") -> None:
        """`meanwhile` is part of the message: what is done as long as an outage lasts; `begins` is its beginning."""
        self._meanwhile = meanwhile
        self._begins = begins
        self._forget()

    def _forget(self) -> None:
        self._last_error = ""
        self._since: datetime | None = None
        self._began = 0.0
        self._attempts = 0

    def failed(self, error: ToolkitError, meanwhile: str = "") -> None:
        """An attempt failed; `meanwhile` says what is done as long as this lasts, if it is not the usual."""
        self._attempts += 1
        if self._since is None:
            self._since, self._began = now(), time.monotonic()
        if str(error) != self._last_error:
            self._last_error = str(error)
            log.warning("%s%s; %s", self._begins, self._last_error, meanwhile or self._meanwhile)

    def ended(self) -> None:
        """An attempt succeeded."""
        if self._since:
            lasted = time.monotonic() - self._began  # the clock may have been set meanwhile
            what = f"{self._begins}well again after {lasted:.0f} s and {self._attempts} failed attempts"
            log.warning("%s: %s", what, self._last_error)
            self._forget()

    def __str__(self) -> str:
        """The present outage in words; empty if there is none."""
        since = self._since  # another thread may ask while it ends
        return f"{self._attempts} failed attempts since {iso(since)}: {self._last_error}" if since else ""
