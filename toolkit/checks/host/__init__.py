"""What checks look at: settings, units, files, the database, backups, the feed, the clock; each looked up once.

Nothing here is changed, and every look is bounded in time. Only the standard library is needed to begin with: the
doctor has to work where packages are missing.
"""

from __future__ import annotations

import time

from toolkit.checks.host.backups import Backups
from toolkit.checks.host.database import Database
from toolkit.checks.host.facts import fact
from toolkit.checks.host.feed import Feed
from toolkit.checks.host.files import Files
from toolkit.checks.host.systemd import Systemd


class Host(Systemd, Files, Database, Backups, Feed):
    """The machine, the service on it, and what it depends on."""

    @fact
    def now(self) -> float:
        """The host's clock when it was asked first, seconds since the epoch."""
        return time.time()
