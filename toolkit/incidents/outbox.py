"""Sending what is in the outbox: all that is due as one message to each receiver, and nothing twice.

A run claims what is due (`sending`) before it sends, so that no other run does. For each receiver it first writes that
the receiver may have it (its mark with a `?`), sends, and writes that it has it. No signal ends it between the two.
What is killed there is sent once more, and says that it may be a repetition; nothing else is sent twice.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from toolkit import clock
from toolkit.errors import ToolkitError
from toolkit.incidents import summary
from toolkit.incidents.telling import CLOSING, ESCALATED, OPENING
from toolkit.incidents.wording import Letter, News, letter
from toolkit.sending import NoAnswerError, Receiver, send
from toolkit.settings import Settings
from toolkit.store import Store, StoreError
from toolkit.store.incidents import Action, Incident, IncidentFilter, Message
from toolkit.text import clean, one_line

JOB = "notify"
# No run takes so long: each scheduler ends it after 15 minutes. What was claimed before is of a run that was killed.
CLAIM_SECONDS = 20 * 60
# The pauses between attempts grow from the first to the last.
FIRST_PAUSE, LAST_PAUSE = 300, 3600
# How long a run waits for a database that is locked or full: before it sends, and, so that it is not sent twice, after.
BEFORE_SECONDS, AFTER_SECONDS = 10, 30
AGAIN_SECONDS = 0.5
NOBODY = "nobody is named to be told"
# What follows the mark of a receiver in a message: it has it, or may have it. Without its mark it does not.
YES, MAYBE, NO = "", "?", None
_PARTS = 500

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class Routes(NamedTuple):
    """Whom people's messages go to.

    Attributes:
        main: those of the credential apprise_urls.
        escalation: who is told of what nobody acknowledges.
    """

    main: Sequence[Receiver]
    escalation: Sequence[Receiver]

    def of(self, message: Message) -> Sequence[Receiver]:
        """Whom a message goes to."""
        return self.escalation if message.event == ESCALATED else self.main


class Delivered(NamedTuple):
    """What a run did.

    Attributes:
        sent: how many messages went out, one to each receiver.
        told: of how much they told.
        failed: for each receiver that could not be told, why.
        waiting: why what could not be sent waits for its next attempt, if this run made none.
        nobody: what was not sent because nobody is to be told.
    """

    sent: int
    told: int
    failed: list[str]
    waiting: list[str]
    nobody: int


def deliver(store: Store, settings: Settings, routes: Routes, at: float) -> Delivered:
    """Send what is due.

    Args:
        store: open for writing.
        settings: the time zone in which people are told times.
        routes: whom to tell.
        at: the present, seconds since the epoch.

    Raises:
        StoreError: the store does not take what is to be written into it.
    """
    run = _Run(store, settings, routes, int(at))
    nobody = _insist(run.claim, BEFORE_SECONDS)
    told = len(run.claimed)
    try:
        for receiver in dict.fromkeys([*routes.main, *routes.escalation]):
            run.tell(receiver)
    finally:
        _insist(run.release, AFTER_SECONDS)
    return Delivered(run.sent, told, run.failed, run.waiting, nobody)


class _Run:
    """One run.

    Attributes:
        claimed: what it sends, as it is in the store.
        before: all messages of the same incidents, in order.
        incidents: these incidents.
    """

    def __init__(self, store: Store, settings: Settings, routes: Routes, at: int) -> None:
        self._store, self._settings, self._routes, self._at = store, settings, routes, at
        self.claimed: dict[int, Message] = {}
        self.before: dict[int, list[Message]] = {}
        self.incidents: dict[int, Incident] = {}
        self.failed: list[str] = []
        self.waiting: list[str] = []
        self.sent = 0

    def claim(self) -> int:
        """Claim the messages that are due; returns how many of them have nobody to go to."""
        self.claimed = {}
        if not any(map(self._ready, found := self._due())):
            self.waiting = sorted({one.error for one in found if one.error})
            return 0
        with self._store.transaction():
            found = self._due()  # another run may have claimed it
            ids = sorted({one.incident_id for one in found if one.incident_id is not None})
            self.before = {}
            for one in self._store.incidents.told(ids):
                self.before.setdefault(one.incident_id or 0, []).append(one)
            self.incidents = {
                one.id: one
                for start in range(0, len(ids), _PARTS)
                for one in self._store.incidents.find(IncidentFilter(ids=ids[start : start + _PARTS], parts=True))
            }
            after = [self._claimed(one) for one in found]
            self._store.incidents.change_messages(after)
        self.claimed = {one.id: one for one in after if one.state == "sending"}
        return sum(one.error == NOBODY for one in after)

    def tell(self, receiver: Receiver) -> None:
        """Tell one receiver of all incidents in one message, and of a summary in one of its own."""
        rows = [one for one in self.claimed.values() if receiver in self._pending(one)]
        summaries = [one for one in rows if one.event == summary.EVENT]
        for some in ([one for one in rows if one not in summaries], *([one] for one in summaries)):
            if some:
                self._tell(receiver, some)

    def _tell(self, receiver: Receiver, rows: list[Message]) -> None:
        repeated = any(f"{receiver.mark}?" in one.heard.split() for one in rows)
        text = self._letter(rows, repeated)
        mine = _insist(lambda: self._write(rows, receiver, MAYBE), BEFORE_SECONDS)
        if len(mine) < len(rows):
            return
        with _undisturbed():
            has_it: str | None = YES
            try:
                send(receiver.address, text.title, text.lines)
                self.sent += 1
            except ToolkitError as error:
                has_it = MAYBE if repeated or isinstance(error, NoAnswerError) else NO
                self.failed.append(f"{receiver.shown}: {error}")
            _insist(lambda: self._write(rows, receiver, has_it), AFTER_SECONDS)

    def release(self) -> None:
        """Give up what could not be sent to all, until it is due again."""
        mine = [one for one in self._mine(self.claimed.values()) if one.state == "sending"]
        if not mine and not self.failed:
            return
        error = one_line("; ".join(self.failed))
        with self._store.transaction():
            self._store.incidents.change_messages(
                one._replace(state="waiting", attempts=one.attempts + bool(error), error=error or one.error)
                for one in self._mine(mine)
            )
            if self.failed:
                self._store.incidents.count("failed", len(self.failed))

    def _due(self) -> list[Message]:
        return [one for one in self._store.incidents.messages(["waiting", "sending"]) if self._free(one)]

    def _free(self, one: Message) -> bool:
        """Whether it is due, and no other run sends it."""
        if one.state == "sending":
            return one.tried is None or abs(self._at - one.tried) >= CLAIM_SECONDS
        # What was written by a clock that was ahead is due, too.
        return one.due <= self._at or one.written > self._at + clock.AGREE_SECONDS

    def _ready(self, one: Message) -> bool:
        """Whether the pause since the last attempt is over."""
        pause = min(LAST_PAUSE, FIRST_PAUSE * 2 ** min(one.attempts - 1, 10)) if one.attempts else 0
        # A little less: the job runs every five minutes, and some seconds later or earlier.
        return one.state == "sending" or one.tried is None or abs(self._at - one.tried) >= pause - 30

    def _claimed(self, one: Message) -> Message:
        """A message as this run claims it; cancelled if there is nothing to tell any more."""
        claimed = one._replace(state="sending", tried=self._at)
        if one.event == summary.EVENT:
            return claimed if self._routes.main else one._replace(state="cancelled", error=NOBODY)
        incident = self.incidents.get(one.incident_id or 0)
        state = incident.state if incident and incident.part_of is None else None
        if one.event == ESCALATED and state == "maintenance":
            return one._replace(due=self._at + max(1.0, self._settings.notify_escalation_hours) * 3600, state="waiting")
        wanted = {
            ESCALATED: state == "open",
            **dict.fromkeys(OPENING, state in {"open", "acknowledged"}),
            **dict.fromkeys(CLOSING, state in {"resolved", "dismissed"}),
        }
        if not wanted.get(one.event):
            return self._ended(one, f"the incident is {state or 'a part of another'} by now")
        if not self._routes.of(one):
            return self._ended(one, NOBODY)
        return claimed if self._pending(one) else self._ended(one, "" if one.heard else "nobody was told of it before")

    def _ended(self, one: Message, why: str) -> Message:
        return one._replace(state="sent" if one.heard else "cancelled", error=why)

    def _pending(self, one: Message) -> list[Receiver]:
        """The receivers that lack a message; the end of an incident is only for those who were told of it."""
        heard = one.heard.split()
        rest = [receiver for receiver in self._routes.of(one) if receiver.mark not in heard]
        return [receiver for receiver in rest if self._knows(receiver, one)] if one.event in CLOSING else rest

    def _knows(self, receiver: Receiver, end: Message) -> bool:
        """Whether somebody was told of an incident, and not yet of its end."""
        known = False
        for one in self.before.get(end.incident_id or 0, []):
            if one.id < end.id and (one.state == "sent" or receiver.mark in one.heard.replace("?", "").split()):
                known = one.event not in CLOSING
        return known

    def _write(self, rows: Sequence[Message], receiver: Receiver, has_it: str | None) -> list[Message]:
        """Write whether a receiver has some messages.

        Returns:
            Those that are still this run's: where it was suspended for long, another one has taken them.
        """
        incidents = self._store.incidents
        with self._store.transaction():
            mine, after = self._mine(rows), []
            for one in mine:
                marks = [mark for mark in one.heard.split() if mark.rstrip(MAYBE) != receiver.mark]
                if has_it != NO:
                    marks.append(f"{receiver.mark}{has_it}")
                row = one._replace(heard=" ".join(marks))
                after.append(row if self._pending(row) else row._replace(state="sent", error=""))
            incidents.change_messages(after)
            if has_it == YES:
                incidents.count("sent", 1)
                incidents.note(
                    Action(one.incident_id, self._at, JOB, ESCALATED if one.event == ESCALATED else "told", "")
                    for one in mine
                    if one.incident_id is not None and not set(one.heard.split()) - {f"{receiver.mark}{MAYBE}"}
                )
        self.claimed |= {one.id: one for one in after}
        return after

    def _mine(self, rows: Iterable[Message]) -> list[Message]:
        ids = {one.id for one in rows}
        return [one for one in self._store.incidents.messages(["sending"]) if one.id in ids and one.tried == self._at]

    def _letter(self, rows: Sequence[Message], repeated: bool) -> Letter:
        """What a receiver is told."""
        if len(rows) == 1 and rows[0].event == summary.EVENT:
            return summary.letter(self._store, self._settings, rows[0])
        events: dict[int, set[str]] = {}
        for one in rows:
            events.setdefault(one.incident_id or 0, set()).add(one.event)
        network = [number for number in events if self.incidents[number].station_id is None]
        stations: dict[int, list[str]] = {}
        for affected in self._store.incidents.affected(network):
            stations.setdefault(affected.incident_id, []).append(affected.station_id)
        names = {one.station_id: clean(one.station_name_en or "") for one in self._store.stations()}
        news = [
            News(self.incidents[number], frozenset(happened), stations.get(number, ()))
            for number, happened in events.items()
        ]
        return letter(news, self._settings, names, self._at, repeated=repeated)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold back the signals that would end the command; what it starts meanwhile is not ended by them either."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _insist(act: Callable[[], Result], seconds: float) -> Result:
    """Do something with the store; try again for some seconds if it fails, for it may be locked or full."""
    end = time.monotonic() + seconds
    while True:
        try:
            return act()
        except StoreError as error:
            if time.monotonic() >= end:
                raise
            log.warning("%s: trying again", error)
            time.sleep(AGAIN_SECONDS)
