"""Acting: what writes the store on behalf of a person, in a thread of its own, one after another."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, Self, TypeVar, cast

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from toolkit import clock
from toolkit.api.answers import Answers
from toolkit.api.problems import LATER_SECONDS, Problem, too_busy
from toolkit.database import Database
from toolkit.errors import UsageError
from toolkit.incidents.deciding import UndecidableError
from toolkit.store import Store, StoreError, open_for_writing
from toolkit.times import from_stored

# So many may wait; each takes some milliseconds, or the two seconds for which a locked database is waited for.
WAITING = 20

log = logging.getLogger(__name__)
Done = TypeVar("Done")


class Acting:
    """The thread that writes."""

    def __init__(self, db: Database, answers: Answers) -> None:
        self._db, self._answers = db, answers
        self._thread = ThreadPoolExecutor(1, "act")
        self._number = 0

    @classmethod
    def of(cls, request: Request) -> Self:
        """The writing thread of the application that serves a request."""
        return cast(Self, request.app.state.acting)

    async def run(self, do: Callable[[Store, float], Done]) -> Done:
        """Have something done in the store.

        Args:
            do: does it, given the store, open for writing, and the present in seconds since the epoch.

        Raises:
            Problem: it was not done: 400 where the request is wrong, 409 where the state does not allow it (any more),
                503 where the store cannot be written just now.
        """
        if self._number >= WAITING:
            raise too_busy()
        self._number += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, do)
        except UndecidableError as error:
            raise Problem(HTTPStatus.CONFLICT, str(error)) from None
        except UsageError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from None
        except StoreError as error:
            log.warning("%s", error)
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "the store cannot be written just now, and nothing was changed; the service's log says why",
                {"Retry-After": str(LATER_SECONDS)},
            ) from None
        finally:
            self._number -= 1
            self._answers.look_again()

    def _do(self, do: Callable[[Store, float], Done]) -> Done:
        with open_for_writing(self._db, begin=False) as store:
            newest = store.newest()
            return do(store, clock.at_least(time.time(), from_stored(newest).timestamp() if newest else None))


def done(content: dict[str, Any]) -> Response:
    """The answer that says what was done."""
    return JSONResponse(content, headers={"Cache-Control": "no-store"})
