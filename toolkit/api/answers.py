"""Answers that are ready: encoded and compressed once, kept until something is stored, with an ETag of the content.

Whatever reads the store does it in one of a few threads, in a short snapshot, and never in the loop that serves.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import blake2b
from http import HTTPStatus
from typing import NamedTuple

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from toolkit.api.problems import too_busy
from toolkit.database import Database
from toolkit.errors import ToolkitError
from toolkit.memory import give_back
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
PACKED_FROM = 1000
# After a larger answer the memory that it took to make is given back to the system.
LARGE_BYTES = 256 << 10
# So much of an answer waits for a client that reads slowly.
PART_BYTES = 128 << 10
# What is asked with one of these may be for one person alone.
_OF_ONE = {"authorization", "cookie", "x-forwarded-user"}
PACKING = 1  # the level of zlib: four times as fast as its default, for a tenth more bytes


class Content(NamedTuple):
    """What is to be sent.

    Attributes:
        parts: of it; each may go once it is taken in.
        kind: its media type.
        headers: further ones.
    """

    parts: Iterable[bytes]
    kind: str
    headers: Mapping[str, str] = {}


class Answer(NamedTuple):
    """Content that is ready to be sent.

    Attributes:
        body: as it is sent.
        packed: whether it is packed by gzip.
        kind: its media type.
        etag: of the content, whether it is packed or not.
        headers: further ones.
    """

    body: bytearray
    packed: bool
    kind: str
    etag: str
    headers: Mapping[str, str]


def answer(content: Content, *, pack: bool) -> Answer:
    """Content as it is sent, packed if it is long enough for that."""
    body, digest = bytearray(), blake2b(digest_size=12)
    packer = None
    for part in content.parts:
        digest.update(part)
        if packer:
            body += packer.compress(part)
            continue
        body += part
        if pack and len(body) >= PACKED_FROM:
            packer = zlib.compressobj(PACKING, zlib.DEFLATED, 31)
            body = bytearray(packer.compress(body))
    if packer:
        body += packer.flush()
    return Answer(body, packer is not None, content.kind, f'W/"{digest.hexdigest()}"', content.headers)


def sent(request: Request, ready: Answer) -> Response:
    """An answer to a request: 304 where the client has it."""
    headers = {
        "ETag": ready.etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": "no-cache" if _OF_ONE.isdisjoint(request.headers) else "private, no-cache",
        **ready.headers,
    }
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if not known.isdisjoint({"*", ready.etag.removeprefix("W/")}):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    if ready.packed:
        headers["Content-Encoding"] = "gzip"
    return Whole(memoryview(ready.body), HTTPStatus.OK, headers, ready.kind)


class Whole(Response):
    """Content that is sent part by part, as fast as the client reads, so that no second copy of it is in memory."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for start in range(0, max(len(self.body), 1), PART_BYTES):
            part = self.body[start : start + PART_BYTES]
            await send({"type": "http.response.body", "body": part, "more_body": start + PART_BYTES < len(self.body)})


def takes_gzip(request: Request) -> bool:
    """Whether a client takes content that is packed by gzip (RFC 9110, 12.5.3)."""
    return _takes_gzip(request.headers.get("accept-encoding", ""))


@functools.lru_cache(maxsize=64)
def _takes_gzip(accepted: str) -> bool:
    weights = {}
    for one in accepted.lower().split(","):
        name, _, weight = one.replace(" ", "").partition(";")
        weights[name] = weight not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
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

    async def get(self, key: Hashable, make: Callable[[Store], Content], *, pack: bool) -> Answer:
        """An answer that is at most a second old.

        Args:
            key: what it depends on, besides the store.
            make: reads the store, in a thread.
            pack: whether it is to be packed.

        Raises:
            Problem: too many wait, or what `make` raises.
            ToolkitError: the store cannot be read.
        """
        await self._look()
        key = (key, pack)
        if ready := self._kept.get(key):
            self._kept.move_to_end(key)
            return ready
        of_now = (key, self._stamp)
        task = self._making.get(of_now)
        if task is None:
            if len(self._making) >= WAITING:
                raise too_busy()
            task = asyncio.create_task(self._make(key, make, pack=pack))
            self._making[of_now] = task
            task.add_done_callback(functools.partial(self._made, of_now))
        return await asyncio.shield(task)

    def look_again(self) -> None:
        """Have the next request look whether something was stored: this process has stored something."""
        self._looked, self._looking = -FRESH_SECONDS, None

    def _made(self, key: Hashable, task: asyncio.Task[Answer]) -> None:
        del self._making[key]
        if not task.cancelled():
            task.exception()  # nobody may wait for it any more

    async def run(self, make: Callable[[Store], Content], *, pack: bool = False) -> Answer:
        """An answer that is not kept."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, make, pack)

    async def _make(self, key: Hashable, make: Callable[[Store], Content], *, pack: bool) -> Answer:
        stamp = self._stamp
        ready = await self.run(make, pack=pack)
        if stamp == self._stamp and len(ready.body) <= KEPT_BYTES:
            self._kept[key] = ready
            self._size += len(ready.body)
            while self._size > KEPT_BYTES:
                self._size -= len(self._kept.popitem(last=False)[1].body)
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
            current = self._looking is looking
            if current and looking.done():
                self._looking = None
        if current:
            self._looked = time.monotonic()
        if stamp != self._stamp:
            self._stamp, self._size = stamp, 0
            self._kept.clear()

    def _read(self, make: Callable[[Store], Content], pack: bool) -> Answer:
        with open_for_reading(self._db) as store, store.snapshot():
            ready = answer(make(store), pack=pack)
        if len(ready.body) > LARGE_BYTES:
            give_back()
        return ready

    def close(self) -> None:
        """Leave the store; what is being read is not waited for."""
        self._watching.submit(self._watch.close)
        for pool in (self._watching, self._threads):
            pool.shutdown(wait=False, cancel_futures=False)


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
