"""`weather-tool incidents`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from toolkit import clock
from toolkit.actor import actor, person
from toolkit.cli.options import add_setting, epoch, window_end
from toolkit.cli.show import coloured, table
from toolkit.durations import lasting
from toolkit.errors import UsageError
from toolkit.incidents import deciding, evidence, forms
from toolkit.incidents.deciding import Decision
from toolkit.incidents.kinds import rank
from toolkit.incidents.telling import ESCALATED
from toolkit.kinds import VARIABLES
from toolkit.sensor_exceptions import SensorException, as_entry, expired
from toolkit.settings import Loaded, Settings
from toolkit.store import Store, open_for_reading, open_for_writing
from toolkit.store.incidents import ACTIVE, SEVERITIES, STATES, Incident, IncidentFilter, Maintenance
from toolkit.text import did_you_mean, one_line
from toolkit.times import iso_of
from toolkit.variables import BY_NAME, STATION

if TYPE_CHECKING:
    from toolkit.incidents.learning import Learnt, Precision

HOUR, DAY = 3600.0, 86400.0
# So many that are over are listed unless told otherwise.
SHOWN = 100
MOST_ID = 2**31 - 1
PAINT = {"critical": "bold red", "warning": "yellow", "info": "dim"}

EXAMPLES = (
    "weather-tool incidents list",
    "weather-tool incidents list --state resolved --station volos --json",
    "weather-tool incidents show 12",
    "weather-tool incidents ack 12 13 --note 'the technician comes on Tuesday'",
    "weather-tool incidents assign 12 --to maria",
    "weather-tool incidents resolve 12 --note 'new thermometer'",
    "weather-tool incidents dismiss 13 --as weather",
    "weather-tool incidents maintenance volos --from 2026-12-01T08:00Z --to 2026-12-01T12:00Z --variables rain",
    "weather-tool incidents maintenance --end 4",
    "weather-tool incidents stats --days 90",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, summary: str, description: str = "") -> argparse.ArgumentParser:
        text = description or f"{summary[0].upper()}{summary[1:]}."
        added = actions.add_parser(name, help=summary, description=text)
        added.add_argument("--json", action="store_true", help="as JSON")
        add_setting(added, "--db", "db", "DATABASE")
        return added

    listed = action("list", "those that are open, acknowledged or in maintenance, or others by the options below")
    listed.add_argument("--state", action="append", default=[], choices=STATES, help="in this state; may be repeated")
    listed.add_argument("--all", action="store_true", help="in every state")
    listed.add_argument("--severity", choices=SEVERITIES, help="as bad as this, or worse")
    listed.add_argument("--station", action="append", default=[], metavar="ID", help="of this station; may be repeated")
    listed.add_argument(
        "--variable", action="append", default=[], metavar="NAME",
        help=f"of this variable, or {STATION} for stations as a whole; may be repeated",
    )  # fmt: skip
    listed.add_argument("--older", type=float, metavar="HOURS", help="that began at least so many hours ago")
    listed.add_argument("--since", metavar="TIME", help="with a wrong reading at this time or later")
    listed.add_argument("--limit", type=int, default=SHOWN, metavar="N", help="the latest N (default: %(default)s)")

    show = action("show", "all that is known of some: evidence, neighbours, history, maintenance")
    add_setting(show, "--exceptions", "exceptions", "JSON")
    decisions = [
        action("ack", "acknowledge: somebody knows of it and sees to it"),
        action("note", "add a note to the history"),
        action("assign", "say who is to repair it"),
        action("resolve", "it was a fault, and it is repaired"),
        action("dismiss", "it was no fault: weather, or where the sensor stands"),
    ]
    for one in (show, *decisions):
        one.add_argument("ids", nargs="+", type=_number, metavar="ID", help="an incident's number")
    decisions[2].add_argument("--to", required=True, metavar="NAME", help="who; '' for nobody")
    decisions[4].add_argument("--as", dest="verdict", required=True, choices=("weather", "siting"), help="what it was")

    work = action(
        "maintenance",
        "say when people work at sensors, ahead or afterwards; without a station, what there is",
        "Say when people work at a station's sensors, ahead or afterwards: nobody is told of trouble in that time. "
        "Without a station, show the maintenance that there is.",
    )
    work.add_argument("station", nargs="?", metavar="STATION", help="the station's id")
    work.add_argument("--from", dest="start", metavar="TIME", help="from when on (default: now)")
    work.add_argument("--to", metavar="TIME", help="until when")
    work.add_argument("--variables", metavar="A,B", help="these sensors; default: the station as a whole")
    work.add_argument("--end", type=_number, metavar="ID", help="end this one now, or at --to; one ahead is cancelled")
    work.add_argument("--days", type=float, default=30.0, metavar="N", help="list those of the last N days too (30)")
    for one in (*decisions, work):
        one.add_argument("--note", metavar="TEXT", help="what there is to say of it")
        one.add_argument(
            "--by", metavar="NAME",
            help="who decides; default: WEATHER_ACTOR, else sudo's user, else the name of the account",
        )  # fmt: skip

    stats = action("stats", "how often what was found was a fault, by what people say; and exceptions that would help")
    stats.add_argument("--days", type=float, default=365.0, metavar="N", help="how far back to look (default: 365)")
    add_setting(stats, "--exceptions", "exceptions", "JSON")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Run the action."""
    if args.action == "maintenance":
        return _maintenance(args, loaded.settings)
    actions: dict[str, Callable[[argparse.Namespace, Settings], int]] = {
        "list": _list, "show": _show, "stats": _stats,
    }  # fmt: skip
    return actions.get(args.action, _decide)(args, loaded.settings)


