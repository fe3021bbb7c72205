"""A detector that is killed at any statement, or twice at once, loses, doubles and closes no incident and no message."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from uuid import uuid4

import pytest

from tests.network import Network
from tests.postgresql import Server
from toolkit.commands.detect import record
from toolkit.detector.report import Report
from toolkit.detector.run import detect
from toolkit.simulator.network import default_network
from toolkit.store import open_for_reading
from toolkit.store.incidents import ACTIVE, Delivery, IncidentFilter

# `make chaos` kills more often.
KILLS = int(os.environ.get("CHAOS_KILLS", "16"))
KILLS_AN_HOUR = 3
ALL = [station.station_id for station in default_network()]
EVERY_STATE: tuple[Delivery, ...] = ("waiting", "sending", "sent", "cancelled")
STATEMENTS = {"execute", "executemany", "commit"}


class Statements:
    """A profile function that counts the statements of this process, and kills it before one of them.

    Args:
        last: which; none if it is 0.
    """

    def __init__(self, last: int = 0) -> None:
        self.number = 0
        self._last = last

    def __call__(self, frame: FrameType, event: str, what: object) -> None:
        """Look at a call."""
        called = frame.f_code.co_name if event == "call" else getattr(what, "__name__", "")
        if event in {"call", "c_call"} and called in STATEMENTS:
            self.number += 1
            if self.number == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


def in_child(network: Network, report: Report, at_statement: int | None) -> int:
    """Record a report in a process of its own, which is killed at a statement if one is given; returns its id."""
    child = os.fork()
    if not child:
        try:
            if at_statement:
                sys.setprofile(Statements(at_statement))
            record(network.settings, report, network.now, None)
        finally:
            os._exit(0)
    return child


def look_over(network: Network, end: float) -> Report:
    with open_for_reading(network.settings.db) as store, store.snapshot():
        return detect(store, network.settings, end)


def state_of(network: Network) -> list[tuple[object, ...]]:
    """What is known of the incidents, without their numbers."""
    with open_for_reading(network.settings.db) as store:
        found = store.incidents.find(IncidentFilter(parts=True))
        messages = Counter((one.incident_id, one.event) for one in store.incidents.messages(EVERY_STATE))
        numbers = {one.id: (one.station_id, one.variable, one.kind) for one in found}
        return sorted(
            (
                str(one._replace(id=0, part_of=None)),
                numbers.get(one.part_of or 0),
                [(line.action, line.time, line.note) for line in store.incidents.history(one.id)],
                sorted((event, number) for (of, event), number in messages.items() if of == one.id),
            )
            for one in found
        )


@pytest.fixture
def another(db: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """One more database of the same engine."""
    if not db.startswith("postgresql"):
        return str(tmp_path / "another.db")
    server: Server = request.getfixturevalue("postgresql")
    return server.database(f"another_{uuid4().hex}")


def test_killed_at_any_statement(db: str, another: str, capsys: pytest.CaptureFixture[str]) -> None:
    specs = [
        "station=volos,variable=temp_out,kind=offset,size=8,at=30m",
        *(
            f"station={name},variable=bar,kind=range,size=2000,at={hour}h,for=30m"
            for first, name in enumerate(ALL[6:13])
            for hour in range(first, 70, 7)
        ),
        *(f"station={name},kind=silent,at=90m,for=4h" for name in ALL[:6]),
    ]
    network, control = Network(db, *specs), Network(another, *specs)
    at, kills = random.Random(7), 0
    while kills < KILLS:
        network.observe(1)
        control.observe(1)
        report = look_over(network, network.now)
        statements = Statements()
        sys.setprofile(statements)
        record(control.settings, report, control.now, None)
        sys.setprofile(None)
        for _ in range(KILLS_AN_HOUR):
            doomed = in_child(network, report, at.randint(1, statements.number))
            other = in_child(network, report, None) if at.random() < 0.2 else None
            kills += os.waitpid(doomed, 0)[1] == signal.SIGKILL
            assert other is None or os.waitpid(other, 0)[1] == 0
        record(network.settings, report, network.now, None)
        if at.random() < 0.3:  # somebody looks at the past
            older = look_over(network, network.now - 3 * 3600)
            for one in (network, control):
                record(one.settings, older, one.now, None)
        assert state_of(network) == state_of(control)
    with open_for_reading(network.settings.db) as store:
        active = Counter(
            (one.station_id, one.variable, one.kind) for one in store.incidents.find(IncidentFilter(states=ACTIVE))
        )
        messages = store.incidents.messages(EVERY_STATE)
    assert max(active.values()) == 1
    with capsys.disabled():
        print(
            f" {kills} kills, {len(state_of(network))} incidents, {len(messages)} messages, 0 lost, 0 doubled ", end=""
        )
