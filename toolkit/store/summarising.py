"""Filling the table `daily`, day by day."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from toolkit.store.daily import DAY
from toolkit.times import from_stored
from toolkit.variables import MEASURED

if TYPE_CHECKING:
    from toolkit.store.base import Store

# So long one run of maintenance looks at days; the next one goes on.
BUDGET_SECONDS = 600.0


def summarise(store: Store, present: float, pause: Callable[[], None]) -> None:
    """Look at the days that have been over for a day, and of which nothing is known.

    Args:
        store: open for writing.
        present: seconds since the epoch.
        pause: called between steps.
    """
    until, known = time.monotonic() + BUDGET_SECONDS, {*store.daily.days()}
    following = store.oldest()
    while following and time.monotonic() < until:
        day = int(from_stored(following).timestamp()) // DAY
        if day >= int(present - DAY) // DAY:
            return
        if day not in known:
            summarise_day(store, day)
            pause()
        following = store.oldest((day + 1) * DAY - 1)


def summarise_day(store: Store, day: int) -> None:
    """Look at a day, days since 1970-01-01."""
    with store.transaction():
        store.daily.begin(day)
    for variable in (None, *MEASURED):
        with store.transaction():
            store.daily.add(day, variable)
    with store.transaction():
        store.daily.finish(day)
