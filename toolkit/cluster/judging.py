"""Pieces of a network judged by a cluster, and those that it does not give back by this machine."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from toolkit.cluster.connection import ClusterError, reason_of, security
from toolkit.cluster.release import release
from toolkit.cluster.settled import CONNECT_SECONDS, settle
from toolkit.cluster.told import HERE, told, told_of_none
from toolkit.cluster.work import OURS, applied, packed, resource
from toolkit.sdnotify import notify
from toolkit.text import one_line

if TYPE_CHECKING:
    from distributed import Client, Future

Piece = TypeVar("Piece")
Found = TypeVar("Found")

# How long a first worker, or a worker's result, is waited for until this machine does what is left.
WORKER_SECONDS = 15.0
RESULT_SECONDS = 120.0
# A piece is of so many stations at most, without those around them.
STATIONS = 32_000
# How many pieces a worker has: the one that it judges, and the next.
AHEAD = 2
# So many workers of another release are named.
SHOWN = 5
GONE = "the scheduler is gone"

log = logging.getLogger(__name__)


class Worker(NamedTuple):
    """A process that judges.

    Attributes:
        name: its host's name and its number.
        address: where the scheduler reaches it.
        release: what it runs; empty for a worker that is none of ours.
    """

    name: str
    address: str
    release: str


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """A client of a scheduler.

    Raises:
        ClusterError: it does not answer, or not to us.
    """
    try:
        settle()
        from distributed import Client
    except (ImportError, OSError) as error:
        raise ClusterError(f"Dask cannot be loaded: {one_line(str(error))}") from error
    members, named = security(address), urlsplit(address)
    try:
        # Dask tries again for all of the time, also where nobody listens.
        socket.create_connection((named.hostname or "", named.port or 0), CONNECT_SECONDS).close()
        client = Client(address, security=members, timeout=CONNECT_SECONDS, set_as_default=False, name="weather-tool")
    except OSError as error:
        raise ClusterError(f"the scheduler at {address} does not answer: {reason_of(error)}") from error
    try:
        with client.as_current():
            yield client
    finally:
        client.close(timeout=1)


def workers(client: Client) -> list[Worker]:
    """The workers that a scheduler has, by name."""
    found = []
    for address, one in client.scheduler_info().get("workers", {}).items():
        ours = next((name for name in one.get("resources", {}) if name.startswith(OURS)), "")
        found.append(Worker(one_line(str(one.get("name", ""))), address, one_line(ours.removeprefix(OURS))))
    return sorted(found)


class Cluster:
    """A cluster that has a worker of this release, for one run.

    A worker that dies costs the piece that it had another try. Once the cluster is lost, this machine does the rest.

    Attributes:
        number: how many workers there were at first.
        away: how many pieces were done by the cluster.
        here: how many by this machine.
    """

    def __init__(self, client: Client, number: int) -> None:
        self._client, self.number = client, number
        self._lost = False
        self._told: set[str] = set()
        self.away = self.here = 0

    def stations_in_tile(self, stations: int) -> int:
        """How many of some stations a tile has: each worker gets one, of a large network several."""
        return max(1, min(STATIONS, -(-stations // self.number)))

    def apply(self, function: Callable[[Piece], Found], pieces: Iterable[Piece]) -> Iterator[Found]:
        """What a function returns for each piece, in order, as `map` does.

        Args:
            function: of this program, which workers have, too; its result depends on the piece alone.
            pieces: each is asked for when a worker is about to be free.
        """
        waiting = enumerate(pieces)
        running: dict[Future[Any], tuple[int, Piece]] = {}
        found: dict[int, Found] = {}
        given = 0
        while True:
            while not self._lost and len(running) < AHEAD * self.number and (one := next(waiting, None)):
                running[self._submitted(packed(function, one[1]))] = one
            if not running:
                break
            for task in self._ended([*running]):
                place, piece = running.pop(task)
                if (result := self._taken(task, place)) is None:
                    result = [function(piece)]
                    self.here += 1
                else:
                    self.away += 1
                found[place] = result[0]
            while given in found:
                yield found.pop(given)
                given += 1
        for _, piece in waiting:
            self.here += 1
            yield function(piece)

    def _submitted(self, work: bytes) -> Future[Any]:
        return self._client.submit(applied, work, pure=False, resources={resource(): 1})

    def _ended(self, running: list[Future[Any]]) -> Iterable[Future[Any]]:
        """Those that have ended; all, where the cluster is lost."""
        from distributed import wait

        if not self._lost:
            try:
                return wait(running, timeout=RESULT_SECONDS, return_when="FIRST_COMPLETED").done  # type: ignore[no-any-return]
            except TimeoutError:
                self._lose(f"no worker has given a result for {RESULT_SECONDS:g} s")
            except CancelledError:  # as everything is then
                self._lose(GONE)
        return running

    def _taken(self, task: Future[Any], place: int) -> list[Any] | None:
        """The result of a task, in a list; None where there is none, and why is told."""
        from distributed import KilledWorker

        if self._lost and task.status != "finished":
            return None
        if task.status in {"cancelled", "lost"}:
            self._lose(GONE)
            return None
        try:
            return [task.result(timeout=RESULT_SECONDS)]
        except KilledWorker as error:
            # Also that of a piece which only waited behind one that kills workers: Dask does not tell them apart.
            died = f"{error.allowed_failures + 1} workers that had it died, the last one {error.last_worker.name}"
            self._tell(f"piece {place + 1}: {died}")
        except TimeoutError:
            self._lose(f"no worker has given a result for {RESULT_SECONDS:g} s")
        except Exception as error:  # whatever a worker raises; if it is not the worker's fault, it is raised here, too
            self._tell(f"a worker could not judge a piece: {_said(error)}")
        return None

    def _lose(self, why: str) -> None:
        if not self._lost:
            self._lost = True
            self._tell(f"the cluster is lost: {why}")

    def _tell(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            log.warning("%s; it is judged %s", one_line(what), HERE)


@contextmanager
def judging_by(address: str) -> Iterator[Callable[[int], dict[str, Any]]]:
    """By what a detection run has pieces of a network judged: what `detector.run.detect` is to be told of it.

    Args:
        address: the scheduler's.

    Yields:
        A function of the number of stations. It says nothing where the cluster cannot be used, which is logged. How it
        went is told to systemd, where the doctor sees it.
    """
    with ExitStack() as held:
        try:
            client = held.enter_context(connected(address))
            used = Cluster(client, _ready(client))
        except ClusterError as error:
            log.warning("%s; it is judged %s", error, HERE)
            held.close()
            yield lambda _stations: {}
            notify(f"STATUS={told_of_none(str(error))}")
            return
        yield lambda stations: {"apply": used.apply, "stations_in_tile": used.stations_in_tile(stations)}
        notify(f"STATUS={told(used.away, used.here, address)}")


def _ready(client: Client) -> int:
    """How many workers of this release there are, once one of them has done a first task.

    Raises:
        ClusterError: none has.
    """
    from distributed import wait

    first = client.submit(release, pure=False, resources={resource(): 1})
    why = ""
    try:
        wait(first, timeout=WORKER_SECONDS)
    except TimeoutError:
        why = f"no worker of this release, {release()}, answers within {WORKER_SECONDS:g} s"
    except CancelledError as error:
        raise ClusterError(f"the cluster is lost: {GONE}") from error
    there = workers(client)
    if others := [one for one in there if one.release != release()]:
        named = ", ".join(f"{one.name} ({one.release or 'none of ours'})" for one in others[:SHOWN])
        log.warning(
            "%d workers are not of this release, %s, and judge nothing: %s: deploy one release to all hosts",
            len(others), release(), named + (" …" if len(others) > SHOWN else ""),
        )  # fmt: skip
    if why:
        raise ClusterError(why)
    return max(1, len(there) - len(others))


def _said(error: BaseException) -> str:
    return one_line(f"{type(error).__name__}: {error}")
