"""What people's decisions say of the detector: its precision on this network, and exceptions that would be worth it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from toolkit import times
from toolkit.incidents import evidence
from toolkit.quality.spatial import LIMITS
from toolkit.sensor_exceptions import SensorException, exception_of
from toolkit.store.incidents import LABELS, Incident
from toolkit.variables import STATION

HOUR = 3600.0
# The same sensor has to be dismissed so often until an exception is suggested.
OFTEN = 3
# A suggested limit is so much above what was dismissed, in steps of a half, and no higher than this: from there on the
# sensor is better not judged.
ABOVE, MOST_LIMITS = 1.1, 10.0


@dataclass(frozen=True, slots=True)
class Precision:
    """How often what was found was a fault.

    Attributes:
        name: of the test, the variable or the station.
        faults: incidents that people say were faults.
        weather, siting: those that they dismissed as weather, and for where the sensor stands.
    """

    name: str
    faults: int
    weather: int
    siting: int

    @property
    def precision(self) -> float:
        """The share of faults."""
        return self.faults / (self.faults + self.weather + self.siting)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is learnt from incidents.

    Attributes:
        number: how many incidents there were.
        labelled: how many of them people said what they were.
        maintenance: how many were maintenance.
        by_test, by_variable, by_station: the precision, the worst first.
        hours_to_acknowledge: the mean from opening to acknowledgement; None if none was.
        hours_to_repair: the mean from the first bad reading to the last, of those that are resolved; None if none is.
        suggested: exceptions that would have spared people what they dismissed again and again.
    """

    number: int
    labelled: int
    maintenance: int
    by_test: list[Precision]
    by_variable: list[Precision]
    by_station: list[Precision]
    hours_to_acknowledge: float | None
    hours_to_repair: float | None
    suggested: list[SensorException]


def learn(incidents: Sequence[Incident], exceptions: Sequence[SensorException], at: float) -> Learnt:
    """What incidents say of the detector.

    Args:
        incidents: all of some time, without parts of others.
        exceptions: those that there are: nothing is suggested where one holds.
        at: the present, seconds since the epoch.
    """
    labelled = [one for one in incidents if one.verdict in LABELS]
    of_stations = [one for one in labelled if one.station_id is not None]
    return Learnt(
        number=len(incidents),
        labelled=len(labelled),
        maintenance=sum(one.verdict == "maintenance" for one in incidents),
        by_test=_precision(labelled, lambda one: one.symptoms.partition(",")[0]),
        by_variable=_precision(labelled, lambda one: one.variable),
        by_station=_precision(of_stations, lambda one: str(one.station_id)),
        hours_to_acknowledge=_mean(one.seconds_to_acknowledge for one in incidents),
        hours_to_repair=_mean(one.seconds_to_repair for one in incidents),
        suggested=_suggested(of_stations, exceptions, at),
    )


def _precision(incidents: Iterable[Incident], name: Callable[[Incident], str]) -> list[Precision]:
    counted: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in incidents:
        counted[name(one)][str(one.verdict)] += 1
    found = [Precision(key, of["fault"], of["weather"], of["siting"]) for key, of in counted.items()]
    return sorted(found, key=lambda one: (one.precision, -one.weather - one.siting, one.name))


def _mean(seconds: Iterable[float | None]) -> float | None:
    known = [one for one in seconds if one is not None]
    return round(sum(known) / len(known) / HOUR, 1) if known else None


def _suggested(labelled: Sequence[Incident], exceptions: Sequence[SensorException], at: float) -> list[SensorException]:
    """Exceptions for sensors whose incidents were dismissed often, and were never a fault."""
    of_sensor: dict[tuple[str, str], list[Incident]] = defaultdict(list)
    for one in labelled:
        of_sensor[str(one.station_id), one.variable].append(one)
    found = []
    for (station, variable), some in sorted(of_sensor.items()):
        dismissed = [one for one in some if one.verdict != "fault"]
        if len(dismissed) < OFTEN or len(dismissed) < len(some) or exception_of(exceptions, station, variable, at):
            continue
        verdicts = " and ".join(sorted({str(one.verdict) for one in dismissed}))
        first, last = (times.stored(of(one.started for one in dismissed))[:10] for of in (min, max))
        limits = _limits(dismissed)
        found.append(
            SensorException(
                station=station,
                variables=() if variable == STATION else (variable,),
                judged=limits is not None,
                limits=limits or 1.0,
                neighbour_km=None,
                neighbour_elevation_m=None,
                reason=f"dismissed {len(dismissed)} times as {verdicts}, {first} to {last}",
                until=None,
            )
        )
    return found


def _limits(dismissed: Iterable[Incident]) -> float | None:
    """By how much the limits must be wider for nothing of this to be found; None if wider limits would not help."""
    scores = [evidence.read(one.evidence).get("detector", {}).get("score") for one in dismissed]
    known = [float(score) for score in scores if isinstance(score, (int, float))]
    if not known or len(known) < len(scores):
        return None
    needed = ceil(2 * ABOVE * max(known) / LIMITS.limit) / 2
    return max(needed, 1.5) if needed <= MOST_LIMITS else None
