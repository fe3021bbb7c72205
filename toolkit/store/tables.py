"""The tables that both engines have in the same form, by subject.

Those that a collector does not use are loaded when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.store.dialect import Dialect
from toolkit.store.sources import Sources
from toolkit.store.station_records import StationRecords
from toolkit.variables import BY_NAME

if TYPE_CHECKING:
    from toolkit.store.accounts import Accounts
    from toolkit.store.daily import Daily
    from toolkit.store.flags import Flags
    from toolkit.store.incidents import Incidents
    from toolkit.store.statistics import Statistics


class Tables:
    """The part of a store that the engines share."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def tells_since(self, time: float) -> bool:
        """See `base.Store`."""
        told = " OR ".join(f"{name} IS NOT NULL" for name in BY_NAME)
        found = self._dialect.query(
            f"SELECT 1 FROM observations WHERE time > ? AND ({told}) LIMIT 1", [self._dialect.time(time)]
        )
        return bool(found)

    @property
    def incidents(self) -> Incidents:
        """See `base.Store`."""
        from toolkit.store.incidents import Incidents

        return Incidents(self._dialect)

    @property
    def flags(self) -> Flags:
        """See `base.Store`."""
        from toolkit.store.flags import Flags

        return Flags(self._dialect)

    @property
    def accounts(self) -> Accounts:
        """See `base.Store`."""
        from toolkit.store.accounts import Accounts

        return Accounts(self._dialect)

    @property
    def records(self) -> StationRecords:
        """See `base.Store`."""
        return StationRecords(self._dialect)

    @property
    def sources(self) -> Sources:
        """See `base.Store`."""
        return Sources(self._dialect)

    @property
    def daily(self) -> Daily:
        """See `base.Store`."""
        from toolkit.store.daily import Daily

        return Daily(self._dialect)

    @property
    def statistics(self) -> Statistics:
        """See `base.Store`."""
        from toolkit.store.statistics import Statistics

        return Statistics(self._dialect)
