"""The flags of a station's values as intervals that do not overlap, for plots.

What decides is what `Flags.decisive` says: of its intervals the last one counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from toolkit.console.reading import DAY, Bools, Floats, Ints
from toolkit.store import Span, Store
from toolkit.store.flag_views import FAIL, NOT_EVALUATED, PASS, SUSPECT
from toolkit.store.flags import Decisive
from toolkit.variables import STATION

Interval = tuple[int, int, int, str]
"""Start and end (both included), flag, and what decided."""

# Of several flags in one bucket the one that is worst is shown.
_WORST = (0, NOT_EVALUATED, PASS, SUSPECT, FAIL)


def intervals(store: Store, station: str, names: Sequence[str], span: Span, step: int) -> dict[str, list[Interval]]:
    """What is said of a station's values, by variable, in order.

    Args:
        store: where it is.
        station: of which station.
        names: of which variables.
        span: after its start, up to and including its end.
        step: how long a bucket is, in seconds: intervals have whole ones. 0 for the intervals as they are.
    """
    rows = store.flags.decisive(span, [station])
    return {
        name: list(_of_variable([one for one in rows if one.variable in {name, STATION}], span, step)) for name in names
    }


def fails(said: Sequence[Interval], time: Ints) -> Bools:
    """Which values fail.

    Args:
        said: what is said of them, see `intervals`.
        time: of each value, in order.
    """
    found = np.zeros(len(time), dtype=bool)
    for started, ended, flag, _ in said:
        if flag == FAIL:
            found[time.searchsorted(started) : time.searchsorted(ended, "right")] = True
    return found


def failing(said: Sequence[Interval], first: int, number: int) -> Floats:
    """Which share of some days values fail.

    Args:
        said: what is said of them, see `intervals`.
        first: the first day, days since 1970-01-01, UTC.
        number: of days.
    """
    bounds = (first + np.arange(number + 1)) * DAY
    found = np.zeros(number)
    for started, ended, flag, _ in said:
        if flag == FAIL:
            within = np.clip(bounds, started, ended + 1)
            found += (within[1:] - within[:-1]) / DAY
    return found


def _of_variable(rows: Sequence[Decisive], span: Span, step: int) -> Iterator[Interval]:
    if not rows:
        return
    kinds = {(0, ""): 0}
    first, last = int(span.start) + 1, int(span.end)
    begun = np.array([max(int(one.started), first) for one in rows])
    over = np.array([min(int(one.ended), last) for one in rows]) + 1
    bounds = np.unique(np.concatenate([begun, over]))
    said = np.zeros(len(bounds), np.int64)
    for one, begin, end in zip(rows, bounds.searchsorted(begun), bounds.searchsorted(over), strict=True):
        # What was not evaluated, and what passes, is not worth a colour; what is odd but weather is.
        shown = (one.flag, one.test) if one.test and one.flag != NOT_EVALUATED else (0, "")
        said[begin:end] = kinds.setdefault(shown, len(kinds))
    names = list(kinds)
    if step:
        order = sorted(range(len(names)), key=lambda kind: _WORST.index(names[kind][0]))
        rank = np.argsort(order)
        bounds, said = _in_buckets(bounds, rank[said], step)
        names = [names[kind] for kind in order]
    change = np.flatnonzero(np.diff(said, prepend=-1))
    for place, after in zip(change.tolist(), [*change[1:].tolist(), len(said) - 1], strict=True):
        if said[place] and bounds[place] < bounds[after]:
            yield int(bounds[place]), int(bounds[after]) - 1, *names[said[place]]


def _in_buckets(bounds: Ints, said: Ints, step: int) -> tuple[Ints, Ints]:
    """The bounds of buckets of `step` seconds, and for each bucket the highest rank of what is said within it."""
    start = int(bounds[0]) // step
    found = np.zeros((int(bounds[-1]) - 1) // step - start + 2, np.int64)
    for place in np.flatnonzero(said[:-1]).tolist():
        begin, end = int(bounds[place]) // step - start, (int(bounds[place + 1]) - 1) // step - start + 1
        np.maximum(found[begin:end], said[place], out=found[begin:end])
    return (start + np.arange(len(found))) * step, found
