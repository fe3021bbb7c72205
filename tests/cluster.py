"""A Dask cluster of real processes on loopback, with certificates of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.collector import Service, service
from tests.ports import free_port


def authority(folder: Path) -> Path:
    """An authority of its own: a folder with its key and certificate."""
    folder.mkdir()
    _openssl(
        "req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=weather cluster", "-keyout", folder / "ca.key",
        "-out", folder / "ca.crt",
    )  # fmt: skip
    return folder


def credentials(signed_by: Path, folder: Path) -> dict[str, str]:
    """What hands the certificate of a member to a command, as docs/distributed.md makes it."""
    folder.mkdir()
    key, asked, certificate = folder / "key", folder / "asked", folder / "certificate"
    _openssl("req", *_KEY, "-subj", "/CN=member", "-keyout", key, "-out", asked)
    _openssl(
        "x509", "-req", "-days", "2", "-in", asked, "-CA", signed_by / "ca.crt", "-CAkey", signed_by / "ca.key",
        "-out", certificate,
    )  # fmt: skip
    parts = (key, certificate, signed_by / "ca.crt")
    (folder / "cluster_tls").write_text("".join(part.read_text() for part in parts))
    return {"CREDENTIALS_DIRECTORY": str(folder)}


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


class Running:
    """A cluster that runs.

    Attributes:
        environment: of a command that is to use it.
        address: the scheduler's.
        scheduler, workers: its services.
    """

    def __init__(self, environment: dict[str, str], address: str, scheduler: Service, workers: Service) -> None:
        self.environment = {**environment, "WEATHER_DASK": address}
        self.address, self.scheduler, self.workers = address, scheduler, workers


@contextmanager
def running(environment: dict[str, str], folder: Path, scheme: str = "tls", processes: int = 2) -> Iterator[Running]:
    """A scheduler and so many workers."""
    address = f"127.0.0.1:{free_port()}"
    dask = f"{scheme}://{address}"
    with ExitStack() as held:
        for name in ("scheduler", "workers", "tmp"):
            (folder / name).mkdir(parents=True)
        environment = {**environment, "TMPDIR": str(folder / "tmp")}  # one that is killed leaves what is there
        scheduler = held.enter_context(
            service(environment, folder / "scheduler", does=("cluster", "scheduler", address, "--dask", dask))
        )
        scheduler.wait_for("READY=1")
        does = ("cluster", "worker", "--dask", dask, "--processes", str(processes))
        workers = held.enter_context(service(environment, folder / "workers", does=does))
        workers.wait_for("STATUS=")
        yield Running(environment, dask, scheduler, workers)


class Piece:
    """Work whose beginning can be awaited, and which ends when it is told to: a shell that reads named pipes."""

    def __init__(self, folder: Path, name: str) -> None:
        begun, end = folder / f"{name}.begun", folder / f"{name}.end"
        os.mkfifo(begun)
        os.mkfifo(end)
        # Open for both: nobody waits for the other side. What is written stays, a line for each who reads.
        self._begun, self._end = (os.open(pipe, os.O_RDWR) for pipe in (begun, end))
        self.words = ["sh", "-c", f"echo $PPID > '{begun}'; read line < '{end}'"]

    def begun(self) -> int:
        """Wait until it has begun; returns the process that does it."""
        return int(os.read(self._begun, 16).split()[0])

    def end(self) -> None:
        """Let it end, however often it is begun."""
        os.write(self._end, b"\n" * 100)

    def close(self) -> None:
        """Close the pipes."""
        os.close(self._begun)
        os.close(self._end)
