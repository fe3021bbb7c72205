"""Work on rows of large arrays, some at a time: they fit into a processor's cache, and numpy lets others run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

ROWS = 256
"""So many rows are worked on at a time."""


def by_rows(work: Callable[[slice], Sequence[npt.NDArray[Any]]], rows: int) -> list[npt.NDArray[Any]]:
    """What a function returns for some rows, for all of them; on all processors.

    Args:
        work: of some rows; it returns arrays whose first axis is these rows.
        rows: how many there are.
    """
    first = work(slice(0, min(ROWS, rows)))
    if rows <= ROWS:
        return list(first)
    # Written where they stay: a list of parts to be joined would take the memory twice.
    found = [np.empty((rows, *one.shape[1:]), one.dtype) for one in first]

    def fill(start: int) -> None:
        block = slice(start, min(start + ROWS, rows))
        for whole, part in zip(found, work(block) if start else first, strict=True):
            whole[block] = part

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(fill, range(0, rows, ROWS)):
            pass
    return found
