"""The tables that both engines have in the same form, by subject."""

from __future__ import annotations

from toolkit.store.accounts import Accounts
from toolkit.store.daily import Daily
from toolkit.store.dialect import Dialect
from toolkit.store.flags import Flags
from toolkit.store.incidents import Incidents
from toolkit.store.sources import Sources
from toolkit.store.station_records import StationRecords
from toolkit.store.statistics import Statistics


class Tables:
    """The part of a store that the engines share."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @property
    def incidents(self) -> Incidents:
        """See `base.Store`."""
        return Incidents(self._dialect)

    @property
    def flags(self) -> Flags:
        """See `base.Store`."""
        return Flags(self._dialect)

    @property
    def accounts(self) -> Accounts:
        """See `base.Store`."""
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
        return Daily(self._dialect)

    @property
    def statistics(self) -> Statistics:
        """See `base.Store`."""
        return Statistics(self._dialect)
