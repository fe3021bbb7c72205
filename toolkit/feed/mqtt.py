"""What an MQTT broker sends: messages of a topic, each acknowledged only when it is stored or in the spool.

MQTT 5 with QoS 1 and a session that lasts: while nobody is there the broker keeps the messages, within its own bounds,
and what it keeps for each topic (retained messages) it sends again with each connection. Whatever a broker sends, the
result is a document or a FeedError, as of `feed.fetch`.
"""

from __future__ import annotations

import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, cast

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from toolkit.address import shown
from toolkit.broker import broker
from toolkit.deadline import current, wait_for, within
from toolkit.feed.errors import AnswerError, FeedError, TooSlowError, UnreachableError, UntrustedError
from toolkit.feed.failures import Failures
from toolkit.feed.fetch import Fetched, Fetcher
from toolkit.feed.messages import Message, joined
from toolkit.feed.reasons import reason
from toolkit.feed.session import tls_context
from toolkit.feed.wis2 import TOPICS, LeftOutError, Notifications
from toolkit.text import one_line

# For how long a broker is to keep messages while nobody is there, in seconds.
SESSION_SECONDS = 7 * 86400
KEEPALIVE_SECONDS = 60
# So many messages are taken at once, and so many may be unacknowledged.
MOST = 5000
# Of those whose data may have to be fetched.
MOST_NOTIFIED = 100
# A batch ends when nothing has come for so long.
LULL_SECONDS = 0.2
# What a packet has besides the message: the topic and properties, in bytes.
BESIDES = 256 << 10
CHUNK = 64 << 10


class Login(NamedTuple):
    """Who asks: user and password, a certificate with its key (PEM), or nothing."""

    user: str = ""
    password: str = ""
    certificate: str = ""


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
    ) -> None:
        """`client_id` names the session; with an empty one there is none that lasts, and nothing is acknowledged."""
        self.shown = shown(address)
        self.advance: Callable[[], None] = lambda: None
        self._broker = broker(address)
        self._client_id = client_id
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._ca_file = ca_file
        self._login = login or Login()
        self._most = MOST
        self._notifications: Notifications | None = None
        if TOPICS.match(self._broker.topic):
            self._most, self._notifications = MOST_NOTIFIED, Notifications(self._get, max_bytes)
        self._client: _Client | None = None
        self._subscribed = False
        self._refused = ""
        self._begin()

    def _begin(self) -> None:
        self._messages: list[Message] = []
        self._left_out: Counter[str] = Counter()
        self._taken: list[tuple[int, int]] = []
        self._bytes = 0

    def batches(self, failures: Failures) -> Iterator[Sequence[Fetched]]:
        """What has come; see `fetch`."""
        failures.asked = 1
        if fetched := self.fetch():
            yield [fetched]
            if fetched.url in failures.unread:  # nor can it be ever
                self.acknowledge(fetched)

    def fetch(self) -> Fetched | None:
        """What has come; None if nothing has.

        Raises:
            FeedError: there is no connection; it is made anew by the next call.
        """
        if self._taken:  # they were not acknowledged: the broker sends them again with the next connection
            self._drop()
        self._begin()
        try:
            if self._client is None:
                self._connect()
            while len(self._taken) < self._most and self._bytes < self._max_bytes:
                if not self._pump(LULL_SECONDS):
                    break
        except FeedError:
            self._drop()
            if not self._taken:
                raise
        except Exception as error:  # of the library, for what nobody thought that a broker would send
            self._drop()
            raise AnswerError(self._message(f"sends what cannot be read: {type(error).__name__}: {error}")) from None
        if not self._taken:
            return None
        if self._notifications:
            self._open(self._notifications)
        return Fetched(joined(self._messages, self._left_out), None, None, 0, {}, url=self.shown)

    def _open(self, notifications: Notifications) -> None:
        """Put in the place of notifications the data that they tell of."""
        told, self._messages = self._messages, []
        for one in told:
            try:
                self._messages.append(Message(notifications.data(one.body), one.station))
            except LeftOutError as why:
                self._left_out[str(why)] += 1
            self.advance()

    def _get(self, address: str) -> bytes:
        """Fetch the data that a notification leads to."""
        fetched = Fetcher(address, self._timeout, self._max_bytes, self._ca_file).fetch(conditional=False)
        return fetched.body if fetched else b""

    def acknowledge(self, _document: Fetched) -> None:
        """What was fetched last is stored or in the spool."""
        if self._client is not None and self._client_id:
            for mid, qos in self._taken:
                self._client.ack(mid, qos)
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
                self._client.connect_timeout = max(0.1, limit.left)
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
            except (OSError, ValueError) as error:
                if not limit.left:
                    raise self._late() from None
                kind = UntrustedError if isinstance(error, ssl.SSLError) else UnreachableError
                raise kind(self._message(f"is unreachable: {reason(error)}")) from None
            while not self._subscribed:
                if not limit.left:
                    raise self._late()
                try:
                    self._pump(min(1.0, limit.left))
                except UnreachableError:
                    if limit.left:
                        raise

    def _late(self) -> TooSlowError:
        return TooSlowError(self._message(f"took longer than {self._timeout:g} s"))

    def _client_made(self) -> _Client:
        client = _Client(CallbackAPIVersion.VERSION2, self._client_id, protocol=MQTTv5, manual_ack=True)
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

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._taken.append((message.mid, message.qos))
        try:
            station = self._broker.station_of(message.topic)
        except UnicodeDecodeError:
            station = None
        if station is None:
            self._left_out["message of another topic"] += 1
        elif not message.payload:  # what was retained is removed
            self._left_out["message without content"] += 1
        elif len(message.payload) > self._max_bytes:
            self._left_out["message too large"] += 1
        else:
            self._bytes += len(message.payload)
            self._messages.append(Message(bytes(message.payload), station))


class _Client(Client):
    """paho's client, whose connections the deadline watches, and which takes no packet that is larger than it said."""

    largest = 0
    too_large = False

    def _create_socket_connection(self) -> socket.socket:
        made = super()._create_socket_connection()
        if limit := current():
            limit.watch(made)
        return made

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > self.largest:
            self.too_large = True
            raise OSError("the packet is too large")
        return super()._sock_recv(min(bufsize, CHUNK))

    def close(self) -> None:
        """Close the connection without a word, so that the broker keeps the session."""
        self._sock_close()


def _properties(packet: int, **values: int) -> Properties:
    made = Properties(packet)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(made, name, value)
    return made
