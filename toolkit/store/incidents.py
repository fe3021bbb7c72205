"""Incidents, their history, maintenance and the outbox, as tables that both engines have.

The SQL is the part that SQLite and PostgreSQL share; a `Dialect` says how each writes times and takes values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar, get_args

from toolkit.store.dialect import Dialect
from toolkit.variables import STATION

Kind = Literal["data_missing", "data_wrong", "siting"]
"""The kinds of trouble: too little arrives; what arrives is wrong; the sensor stands where it should not."""

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")

State = Literal["open", "acknowledged", "maintenance", "resolved", "dismissed"]
ACTIVE: tuple[State, ...] = ("open", "acknowledged", "maintenance")
STATES: tuple[State, ...] = (*ACTIVE, "resolved", "dismissed")

Verdict = Literal["fault", "weather", "siting", "maintenance"]
"""What people say that an incident was."""

LABELS: tuple[Verdict, ...] = ("fault", "weather", "siting")
"""The verdicts that tell whether the detector was right."""

Delivery = Literal["waiting", "sending", "sent", "cancelled"]


class Incident(NamedTuple):
    """One station's, or the network's, trouble. Times are seconds since the epoch.

    Attributes:
        id: its number; 0 until the store has given one.
        station_id: where; None for trouble that many stations have at once.
        variable: which sensor; `all` for the station as a whole.
        kind: the kind of trouble.
        symptoms: the tests and rules that saw it, in the order in which they did, separated by commas.
        severity: how bad it is.
        state: what has become of it.
        started, ended: the first wrong or missing reading, as far as it could be traced back, and the last so far.
        opened, acknowledged, resolved: when that happened; resolved is also when it was dismissed.
        judged: the end of the newest run that judged the sensor.
        assignee: who is to repair it.
        verdict: what people say that it was.
        part_of: the incident of the network that it turned out to be a part of.
        reopened: how often it came back.
        confidence: the probability that it is a fault, 0 to 1.
        evidence: JSON, see `incidents.evidence`.
    """

    id: int
    station_id: str | None
    variable: str
    kind: Kind
    symptoms: str
    severity: Severity
    state: State
    started: float
    ended: float
    opened: float
    acknowledged: float | None
    resolved: float | None
    judged: float
    assignee: str | None
    verdict: Verdict | None
    part_of: int | None
    reopened: int
    confidence: float | None
    evidence: str

    @property
    def seconds_to_acknowledge(self) -> float | None:
        """From its opening to when somebody acknowledged it; None if nobody did."""
        return None if self.acknowledged is None else max(self.acknowledged - self.opened, 0.0)

    @property
    def seconds_to_repair(self) -> float | None:
        """From its first bad reading to its last; None if it is not resolved, or was maintenance."""
        if self.state != "resolved" or self.verdict == "maintenance":
            return None
        return max(self.ended - self.started, 0.0)


class Affected(NamedTuple):
    """A station that has the trouble of an incident of the network."""

    incident_id: int
    station_id: str
    started: float
    ended: float


class Action(NamedTuple):
    """A line of an incident's history.

    Attributes:
        incident_id: of which incident.
        time: when, seconds since the epoch.
        actor: a person, or the job that did it.
        action: opened, acknowledged, resolved, …
        note: what there is to say of it; may be empty.
    """

    incident_id: int
    time: float
    actor: str
    action: str
    note: str


class Maintenance(NamedTuple):
    """A time in which people work on a sensor. Times are seconds since the epoch.

    Attributes:
        id: its number; 0 until the store has given one.
        station_id: where.
        variable: which sensor; `all` for the station as a whole.
        started, ended: from when to when.
        actor: who said so.
        note: why; may be empty.
    """

    id: int
    station_id: str
    variable: str
    started: float
    ended: float
    actor: str
    note: str

    def covers(self, station_id: str | None, variable: str) -> bool:
        """Whether it is of a sensor, by itself or with all of its station."""
        return station_id == self.station_id and self.variable in {variable, STATION}


class Message(NamedTuple):
    """What people are to be told. Times are seconds since the epoch.

    Attributes:
        id: its number; 0 until the store has given one.
        key: what it tells of: nothing is told twice.
        incident_id: of which incident; None if it is of all.
        event: opened, reopened, escalated, resolved, …
        severity: of the incident then.
        state: waiting, sending, sent or cancelled.
        written: when it was written.
        due: when it is to be sent.
        tried: when that was tried last.
        attempts: how often.
        error: why the last attempt failed; empty if it did not.
        heard: the marks of the receivers that have it, separated by spaces; one with a ? may have it, or not.
    """

    id: int
    key: str
    incident_id: int | None
    event: str
    severity: Severity
    state: Delivery
    written: float
    due: float
    tried: float | None
    attempts: int
    error: str
    heard: str = ""


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents; a field that is empty does not matter.

    Attributes:
        states: in one of these states.
        severities: of one of these.
        stations: of these stations; those of the network count for each that they affect.
        variables: of these variables.
        ids: with these numbers.
        since, until: that ended after, and started up to this, seconds since the epoch.
        resolved_since: that were resolved or dismissed after this, seconds since the epoch.
        parts: whether also those that turned out to be parts of an incident of the network.
        limit: at most so many.
    """

    states: Sequence[State] = ()
    severities: Sequence[Severity] = ()
    stations: Sequence[str] = ()
    variables: Sequence[str] = ()
    ids: Sequence[int] = ()
    since: float | None = None
    until: float | None = None
    resolved_since: float | None = None
    parts: bool = False
    limit: int | None = None


