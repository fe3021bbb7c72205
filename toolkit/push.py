"""Addresses of sources that stations push to: `push:wunderground` and `push:ecowitt`, by the protocol."""

from __future__ import annotations

PREFIX = "push:"
WUNDERGROUND, ECOWITT = "wunderground", "ecowitt"
PROTOCOLS = (WUNDERGROUND, ECOWITT)


def protocol_of(address: str) -> str:
    """The protocol by which stations push to a source; empty if it is none that they push to.

    A protocol has the name of the format of its reports.
    """
    return address.removeprefix(PREFIX) if address.startswith(PREFIX) else ""


def require(address: str) -> None:
    """Refuse a protocol that there is not.

    Raises:
        ValueError: the message says what would be right.
    """
    if protocol_of(address) not in PROTOCOLS:
        raise ValueError(f"give {' or '.join(PREFIX + one for one in PROTOCOLS)}, the protocol of the stations")
