"""What is known of the network now: its stations with their states, newest values and these values' flags."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolkit.api import latest, parameters, rows
from toolkit.api.edr import places
from toolkit.console.state import State, active_incidents, states_with
from toolkit.model import Station
from toolkit.query.source_states import freshness
from toolkit.settings import Settings
from toolkit.store import Store
from toolkit.text import clean
from toolkit.variables import BY_NAME, Variable


@dataclass(frozen=True, slots=True)
class NetworkNow:
    """The network now.

    Attributes:
        stations: all of them, by id.
        states: the state of each, by id.
        incidents: how many active incidents stations have that have some, by id.
        fresh: the age in seconds at which a station's newest observation is old, by id.
        variables: the names of the variables of which there is a value.
        row: the place in the arrays of each station that was observed, by id.
        newest: when these were observed last, seconds since the epoch.
        values: the values of then, NaN where there is none; observed stations × variables.
        flags: their QARTOD flags; observed stations × variables.
    """

    stations: Mapping[str, Station]
    states: Mapping[str, State]
    incidents: Mapping[str, int]
    fresh: Mapping[str, float]
    variables: list[str]
    row: Mapping[str, int]
    newest: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    flags: npt.NDArray[np.int8]

    def written(self, names: Iterable[str], more: bytes = b"") -> Iterator[bytes]:
        """Some of the stations as JSON, one by one to save memory; `more` is further members of it."""
        main = [name for name in self.variables if not (BY_NAME[name].follows or _speed(name).follows)]
        yield b'{"variables":%s,"main":%s,%s"stations":[' % (
            json.dumps(self.variables).encode(),
            json.dumps(main).encode(),
            more,
        )
        separator = b""
        for name in names:
            one, at = self.stations[name], self.row.get(name)
            values = [] if at is None else self.values[at].tolist()
            shown = {
                "id": name,
                "name_en": clean(one.station_name_en or ""),
                "name_gr": clean(one.station_name_gr or ""),
                "latitude": one.latitude,
                "longitude": one.longitude,
                "elevation": one.elevation,
                "state": self.states[name],
                "incidents": self.incidents.get(name, 0),
                "newest": None if at is None else int(self.newest[at]),
                "fresh_seconds": self.fresh[name],
                "values": [None if x != x else x for x in values],  # noqa: PLR0124 - NaN
                "flags": [] if at is None else self.flags[at].tolist(),
            }
            yield separator + json.dumps(shown, separators=(",", ":")).encode()
            separator = b","
        yield b"]}"


def network_now(store: Store, settings: Settings, clock: rows.Clock) -> NetworkNow:
    """Read the network as it is now.

    Raises:
        Problem: it takes too long.
    """
    stations = places(store)
    wanted = parameters.wanted(None, "all")
    newest = latest.read(store, clock, parameters.Period(), wanted, [])
    variables = [name for name in rows.measured(newest, wanted, named=False) if name in newest.values]
    shape = len(variables), len(newest.station)
    incidents = active_incidents(store)
    names = list(stations)
    return NetworkNow(
        stations=stations,
        states=states_with(store, settings, time.time(), incidents),
        incidents={name: len(some) for name, some in incidents.items()},
        fresh=dict(zip(names, freshness(settings).of(names, store.owners), strict=True)),
        variables=variables,
        row={newest.stations[number]: place for place, number in enumerate(newest.station.tolist())},
        newest=newest.time,
        values=np.array([newest.values[name] for name in variables]).reshape(shape).T,
        flags=np.array([newest.flags[name] for name in variables]).reshape(shape).T,
    )


def _speed(name: str) -> Variable:
    """The variable that tells whether there is wind, for a direction; the same variable for others."""
    return BY_NAME[BY_NAME[name].speed or name]
