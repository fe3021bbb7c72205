"""A network cut into tiles: stations near one another, with a margin of those on which their verdicts depend.

Each tile is judged by itself, and the verdicts are those of a network that is judged in one piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from toolkit.detector.judging import Judging
from toolkit.model import Station
from toolkit.quality.arrays import Bools, Floats, Ints

# So many stations are judged at a time, without those of the margin. A network of fewer is one piece: cut, figures of
# the network have to be gathered first, and margins are judged more than once, so that it takes twice the time.
STATIONS = 128_000
# How many steps from neighbour to neighbour a verdict may depend on. Counted from a station that is judged: its class
# depends on what was found at a neighbour (1). What is found there depends on whether a neighbour of that one is
# excluded, and this on what is found at its own neighbours, in each of the three rounds of `run_tests` (6). What is
# found before any station is excluded depends on the runs of a neighbour (1), and these on what its own neighbours
# imply for it (1).
MARGIN = 9
# The figures of a network are of what is found at each station before any is excluded, and what its neighbours imply.
NEAR = 2


class Tile(NamedTuple):
    """A part of a network.

    Attributes:
        rows: its stations, and those of its margin; rows of the network's grid in ascending order.
        core: whether each of these is judged in this tile; the others are its margin.
        near: whether each is needed for what the tile contributes to the figures of the network.
    """

    rows: Ints
    core: Bools
    near: Bools


def cut(stations: Sequence[Station], station_rows: Ints, how: Judging, most: int = STATIONS) -> Iterator[Tile]:
    """Cut a network into tiles; every row is judged in one of them.

    Args:
        stations: the rows.
        station_rows: for each row, the first row of its station.
        how: how they are judged.
        most: how many stations a tile has at most, without its margin.
    """
    number = int(station_rows.max(initial=-1)) + 1
    if number <= most:
        everywhere = np.ones(len(stations), dtype=bool)
        yield Tile(np.arange(len(stations)), everywhere, everywhere)
        return
    place = np.array([(one.latitude, one.longitude) for one in stations[:number]], dtype=np.float64)
    # What has no place has no neighbours: it is anywhere.
    place = np.nan_to_num(place)
    for chosen in _halved(place, np.arange(number), most):
        core = np.zeros(len(stations), dtype=bool)
        core[chosen] = True
        core = core[station_rows]
        near = with_neighbours(core, station_rows, how, NEAR)
        rows = np.flatnonzero(with_neighbours(near, station_rows, how, MARGIN - NEAR))
        yield Tile(rows, core[rows], near[rows])


def with_neighbours(rows: Bools, station_rows: Ints, how: Judging, steps: int) -> Bools:
    """Some rows of a network and their neighbours, with all rows of each station.

    Args:
        rows: which.
        station_rows: for each row, the first row of its station.
        how: how they are judged.
        steps: how often those that are near one that is wanted are wanted, too.
    """
    wanted = rows.copy()
    for _ in range(steps):
        for one in (how.neighbours, *how.of_variable.values()):
            wanted[one.rows[wanted][one.exists[wanted]]] = True
        whole = np.zeros(len(wanted), dtype=bool)
        whole[station_rows[wanted]] = True
        wanted = whole[station_rows]
    return wanted


def _halved(place: Floats, rows: Ints, most: int) -> Iterator[Ints]:
    """The rows in groups of at most `most`, by halving them along the longer side of their extent.

    Args:
        place: degrees of latitude and longitude; rows × 2.
        rows: those that are divided, in ascending order.
        most: how many a group has at most.
    """
    if len(rows) <= most:
        yield rows
        return
    here = place[rows]
    sides = np.ptp(here, axis=0) * [1.0, np.cos(np.radians(np.abs(here[:, 0]).mean()))]
    order = np.argsort(here[:, int(np.argmax(sides))], kind="stable")
    half = len(rows) // 2
    for part in (order[:half], order[half:]):
        yield from _halved(place, np.sort(rows[part]), most)
