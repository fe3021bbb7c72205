"""What a worker does, and how its work comes to it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from toolkit.cluster.release import release

OURS = "weather-toolkit "
# Observations are mostly gaps and a few digits: a quarter of them is left, at the speed of a network.
_LEVEL = 1


def resource() -> str:
    """What workers of this release have, and no others; Dask gives our work to a worker that has it."""
    return OURS + release()


def packed(function: Callable[[Any], Any], piece: object) -> bytes:
    """A function of this program and what it is to be applied to."""
    import zstandard

    whole = pickle.dumps((function, piece), protocol=pickle.HIGHEST_PROTOCOL)
    return zstandard.ZstdCompressor(level=_LEVEL).compress(whole)


def applied(work: bytes) -> Any:
    """What the function returns, packed as its work was."""
    import zstandard

    # It comes from the client, whom a worker of Dask obeys anyway.
    function, piece = pickle.loads(zstandard.ZstdDecompressor().decompress(work))  # noqa: S301
    return function(piece)
