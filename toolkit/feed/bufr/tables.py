"""WMO's tables of BUFR: B, the elements, and D, what sequences consist of. `tools/bufr_tables.py` makes the file."""

from __future__ import annotations

import functools
import gzip
import json
import sys
from importlib import resources
from typing import NamedTuple

FILE = "tables.json.gz"


class Element(NamedTuple):
    """An element of table B; its value is (number + reference) / 10**scale.

    Attributes:
        width: in bits.
        is_text: whether it is characters.
    """

    width: int
    scale: int
    reference: int
    is_text: int


class Tables(NamedTuple):
    """Both tables, by descriptors written as six digits, FXXYYY."""

    elements: dict[str, Element]
    sequences: dict[str, tuple[str, ...]]


# In the versions before this one (2012) some elements and sequences were different; those before the oldest were as it.
STABLE, OLDEST = 18, 13


def tables(version: int) -> Tables:
    """The tables of a version: from the eighteenth on nothing but additions was made, and the newest are taken."""
    return _tables(max(OLDEST, min(version, STABLE)))


@functools.lru_cache(maxsize=2)
def _tables(version: int) -> Tables:
    content = json.loads(gzip.decompress((resources.files("toolkit.feed.bufr") / FILE).read_bytes()))
    before = content["before"].get(str(version), {"elements": {}, "sequences": {}})
    elements, sequences = (content[name] | before[name] for name in ("elements", "sequences"))
    return Tables(
        {sys.intern(name): Element(*numbers) for name, numbers in elements.items()},
        {name: tuple(map(sys.intern, parts)) for name, parts in sequences.items()},
    )
