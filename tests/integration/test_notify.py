"""People are told of incidents once: through apprise, to real receivers, from a real store."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.notifying import INCIDENT, NOW, Receiver, Service
from toolkit.incidents import evidence, telling
from toolkit.settings import load
from toolkit.store import open_for_reading, open_for_writing
from toolkit.store.incidents import Affected, IncidentFilter


@pytest.fixture
def people() -> Iterator[Callable[[], Receiver]]:
    made: list[Receiver] = []

    def make() -> Receiver:
        made.append(Receiver())
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def service(db: str, tmp_path: Path, environment: dict[str, str]) -> Service:
    return Service(db, tmp_path, environment)


@pytest.fixture
def on_sqlite(tmp_path: Path, environment: dict[str, str]) -> Service:
    return Service(str(tmp_path / "weather.db"), tmp_path, environment)


def test_an_incident_from_its_first_message_to_its_last(service: Service, people: Callable[[], Receiver]) -> None:
    receiver = people()
    service.name(receiver.url)
    incident = service.happens("opened")
    assert service.notify()[0] == 0
    assert service.notify() == (0, "there is nothing to tell\n")
    assert receiver.titles == ["warning, new: volos, temp_out: readings are wrong"]
    text = receiver.heard[0]["message"]
    for part in ("(spatial, drift)", "UTC, 1 d 1 h ago", "it reads 31.2 °C; its neighbours imply 13.4 °C",
                 "7 of 7 neighbours differ", "weather-tool incidents ack 1"):  # fmt: skip
        assert part in text
    service.happens("resolved", incident._replace(state="resolved", resolved=NOW, verdict="fault"))
    for _ in range(2):
        assert service.notify()[0] == 0
    assert receiver.titles[1:] == ["over: volos, temp_out: readings were wrong"]
    assert "for 1 d 0 h" in receiver.heard[1]["message"]
    service.later(25 * 3600)
    assert service.notify()[0] == 0
    assert len(receiver.heard) == 2
    assert service.states == {"opened": "sent", "resolved": "sent", "escalated": "cancelled"}
    with open_for_reading(service.db) as store:
        assert [(one.actor, one.action) for one in store.incidents.history(1)] == [("notify", "told")] * 2


def test_a_storm_is_one_message(service: Service, people: Callable[[], Receiver]) -> None:
    receiver = people()
    service.name(receiver.url)
    with open_for_writing(service.db) as store, store.transaction():
        settings = load({}, {}).settings
        for number in range(199):
            one = INCIDENT._replace(station_id=f"s{number:03}", started=NOW - number)
            one = one._replace(id=store.incidents.add(one))
            store.incidents.tell(telling.messages([(one, "opened")], settings, NOW))
        network = INCIDENT._replace(station_id=None, severity="critical", variable="bar")
        network = network._replace(id=store.incidents.add(network))
        store.incidents.affect(Affected(network.id, f"s{number:03}", NOW, NOW) for number in range(20))
        store.incidents.tell(telling.messages([(network, "opened")], settings, NOW))
    assert service.notify()[0] == 0
    assert receiver.titles == ["200 incidents: 1 critical, 199 warning"]
    lines = receiver.heard[0]["message"].splitlines()
    assert lines[0] == "critical, new: the network, bar: readings are wrong (spatial, drift)"
    assert "at 20 stations: s000, s001" in lines[1]
    assert "and 170 more" in lines
    assert len(lines) < 100


def test_what_was_over_before_anybody_was_told_is_not_told(on_sqlite: Service, people: Callable[[], Receiver]) -> None:
    receiver = people()
    on_sqlite.name(receiver.url)
    incident = on_sqlite.happens("opened")
    on_sqlite.happens("resolved", incident._replace(state="resolved", resolved=NOW))
    assert on_sqlite.notify() == (0, "there is nothing to tell\n")
    # It comes back, and this is told; then the end of it as well.
    on_sqlite.happens("reopened", incident._replace(reopened=1))
    assert on_sqlite.notify()[0] == 0
    on_sqlite.happens("resolved", incident._replace(reopened=1, state="resolved", resolved=NOW))
    assert on_sqlite.notify()[0] == 0
    assert [title.partition(":")[0] for title in receiver.titles] == ["warning, again", "over"]


def test_maintenance_is_never_told(on_sqlite: Service, people: Callable[[], Receiver]) -> None:
    receiver = people()
    on_sqlite.name(receiver.url)
    incident = on_sqlite.happens("opened")
    in_maintenance = on_sqlite.happens("maintenance", incident._replace(state="maintenance"))
    on_sqlite.happens("worsened", in_maintenance._replace(severity="critical"))
    on_sqlite.later(25 * 3600)
    assert on_sqlite.notify()[0] == 0
    assert receiver.heard == []
    # After it people are told at once, and when nobody acknowledges it they are told again.
    on_sqlite.happens("open", incident)
    assert on_sqlite.notify()[0] == 0
    on_sqlite.later(25 * 3600)
    for _ in range(2):
        assert on_sqlite.notify()[0] == 0
    assert [title.partition(":")[0] for title in receiver.titles] == [
        "warning, new",
        "warning, nobody has acknowledged",
    ]


def test_escalation_goes_to_others_once(on_sqlite: Service, people: Callable[[], Receiver]) -> None:
    technicians, boss = people(), people()
    on_sqlite.name(technicians.url)
    on_sqlite.name(boss.url, credential="apprise_escalation_urls")
    on_sqlite.happens("opened")
    known = on_sqlite.happens("opened", INCIDENT._replace(station_id="larissa"))
    assert on_sqlite.notify()[0] == 0
    on_sqlite.happens("acknowledged", known._replace(state="acknowledged", acknowledged=NOW))
    on_sqlite.later(25 * 3600)
    for _ in range(2):
        assert on_sqlite.notify()[0] == 0
    assert technicians.titles == ["2 incidents: 2 warning"]
    assert boss.titles == ["warning, nobody has acknowledged: volos, temp_out: readings are wrong"]


def test_quiet_hours_make_a_digest(on_sqlite: Service, people: Callable[[], Receiver]) -> None:
    receiver = people()
    on_sqlite.name(receiver.url)
    hours = time.strftime("%H:%M-", time.gmtime(NOW - 3600)) + time.strftime("%H:%M", time.gmtime(NOW + 3600))
    for station in ("a", "b"):
        on_sqlite.happens("opened", INCIDENT._replace(station_id=station), quiet_hours=hours)
    on_sqlite.happens("opened", INCIDENT._replace(severity="critical"), quiet_hours=hours)
    assert on_sqlite.notify()[0] == 0
    assert [title.partition(":")[0] for title in receiver.titles] == ["critical, new"]
    on_sqlite.later(3700)
    assert on_sqlite.notify()[0] == 0
    assert receiver.titles[1:] == ["2 incidents: 2 warning"]


def test_a_receiver_that_is_down_gets_all_of_it_in_one_message(
    service: Service, people: Callable[[], Receiver]
) -> None:
    well, ill = people(), people()
    service.name(well.url, ill.url)
    ill.status = 500
    first = service.happens("opened", INCIDENT._replace(station_id="a"))
    code, said = service.notify()
    assert (code, "line 4 (json://…): nobody could be told" in said) == (1, True)
    # No attempt is made, and it is no success either: people are told that it failed, and not in between that it is well.
    assert service.notify() == (code, said)
    assert len(well.heard) == 1
    service.happens("opened", INCIDENT._replace(station_id="b"))
    assert service.notify()[0] == 1
    service.happens("resolved", first._replace(state="resolved", resolved=NOW))
    service.happens("opened", INCIDENT._replace(station_id="c"))
    service.later(3600)
    ill.status = 200
    assert service.notify()[0] == 0
    assert service.notify() == (0, "there is nothing to tell\n")
    assert [title.partition(":")[0] for title in well.titles] == ["warning, new", "warning, new", "2 incidents"]
    # It was never told of `a`, which is over.
    assert ill.titles == ["2 incidents: 2 warning"]
    assert {one.attempts for one in service.outbox if one.event == "opened"} == {0, 1, 2}


def test_pauses_grow(on_sqlite: Service) -> None:
    on_sqlite.name("json://127.0.0.1:9/")
    on_sqlite.happens("opened")
    for pause in (300, 600, 1200):
        assert on_sqlite.notify()[0] == 1
        on_sqlite.later(pause - 60)
        assert on_sqlite.notify()[0] == 1
        on_sqlite.later(60)
    (waiting,) = (one for one in on_sqlite.outbox if one.event == "opened")
    assert (waiting.state, waiting.attempts) == ("waiting", 3)
    assert waiting.error.startswith("line 3 (json://…)")


def test_two_at_once_tell_once(service: Service, people: Callable[[], Receiver]) -> None:
    receiver = people()
    service.name(receiver.url)
    service.happens("opened")
    running = [service.start() for _ in range(4)]
    assert [process.wait(120) for process in running] == [0] * 4
    for process in running:
        process.communicate()
    assert len(receiver.heard) == 1


def test_a_kill_while_it_waits_for_the_answer_is_the_one_case_that_may_tell_twice(
    on_sqlite: Service, people: Callable[[], Receiver]
) -> None:
    first, second = people(), people()
    on_sqlite.name(first.url, second.url)
    on_sqlite.happens("opened")
    second.holding = threading.Event()
    process = on_sqlite.start()
    assert second.called.wait(60)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    second.holding.set()
    second.holding = None
    # Whoever runs now cannot know whether the other one still works.
    assert on_sqlite.notify() == (0, "there is nothing to tell\n")
    on_sqlite.later(1300)
    for _ in range(2):
        assert on_sqlite.notify()[0] == 0
    assert len(first.heard) == 1
    assert len(second.heard) == 2
    assert ["may have been told before" in one["message"] for one in second.heard] == [False, True]


def test_a_stop_waits_for_the_answer(on_sqlite: Service, people: Callable[[], Receiver]) -> None:
    first, second = people(), people()
    on_sqlite.name(first.url, second.url)
    on_sqlite.happens("opened")
    first.holding = threading.Event()
    process = on_sqlite.start()
    assert first.called.wait(60)
    os.killpg(process.pid, signal.SIGTERM)
    first.holding.set()
    process.communicate(timeout=60)
    assert process.returncode == 143
    first.holding = None
    (opened,) = (one for one in on_sqlite.outbox if one.event == "opened")
    assert (opened.state, len(opened.heard.split()), "?" in opened.heard) == ("waiting", 1, False)
    assert on_sqlite.notify()[0] == 0
    assert (len(first.heard), len(second.heard)) == (1, 1)


# No file may grow beyond this: what a full disk is to a database.
FULL = 4096


def test_on_a_full_disk_nothing_is_sent_before_it_is_claimed(
    on_sqlite: Service, people: Callable[[], Receiver]
) -> None:
    receiver = people()
    on_sqlite.name(receiver.url)
    on_sqlite.happens("opened")
    process = on_sqlite.start()
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (FULL, resource.RLIM_INFINITY))
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, receiver.heard, "weather.db" in said) == (1, [], True)
    assert on_sqlite.notify()[0] == 0
    assert len(receiver.heard) == 1


def test_a_disk_that_is_full_after_it_was_sent_makes_no_second_message(
    on_sqlite: Service, people: Callable[[], Receiver]
) -> None:
    receiver = people()
    on_sqlite.name(receiver.url)
    on_sqlite.happens("opened")
    receiver.holding = threading.Event()
    process = on_sqlite.start()
    assert receiver.called.wait(60)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (FULL, resource.RLIM_INFINITY))
    receiver.holding.set()
    assert process.stderr
    assert "trying again" in process.stderr.readline()
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    process.communicate(timeout=60)
    assert (process.returncode, on_sqlite.states["opened"]) == (0, "sent")


def test_text_of_feeds_and_people_is_harmless(on_sqlite: Service, people: Callable[[], Receiver]) -> None:
    receiver = people()
    on_sqlite.name(receiver.url)
    evil = "a\x1b[31m\nb\r\x00" + "x" * 5000
    seen: Any = {"detector": {"reason": evil, "value": "31", "expected": [], "ended": {}}}
    on_sqlite.happens(
        "opened", INCIDENT._replace(assignee=evil[:40].replace("\x00", ""), evidence=evidence.written(seen))
    )
    on_sqlite.happens("opened", INCIDENT._replace(evidence="[" * 100_000))
    assert on_sqlite.notify()[0] == 0
    told = receiver.heard[0]["title"] + receiver.heard[0]["message"]
    assert not set(told) & set("\x1b\r\x00")
    assert len(told) < 10_000


def test_nobody_is_named(on_sqlite: Service, people: Callable[[], Receiver]) -> None:
    receiver = people()
    on_sqlite.happens("opened")
    code, said = on_sqlite.notify()
    assert (code, "there is no credential apprise_urls" in said) == (0, True)
    on_sqlite.name(receiver.url)
    assert on_sqlite.notify()[0] == 0
    assert receiver.heard == []
    on_sqlite.name()
    assert on_sqlite.notify() == (
        1,
        "weather-tool: the credential apprise_urls names nobody: give URLs of apprise, a line each\n",
    )


def test_an_address_is_a_secret(on_sqlite: Service, environment: dict[str, str]) -> None:
    on_sqlite.name("json://user:sesame@127.0.0.1:9/token4711")
    on_sqlite.happens("opened")
    code, said = on_sqlite.notify("--verbose")
    assert code == 1
    for secret in ("sesame", "token4711"):
        assert secret not in said
        assert all(secret not in one.error + one.heard for one in on_sqlite.outbox)


def test_the_summary_of_a_week_is_sent_once(service: Service, people: Callable[[], Receiver]) -> None:
    receiver = people()
    service.name(receiver.url)
    incident = service.happens("opened", INCIDENT._replace(assignee="maria"))
    service.happens("opened", INCIDENT._replace(
        station_id="larissa", state="resolved", verdict="fault", acknowledged=NOW - 200, opened=NOW - 7400, resolved=NOW - 200,
        started=NOW - 9000, ended=NOW - 1800,
    ))  # fmt: skip
    for _ in range(2):
        assert service.notify("--summary")[0] == 0
    assert [title.partition(":")[0] for title in receiver.titles] == [
        "warning, new",
        "the week to " + receiver.titles[1][12:22],
    ]
    text = receiver.heard[1]["message"]
    for part in ("resolved: 1 (1 fault)", "mean time to acknowledge: 2 h 0 min", "mean time to repair: 2 h 0 min",
                 f"{incident.id}: warning, open, maria is to repair it: volos, temp_out"):  # fmt: skip
        assert part in text


def test_a_part_of_a_network_incident_is_not_told(on_sqlite: Service, people: Callable[[], Receiver]) -> None:
    receiver = people()
    on_sqlite.name(receiver.url)
    incident = on_sqlite.happens("opened")
    on_sqlite.happens("joined", incident._replace(state="resolved", part_of=99))
    assert on_sqlite.notify() == (0, "there is nothing to tell\n")
    with open_for_reading(on_sqlite.db) as store:
        assert len(store.incidents.find(IncidentFilter(parts=True))) == 1
    assert receiver.heard == []
