"""The services of a cluster: its scheduler, and workers."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from toolkit.cluster.connection import ClusterError, reason_of, security
from toolkit.cluster.release import release
from toolkit.cluster.settled import CONNECT_SECONDS, settle
from toolkit.cluster.work import resource
from toolkit.errors import reason
from toolkit.paths import WORKER_PORTS
from toolkit.sdnotify import notify, watchdog_seconds

if TYPE_CHECKING:
    from distributed.security import Security

# Those of workers, and of what keeps each of them up.
_JUDGE, _KEEP = list(WORKER_PORTS[::2]), list(WORKER_PORTS[1::2])
STATUS_SECONDS = 10.0
AGAIN_SECONDS = 2.0
# What is judged at that moment is judged by another worker.
STOP_SECONDS = 1.0

log = logging.getLogger(__name__)


def serve_scheduler(address: str, scheme: str) -> None:
    """Be a scheduler until the process is told to stop.

    Args:
        address: where to listen, ADDRESS:PORT.
        scheme: `tcp` or `tls`.

    Raises:
        ClusterError: it cannot listen there, or the certificate cannot be used.
    """
    settle(logging.ERROR)
    with _own_folder():
        asyncio.run(_until_stopped(_scheduler(address, scheme)))


def serve_workers(address: str, processes: int) -> None:
    """Work on tiles for a scheduler, by this many processes, until the process is told to stop.

    Where the scheduler is away it is waited for.

    Raises:
        ClusterError: the certificate cannot be used, or there is no free port.
    """
    settle(logging.ERROR)
    with _own_folder():
        asyncio.run(_until_stopped(_workers(address, processes)))


@contextmanager
def _own_folder() -> Iterator[None]:
    """Keep what Dask keeps in a folder that nobody else can write to: a worker may import from there."""
    import dask

    with TemporaryDirectory(prefix="weather-cluster-") as folder, dask.config.set({"temporary-directory": folder}):
        yield


async def _until_stopped(service: Coroutine[Any, Any, None]) -> None:
    """Run a service until it fails, or SIGTERM or SIGINT comes."""
    task = asyncio.ensure_future(service)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    alive = asyncio.ensure_future(_alive())
    try:
        await task
    except asyncio.CancelledError:
        log.info("stopped")
    finally:
        alive.cancel()
        notify("STOPPING=1")


async def _alive() -> None:
    """Tell systemd's watchdog that the loop runs."""
    while seconds := watchdog_seconds():
        notify("WATCHDOG=1")
        await asyncio.sleep(seconds)


async def _scheduler(address: str, scheme: str) -> None:
    from distributed import Scheduler

    host, _, port = address.rpartition(":")
    try:
        scheduler = Scheduler(
            host=host.strip("[]"), port=int(port), protocol=scheme, security=security(f"{scheme}://{address}"),
            dashboard=False, dashboard_address="127.0.0.1:0",
        )  # fmt: skip
        async with scheduler:
            log.info("the cluster's scheduler listens at %s://%s", scheme, address)
            notify("READY=1")
            while True:
                notify(f"STATUS={len(scheduler.workers)} workers at {scheme}://{address}")
                await asyncio.sleep(STATUS_SECONDS)
    except OSError as error:
        raise ClusterError(f"the scheduler cannot listen at {address}: {reason(error)}") from error


async def _workers(address: str, processes: int) -> None:
    """Keep workers up; where they lose the scheduler, wait for it and begin anew."""
    members = security(address)
    notify("READY=1")
    while True:
        await _judging(address, await _there(address, members), members, processes)
        log.warning("the scheduler at %s is gone: it is waited for", address)


async def _there(address: str, members: Security) -> str:
    """Wait until the scheduler answers; returns the address of this machine by which it was reached."""
    from distributed.comm.addressing import get_address_host
    from distributed.comm.core import connect

    said = ""
    while True:
        try:
            comm = await connect(address, timeout=CONNECT_SECONDS, **members.get_connection_args("worker"))
            here = str(get_address_host(comm.local_address))
            await comm.close()
        except OSError as error:  # so are Dask's and the time-out
            if (why := reason_of(error)) != said:
                log.warning("waiting for the scheduler at %s: %s", address, why)
                notify(f"STATUS=Waiting for the scheduler at {address}: {why}")
                said = why
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return here


async def _judging(address: str, here: str, members: Security, processes: int) -> None:
    """Judge until one of the processes has lost the scheduler; one that dies is begun anew."""
    from distributed import Nanny

    name = socket.gethostname()
    keepers = [
        Nanny(
            address, nthreads=1, memory_limit=0, name=f"{name} {number}", resources={resource(): 1}, security=members,
            host=here, port=_KEEP, worker_port=_JUDGE, dashboard_address="127.0.0.1:0", dashboard=False,
        )
        for number in range(1, processes + 1)
    ]  # fmt: skip
    try:
        try:
            await asyncio.gather(*keepers)
        except (OSError, RuntimeError) as error:
            raise ClusterError(f"workers cannot be started: {reason_of(error)}") from error
        notify(f"STATUS={processes} processes of release {release()} judge for {address}")
        log.info("%d processes of release %s judge for %s", processes, release(), address)
        await asyncio.wait([asyncio.ensure_future(one.finished()) for one in keepers], return_when="FIRST_COMPLETED")
    finally:
        await asyncio.gather(*(one.close(timeout=STOP_SECONDS) for one in keepers), return_exceptions=True)
