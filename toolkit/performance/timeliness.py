"""How long after their time observations were collected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toolkit.performance.availability import OBSERVATIONS, Rows
from toolkit.performance.report import Timeliness
from toolkit.quality.arrays import Ints
from toolkit.store import Span, Store
from toolkit.store.selection import pieces
from toolkit.store.statistics import DAY, EXACT_SECONDS, HOUR

# The delays that are told apart, in seconds: the first stands for those collected before their time; then those that
# the store tells apart up to a day, and from there to a year steps of a twentieth.
DELAYS = np.concatenate(
    [[-1], np.arange(EXACT_SECONDS), np.arange(EXACT_SECONDS, DAY, 60), DAY * 1.05 ** np.arange(122)]
)


def delays(store: Store, rows: Rows, days: Sequence[Span], observations: Ints) -> Ints:
    """How many observations of each station had each of `DELAYS`; stations × delays.

    A day of many observations is read hour by hour.

    Args:
        store: where they are.
        rows: the stations.
        days: which time.
        observations: how many there are on each day.
    """
    spans = [
        piece
        for day, there in zip(days, observations.tolist(), strict=True)
        for piece in pieces([day], HOUR if there > OBSERVATIONS else DAY)
    ]
    number = np.zeros((rows.number, len(DELAYS)), dtype=np.uint32)
    for read in store.statistics.delays(spans):
        row, (_, delay, of_it) = rows.of_columns(read[:, ~np.isnan(read[1])])
        place = np.searchsorted(DELAYS, np.clip(delay, -1, DELAYS[-1]))
        np.add.at(number, (row, place), of_it.astype(np.uint32))
    return number  # type: ignore[return-value]


def timeliness(number: Ints) -> Timeliness:
    """The timeliness of observations, of which `number` had each of `DELAYS`."""
    late = number[1:].astype(np.int64)
    total = int(late.sum())
    if not total:
        return Timeliness(None, None, None, None, None, int(number[0]))
    up_to = np.cumsum(late)

    def quantile(share: float) -> float:
        return round(float(DELAYS[1:][np.searchsorted(up_to, share * total)]), 1)

    def within(minutes: float) -> float:
        place = np.searchsorted(DELAYS[1:], minutes * 60, side="right")
        return round(int(up_to[place - 1]) / total, 4)

    return Timeliness(quantile(0.5), quantile(0.95), within(15), within(30), within(120), int(number[0]))
