"""The memory of this process."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Give what is free back to the system.

    The GNU C library keeps it otherwise where a small piece that is still used lies behind it (malloc_trim(3)); others
    have no such function.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
