"""WIGOS station identifiers, such as 0-20000-0-16716: the WMO's names of stations.

WMO-No. 1160, Manual on the WMO Integrated Global Observing System, attachment 2.2: a series, which is 0 for stations;
the issuer of the identifier and an issue number, each from 0 to 65534; and a local identifier of at most 16 letters and
digits. BUFR's descriptors 0 01 125 to 0 01 128 have room for just these.
"""

from __future__ import annotations

import re

LARGEST = 65534
_FORM = re.compile(r"0-(0|[1-9]\d{0,4})-(0|[1-9]\d{0,4})-([0-9A-Za-z]{1,16})", re.ASCII)


def is_wigos_id(text: str) -> bool:
    """Whether a text is a WIGOS station identifier."""
    found = _FORM.fullmatch(text)
    return found is not None and all(int(part) <= LARGEST for part in found.groups()[:2])


def local_identifier(wigos_id: str) -> str:
    """The part of an identifier that its issuer gave, such as 16716: often what a feed calls the station."""
    return wigos_id.rpartition("-")[2]
