"""The way to a server: resolve its name, then connect. A failure names what failed, which may not be the feed."""

from __future__ import annotations

import errno
import socket
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from toolkit.errors import ToolkitError, reason

RESOLVER_SECONDS = 2.0
CONNECT_SECONDS = 2.0
RESOLVER = Path("/etc/resolv.conf")
# What of this host itself keeps a connection from being made, as connect(2) tells it.
_OWN = {
    errno.EPERM: ": this host's own firewall refuses it",
    errno.EACCES: ": a route or a rule of this host's routing prohibits it",
    errno.EINVAL: ": a route or a rule of this host's routing discards it",
}
DISCARDED = {errno.EACCES, errno.EINVAL}
"""What connect(2) says where a route or a rule of this host discards what is sent."""


class UnresolvedError(ToolkitError):
    """A name has no address, or the resolver does not answer."""


class ConnectError(ToolkitError):
    """A server takes no connection.

    Attributes:
        address: of the server.
        code: what the system says of it, as `errno` numbers it; 0 where it is nothing but silent.
    """

    def __init__(self, message: str, address: str = "", code: int = 0) -> None:
        super().__init__(message)
        self.address, self.code = address, code


def reach(url: str) -> None:
    """Connect to the server of a URL.

    Raises:
        UnresolvedError: its name has no address.
        ConnectError: it takes no connection.
    """
    parts = urlsplit(url)
    name, port = parts.hostname or "", parts.port or {"https": 443}.get(parts.scheme, 80)
    failure: ToolkitError | None = None
    for family, address in _addresses(name, port):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as connection:
                connection.settimeout(CONNECT_SECONDS)
                connection.connect(address)
            return
        except OSError as error:
            code = 0 if isinstance(error, TimeoutError) else error.errno or 0
            failure = ConnectError(_not_connected(name, address, error), str(address[0]), code)
            if isinstance(error, TimeoutError):  # other addresses are not tried: it has taken long enough
                break
    raise failure or UnresolvedError(f"{name} has no address")


def _addresses(name: str, port: int) -> list[tuple[int, Any]]:
    found: list[tuple[int, Any]] = []
    failed: list[OSError | UnicodeError] = []

    def look() -> None:
        try:
            found.extend((one[0], one[4]) for one in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    # In a thread, for the C library has its own time limits, and no signal ends it.
    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(RESOLVER_SECONDS)
    if thread.is_alive():
        raise UnresolvedError(f"{_resolvers()} did not tell an address of {name} within {RESOLVER_SECONDS:g} s")
    if failed:
        message = failed[0].strerror if isinstance(failed[0], OSError) else None
        raise UnresolvedError(f"{name} has no address: {(message or str(failed[0])).lower()} ({_resolvers()})")
    return found


def _resolvers() -> str:
    try:
        lines = RESOLVER.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return f"{RESOLVER}: {reason(error)}"
    servers = [line.split()[1] for line in lines if line.startswith("nameserver") and len(line.split()) > 1]
    return f"the resolvers {', '.join(servers)} of {RESOLVER}" if servers else f"{RESOLVER}, which names no resolver,"


def _not_connected(name: str, address: Any, error: OSError) -> str:
    where = f"{address[0]} port {address[1]}" + (f" ({name})" if name != address[0] else "")
    if isinstance(error, TimeoutError):
        return (
            f"{where} did not take a connection for {CONNECT_SECONDS:g} s: it is down, or a firewall drops what is sent"
        )
    own = _OWN.get(error.errno or 0, "")
    return f"{where} takes no connection: {reason(error)}{own}"
