"""Answers that are ready: encoded and compressed once, kept until something is stored, with an ETag of the content.

Whatever reads the store does it in one of a few threads, in a short snapshot, and never in the loop that serves.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import itertools
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from http import HTTPStatus

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from toolkit.api.problems import too_busy
from toolkit.database import Database
from toolkit.errors import ToolkitError
from toolkit.store import Store, open_for_reading

# Threads that read and encode: two at once use both cores of a small host, and hold two answers in memory.
THREADS = 2
# So many different answers may wait for a thread.
WAITING = 64
# How much the answers take that are kept, in bytes.
KEPT_BYTES = 16 << 20
# How old an answer may be, in seconds: so often it is looked whether something was stored.
FRESH_SECONDS = 1.0
# Shorter content is sent as it is.
COMPRESSED_FROM = 1000
# After a larger answer the memory that it took to make is given back to the system.
LARGE_BYTES = 1 << 20
# So much of an answer waits for a client that reads slowly.
PART_BYTES = 128 << 10
COMPRESSION = 1  # of zlib: four times as fast as its default, for a tenth more bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Content that is ready to be sent.

    Attributes:
        content: as it is.
        compressed: by gzip; None where it is too short for that.
        kind: its media type.
        etag: of the content, whether it is compressed or not.
        headers: further ones.
    """

    content: bytearray
    compressed: bytearray | None
    kind: str
    etag: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return len(self.content) + len(self.compressed or ())


def made(parts: Iterable[bytes], kind: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer of the parts of its content; each may go once it is taken in."""
    content, compressed = bytearray(), bytearray()
    digest, packer = blake2b(digest_size=12), zlib.compressobj(COMPRESSION, zlib.DEFLATED, 31)
    for part in parts:
        content += part
        digest.update(part)
        compressed += packer.compress(part)
    if len(content) < COMPRESSED_FROM:
        return Answer(content, None, kind, f'W/"{digest.hexdigest()}"', headers or {})
    compressed += packer.flush()
    return Answer(content, compressed, kind, f'W/"{digest.hexdigest()}"', headers or {})


def sent(request: Request, ready: Answer) -> Response:
    """An answer to a request: 304 where the client has it, compressed where the client takes that."""
    headers = {
        "ETag": ready.etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": "private, no-cache" if "authorization" in request.headers else "no-cache",
        **ready.headers,
    }
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or ready.etag.removeprefix("W/") in {
        one.strip().removeprefix("W/") for one in known.split(",")
    }:
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    content = ready.content
    if ready.compressed is not None and takes_gzip(request.headers.get("accept-encoding", "")):
        content = ready.compressed
        headers["Content-Encoding"] = "gzip"
    return Whole(memoryview(content), HTTPStatus.OK, headers, ready.kind)


class Whole(Response):
    """Content that is sent in parts, each once the client has taken in the one before: it lies in memory but once."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for start in range(0, max(len(self.body), 1), PART_BYTES):
            part = self.body[start : start + PART_BYTES]
            await send({"type": "http.response.body", "body": part, "more_body": start + PART_BYTES < len(self.body)})


@functools.lru_cache(maxsize=64)
def takes_gzip(accepted: str) -> bool:
    """Whether a client takes content that is compressed by gzip (RFC 9110, 12.5.3)."""
    weights = {}
    for one in accepted.lower().split(","):
        name, _, rest = one.partition(";")
        weights[name.strip()] = rest.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return weights.get("gzip", weights.get("*", False))


class Answers:
    """The answers that are kept, and the way to the store for those that are not."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._threads = ThreadPoolExecutor(THREADS, "answer")
        self._watching = ThreadPoolExecutor(1, "watch")  # its connection stays in one thread
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()
        self._size = 0
        self._making: dict[Hashable, asyncio.Task[Answer]] = {}
        self._watch = _Watch(db)
        self._stamp, self._looked = "", -FRESH_SECONDS
        self._looking: asyncio.Future[str] | None = None

    async def get(self, key: Hashable, make: Callable[[Store], Answer]) -> Answer:
        """An answer that is at most a second old.

        Args:
            key: what it depends on, besides the store.
            make: reads and encodes it, in a thread.

        Raises:
            Problem: too many wait.
            ToolkitError: the store cannot be read.
        """
        await self._look()
        if ready := self._kept.get(key):
            self._kept.move_to_end(key)
            return ready
        task = self._making.get(key)
        if task is None:
            if len(self._making) >= WAITING:
                raise too_busy()
            task = asyncio.create_task(self._make(key, make))
            self._making[key] = task
            task.add_done_callback(functools.partial(self._made, key))
        return await asyncio.shield(task)

    def _made(self, key: Hashable, task: asyncio.Task[Answer]) -> None:
        del self._making[key]
        if not task.cancelled():
            task.exception()  # nobody may wait for it any more

    async def run(self, read: Callable[[Store], Answer]) -> Answer:
        """An answer that is not kept."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, read)

    async def _make(self, key: Hashable, make: Callable[[Store], Answer]) -> Answer:
        stamp = self._stamp
        ready = await self.run(make)
        if stamp == self._stamp and ready.size <= KEPT_BYTES:
            self._kept[key] = ready
            self._size += ready.size
            while self._size > KEPT_BYTES:
                self._size -= self._kept.popitem(last=False)[1].size
        return ready

    async def _look(self) -> None:
        """Forget all that is kept once something was stored."""
        if time.monotonic() - self._looked < FRESH_SECONDS:
            return
        if self._looking is None:
            self._looking = asyncio.get_running_loop().run_in_executor(self._watching, self._watch.stamp)
        looking = self._looking
        try:
            stamp = await asyncio.shield(looking)
        finally:
            if looking.done() and self._looking is looking:
                self._looking = None
        self._looked = time.monotonic()
        if stamp != self._stamp:
            self._stamp, self._size = stamp, 0
            self._kept.clear()

    def _read(self, read: Callable[[Store], Answer]) -> Answer:
        with open_for_reading(self._db) as store, store.snapshot():
            ready = read(store)
        if ready.size > LARGE_BYTES:
            _give_back()
        return ready

    def close(self) -> None:
        """Leave the store; what is being read is not waited for."""
        self._watching.submit(self._watch.close)
        for pool in (self._watching, self._threads):
            pool.shutdown(wait=False, cancel_futures=False)


def _give_back() -> None:
    """Give memory that is free back to the system: glibc keeps it otherwise."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


class _Watch:
    """Looks whether something was stored since the last look."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._opened = itertools.count()
        self._open: tuple[int, Store, ExitStack] | None = None

    def stamp(self) -> str:
        """Another text than before, if something was stored."""
        try:
            return self._ask()
        except ToolkitError:  # the server was restarted, the file was replaced: once more, from the start
            self.close()
            return self._ask()

    def _ask(self) -> str:
        if self._open is None:
            stack = ExitStack()
            self._open = next(self._opened), stack.enter_context(open_for_reading(self._db)), stack
        number, store, _ = self._open
        return f"{number} {store.stamp()}"

    def close(self) -> None:
        """Leave the store."""
        if self._open:
            self._open[2].close()
            self._open = None
