"""A month as people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from toolkit.errors import UsageError
from toolkit.times import FIRST_YEAR, LAST_YEAR, from_epoch

LAST = "LAST"
# The folder within that of the reports: months are kept when reports and their pages are removed.
FOLDER = "network"


@dataclass(frozen=True, slots=True)
class Month:
    """A month in UTC: after `start`, up to and including `end`, seconds since the epoch.

    Attributes:
        name: `YYYY-MM`.
        start: when it begins.
        end: when the next one begins; the present, if it is not over.
        over: whether it is over.
    """

    name: str
    start: float
    end: float
    over: bool


def month(text: str, now: float) -> Month:
    """The month that an option names.

    Args:
        text: `YYYY-MM`, or LAST for the newest that is over.
        now: the present, seconds since the epoch.

    Raises:
        UsageError: it is no month, or in the future.
    """
    present = from_epoch(now)
    last = datetime(present.year, present.month, 1, tzinfo=UTC) - timedelta(days=1)
    if text.upper() == LAST:
        first = datetime(last.year, last.month, 1, tzinfo=UTC)
    else:
        found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text, re.ASCII)
        if not found or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
            raise UsageError(f"--month={text!r}: give a month as YYYY-MM, such as {last:%Y-%m}, or {LAST}")
        first = datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC)
    if first >= present:
        raise UsageError(f"--month={text}: it is in the future; the newest month that is over is {last:%Y-%m}")
    after = datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)
    return Month(f"{first:%Y-%m}", first.timestamp(), min(after, present).timestamp(), after <= present)
