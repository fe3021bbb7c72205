"""Trouble as one run sees it: what the detector and sensor health find, in the same form."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit import times
from toolkit.detector.report import Report
from toolkit.incidents import evidence, kinds
from toolkit.store.flags import SAME_WITHIN
from toolkit.store.incidents import Kind, Severity
from toolkit.variables import STATION

if TYPE_CHECKING:
    from toolkit.detector.sensors import Health  # which takes numpy

A_WEEK = 7


class Sensor(NamedTuple):
    """One variable of a station, or the station as a whole (`all`)."""

    station_id: str
    variable: str


class Trouble(NamedTuple):
    """One station's trouble of one kind, in one run.

    Attributes:
        sensor: where.
        kind: the kind of trouble.
        symptoms: the tests or rules that saw it.
        severity: how bad it is.
        started, ended: the first and the last wrong or missing reading, seconds since the epoch.
        confidence: the probability that it is a fault, 0 to 1; None if that is not known.
        evidence: what the job saw, see `evidence`.
        weather: whether it is weather at this station: only many stations at once make it trouble.
    """

    sensor: Sensor
    kind: Kind
    symptoms: tuple[str, ...]
    severity: Severity
    started: float
    ended: float
    confidence: float | None
    evidence: Mapping[str, Any]
    weather: bool = False


@dataclass(frozen=True, slots=True)
class JudgedSensors:
    """Which sensors a run judged.

    Attributes:
        stations: those that reported enough.
        variables: those that the run judges.
        without: sensors of these stations that could not be judged.
    """

    stations: Collection[str]
    variables: Collection[str]
    without: Collection[Sensor] = ()

    def __contains__(self, sensor: Sensor) -> bool:
        return (
            sensor.station_id in self.stations
            and (sensor.variable == STATION or sensor.variable in self.variables)
            and sensor not in self.without
        )


def of_report(report: Report) -> list[Trouble]:
    """What a detection run saw, interval by interval; without what is missing because all of a station is silent."""
    found = [
        Trouble(
            Sensor(one.station_id, one.variable),
            kinds.kind(one.test),
            (one.test,),
            kinds.severity_of_class(one.class_, one.variable),
            times.epoch_of(one.start),
            times.epoch_of(one.end),
            one.confidence,
            evidence.of_anomaly(one),
            one.class_ == "weather_event",
        )
        for one in report.anomalies
    ]
    of_station: dict[str, list[Trouble]] = defaultdict(list)
    for one in found:
        if one.sensor.variable == STATION:
            of_station[one.sensor.station_id].append(one)
    return [one for one in found if not any(_covers(all_, one) for all_ in of_station.get(one.sensor.station_id, ()))]


def of_health(health: Health, days: float) -> list[Trouble]:
    """What long-term sensor health saw, rule by rule.

    Args:
        health: what it saw.
        days: of how many days there are observations.
    """
    start, end = times.epoch_of(health.start), times.epoch_of(health.end)
    reporting = Counter(one.station_id for one in health.sensors if all(fault.name != "silent" for fault in one.faults))
    found = []
    for one in health.sensors:
        wrong = any(kinds.kind(fault.name) == "data_wrong" for fault in one.faults)
        for fault in one.faults:
            if days < A_WEEK and fault.name not in kinds.SOON:
                continue
            of_station = fault.name in kinds.OF_STATIONS or (fault.name == "silent" and not reporting[one.station_id])
            severity = kinds.severity_of_health(fault.state)
            found.append(
                Trouble(
                    Sensor(one.station_id, STATION if of_station else one.variable),
                    "data_wrong" if wrong and fault.name in kinds.FOLLOWING else kinds.kind(fault.name),
                    (fault.name,),
                    "critical" if of_station and fault.name == "silent" else severity,
                    start if fault.since is None else times.epoch_of(fault.since),
                    min(times.epoch_of(fault.until), end),
                    None,
                    evidence.of_fault(fault),
                )
            )
    return found


def judged_by(report: Report, stations: Iterable[str], variables: Iterable[str]) -> JudgedSensors:
    """Which sensors a detection run of some stations and variables judged."""
    poor = {Sensor(one.station_id, one.variable) for one in report.insufficient}
    reporting = {name for name in stations if Sensor(name, STATION) not in poor}
    return JudgedSensors(reporting, frozenset(variables), poor)


def folded(troubles: Iterable[Trouble]) -> list[Trouble]:
    """Several troubles of one kind at one sensor are one; the worst of them, then the latest, gives the evidence."""
    found: dict[tuple[Sensor, Kind], Trouble] = {}
    for one in troubles:
        other = found.get((one.sensor, one.kind))
        found[one.sensor, one.kind] = one if other is None else _both(other, one)
    return list(found.values())


def _both(one: Trouble, other: Trouble) -> Trouble:
    worst = max(one, other, key=lambda trouble: (kinds.rank(trouble.severity), trouble.ended))
    known = [trouble.confidence for trouble in (one, other) if trouble.confidence is not None]
    return worst._replace(
        symptoms=tuple(dict.fromkeys((*one.symptoms, *other.symptoms))),
        started=min(one.started, other.started),
        ended=max(one.ended, other.ended),
        confidence=max(known, default=None),
    )


def _covers(station: Trouble, one: Trouble) -> bool:
    """Whether a sensor's data are missing because all of its station is silent."""
    return (
        one.sensor.variable != STATION
        and one.kind == "data_missing"
        and one.started >= station.started - SAME_WITHIN
        and one.ended <= station.ended + SAME_WITHIN
    )