def _number(text: str) -> int:
    digits = text.removeprefix("#")
    if not (digits.isascii() and digits.isdecimal() and 0 < int(digits[:12]) <= MOST_ID):
        raise argparse.ArgumentTypeError(f"{text!r} is no incident's or maintenance's number")
    return int(digits)


def _present(store: Store) -> float:
    return window_end("NOW", store.newest())


# Looking


def _list(args: argparse.Namespace, settings: Settings) -> int:
    for name in args.variable:
        if name not in {*BY_NAME, STATION}:
            hint = did_you_mean(name, [*BY_NAME, STATION], f"know {', '.join(BY_NAME)}")
            raise UsageError(f"--variable={name}: it is not measured; {hint}")
    if args.limit < 1 or (args.older is not None and not 0 <= args.older < 1e6):
        raise UsageError("--limit: give a number from 1 on; --older: a number of hours from 0 on")
    since = epoch(args.since, "--since") if args.since else None
    states = STATES if args.all else tuple(args.state) or ACTIVE
    wanted = IncidentFilter(
        states=() if args.all else states,
        severities=SEVERITIES[SEVERITIES.index(args.severity) :] if args.severity else (),
        stations=args.station,
        variables=args.variable,
        since=since,
        # Those that are active are few: they are sorted before they are cut.
        limit=args.limit + 1 if {*states} - {*ACTIVE} else None,
    )
    with open_for_reading(settings.db) as store, store.snapshot():
        present = _present(store)
        for station in args.station:
            deciding.require_station(store, station)
        if args.older is not None:
            wanted = replace(wanted, until=max(present - args.older * HOUR, 0.0))
        found = store.incidents.find(wanted)
    if {*states} <= {*ACTIVE}:
        found.sort(key=lambda one: (-rank(one.severity), ACTIVE.index(one.state), -one.started, -one.id))
    more, found = len(found) > args.limit, found[: args.limit]
    if args.json:
        print(json.dumps([forms.of_incident(one) for one in found], indent=1, ensure_ascii=False))
    elif found:
        table(
            ("id", "severity", "state", "station", "variable", "kind", "since", "lasts", "assignee", "why"),
            [
                (
                    one.id,
                    one.severity,
                    one.state if one.verdict is None else f"{one.state}, {one.verdict}",
                    one.station_id or "network",
                    one.variable,
                    one.kind.replace("_", " "),
                    iso_of(one.started),
                    _lasts(one, present),
                    one.assignee or "-",
                    evidence.reason(one.evidence) or one.symptoms,
                )
                for one in found
            ],
        )
    else:
        print("there is no such incident")
    if more:
        print(f"weather-tool: the first {args.limit} are shown: --limit N for more", file=sys.stderr)
    return 0


def _lasts(one: Incident, present: float) -> str:
    until = one.ended if one.state not in ACTIVE else max(present, one.ended)
    return lasting(until - one.started)


def _show(args: argparse.Namespace, settings: Settings) -> int:
    with open_for_reading(settings.db) as store, store.snapshot():
        present = _present(store)
        told = [(one, forms.at_length(store, settings, one, present)) for one in deciding.found(store, args.ids)]
    if args.json:
        print(json.dumps([form for _, form in told], indent=1, ensure_ascii=False))
        return 0
    for place, (one, form) in enumerate(told):
        if place:
            print()
        _show_one(one, form, present)
    return 0


