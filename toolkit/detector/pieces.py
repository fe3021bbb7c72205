"""A network judged piece by piece, each at one cadence of reports; the anomalies are those of one piece that is all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import Any, Protocol, TypeVar

import numpy as np

from toolkit.detector.explaining import Explaining
from toolkit.detector.piece import Judged, Parts, Piece, answers, gathered, judge
from toolkit.detector.report import Anomaly
from toolkit.detector.tiles import Tile
from toolkit.quality.network import Question

Found = TypeVar("Found")


class Map(Protocol):
    """Applies a function to each of some pieces, in order; `map` does. Function, pieces and results can be pickled."""

    def __call__(self, function: Callable[[Piece], Found], pieces: Iterable[Piece], /) -> Iterable[Found]:
        """What the function returns for each piece."""


def anomalies(network: Piece, tiles: Sequence[Tile], explaining: Explaining | None, apply: Map = map) -> list[Anomaly]:
    """The anomalies of the rows that are asked for.

    Args:
        network: all of it.
        tiles: how it is cut.
        explaining: is told why its station is judged as it is, if that is one of these rows.
        apply: does the work.
    """
    if len(tiles) == 1:
        return judge(network, explaining).anomalies
    network = replace(network, grid=replace(network.grid, of_network=network.grid.in_network(network.measured)))
    network = replace(network, known=_joined(apply(gathered, _cut(network, map(_near, tiles)))))
    wanted = [tile for tile in tiles if network.asked[tile.rows[tile.core]].any()]
    found = _judged(network, wanted, explaining, apply)
    while questions := _questions(found):
        network = replace(network, known=_answered(network, tiles, questions, apply))
        found = _judged(network, wanted, explaining, apply)
    if limited := _limited(found) and _limited(_judged(network, tiles, None, apply)):
        found = _judged(replace(network, rounds=limited), wanted, explaining, apply)
    return [anomaly for one in found for anomaly in one.anomalies]


def _cut(network: Piece, tiles: Iterable[Tile]) -> Iterator[Piece]:
    """A network's pieces, each made when it is asked for."""
    for tile in tiles:
        yield replace(
            network,
            grid=network.grid.rows(tile.rows),
            how=network.how.part(tile.rows),
            core=tile.core,
            asked=network.asked[tile.rows] & tile.core,
        )


def _near(tile: Tile) -> Tile:
    """A tile without the part of its margin on which only verdicts depend."""
    return Tile(tile.rows[tile.near], tile.core[tile.near], tile.near[tile.near])


def _judged(network: Piece, tiles: Sequence[Tile], explaining: Explaining | None, apply: Map) -> list[Judged]:
    """What comes of each tile. That of a station which is to be explained is judged here."""
    if explaining is None:
        return list(apply(judge, _cut(network, tiles)))
    row = next(row for row, one in enumerate(network.grid.stations) if one.station_id == explaining.station_id)
    here = [network.asked[row] and row in tile.rows[tile.core] for tile in tiles]
    if any(here):
        explaining.begin()
    found = [judge(piece, explaining) for piece in _cut(network, compress(tiles, here))]
    return [*found, *apply(judge, _cut(network, compress(tiles, (not one for one in here))))]


def _joined(parts: Iterable[Parts]) -> dict[str, dict[Any, Any]]:
    """The figures of the network."""
    all_parts = list(parts)
    return {
        variable: {
            name: figure.joined([part[variable][name][1] for part in all_parts]) for name, (figure, _) in of_it.items()
        }
        for variable, of_it in all_parts[0].items()
    }


def _questions(found: Sequence[Judged]) -> dict[str, set[Question]]:
    """What has to be asked of all stations."""
    questions: dict[str, set[Question]] = {}
    for one in found:
        for variable, of_it in one.questions.items():
            questions.setdefault(variable, set()).update(of_it)
    return questions


def _answered(
    network: Piece, tiles: Sequence[Tile], questions: Mapping[str, set[Question]], apply: Map
) -> dict[str, dict[Any, Any]]:
    """What is known of the network, with the answers to some questions."""
    known = {variable: dict(of_it) for variable, of_it in network.known.items()}
    asked = (replace(piece, questions=questions) for piece in _cut(network, map(_near, tiles)))
    all_answers = list(apply(answers, asked))
    for variable, of_it in questions.items():
        for question in of_it:
            known[variable][question] = np.concatenate([one[variable][question] for one in all_answers])
    return known


def _limited(found: Sequence[Judged]) -> dict[str, int]:
    """By variable, how many rounds of exclusions the network makes, where tiles made more and that may matter.

    A network ends with the first round after which no station is compared anew; a tile does not know of the others.
    """
    limited = {}
    for variable in {name for one in found for name in one.rounds}:
        of_tiles = [one.rounds[variable] for one in found]
        for number, in_round in enumerate(zip(*of_tiles, strict=True)):
            if not any(again for _, again in in_round):
                if any(excluded for rounds in of_tiles for excluded, _ in rounds[number + 1 :]):
                    limited[variable] = number + 1
                break
    return limited
