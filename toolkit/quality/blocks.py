"""Work on rows of large arrays, some at a time: they fit into a processor's cache, and numpy lets others run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

FEW, ROWS = 256, 1024
"""So many rows one processor works on; of more rows so many at a time at most: with fewer, starting costs more than
working, and more take memory."""


def by_rows(work: Callable[[slice], Sequence[npt.NDArray[Any]]], rows: int) -> list[npt.NDArray[Any]]:
    """What a function returns for some rows, for all of them; on all processors.

    Args:
        work: of some rows; it returns arrays whose first axis is these rows.
        rows: how many there are.
    """
    first = work(slice(0, min(FEW, rows)))
    if rows <= FEW:
        return list(first)
    # Written where they stay: a list of parts to be joined would take the memory twice.
    found = [np.empty((rows, *one.shape[1:]), one.dtype) for one in first]

    def fill(block: slice, parts: Sequence[npt.NDArray[Any]]) -> None:
        for whole, part in zip(found, parts, strict=True):
            whole[block] = part

    def some(start: int) -> None:
        block = slice(start, min(start + size, rows))
        fill(block, work(block))

    fill(slice(0, FEW), first)
    processors = os.cpu_count() or 1
    size = min(ROWS, -(-(rows - FEW) // processors))
    with ThreadPoolExecutor(processors) as pool:
        for _ in pool.map(some, range(FEW, rows, size)):
            pass
    return found
