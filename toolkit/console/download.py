"""What a view shows, as a file."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from toolkit.api import features
from toolkit.api.answers import Answers, Content
from toolkit.api.parameters import FLAG, MEDIA_TYPES, Form, Text
from toolkit.console import asking, reading
from toolkit.console.about import DATA
from toolkit.console.people import Reader
from toolkit.flagging.readings import flagged_readings
from toolkit.store import Selection, Span, Store
from toolkit.store.selection import pieces
from toolkit.times import stored

router = APIRouter(prefix=DATA, include_in_schema=False)

# So much is read and sent at a time.
PIECE = 31 * 86_400.0


class DownloadQuery(asking.StationQuery):
    """The observations that a view shows."""

    variables: Text | None = None


@router.get("/download")
async def download(request: Request, asked: Annotated[DownloadQuery, Query()], _: Reader) -> StreamingResponse:
    """Observations with the flag of each value as CSV, of a span of any length."""
    span, names = asked.span(), asking.names(asked.variables)
    answers: Answers = request.app.state.answers
    spans: list[Span] = []

    def look(store: Store) -> Content:
        asked.known(store)
        spans.extend(pieces(reading.observed(store, span), PIECE))
        return Content([], "")

    await answers.run(look)
    day = stored(span.start)[:10], stored(span.end)[:10]
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", "_".join((asked.station[:60], *day)))
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(_lines(answers, asked.station, names, spans), 200, headers, MEDIA_TYPES[Form.CSV])


async def _lines(answers: Answers, station: str, names: list[str], spans: list[Span]) -> AsyncIterator[bytes]:
    columns = [column for name in names for column in (name, name + FLAG)]
    yield features.heading(columns)
    for piece in spans:

        def make(store: Store, piece: Span = piece) -> Content:
            found = flagged_readings(store, Selection(piece.start, piece.end, [station]), names, seconds=PIECE)
            return Content((line for rows in found for line in features.lines(rows, columns)), "text/csv")

        yield bytes((await answers.run(make)).body)
