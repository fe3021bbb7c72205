"""Trouble that many stations have at once is one incident of the network: so many faults at once would be chance.

What came to them all is a fault of what they share, such as the feed's units or a line; or weather, taken for a fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import combinations
from math import ceil
from statistics import median
from typing import NamedTuple

from toolkit import times
from toolkit.incidents import evidence, kinds
from toolkit.incidents.case import Case, opened
from toolkit.incidents.planning import HOUR, Plan, Rules, Run
from toolkit.incidents.trouble import Sensor, Trouble
from toolkit.location import distance_km
from toolkit.model import Station
from toolkit.store.incidents import Affected, Kind
from toolkit.variables import STATION

LEAST = 3
# An incident of the network goes on while this share of what it takes to be one is left.
GOES_ON = 0.5
# Weather at so large a share of the stations is none if it came to them all within one cadence, and they are farther
# apart than the fastest squall line gets meanwhile, in km an hour.
JUMPED_SHARE = 0.5
SQUALL = 120.0
# Of more stations than this, the extent is that of the first ones.
MOST_COMPARED = 200


class Together(NamedTuple):
    """Trouble that came to many stations at once.

    Attributes:
        kind: which kind.
        variables: at which sensors.
        troubles: all of it.
        of: how many stations have such sensors.
        jump: whether each by itself would be weather.
    """

    kind: Kind
    variables: tuple[str, ...]
    troubles: Sequence[Trouble]
    of: int
    jump: bool

    @property
    def started(self) -> float:
        """When it came to the first of them."""
        return min(one.started for one in self.troubles)

    @property
    def stations(self) -> list[str]:
        """Which stations."""
        return sorted({one.sensor.station_id for one in self.troubles})


class Network:
    """The incidents of the network in a plan.

    Args:
        plan: the plan, with the incidents that are known.
        run: the run.
        rules: the settings.
        affected: the stations of the incidents of the network that are known.
        stations: the stations' places.
        measuring: how many stations have a sensor of each variable.
    """

    def __init__(
        self,
        plan: Plan,
        run: Run,
        rules: Rules,
        affected: Iterable[Affected],
        stations: Callable[[], Sequence[Station]],
        measuring: Callable[[str], int],
    ) -> None:
        self._plan = plan
        self._run = run
        self._rules = rules
        self._stations = stations
        self._measuring = measuring
        # The longest of the cadences at which the stations report that have trouble, in seconds.
        self._longest = 0.0
        self._cases = [case for case in plan.cases if case.now.station_id is None]
        self._affected: dict[int, dict[str, Affected]] = {}
        for one in affected:
            self._affected.setdefault(one.incident_id, {})[one.station_id] = one

    def take(self, troubles: Sequence[Trouble]) -> list[Trouble]:
        """Take trouble into incidents of the network; returns the rest, which is of one station each."""
        rest = list(troubles)
        self._longest = max(self._rules.cadences({one.sensor.station_id for one in rest}), default=0.0)
        for case in self._cases:
            if case.active or case.now.state == "dismissed":
                rest = self._go_on(case, rest)
        for together in self._together(rest):
            self._begin(together)
            taken = {id(one) for one in together.troubles}
            rest = [one for one in rest if id(one) not in taken]
        return [one for one in rest if not one.weather]

    def settle(self) -> None:
        """Resolve the incidents of the network that are over."""
        for case in self._cases:
            stations = self._affected.get(case.now.id, {})
            judged = [name for name in stations if Sensor(name, case.now.variable) in self._run.judged]
            if case.active and case.before and 2 * len(judged) >= len(stations) and not is_jump(case):
                self._plan.resolve_if_over(case)

    def _go_on(self, case: Case, troubles: list[Trouble]) -> list[Trouble]:
        """Add to a known incident the trouble that belongs to it; returns the rest."""
        affected = self._affected.get(case.now.id, {})
        mine = belonging = {id(one): one for one in troubles if self._belongs(case, affected, one)}
        news = [one for one in mine.values() if one.ended > case.now.ended]
        still = {one.sensor.station_id for one in news if one.ended > self._run.end - 2 * self._run.exact}
        jumped = is_jump(case)
        if jumped and self._back(case, list(mine.values())):
            case.now = case.now._replace(evidence=_marked(case, jump=False))
        elif not jumped and len(still) < GOES_ON * self._threshold(case.now.variable, still, self._rules.share):
            # It is over. A station whose trouble outlives it has an incident of its own.
            mine = {key: one for key, one in mine.items() if one.ended <= case.now.ended + HOUR}
            news = []
        for one in news:
            self._affect(case, affected, one)
        self._plan.taken += [(case, one) for one in mine.values()]
        if news:
            case.go_on(self._run.job, max(one.ended for one in news), self._plan.until)
        return [_since(one, affected) if id(one) in belonging else one for one in troubles if id(one) not in mine]

    def _belongs(self, case: Case, affected: Mapping[str, Affected], one: Trouble) -> bool:
        """Whether a station's trouble is a part of a known incident of the network."""
        incident = case.now
        if one.kind != incident.kind or incident.variable not in {STATION, one.sensor.variable}:
            return False
        known = affected.get(one.sensor.station_id)
        if known is None:
            return not one.weather and abs(self._onset(one) - incident.started) <= self._width
        lately = case.active and is_jump(case) and one.started <= incident.started + self._rules.reopen
        return lately or one.started <= known.ended + HOUR

    def _back(self, case: Case, mine: Sequence[Trouble]) -> bool:
        """Whether as many stations jumped once more after an incident began: they jumped back."""
        later = [one for one in mine if one.started > case.now.started + self._width and kinds.JUMPS & {*one.symptoms}]
        at_once = self._at_once(later, self._cadence(later))
        return len(at_once) >= self._threshold(case.now.variable, at_once, JUMPED_SHARE)

    @property
    def _width(self) -> float:
        """How many seconds apart two beginnings may be to count as simultaneous."""
        return max(self._run.exact, self._longest)

    def _cadence(self, troubles: Collection[Trouble]) -> float:
        """How many seconds apart the typical one of the stations reports that have some trouble; 0 without any."""
        stations = {one.sensor.station_id for one in troubles}
        return median(self._rules.cadences(stations)) if stations else 0.0

    def _threshold(self, variable: str, stations: Collection[str], share: float) -> int:
        """How many stations must have trouble for an incident of the network."""
        return max(LEAST, ceil(share * max(self._measuring(variable), len(stations))))

    def _together(self, troubles: Sequence[Trouble]) -> list[Together]:
        """What came to many stations at once: of several variables, if it is of one kind and came at one time."""
        groups: dict[tuple[Kind, str], list[Trouble]] = {}
        for one in troubles:
            if not self._plan.is_maintained(one):
                groups.setdefault((one.kind, one.sensor.variable), []).append(one)
        found: list[Together] = []
        for (kind, variable), group in groups.items():
            if len({one.sensor.station_id for one in group}) >= LEAST and (new := self._of_one(kind, variable, group)):
                same = next((o for o in found if o.kind == kind and abs(o.started - new.started) <= self._width), None)
                if same is None:
                    found.append(new)
                else:
                    both = same._replace(
                        variables=(*same.variables, variable),
                        troubles=[*same.troubles, *new.troubles],
                        of=max(same.of, new.of),
                        jump=same.jump or new.jump,
                    )
                    found[found.index(same)] = both
        return found

    def _of_one(self, kind: Kind, variable: str, troubles: list[Trouble]) -> Together | None:
        """What came to many stations at once, of one variable."""
        # Of what began before the window, it is not known when.
        edge = self._run.start + max(self._run.exact, 2 * self._longest)
        known = [one for one in troubles if self._onset(one) > edge]
        if len(known) < LEAST:
            return None
        stations = {one.sensor.station_id for one in troubles}
        of = max(self._measuring(variable), len(stations))
        jumps = [one for one in known if kinds.JUMPS & {*one.symptoms}]
        at_once = self._at_once(jumps, self._cadence(jumps))
        enough = self._threshold(variable, stations, max(self._rules.share, JUMPED_SHARE))
        jump = self._run.exact <= HOUR and len(at_once) >= enough and self._too_fast(at_once)
        if not jump:
            at_once = self._at_once([one for one in known if not one.weather], self._width)
            if len(at_once) < self._threshold(variable, stations, self._rules.share):
                return None
        began = min(map(self._onset, at_once.values()))
        all_ = [one for one in known if abs(self._onset(one) - began) <= self._width]
        return Together(kind, (variable,), all_, of, jump)

    def _onset(self, one: Trouble) -> float:
        """When a station's trouble began; an incident that it has already may have begun earlier."""
        own = self._plan.active_of(one)
        return min(one.started, own.now.started) if own else one.started

    def _at_once(self, troubles: Sequence[Trouble], width: float) -> dict[str, Trouble]:
        """The most stations whose trouble began within some seconds, with their troubles."""
        ordered = sorted((self._onset(one), place) for place, one in enumerate(troubles))
        best: dict[str, Trouble] = {}
        here: Counter[str] = Counter()
        first = 0
        for after, (began, place) in enumerate(ordered, start=1):
            here[troubles[place].sensor.station_id] += 1
            while began - ordered[first][0] > width:
                gone = troubles[ordered[first][1]].sensor.station_id
                here[gone] -= 1
                if not here[gone]:
                    del here[gone]
                first += 1
            if len(here) > len(best):
                best = {troubles[one].sensor.station_id: troubles[one] for _, one in ordered[first:after]}
        return best

    def _too_fast(self, at_once: Mapping[str, Trouble]) -> bool:
        """Whether stations are farther apart than weather gets within the longest of their cadences."""
        places = [one for one in self._stations() if one.station_id in at_once and one.latitude and one.longitude]
        reach = SQUALL * max(self._rules.cadences(at_once.keys()), default=0.0) / HOUR
        return any(distance_km(*pair) > reach for pair in combinations(places[:MOST_COMPARED], 2))

    def _begin(self, together: Together) -> None:
        """Open an incident of the network, or reopen the one that comes back; those of its stations become parts."""
        run, stations = self._run, together.stations
        variable = together.variables[0] if len(together.variables) == 1 else STATION
        worst = max(together.troubles, key=lambda one: (not one.weather, kinds.rank(one.severity), one.ended))
        since = times.iso_of(together.started)
        what = "jumped" if together.jump else "have it"
        reason = f"{len(stations)} of {together.of} stations {what} at once, from {since} on, such as " + (
            f"{worst.sensor.station_id}: {worst.evidence.get('reason', '')}"
        )
        trouble = worst._replace(
            sensor=Sensor("", variable),
            symptoms=tuple(dict.fromkeys(name for one in together.troubles for name in one.symptoms)),
            severity="critical",
            started=together.started,
            ended=max(one.ended for one in together.troubles),
            evidence={**worst.evidence, "reason": reason, "jump": together.jump},
        )
        case = self._known(trouble)
        if case is None:
            case = opened(run.job, trouble, self._plan.until, run.at)
            case.now = case.now._replace(station_id=None)
            case.did("opened", reason, tell=True)
            self._plan.cases.append(case)
            self._cases.append(case)
        elif case.active:
            case.see(run.job, trouble, self._plan.until)
        else:
            self._plan.reopen(case, trouble)
        self._plan.taken += [(case, one) for one in together.troubles]
        for one in together.troubles:
            self._affect(case, self._affected.get(case.now.id, {}), one._replace(started=self._onset(one)))
            own = self._plan.active_of(one)
            if own is not None:
                own.parent = case
                own.now = own.now._replace(state="resolved", resolved=run.at)
                own.did("joined", reason)

    def _known(self, trouble: Trouble) -> Case | None:
        """The incident of the network that goes on, or comes back."""
        for case in self._cases:
            now = case.now
            if (now.kind, now.variable) == (trouble.kind, trouble.sensor.variable) and (
                case.active or (now.state == "resolved" and trouble.started - now.ended <= self._rules.reopen)
            ):
                return case
        return None

    def _affect(self, case: Case, affected: Mapping[str, Affected], one: Trouble) -> None:
        """Note that a station is affected by an incident."""
        name = one.sensor.station_id
        before = case.stations.get(name) or affected.get(name) or Affected(case.now.id, name, one.started, one.ended)
        case.stations[name] = before._replace(
            started=min(before.started, one.started), ended=max(before.ended, one.ended)
        )


def is_jump(case: Case) -> bool:
    """Whether all stations jumped, and have not jumped back: their sensors agree, so that none is seen to be wrong."""
    return any(seen.get("jump") is True for seen in evidence.read(case.now.evidence).values())


def _marked(case: Case, *, jump: bool) -> str:
    """The evidence of an incident, with a mark that says whether it is a jump that has not been undone."""
    return evidence.written({job: {**seen, "jump": jump} for job, seen in evidence.read(case.now.evidence).items()})


def _since(one: Trouble, affected: Mapping[str, Affected]) -> Trouble:
    """A station's trouble since it was a part of the network's."""
    known = affected.get(one.sensor.station_id)
    return one._replace(started=min(one.started, known.started)) if known and not one.weather else one
