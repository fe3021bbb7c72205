"""What tells people of incidents is killed at any moment: nothing is lost, and what may be a repetition says so."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

from tests.notifying import INCIDENT, Receiver, Service

KILLS = int(os.environ.get("CHAOS_KILLS", "6"))


def test_kills(db: str, tmp_path: Path, environment: dict[str, str]) -> None:
    choice = random.Random(20)
    service = Service(db, tmp_path, environment)
    with closing(Receiver()) as first, closing(Receiver()) as second:
        service.name(first.url, second.url)
        began = time.monotonic()
        assert service.notify() == (0, "there is nothing to tell\n")
        start = time.monotonic() - began
        for number in range(KILLS):
            service.happens("opened", INCIDENT._replace(station_id=f"s{number:03}"), escalation_hours="0")
            process = service.start()
            with suppress(subprocess.TimeoutExpired):
                # Some runs end before: of more than thirty incidents at once a message does not name all.
                process.wait(choice.uniform(1, 14) * start)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            service.later(1300)
        assert service.notify()[0] == 0
        assert service.notify() == (0, "there is nothing to tell\n")
        assert {one.state for one in service.outbox} == {"sent"}
        for receiver in (first, second):
            told = Counter[str]()
            for message in receiver.heard:
                text = message["title"] + message["message"]
                again = "may have been told before" in text
                told.update({f"s{number:03}": 1 for number in range(KILLS) if not again and f"s{number:03}" in text})
            # Each was told once by a message that says nothing of a repetition, unless only such a one told it.
            assert max(told.values(), default=0) <= 1
            everything = "".join(one["title"] + one["message"] for one in receiver.heard)
            assert all(f"s{number:03}" in everything for number in range(KILLS))
