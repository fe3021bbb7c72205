"""paho's client of MQTT, with the bounds that it lacks: of time while it connects, and of the size of packets."""

from __future__ import annotations

import socket

from paho.mqtt.client import Client

from toolkit.deadline import current

# So much is read of a packet at once, in bytes.
CHUNK = 64 << 10
# A limit of 0 seconds would be none.
SHORTEST_SECONDS = 0.001


class BoundedClient(Client):
    """A client whose connections the thread's deadline watches, and which takes no packet larger than `largest` bytes.

    Attributes:
        largest: the largest packet.
        too_large: whether one was larger, which ends the connection.
    """

    largest = 0
    too_large = False

    def _create_socket_connection(self) -> socket.socket:
        """Connect to the first of the broker's addresses that answers; paho would grant each of them the whole time."""
        limit = current()
        failed: OSError | None = None
        for family, kind, protocol, _, address in socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM):
            try:
                made = socket.socket(family, kind, protocol)
            except OSError as error:  # this host has no addresses of that family
                failed = error
                continue
            try:
                if limit:
                    limit.watch(made)
                    self._connect_timeout = limit.left or SHORTEST_SECONDS
                made.settimeout(self._connect_timeout)
                made.connect(address)
            except OSError as error:
                failed = error
                made.close()
                if limit and not limit.left:
                    break
                continue
            return made
        raise failed or TimeoutError

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > self.largest:
            self.too_large = True
            raise OSError("the packet is too large")
        return super()._sock_recv(min(bufsize, CHUNK))

    def close(self) -> None:
        """Close the connection without a word, so that the broker keeps the session."""
        self._sock_close()
