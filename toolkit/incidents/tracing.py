"""Trouble that a run meets at the edge of its window began before: since when is looked for in earlier windows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from toolkit.incidents import kinds
from toolkit.incidents.trouble import Sensor, Trouble, of_report
from toolkit.settings import Settings
from toolkit.sources import cadences_of
from toolkit.store import Selection, Span, Store
from toolkit.store.incidents import ACTIVE, IncidentFilter, Kind
from toolkit.variables import STATION

# So far back, at most.
MOST_SECONDS = 31 * 86_400.0
# Of more than so many sensors in one run the start is not looked for; nor in more than so many windows for all of them.
MOST_SENSORS = 8
MOST_WINDOWS = 40


def traced(store: Store, settings: Settings, window: Span, troubles: Sequence[Trouble]) -> list[Trouble]:
    """The same trouble; where it belongs to no known incident, with the time when it really began.

    Args:
        store: where the observations and incidents are.
        settings: those of the run.
        window: of the run.
        troubles: what the run saw.
    """
    cadences = cadences_of(settings)
    edge = window.start + 2 * max([*cadences.of_source.values()] or [cadences.usual])
    at_edge = [one for one in troubles if one.started <= edge and not one.weather]
    if not at_edge:
        return list(troubles)
    known = {(one.station_id, one.variable, one.kind) for one in store.incidents.find(IncidentFilter(states=ACTIVE))}
    new = [one for one in at_edge if (*one.sensor, one.kind) not in known]
    new = sorted(new, key=lambda one: -kinds.rank(one.severity))[:MOST_SENSORS]
    past = _Past(store, settings, window)
    began = {id(one): past.missing_since(one) if one.kind == "data_missing" else past.wrong_since(one) for one in new}
    return [one._replace(started=min(one.started, began.get(id(one), one.started))) for one in troubles]


class _Past:
    """What was before the window of a run."""

    def __init__(self, store: Store, settings: Settings, window: Span) -> None:
        self._store = store
        self._settings = settings
        self._window = window
        self._looked = 0
        self._starts = cache(self._look)

    def missing_since(self, trouble: Trouble) -> float:
        """Since when there is no value: one cadence after the last."""
        first = self._window.start - MOST_SECONDS
        station, variable = trouble.sensor
        last = first
        for one in self._store.observations(Selection(first, trouble.started, [station])):
            if variable == STATION or getattr(one, variable, None) is not None:
                last = one.time
        (cadence,) = cadences_of(self._settings).of([station], self._store.owners)
        return last + cadence if last > first else trouble.started

    def wrong_since(self, trouble: Trouble) -> float:
        """Since when the detector sees it: it is looked for twice as far back each time, then in between."""
        of_it = trouble.sensor, trouble.kind
        most = int(MOST_SECONDS // (self._window.end - self._window.start))
        seen, unseen = 0, 1
        while unseen <= most and of_it in self._starts(unseen):
            seen, unseen = unseen, 2 * unseen
        unseen = min(unseen, most + 1)
        while unseen - seen > 1:
            middle = (seen + unseen) // 2
            seen, unseen = (middle, unseen) if of_it in self._starts(middle) else (seen, middle)
        return self._starts(seen)[of_it] if seen else trouble.started

    def _look(self, back: int) -> dict[tuple[Sensor, Kind], float]:
        """When trouble began in the window that is so many windows before the run's."""
        from toolkit.detector.run import detect

        self._looked += 1
        if self._looked > MOST_WINDOWS:
            return {}
        end = self._window.end - back * (self._window.end - self._window.start)
        starts: dict[tuple[Sensor, Kind], float] = {}
        for one in of_report(detect(self._store, self._settings, end)):
            if not one.weather:
                starts[one.sensor, one.kind] = min(one.started, starts.get((one.sensor, one.kind), one.started))
        return starts
