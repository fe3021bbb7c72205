"""How much room a backup needs, where it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.backup.folder import Backup

# The size of a packed database is at most this part of its size, unless the newest backup was larger.
PACKED_PART = 0.5
# What is left for others.
SPARE_BYTES = 16 << 20


def room_for(size: int, others: Sequence[Backup]) -> float:
    """The bytes that a backup of a database takes while it is made: a copy, and the packed one.

    Args:
        size: of the database, in bytes.
        others: the backups that are there, the newest first.
    """
    return size * (1 + _packed_part(others))


def _packed_part(others: Sequence[Backup]) -> float:
    """The size of a packed database at most, as a part of its size."""
    for newest in others[:1]:
        return min(1.0, 1.2 * newest.manifest.bytes / newest.manifest.bytes_unpacked)
    return PACKED_PART