class Pace(NamedTuple):
    """How fast people were, in the incidents that were resolved in some time. Times are sums of seconds.

    Attributes:
        resolved: how many there were that were no maintenance.
        repairing: the time from their first bad readings to their last.
        acknowledged: how many of them somebody had acknowledged.
        acknowledging: the time from when these were opened to when they were acknowledged.
    """

    resolved: int
    repairing: float
    acknowledged: int
    acknowledging: float


# In the words of the index of those that are, by which an engine knows that it can be used.
_IS_ACTIVE = "state IN ('open', 'acknowledged', 'maintenance')"
_TIMES = {"started", "ended", "opened", "acknowledged", "resolved", "judged", "time", "written", "due", "tried"}


class Incidents:
    """The incidents of a store. What writes is called within the store's `transaction`."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def find(self, wanted: IncidentFilter = IncidentFilter()) -> list[Incident]:
        """The wanted incidents, the latest first."""
        terms, values = self._terms(wanted)
        where = f"WHERE {' AND '.join(terms)}" if terms else ""
        limit = f"LIMIT {int(wanted.limit)}" if wanted.limit is not None else ""
        # Where it is bounded by time, SQLite is to search by time, and not to read all in the order that is asked for.
        order = "id" if wanted.since is None and wanted.resolved_since is None else "+id"
        rows = self._dialect.query(
            f"SELECT {self._columns(Incident)} FROM incidents {where} ORDER BY {order} DESC {limit}", values
        )
        return _sound(Incident, rows)

    def worst(self, most: int) -> list[Incident]:
        """Some of the incidents that are not over: of the network first, then the worst, of equals the oldest first.

        Args:
            most: at most so many; without parts of others.
        """
        severity = " ".join(f"WHEN '{name}' THEN {rank}" for rank, name in enumerate(SEVERITIES))
        rows = self._dialect.query(
            f"SELECT {self._columns(Incident)} FROM incidents WHERE {_IS_ACTIVE} AND part_of IS NULL "
            f"ORDER BY station_id IS NOT NULL, CASE severity {severity} ELSE -1 END DESC, opened, id DESC LIMIT ?",
            (most,),
        )
        return _sound(Incident, rows)

    def counts(self) -> list[tuple[State, Severity, int]]:
        """How many incidents there are that are not resolved, by state and severity; without parts of others."""
        rows = self._dialect.query(
            f"SELECT state, severity, COUNT(*) FROM incidents WHERE {_IS_ACTIVE} AND part_of IS NULL GROUP BY 1, 2"
        )
        return [(state, severity, int(number)) for state, severity, number in rows if severity in SEVERITIES]

    def unseen(self, before: float, severities: Sequence[Severity], most: int) -> tuple[int, int, list[Incident]]:
        """The incidents that nobody has acknowledged, without parts of others.

        Args:
            before: when an incident was opened that has waited for long, seconds since the epoch.
            severities: of which.
            most: so many are named.

        Returns:
            How many there are, how many of them have waited for long, and the oldest of these.
        """
        opened = self._dialect.seconds("opened")
        where = f"{_IS_ACTIVE} AND state = 'open' AND part_of IS NULL AND severity IN ({_places(severities)})"
        where += f" AND {opened} BETWEEN 0 AND {_LAST_TIME}"
        at = self._dialect.time(before)
        ((number, waiting),) = self._dialect.query(
            f"SELECT COUNT(*), COUNT(CASE WHEN opened < ? THEN 1 END) FROM incidents WHERE {where}", (at, *severities)
        )
        rows = self._dialect.query(
            f"SELECT {self._columns(Incident)} FROM incidents WHERE {where} AND opened < ? ORDER BY opened, id LIMIT ?",
            (*severities, at, most if waiting else 0),
        )
        return number, waiting, _sound(Incident, rows)

    def pace(self, since: float) -> Pace:
        """How fast people were, since a time; without parts of other incidents."""
        started, ended, opened, known = map(self._dialect.seconds, ("started", "ended", "opened", "acknowledged"))
        rows = self._dialect.query(
            f"SELECT COUNT(*), COALESCE(SUM({ended} - {started}), 0), COUNT(acknowledged), "
            f"COALESCE(SUM({known} - {opened}), 0) FROM incidents "
            "WHERE resolved > ? AND state = 'resolved' AND part_of IS NULL AND COALESCE(verdict, '') <> 'maintenance'",
            (self._dialect.time(since),),
        )
        return Pace(*rows[0])

    def affected(self, ids: Sequence[int]) -> list[Affected]:
        """The stations of incidents of the network."""
        rows = (
            row
            for some in _parts(ids)
            for row in self._dialect.query(
                f"SELECT {self._columns(Affected)} FROM incident_stations WHERE incident_id IN ({_places(some)}) "
                "ORDER BY incident_id, station_id",
                some,
            )
        )
        return _sound(Affected, rows)

    def history(self, incident_id: int) -> list[Action]:
        """What happened to an incident, in order."""
        rows = self._dialect.query(
            f"SELECT {self._columns(Action)} FROM incident_history WHERE incident_id = ? ORDER BY id", (incident_id,)
        )
        return _sound(Action, rows)

    def noted(self, ids: Sequence[int], actions: Sequence[str]) -> list[Action]:
        """What happened to some incidents, of some sorts of actions, in order for each."""
        rows = (
            row
            for some in _parts(ids)
            for row in self._dialect.query(
                f"SELECT {self._columns(Action)} FROM incident_history "
                f"WHERE incident_id IN ({_places(some)}) AND action IN ({_places(actions)}) ORDER BY incident_id, id",
                (*some, *actions),
            )
        )
        return _sound(Action, rows)

    def maintenance(self, since: float, until: float) -> list[Maintenance]:
        """The maintenance that is in a span of time, by its start."""
        rows = self._dialect.query(
            f"SELECT {self._columns(Maintenance)} FROM maintenance "
            "WHERE ended >= ? AND started <= ? ORDER BY started, id",
            (self._dialect.time(since), self._dialect.time(until)),
        )
        return _sound(Maintenance, rows)

    def messages(self, states: Sequence[Delivery]) -> list[Message]:
        """The messages in some states, in the order in which they are due."""
        rows = self._dialect.query(
            f"SELECT {self._columns(Message)} FROM outbox WHERE state IN ({_places(states)}) ORDER BY due, id", states
        )
        return _sound(Message, rows)

    def told(self, ids: Sequence[int]) -> list[Message]:
        """The messages of some incidents, in whatever state, in the order in which they were written."""
        rows = (
            row
            for some in _parts(ids)
            for row in self._dialect.query(
                f"SELECT {self._columns(Message)} FROM outbox WHERE incident_id IN ({_places(some)}) ORDER BY id", some
            )
        )
        return _sound(Message, rows)

    def newest_run(self, job: str) -> float | None:
        """The end of the newest run of a job; None if there was none."""
        rows = self._dialect.query(f"SELECT {self._dialect.seconds('ended')} FROM runs WHERE job = ?", (job,))
        return rows[0][0] if rows else None

    def note_run(self, job: str, ended: float, present: float) -> None:
        """Note that a job has run; an older run than the newest changes nothing, unless that is of the future."""
        self._dialect.query(
            "INSERT INTO runs (job, ended) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET ended = excluded.ended "
            "WHERE excluded.ended > runs.ended OR runs.ended > ? RETURNING 1",
            (job, self._dialect.time(ended), self._dialect.time(present)),
        )

    def add(self, incident: Incident) -> int:
        """Add an incident; returns its number."""
        return self._add("incidents", incident)

    def change(self, incidents: Iterable[Incident]) -> None:
        """Write incidents that are there anew."""
        names = Incident._fields[1:]
        self._dialect.many(
            f"UPDATE incidents SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?",
            ((*self._values(one)[1:], one.id) for one in incidents),
        )

    def affect(self, stations: Iterable[Affected]) -> None:
        """Add stations to incidents of the network, or write anew since when and until when they are affected."""
        self._dialect.many(
            f"INSERT INTO incident_stations ({', '.join(Affected._fields)}) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (incident_id, station_id) DO UPDATE SET started = excluded.started, ended = excluded.ended",
            map(self._values, stations),
        )

    def note(self, actions: Iterable[Action]) -> None:
        """Add lines to histories."""
        self._dialect.many(
            f"INSERT INTO incident_history ({', '.join(Action._fields)}) VALUES (?, ?, ?, ?, ?)",
            map(self._values, actions),
        )

    def link(self, anomalies: Iterable[tuple[int, str, str, float, float]]) -> None:
        """Note of which incident anomalies are: the number of each, the sensor, and when trouble began and ended."""
        self._dialect.many(
            "UPDATE anomalies SET incident_id = ? "
            "WHERE station_id = ? AND variable = ? AND started <= ? AND ended >= ? AND class <> 'weather_event'",
            (
                (incident_id, *sensor, self._dialect.time(ended), self._dialect.time(started))
                for incident_id, *sensor, started, ended in anomalies
            ),
        )

    def plan(self, maintenance: Maintenance) -> int:
        """Add maintenance; returns its number."""
        return self._add("maintenance", maintenance)

    def change_maintenance(self, maintenance: Maintenance) -> None:
        """Write maintenance that is there anew."""
        names = Maintenance._fields[1:]
        self._dialect.many(
            f"UPDATE maintenance SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?",
            [(*self._values(maintenance)[1:], maintenance.id)],
        )

    def cancel(self, maintenance_id: int) -> None:
        """Remove maintenance that is not to be."""
        self._dialect.many("DELETE FROM maintenance WHERE id = ?", [(maintenance_id,)])

    def tell(self, messages: Iterable[Message]) -> None:
        """Put messages into the outbox; one with a key that was there before is left out."""
        names = Message._fields[1:]
        self._dialect.many(
            f"INSERT INTO outbox ({', '.join(names)}) VALUES ({_places(names)}) ON CONFLICT (key) DO NOTHING",
            (self._values(one)[1:] for one in messages),
        )

    def change_messages(self, messages: Iterable[Message]) -> None:
        """Write messages that are there anew."""
        names = Message._fields[1:]
        self._dialect.many(
            f"UPDATE outbox SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?",
            ((*self._values(one)[1:], one.id) for one in messages),
        )

    def count(self, label: str, number: int) -> None:
        """Count messages: how many were sent, or could not be."""
        self._dialect.many(
            "INSERT INTO counters (name, label, count) VALUES ('messages', ?, ?) "
            "ON CONFLICT (name, label) DO UPDATE SET count = counters.count + excluded.count",
            [(label, number)],
        )

    def _add(self, table: str, row: Incident | Maintenance) -> int:
        names = row._fields[1:]
        sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({_places(names)}) RETURNING id"
        return int(self._dialect.query(sql, self._values(row)[1:])[0][0])

    def _columns(self, type_: type[NamedTuple]) -> str:
        return ", ".join(self._dialect.seconds(name) if name in _TIMES else name for name in type_._fields)

    def _values(self, row: NamedTuple) -> list[object]:
        return [
            self._dialect.time(value) if name in _TIMES and value is not None else value
            for name, value in zip(row._fields, row, strict=True)
        ]

    def _terms(self, wanted: IncidentFilter) -> tuple[list[str], list[object]]:
        """The conditions of a search, and their values."""
        terms, values = [] if wanted.parts else ["part_of IS NULL"], list[object]()
        if wanted.states and {*wanted.states} <= {*ACTIVE}:
            terms.append(_IS_ACTIVE)
        for column, allowed in (
            ("state", wanted.states),
            ("severity", wanted.severities),
            ("variable", wanted.variables),
            ("id", wanted.ids),
        ):
            if allowed:
                terms.append(f"{column} IN ({_places(allowed)})")
                values += allowed
        if wanted.stations:
            places = _places(wanted.stations)
            terms.append(
                f"(station_id IN ({places}) "
                f"OR id IN (SELECT incident_id FROM incident_stations WHERE station_id IN ({places})))"
            )
            values += [*wanted.stations, *wanted.stations]
        for term, bound in (
            ("ended >= ?", wanted.since),
            ("started <= ?", wanted.until),
            ("resolved > ?", wanted.resolved_since),
        ):
            if bound is not None:
                terms.append(term)
                values.append(self._dialect.time(bound))
        return terms, values


_WORDS: dict[str, Sequence[object]] = {
    "kind": get_args(Kind),
    "severity": SEVERITIES,
    "state": (*STATES, *get_args(Delivery)),
    "verdict": (*get_args(Verdict), None),
}
# What may be unknown; every other time is there.
_MAYBE = {"acknowledged", "resolved", "tried"}
# The end of the last year that both engines can write.
_LAST_TIME = 253_402_300_799

_Row = TypeVar("_Row", bound=NamedTuple)


def _sound(type_: Callable[..., _Row], rows: Iterable[Sequence[Any]]) -> list[_Row]:
    """Rows as this program writes them; what plain SQL wrote besides is left out of every answer."""
    made = (type_(*row) for row in rows)
    return [one for one in made if all(map(_fits, one._fields, one))]


def _fits(name: str, value: Any) -> bool:
    if name in _TIMES:
        return (value is None and name in _MAYBE) or (value is not None and 0 <= value <= _LAST_TIME)
    return name not in _WORDS or value in _WORDS[name]


def _places(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _parts(values: Sequence[Any], size: int = 500) -> Iterable[Sequence[Any]]:
    return (values[start : start + size] for start in range(0, len(values), size))