def _show_one(one: Incident, form: dict[str, Any], present: float) -> None:
    where = one.station_id or "the network"
    coloured(f"incident {one.id}: {where}, {one.variable}: {one.kind.replace('_', ' ')}", PAINT[one.severity])
    facts = {
        "severity": one.severity,
        "state": one.state + (f", as {one.verdict}" if one.verdict else ""),
        "assigned to": one.assignee,
        "since": f"{form['started']}, {_lasts(one, present)}",
        "last seen": form["ended"],
        "came back": f"{one.reopened} times" if one.reopened else None,
        "part of": one.part_of,
        "seen by": ", ".join(form["symptoms"]),
        "confidence": None if one.confidence is None else f"{one.confidence:.2f}",
        "why": form["reason"],
    }
    for name, value in facts.items():
        if value is not None and value != "":
            print(f"    {name}: {_line(value)}")
    for job, seen in form["evidence"].items():
        _show_evidence(one, job, seen)
    if form["stations"]:
        print("\nstations:")
        table(
            ("station", "since", "last seen"),
            [(each["station_id"], each["started"], each["ended"]) for each in form["stations"]],
        )
    print("\nhistory:")
    table(
        ("time", "by", "what", "note"),
        [(each["time"], each["by"], each["action"], each["note"] or "-") for each in form["history"]],
    )
    if form["maintenance"]:
        print("\nmaintenance:")
        _table_of_maintenance(form["maintenance"])
    for entry in form["exceptions"]:
        print(f"\nexception: {_line(json.dumps(entry, ensure_ascii=False))}")
    for each in form["messages"]:
        moot = each["event"] == ESCALATED and one.state != "open"
        if moot or each["state"] not in {"waiting", "sending"}:
            continue
        print(
            f"\nto be told: {each['event']}, due {each['due']}" + (f": {_line(each['error'])}" if each["error"] else "")
        )


def _show_evidence(one: Incident, job: str, seen: dict[str, Any]) -> None:
    """What a job saw, with the neighbours' readings beside the sensor's."""
    unit = f" {BY_NAME[one.variable].unit}" if one.variable in BY_NAME else ""
    value, expected = (_reading(seen.get(name), unit) for name in ("value", "expected"))
    print(f"\n{_line(job)}: {_line(seen.get('symptom', '-'))}, {_line(seen.get('started', '-'))} to "
          f"{_line(seen.get('ended', '-'))}: {value} for {expected}")  # fmt: skip
    near = [each for each in seen.get("neighbours") or [] if isinstance(each, dict)]
    if near:
        rows = [(one.station_id, "-", value, "-", "-")]
        rows += [
            (
                each.get("station_id", "-"),
                _reading(each.get("distance_km"), " km"),
                _reading(each.get("value"), unit),
                _reading(each.get("implies"), unit),
                _reading(each.get("correlation"), ""),
            )
            for each in near
        ]
        table(("station", "distance", "value", f"implies for {one.station_id}", "correlation"), rows)


def _reading(value: object, unit: str) -> str:
    return f"{value:g}{unit}" if isinstance(value, (int, float)) else "-"


def _line(value: object) -> str:
    return one_line(str(value), 1000)


# Deciding


def _who_and_why(args: argparse.Namespace) -> tuple[str, str]:
    """Who decides, and the note; wrong usage is an error before the database is opened."""
    return actor(args.by), deciding.note_text(args.note, needed=args.action == "note")


def _decide(args: argparse.Namespace, settings: Settings) -> int:
    who, why = _who_and_why(args)
    to = None
    if args.action == "assign":
        to = person(args.to, "--to") if args.to.strip() else None
    with open_for_writing(settings.db, begin=False) as store:
        by = Decision(who, _present(store), why)
        match args.action:
            case "ack":
                done = deciding.acknowledge(store, settings, args.ids, by)
            case "note":
                done = deciding.note(store, settings, args.ids, by)
            case "assign":
                done = deciding.assign(store, settings, args.ids, by, to)
            case "resolve":
                done = deciding.resolve(store, settings, args.ids, by)
            case _:
                done = deciding.dismiss(store, settings, args.ids, by, args.verdict)
    if args.json:
        print(json.dumps([forms.of_incident(one) for one in done], indent=1, ensure_ascii=False))
    else:
        for one in done:
            what = {"note": "noted", "assign": f"assigned to {one.assignee or 'nobody'}"}.get(args.action, one.state)
            as_what = f" as {one.verdict}" if one.verdict and args.action in {"resolve", "dismiss"} else ""
            print(
                f"incident {one.id}: {one.station_id or 'the network'}, {one.variable}: {what}{as_what}, by {by.actor}"
            )
    return 0


