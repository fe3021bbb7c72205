"""Who a client is, by what a proxy on this host says, and how often it may ask."""

from __future__ import annotations

import ipaddress
import re
import time
from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.types import Scope

# So many clients are remembered: of more, those that asked longest ago are forgotten.
CLIENTS = 10_000
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]{1,64}){1,8}")


class Limit:
    """How many requests each client may send in a minute, and how many of them at once (all, if not given)."""

    def __init__(self, per_minute: float, at_once: float | None = None) -> None:
        self._per_second, self._most = per_minute / 60, float(per_minute if at_once is None else at_once)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> int:
        """Count a request: 0 where it may be answered, else the seconds until the next one may."""
        if not self._most:
            return 0
        now = time.monotonic()
        left, then = self._left.pop(client, (self._most, now))
        left = min(self._most, left + (now - then) * self._per_second)
        allowed = left >= 1
        self._left[client] = (left - allowed, now)
        if len(self._left) > CLIENTS:
            self._left.popitem(last=False)
        return 0 if allowed else max(1, round((1 - left) / self._per_second))

    def give_back(self, client: str) -> None:
        """Do not count the last request of a client."""
        left, then = self._left.get(client, (self._most, 0.0))
        self._left[client] = (min(self._most, left + 1), then)


def network(address: str) -> str:
    """The address of a client; of IPv6 its network, for one client has all of it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and not found.ipv4_mapped:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address


def believe_proxy(scope: Scope, headers: Headers) -> None:
    """Take the client, the scheme and the path's prefix from a proxy on this host; nobody else is believed."""
    client = scope.get("client")
    if not client or client[0] not in {"127.0.0.1", "::1"}:
        return
    scope.setdefault("state", {})["from_this_host"] = True
    if told := headers.get("x-forwarded-for", "").rpartition(",")[2].strip():
        scope["client"] = (told[:64], 0)
    if (scheme := headers.get("x-forwarded-proto", "")) in {"http", "https"}:
        scope["scheme"] = scheme
    prefix = headers.get("x-forwarded-prefix", "").rstrip("/")
    if _PREFIX.fullmatch(prefix):
        scope["root_path"] = prefix
        scope["path"] = prefix + scope["path"]
