"""Addresses of MQTT brokers: `mqtt://HOST[:PORT]/TOPIC`, or `mqtts://` for TLS; one level may be `{station}`."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

PORTS = {"mqtt": 1883, "mqtts": 8883}
STATION = "{station}"
# The longest topic in bytes that MQTT can send.
LONGEST = 65_535


class Broker(NamedTuple):
    """Where messages come from.

    Attributes:
        host, port: of the broker.
        tls: whether it is talked to by TLS.
        topic: of which topics, in MQTT's form with `+` and `#`; a level may be `{station}`.
    """

    host: str
    port: int
    tls: bool
    topic: str

    @property
    def subscription(self) -> str:
        """The topics as the broker knows them."""
        return self.topic.replace(STATION, "+")

    def station_of(self, topic: str) -> str | None:
        """The station that a message's topic names, empty where none is to; None if it is no topic of these."""
        wanted, levels = self.topic.split("/"), topic.split("/")
        if wanted[-1] == "#":
            wanted, levels = wanted[:-1], levels[: len(wanted) - 1]
        if len(wanted) != len(levels):
            return None
        station = ""
        for want, level in zip(wanted, levels, strict=True):
            if want == STATION:
                station = level
            elif want not in {"+", level}:
                return None
        return station


def is_broker(address: str) -> bool:
    """Whether an address is meant as a broker's."""
    return address.partition("://")[0].lower() in PORTS


def broker(address: str) -> Broker:
    """The broker of an address.

    Raises:
        ValueError: it is none; the message says what would be right.
    """
    # A topic has `#` and `?` in it as other characters: what is before it is the rest.
    start, _, topic = address.partition("://")[2].partition("/")
    parts = urlsplit(f"{address.partition('://')[0]}://{start}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if "@" in start:
        raise ValueError("user information does not belong here: put USER:PASSWORD into the source's credential")
    if not host or port == 0 or not topic or parts.query or parts.fragment:
        raise ValueError("give mqtt://HOST/TOPIC, mqtt://HOST:PORT/TOPIC, or the same with mqtts:// for TLS")
    levels = topic.split("/")
    if any(set(one) & set("+#{}") and one not in {"+", "#", STATION} for one in levels) or "#" in levels[:-1]:
        raise ValueError("in a topic + or {station} is a whole level, and # the last one")
    if levels.count(STATION) > 1 or len(topic.encode()) > LONGEST:
        raise ValueError("a topic has one level {station} at most, and 65,535 bytes")
    return Broker(host, port or PORTS[parts.scheme], parts.scheme == "mqtts", topic)
