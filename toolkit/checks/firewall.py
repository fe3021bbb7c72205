"""Rules of the host's own firewall, as root's half of weather-tool sees them."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from toolkit.checks.host import Host
from toolkit.checks.remedies import OnMachine, Remedy

# What root's half calls what it saw of rules on what is sent, and on what comes.
SENT, COMES = Path("nft output"), Path("nft input")
# What a rule may be about, as nft(8) has it.
_ABOUT = re.compile(r"\b(iif|iifname|saddr|daddr|dport|udp|skuid)\b")
_RANGES = re.compile(r"\b(\d+)(?:-(\d+))?\b")


def refusing(host: Host, address: str, ports: Collection[int], *, own: bool = False) -> tuple[str, Remedy] | None:
    """A rule that refuses what the service sends to ports of an address, and what takes it away; None for none.

    With `own` the address is this host's own: what comes there is looked at, too.
    """
    for file, told in host.seen_by_root:
        rule, _, said = told.partition(": ")
        if file != SENT and not (own and file == COMES):
            continue
        about, words = set(_ABOUT.findall(said)), set(re.findall(r"[\w.:]+", said))
        # Of what it is about all that it names has to be ours.
        others = (
            "udp" in about
            or "!=" in said
            or ("dport" in about and not _has(said.partition("dport")[2], ports))
            or (about & {"daddr", "saddr"} and address not in words)
            or (about & {"iif", "iifname"} and "lo" not in words)
        )
        if about & {"skuid", "dport", "daddr"} and not others:
            return f"{said} ({rule})", OnMachine("nft delete rule {}", rule.split())
    return None


def _has(said: str, ports: Collection[int]) -> bool:
    """Whether one of the ports is among those that follow."""
    named = said[: said.find("}")] if said.lstrip().startswith("{") else said.split(maxsplit=1)[0]
    ranges = [(int(first), int(last or first)) for first, last in _RANGES.findall(named)]
    return any(first <= port <= last for first, last in ranges for port in ports)
