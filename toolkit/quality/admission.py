"""Which of a feed's values are taken into the store: the rule of docs/observations.md.

A value that is physically impossible becomes NULL, and is kept among the rejected ones; a row whose time is impossible
is left out. Both are counted by reason. Whether a possible value is a likely one is for the detector to say.
"""

from __future__ import annotations

from collections import Counter

from toolkit.clock import AHEAD_SECONDS
from toolkit.feed.document import Document, Observation, Rejected
from toolkit.variables import BY_NAME

_LIMITS = [
    (place, name, BY_NAME[name].low, BY_NAME[name].high)
    for place, name in enumerate(Observation._fields)
    if name in BY_NAME
]


def admit(document: Document, present: float) -> Document:
    """The document without what cannot be true.

    Args:
        document: what the feed offered.
        present: seconds since the epoch, as `clock.present` tells it: a host without a clock of its own wakes up in
            the past, and must not take all weather for the future.
    """
    left_out = Counter(document.left_out)
    observations = []
    rejected: list[Rejected] = []
    for observation in document.observations:
        if observation.time > present + AHEAD_SECONDS:
            left_out["time in the future"] += 1
        else:
            observations.append(_possible(observation, left_out, rejected))
    return Document(document.stations, observations, left_out, rejected)


def _possible(observation: Observation, left_out: Counter[str], rejected: list[Rejected]) -> Observation:
    wrong = None
    for place, name, low, high in _LIMITS:
        value = observation[place]
        if value is not None and not low <= value <= high:  # type: ignore[operator]
            left_out[f"{name} out of range"] += 1
            rejected.append(Rejected(observation.time, observation.station_id, name, float(value)))
            wrong = [*(wrong or observation)]
            wrong[place] = None
    return Observation._make(wrong) if wrong else observation
