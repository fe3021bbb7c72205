"""A real MQTT broker, Debian's mosquitto, started by the tests that need one."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from tests.ports import free_port

PROGRAM = "/usr/sbin/mosquitto"


class Mosquitto:
    """A broker on a free port of loopback, that keeps what is retained and sessions in a folder."""

    def __init__(self, folder: Path, *lines: str, user: str = "", password: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        self.port = free_port()
        self._login = (user, password)
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        said = [f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/", "user root"]
        if user:
            subprocess.run(["mosquitto_passwd", "-c", "-b", folder / "passwords", user, password], check=True)
            said.append(f"password_file {folder}/passwords")
        else:
            said.append("allow_anonymous true")
        self._config.write_text("\n".join([*said, "max_queued_messages 100000", *lines]) + "\n")
        self.ca_file = ""
        self.start()

    def start(self) -> None:
        """Start it; it takes connections when this returns."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen([PROGRAM, "-c", self._config], stderr=log, stdout=log)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self.process.poll() is None, self._log.read_text()
                time.sleep(0.01)
            else:
                return

    def stop(self) -> None:
        """Stop it; it writes down what it keeps."""
        self.process.terminate()
        self.process.wait(timeout=30)

    def publish(self, *messages: tuple[str, Any], retain: bool = False, qos: int = 1) -> None:
        """Send messages; the broker has them when this returns. What is not bytes is sent as JSON."""
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        client.max_queued_messages_set(0)
        client.max_inflight_messages_set(1000)
        if self._login[0]:
            client.username_pw_set(*self._login)
        if self.ca_file:
            client.tls_set(self.ca_file)
        connected = threading.Event()
        client.on_connect = lambda *_: connected.set()
        client.connect("localhost" if self.ca_file else "127.0.0.1", self.port)
        client.loop_start()
        assert connected.wait(30)
        sent = [
            client.publish(topic, said if isinstance(said, bytes) else json.dumps(said), qos=qos, retain=retain)
            for topic, said in messages
        ]
        for one in sent:
            one.wait_for_publish(30)
        client.disconnect()
        client.loop_stop()