def _maintenance(args: argparse.Namespace, settings: Settings) -> int:
    if args.station is None and args.end is None:
        given = {"--from": args.start, "--to": args.to, "--variables": args.variables, "--note": args.note}
        for flag, value in given.items():
            if value is not None:
                raise UsageError(f"{flag}: give the station as well")
        return _list_maintenance(args, settings)
    who, why = _who_and_why(args)
    to = epoch(args.to, "--to") if args.to else None
    if args.end is not None:
        if args.station is not None or args.start is not None or args.variables is not None:
            raise UsageError("--end takes the number of maintenance, and --to, --by and --note alone")
        return _end_maintenance(args, settings, who, why, to)
    if to is None:
        raise UsageError("give --to: until when people work there")
    try:
        variables = VARIABLES.parse(args.variables) if args.variables is not None else ()
    except ValueError as error:
        raise UsageError(f"--variables={args.variables}: {error}") from None
    with open_for_writing(settings.db, begin=False) as store:
        present = _present(store)
        start = present if args.start is None or args.start.upper() == "NOW" else epoch(args.start, "--from")
        windows = deciding.plan(store, Decision(who, present, why), args.station, variables, start, to)
    _print_maintenance(args, windows, present)
    return 0


def _end_maintenance(args: argparse.Namespace, settings: Settings, who: str, why: str, to: float | None) -> int:
    with open_for_writing(settings.db, begin=False) as store:
        present = _present(store)
        changed = deciding.end(store, Decision(who, present, why), args.end, to)
    if changed is None and not args.json:
        print(f"maintenance {args.end} is cancelled")
    else:
        _print_maintenance(args, [changed] if changed else [], present)
    return 0


def _list_maintenance(args: argparse.Namespace, settings: Settings) -> int:
    if not 0 <= args.days <= 36500:
        raise UsageError(f"--days={args.days:g}: give a number from 0 to 36500")
    with open_for_reading(settings.db) as store:
        present = _present(store)
        windows = store.incidents.maintenance(max(present - args.days * DAY, clock.EARLIEST), clock.LATEST)
    _print_maintenance(args, windows, present)
    return 0


def _print_maintenance(args: argparse.Namespace, windows: Sequence[Maintenance], present: float) -> None:
    told = [forms.of_maintenance(one, present) for one in windows]
    if args.json:
        print(json.dumps(told, indent=1, ensure_ascii=False))
    elif told:
        _table_of_maintenance(told)
    else:
        print("there is no maintenance")


def _table_of_maintenance(told: Sequence[dict[str, Any]]) -> None:
    names = ("id", "station_id", "variable", "from", "to", "state", "by", "note")
    header = [name.removesuffix("_id") for name in names]
    table(header, [[one[name] or "-" for name in names] for one in told])


# Learning


def _stats(args: argparse.Namespace, settings: Settings) -> int:
    from toolkit.incidents.learning import learn

    if not 1 <= args.days <= 36500:
        raise UsageError(f"--days={args.days:g}: give a number from 1 to 36500")
    with open_for_reading(settings.db) as store, store.snapshot():
        present = _present(store)
        incidents = store.incidents.find(IncidentFilter(since=max(present - args.days * DAY, 0.0)))
    learnt = learn(incidents, settings.exceptions, present)
    over = list(expired(settings.exceptions, present))
    if args.json:
        form = {
            "days": args.days,
            **asdict(learnt),
            "suggested": [as_entry(one) for one in learnt.suggested],
            "expired": [as_entry(one) for one in over],
        }
        for name in ("by_test", "by_variable", "by_station"):
            form[name] = [{**asdict(one), "precision": round(one.precision, 3)} for one in getattr(learnt, name)]
        print(json.dumps(form, indent=1, ensure_ascii=False))
    else:
        _show_stats(learnt, over)
    return 0


def _show_stats(learnt: Learnt, over: Sequence[SensorException]) -> None:
    labelled = f"of {learnt.labelled} people said what they were; {learnt.maintenance} were maintenance"
    print(f"{learnt.number} incidents: {labelled}")
    for what, hours in (("acknowledge", learnt.hours_to_acknowledge), ("repair", learnt.hours_to_repair)):
        print(f"mean time to {what}: {'-' if hours is None else f'{hours:g} h'}")
    for name, found in (("test", learnt.by_test), ("variable", learnt.by_variable), ("station", learnt.by_station)):
        if found:
            print()
            table((name, "precision", "faults", "weather", "siting"), [_precision(one) for one in found])
    for one in over:
        print(f"\nexpired: {_line(json.dumps(as_entry(one), ensure_ascii=False))}")
    if learnt.suggested:
        print("\nDismissed again and again. To be judged otherwise from now on, add to the inventory:\n")
        print("weather_exceptions:")
        for one in learnt.suggested:
            lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in as_entry(one).items()]
            print("  - " + "\n    ".join(lines))


def _precision(one: Precision) -> tuple[str, ...]:
    return (one.name, f"{one.precision:.0%}", str(one.faults), str(one.weather), str(one.siting))
