"""A part of a network that is too large to be shown at once: of a box of the map, of what people look for."""

from __future__ import annotations

import json
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from toolkit.console.network_now import NetworkNow
from toolkit.console.state import STATES

Places = npt.NDArray[np.intp]

# A network of more stations is told in parts.
LARGE = 10_000
# A part has so many stations at most.
MOST = 5_000
# So long parts are told from what was read at once, in seconds: 100,000 stations take some seconds to read.
KEPT_SECONDS = 30


class Part(BaseModel):
    """Which stations of a large network are asked for.

    Attributes:
        west, east, south, north: a box, in degrees; west and east may be beyond ±180. All of them or none.
        q: in a station's id or name, whatever its case and accents.
        state: names of states, separated by commas; empty for all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    west: float | None = Field(None, ge=-540, le=540)
    east: float | None = Field(None, ge=-540, le=540)
    south: float | None = Field(None, ge=-90, le=90)
    north: float | None = Field(None, ge=-90, le=90)
    q: str = Field("", max_length=200)
    state: str = Field("", max_length=200)

    @model_validator(mode="after")
    def _box(self) -> Part:
        given = [one is not None for one in (self.west, self.east, self.south, self.north)]
        if any(given) and not all(given):
            raise ValueError("a box has west, east, south and north: give all of them")
        return self


class LargeNetwork:
    """A network of which parts are told."""

    def __init__(self, now: NetworkNow) -> None:
        self._now = now
        self._ids = list(now.stations)
        self._latitude, self._longitude = (
            np.array([getattr(one, name) for one in now.stations.values()], dtype=np.float64)
            for name in ("latitude", "longitude")
        )
        self._rank = np.array([STATES.index(now.states[name]) for name in self._ids], dtype=np.int8)

    def told(self, part: Part) -> Iterator[bytes]:
        """A part as JSON, with what there is to say of all stations."""
        found = self._found(part)
        number = len(found)
        if number > MOST:
            found = found[thinned(self._latitude[found], self._longitude[found], self._rank[found], MOST)]
        counted = Counter(self._rank.tolist())
        about = {
            "number": len(self._ids),
            "found": number,
            "states": {STATES[rank]: counted[rank] for rank in sorted(counted)},
            "newest": int(self._now.newest.max()) if len(self._now.newest) else None,
            "unplaced": int(np.isnan(self._latitude).sum()),
            "box": self._box,
        }
        yield from self._now.written((self._ids[one] for one in found), b'"all":%s,' % json.dumps(about).encode())

    @cached_property
    def _box(self) -> list[float] | None:
        """West, south, east and north of all stations; None where none has a place."""
        placed = ~np.isnan(self._latitude)
        if not placed.any():
            return None
        latitude, longitude = self._latitude[placed], self._longitude[placed]
        # Side by side also where they lie on both sides of 180°.
        across = np.where(longitude < 0, longitude + 360, longitude)
        shown = across if np.ptp(across) < np.ptp(longitude) else longitude
        return [float(one) for one in (shown.min(), latitude.min(), shown.max(), latitude.max())]

    @cached_property
    def _texts(self) -> list[str]:
        """What a word is looked for in, of each station."""
        return [
            _plain("\n".join(filter(None, (name, one.station_name_en, one.station_name_gr))))
            for name, one in self._now.stations.items()
        ]

    def _found(self, part: Part) -> Places:
        """The places of the stations of a part."""
        wanted = np.ones(len(self._ids), dtype=bool)
        if part.west is not None and part.east is not None and part.south is not None and part.north is not None:
            wanted &= (self._latitude >= part.south) & (self._latitude <= part.north)
            wanted &= (self._longitude - part.west) % 360 <= part.east - part.west
        if ranks := [STATES.index(name) for name in STATES if name in part.state.split(",")]:
            wanted &= np.isin(self._rank, ranks)
        if word := _plain(part.q):
            wanted &= np.array([word in text for text in self._texts])
        return np.flatnonzero(wanted)


def thinned(
    latitude: npt.NDArray[np.float64], longitude: npt.NDArray[np.float64], rank: npt.NDArray[np.int8], most: int
) -> Places:
    """So many stations that no region is empty that has one: the worst of each cell of a grid, then the worst of all.

    Args:
        latitude: degrees; NaN where a station has no place.
        longitude: degrees; NaN where a station has no place.
        rank: of its state, the worst first.
        most: how many are wanted, fewer than there are.

    Returns:
        Their places, in order.
    """
    side = int((most - 1) ** 0.5)

    def along(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        low, high = np.nanmin(degrees), np.nanmax(degrees)
        return np.minimum((np.nan_to_num(degrees - low) / max(high - low, 1e-9) * side).astype(np.int64), side - 1)

    placed = ~np.isnan(latitude)
    cell = np.where(placed, along(latitude) * side + along(longitude), -1) if placed.any() else np.full(len(rank), -1)
    order = np.lexsort((rank, cell))
    first = order[np.flatnonzero(np.diff(cell[order], prepend=-2))]
    others = np.ones(len(rank), dtype=bool)
    others[first] = False
    rest = np.flatnonzero(others)
    rest = rest[np.argsort(rank[rest], kind="stable")][: most - len(first)]
    return np.sort(np.concatenate([first, rest]))


class Kept:
    """A large network as it was read last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._network: LargeNetwork | None = None
        self._until = 0.0

    @property
    def is_large(self) -> bool:
        """Whether the network was large when it was read last."""
        return self._network is not None

    def told(self, part: Part, read: Callable[[], NetworkNow]) -> Iterator[bytes]:
        """A part of the network, or all of one that is not large, as JSON.

        Args:
            part: which stations of a large network.
            read: reads the network.
        """
        with self._lock:
            network = self._network
            if network is None or time.monotonic() > self._until:
                self._network = None
                now = read()
                if len(now.stations) <= LARGE:
                    return now.written(now.stations)
                network = self._network = LargeNetwork(now)
                self._until = time.monotonic() + KEPT_SECONDS
        return network.told(part)


def _plain(text: str) -> str:
    """Text without case and accents, as people type it."""
    if not text.isascii():
        text = "".join(one for one in unicodedata.normalize("NFD", text) if unicodedata.category(one)[0] != "M")
    return text.lower().strip()
