"""What an MQTT broker sends: messages of a topic, each acknowledged only when it is stored or in the spool.

MQTT 5 with QoS 1 and a session that lasts: while nobody is there the broker keeps the messages, within its own bounds,
and what it keeps for each topic (retained messages) it sends again with each connection. Whatever a broker sends, the
result is a document or a FeedError, as of `feed.fetch`.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from toolkit.address import shown
from toolkit.broker import broker
from toolkit.content import Content
from toolkit.deadline import wait_for, within
from toolkit.errors import reason as why_of
from toolkit.feed.errors import (
    AnswerError,
    FeedError,
    InternalAddressError,
    TooSlowError,
    UnreachableError,
    UntrustedError,
)
from toolkit.feed.failures import Failures
from toolkit.feed.fetch import Fetched, Fetcher
from toolkit.feed.messages import Joining
from toolkit.feed.mqtt_client import BoundedClient
from toolkit.feed.notified import RETRY_SECONDS, DataHosts, GivenUpError
from toolkit.feed.reasons import reason
from toolkit.feed.session import is_internal, tls_context
from toolkit.feed.wis2 import TOPICS, LeftOutError, Notifications, Told
from toolkit.text import one_line

# For how long a broker is to keep messages while nobody is there, in seconds.
SESSION_SECONDS = 7 * 86400
KEEPALIVE_SECONDS = 60
# So many messages are taken at once, and so many may be unacknowledged.
MOST = 5000
# Of those whose data may have to be fetched.
MOST_NOTIFIED = 100
# A batch ends when nothing has come for so long, and when messages have come for so long.
LULL_SECONDS = 0.2
BATCH_SECONDS = 1.0
# After so long no more data of notifications are fetched for a batch; each fetch has the timeout of the settings.
OPEN_SECONDS = 10.0
# What a packet has besides the message: the topic and properties, in bytes.
BESIDES = 256 << 10


class Login(NamedTuple):
    """Who asks: user and password, a certificate with its key (PEM), or nothing."""

    user: str = ""
    password: str = ""
    certificate: str = ""


@dataclass(slots=True)
class _Received:
    """A message that is not acknowledged yet.

    Attributes:
        body: what it has; of a notification its data, once they are found.
        station: the station that its topic names.
        left_out: why it is left out; empty if it is not.
        size: of what came, in bytes.
        mid, qos, client: by which it is acknowledged, on the connection that it came by.
        told: what a notification says.
        failures: how often its data could not be fetched.
        due: when they are to be fetched again, by the monotonic clock.
    """

    body: Content
    station: str
    left_out: str
    size: int
    mid: int
    qos: int
    client: Client
    told: Told | None = None
    failures: int = 0
    due: float = 0.0


class Subscriber:
    """Takes the messages of a topic; it remembers which of them are not acknowledged yet.

    Attributes:
        shown: the address without secrets, for people.
        advance: is called when something has come.
    """

    single = True

    def __init__(
        self,
        address: str,
        client_id: str,
        timeout: float,
        max_bytes: int,
        ca_file: str | None = None,
        login: Login | None = None,
        proxy: str | None = None,
        folder: Path | None = None,
    ) -> None:
        """`client_id` names the session; with an empty one there is none that lasts, and nothing is acknowledged.

        `proxy` is on the way to the data of notifications, not to the broker; `folder` is where long documents are put,
        by default that for temporary files.
        """
        self.shown = shown(address)
        self.advance: Callable[[], None] = lambda: None
        self._broker = broker(address)
        self._client_id = client_id
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._ca_file = ca_file
        self._login = login or Login()
        self._proxy = proxy
        self._folder = folder
        self._most = MOST
        self._notifications: Notifications | None = None
        if TOPICS.match(self._broker.topic):
            hosts = DataHosts(self._fetcher)
            self._most, self._notifications = MOST_NOTIFIED, Notifications(hosts.get, max_bytes)
        self._client: BoundedClient | None = None
        self._internal = False
        self._subscribed = False
        self._refused = ""
        self._forget()

    def _forget(self) -> None:
        """Forget what came and is not acknowledged."""
        self._received: deque[_Received] = deque()
        self._bytes = 0
        self._postponed: list[_Received] = []
        self._taken: list[_Received] = []
        if self._notifications:
            self._notifications.forget()

    def batches(self, failures: Failures) -> Iterator[Sequence[Fetched]]:
        """What has come; see `fetch`."""
        failures.asked = 1
        if fetched := self.fetch():
            yield [fetched]
            if fetched.url in failures.unread:  # nor can it be ever
                self.acknowledge(fetched)

    def fetch(self) -> Fetched | None:
        """What has come, at most as much as one document may have; None if nothing has.

        Raises:
            FeedError: there is no connection; it is made anew by the next call.
        """
        if self._taken:  # they were not acknowledged: the broker sends them again with the next connection
            self._drop()
            self._forget()
        try:
            if self._client is None and not self._received:
                self._connect()
            if self._client is not None:
                self._receive()
        except FeedError:
            self._drop()
            if not self._received:
                raise
        except Exception as error:  # of the library, for what nobody thought that a broker would send
            self._drop()
            raise AnswerError(self._message(f"sends what cannot be read: {type(error).__name__}: {error}")) from None
        try:
            joining = self._joining()
            if not (self._taken or joining.left_out):
                return None
            return Fetched(joining.document(), None, None, 0, {}, url=self.shown)
        except Exception as error:  # what was not taken must come again
            self._drop()
            self._forget()
            if not isinstance(error, OSError):
                raise
            what = f"sends messages that the disk does not take: {why_of(error)}"
            raise FeedError(self._message(what)) from None

    @property
    def _room(self) -> bool:
        """Whether more is to be received before what came is taken."""
        return len(self._received) + len(self._postponed) < self._most and self._bytes < self._max_bytes

    def _receive(self) -> None:
        """Receive for a short time, however long messages come."""
        end = time.monotonic() + BATCH_SECONDS
        came = True
        while came and self._room and (left := end - time.monotonic()) > 0:
            came = self._pump(min(LULL_SECONDS, left))
            self.advance()

    def _joining(self) -> Joining:
        """What was received, as much as fits into a document; the rest stays for the next."""
        joining = Joining(self._max_bytes, self._folder)
        end = time.monotonic() + OPEN_SECONDS
        while time.monotonic() < end and (one := self._next()):
            self.advance()
            if not one.left_out and self._notifications and not self._open(one, self._notifications, joining):
                continue
            if not one.left_out and not joining.add(one.body, one.station):
                if joining.number:
                    self._received.appendleft(one)
                    self._bytes += one.size
                    break
                one.left_out = "message too large"
            if one.left_out:
                joining.left_out[one.left_out] += 1
            one.body = b""
            one.told = one.told and one.told._replace(inside=None)
            self._taken.append(one)
        self.advance()
        return joining

    def _next(self) -> _Received | None:
        """One that was postponed and is due, or the first that came."""
        for place, one in enumerate(self._postponed):
            if one.due <= time.monotonic():
                return self._postponed.pop(place)
        if not self._received:
            return None
        first = self._received.popleft()
        self._bytes -= first.size
        return first

    def _open(self, one: _Received, notifications: Notifications, joining: Joining) -> bool:
        """Put in the place of a notification the data that it tells of; returns whether that is done, or never will be.

        Otherwise it is postponed, and stays unacknowledged until its data are fetched or given up.
        """
        if one.told and one.body:  # they did not fit into the last document
            return True
        try:
            one.told = one.told or notifications.told(cast("bytes", one.body))
            one.body = b""
            one.body = notifications.data(one.told)
        except LeftOutError as why:
            one.left_out = str(why)
        except InternalAddressError:
            one.left_out = "data of a notification that are at an internal address"
        except FeedError as error:
            one.failures += 1
            given_up = isinstance(error, GivenUpError) or one.failures > len(RETRY_SECONDS)
            if given_up or len(self._postponed) >= MOST_NOTIFIED:
                one.left_out = "data of a notification that cannot be fetched"
            else:
                one.due = time.monotonic() + RETRY_SECONDS[one.failures - 1]
                self._postponed.append(one)
                if one.failures == 1:
                    joining.left_out["data of a notification that are fetched again later"] += 1
                return False
        if one.left_out:  # it is not remembered: the same may come again and be well
            one.told = None
        return True

    def _fetcher(self, address: str) -> Fetcher:
        """What fetches the data that a notification leads to; none are at an internal address, unless the broker is."""
        public = not self._internal
        if public and is_internal((urlsplit(address).hostname or "").rstrip(".")):
            raise InternalAddressError(f"{shown(address)} is an address of the own host or network")
        return Fetcher(
            address, self._timeout, self._max_bytes, self._ca_file, self._proxy, folder=self._folder, public=public
        )

    def acknowledge(self, _document: Fetched) -> None:
        """What was fetched last is stored or in the spool."""
        for one in self._taken:
            if self._client is one.client and self._client_id:
                self._client.ack(one.mid, one.qos)
            if self._notifications and one.told:
                self._notifications.remember(one.told)
        self._taken = []

    def _drop(self) -> None:
        """Close the connection, not the session."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _message(self, what: str) -> str:
        return one_line(f"the broker {self.shown} {what}")

    def _connect(self) -> None:
        self._subscribed, self._refused = False, ""
        with within(self._timeout) as limit:
            try:
                self._client = self._client_made()
                self._client.connect(
                    self._broker.host,
                    self._broker.port,
                    KEEPALIVE_SECONDS,
                    clean_start=not self._client_id,
                    properties=_properties(
                        PacketTypes.CONNECT,
                        SessionExpiryInterval=SESSION_SECONDS if self._client_id else 0,
                        ReceiveMaximum=MOST,
                        MaximumPacketSize=self._max_bytes + BESIDES,
                    ),
                )
                connected = cast("socket.socket | None", self._client.socket())
                self._internal = bool(connected and is_internal(str(connected.getpeername()[0])))
            except (OSError, ValueError) as error:
                if not limit.left:
                    raise self._late() from None
                kind = UntrustedError if isinstance(error, ssl.SSLError) else UnreachableError
                raise kind(self._message(f"is unreachable: {reason(error)}")) from None
            while not self._subscribed and self._room:
                if not limit.left:
                    raise self._late()
                try:
                    self._pump(min(1.0, limit.left))
                except UnreachableError:
                    if limit.left:
                        raise

    def _late(self) -> TooSlowError:
        return TooSlowError(self._message(f"took longer than {self._timeout:g} s"))

    def _client_made(self) -> BoundedClient:
        client = BoundedClient(CallbackAPIVersion.VERSION2, self._client_id, protocol=MQTTv5, manual_ack=True)
        client.largest = self._max_bytes + BESIDES
        if self._broker.tls:
            client.tls_set_context(tls_context(self._ca_file, self._login.certificate))
        if self._login.user:
            client.username_pw_set(self._login.user, self._login.password)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _pump(self, seconds: float) -> bool:
        """Deal with what the broker sends within some seconds; returns whether anything came.

        Raises:
            UnreachableError: the connection is lost.
            AnswerError: the broker refuses.
        """
        client = self._client
        connected = cast("socket.socket | None", client and client.socket())
        if client is None or connected is None:
            raise self._lost(MQTTErrorCode.MQTT_ERR_NO_CONN)
        came = bool(isinstance(connected, ssl.SSLSocket) and connected.pending()) or wait_for(connected, seconds)
        code = client.loop_read() if came else MQTTErrorCode.MQTT_ERR_SUCCESS
        if not code and client.want_write():
            code = client.loop_write()
        if not code:
            code = client.loop_misc()
        if code or self._refused:
            raise self._lost(code)
        return came

    def _lost(self, code: MQTTErrorCode) -> FeedError:
        if self._client and self._client.too_large:
            return AnswerError(self._message(f"sends a packet larger than {self._max_bytes >> 20} MiB"))
        if self._refused:
            return AnswerError(self._message(self._refused))
        if code in {MQTTErrorCode.MQTT_ERR_PROTOCOL, MQTTErrorCode.MQTT_ERR_NOT_SUPPORTED}:
            return AnswerError(self._message("speaks no MQTT 5"))
        return UnreachableError(self._message("has broken off the connection"))

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._refused = f"refuses the connection: {str(code).lower()}"
        else:
            client.subscribe(self._broker.subscription, qos=1)

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        refused = [code for code in codes if code.is_failure]
        if refused:
            self._refused = f"refuses the topic {self._broker.subscription}: {str(refused[0]).lower()}"
        self._subscribed = not refused

    def _on_disconnect(
        self, _client: Client, _data: Any, flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server and not self._refused:
            self._refused = f"has ended the connection: {str(code).lower()}"

    def _on_message(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        try:
            station = self._broker.station_of(message.topic)
        except UnicodeDecodeError:
            station = None
        left_out = ""
        if station is None:
            left_out = "message of another topic"
        elif not message.payload:  # what was retained is removed
            left_out = "message without content"
        elif len(message.payload) > self._max_bytes:
            left_out = "message too large"
        body = b"" if left_out else bytes(message.payload)
        self._bytes += len(body)
        self._received.append(_Received(body, station or "", left_out, len(body), message.mid, message.qos, client))


def _properties(packet: int, **values: int) -> Properties:
    made = Properties(packet)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(made, name, value)
    return made
