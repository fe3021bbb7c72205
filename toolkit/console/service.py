"""The service itself: what the store says of collection and detection, and what the exporter says of the host."""

from __future__ import annotations

import asyncio
import platform
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from toolkit import __version__
from toolkit.api.answers import Content
from toolkit.api.edr import document, ready
from toolkit.checks.host import Host
from toolkit.checks.serving import service_url
from toolkit.console.about import DATA
from toolkit.console.people import Reader, accounts_known
from toolkit.console.remote import fetched
from toolkit.errors import ToolkitError
from toolkit.query.source_states import told
from toolkit.settings import Settings, load_lenient
from toolkit.store import Logged, Selection, Span, Store
from toolkit.times import from_stored

router = APIRouter(prefix=DATA, include_in_schema=False)

HOUR, DAY = 3600, 86400
# How far back collection is shown, by hours, and detection, by days.
HOURS, DAYS = 48, 14
# So many lines of the collector's log are read at most: of 48 hours in which a line came every 30 s.
MOST_LINES = 6000
# So many failures are shown, the newest first.
FAILURES = 5
# The exporter is asked no more often: it looks once a minute.
ASKED_SECONDS = 10.0
# Its answer is ready, and whoever asks this host from another one waits meanwhile.
ANSWER_SECONDS = 2.0
STARTED = time.time()


@router.get("/service")
async def service(request: Request, who: Reader) -> Response:
    """What the store says: how the sources, collection and detection go, and how large it is.

    Where people can sign in, what became of a source's last cycle is for those who have.
    """
    settings = request.app.state.settings
    now = time.time()
    hidden = who is None and bool(await accounts_known(request))

    def make(store: Store) -> Content:
        return document(
            {
                "version": __version__,
                "python": platform.python_version(),
                "started": round(STARTED),
                "database": {
                    "engine": settings.db.label,
                    "bytes": store.size_bytes(),
                    "oldest": _seconds(store.oldest()),
                    "newest": _seconds(store.newest()),
                    "stations": len(store.stations()),
                },
                "sources": _sources(store, settings, now, hidden=hidden),
                "collection": _collection(store, now),
                "detection": _detection(store, now),
            }
        )

    return await ready(request, (now // 60, hidden), make)


def _seconds(text: str | None) -> int | None:
    return None if text is None else round(from_stored(text).timestamp())


def _sources(store: Store, settings: Settings, now: float, *, hidden: bool) -> list[dict[str, Any]]:
    """How each source does."""
    return [
        {
            "name": one.name,
            "status": one.status,
            "newest": one.state and one.state.newest,
            "succeeded": one.state and one.state.succeeded,
            "failures": one.state.failures if one.state else 0,
            "message": one.state.message if one.state and not hidden else None,
        }
        for one in told(store, settings, now)
    ]


def _collection(store: Store, now: float) -> dict[str, Any]:
    """What the collector did, hour by hour, the oldest first."""
    lines = store.log(MOST_LINES)
    first = (now // HOUR - HOURS + 1) * HOUR
    hours = [{"at": round(first + HOUR * hour), "stored": 0, "failed": 0, "observations": 0} for hour in range(HOURS)]
    for line in lines:
        place = int((line.time - first) // HOUR)
        if 0 <= place < HOURS and line.status in {"success", "failed"}:
            hours[place]["stored" if line.status == "success" else "failed"] += 1
            hours[place]["observations"] += line.observations if line.status == "success" else 0
    left_out = {one.label: one.number for one in store.counters() if one.name == "left_out"}
    return {
        "hours": hours,
        # The hours before are not told of, should there be more lines than were read.
        "since": round(lines[-1].time) if len(lines) == MOST_LINES else None,
        "last": next((_line(line) for line in lines if line.status == "success"), None),
        "failures": [_line(line) for line in lines if line.status == "failed" and line.time >= first][:FAILURES],
        "left_out": dict(sorted(left_out.items(), key=lambda item: -item[1])),
    }


def _line(line: Logged) -> dict[str, Any]:
    return {"at": round(line.time), "observations": line.observations, "message": line.message}


def _detection(store: Store, now: float) -> dict[str, Any]:
    """Runs of the detector and the anomalies that began, day by day, the oldest first."""
    first = (now // DAY - DAYS + 1) * DAY
    runs = sorted({one.judged_at for one in store.flags.judged(Span(first - DAY, now + DAY))})
    made = Counter(int((at - first) // DAY) for at in runs)
    found: Counter[tuple[int, str]] = Counter()
    for one in store.anomalies(Selection(start=first)):
        found[int((one.started - first) // DAY), one.class_] += 1
    return {
        "last": round(runs[-1]) if runs else None,
        "days": [
            {
                "at": round(first + DAY * day), "runs": made[day],
                "anomalies": {class_: number for (on, class_), number in found.items() if on == day},
            }
            for day in range(DAYS)
        ],
    }  # fmt: skip


@router.get("/host")
async def host(request: Request, who: Reader) -> Response:
    """What the exporter says of the host; `missing` says why it says nothing.

    Where people can sign in, what was seen and what mends it is for those who have: it has paths and names.
    """
    said = await request.app.state.exporter.told()
    if who is None and "findings" in said and await accounts_known(request):
        said = {**said, "findings": _in_short(said["findings"])}
    return JSONResponse(said, headers={"Cache-Control": "no-store"})


def _in_short(findings: dict[str, Any]) -> dict[str, Any]:
    """Findings without what was seen, and without remedies."""
    hidden = {"evidence": "", "remedy": None}
    return {**findings, **{part: [{**one, **hidden} for one in findings[part]] for part in ("causes", "checks")}}


class Exporter:
    """What the exporter says of the host, asked when somebody looks, by one thread."""

    def __init__(self) -> None:
        self._url = service_url(Host(load_lenient()))
        self._thread = ThreadPoolExecutor(1, "exporter")
        self._asked = -ASKED_SECONDS
        self._asking: asyncio.Future[dict[str, Any]] | None = None

    async def told(self) -> dict[str, Any]:
        """What it said, at most `ASKED_SECONDS` ago; `missing` says why it said nothing."""
        if self._asking is None or (self._asking.done() and time.monotonic() - self._asked > ASKED_SECONDS):
            self._asked = time.monotonic()
            self._asking = asyncio.get_running_loop().run_in_executor(self._thread, self._ask)
        return await asyncio.shield(self._asking)

    def _ask(self) -> dict[str, Any]:
        try:
            said = fetched(self._url, seconds=ANSWER_SECONDS)
        except ToolkitError as error:
            return {"missing": f"{self._url}: {error}"}
        if isinstance(said, dict) and "findings" in said:
            return said
        return {"missing": f"{self._url}: the exporter has begun, and has made no checks yet"}
