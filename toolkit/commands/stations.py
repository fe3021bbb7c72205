"""`weather-tool stations`."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from toolkit.actor import actor
from toolkit.archive.metadata import forms
from toolkit.archive.metadata.forms import PLAIN
from toolkit.archive.metadata.planning import Plan, plan
from toolkit.archive.metadata.rows import Form
from toolkit.cli.options import add_setting, epoch
from toolkit.cli.show import table
from toolkit.errors import ToolkitError, UsageError, reason
from toolkit.location import HIGHEST, LOWEST, height, place
from toolkit.model import Station, require_station
from toolkit.settings import Loaded, Settings
from toolkit.store import Store, open_for_reading, open_for_writing
from toolkit.store.station_places import ALWAYS, DeclaredPlace, ReplacedSensor
from toolkit.store.station_records import Facts, PlaceFact
from toolkit.text import clean
from toolkit.times import iso_of

EXAMPLES = (
    "weather-tool stations history volos",
    "weather-tool stations correct volos",
    "weather-tool stations correct volos --latitude 39.3744 --longitude 22.9619 --elevation 52 --by maria",
    "weather-tool stations export > stations.csv",
    "weather-tool stations import stations.csv --dry-run",
    "weather-tool stations import oscar-surface.json",
)
# The largest file of metadata: a country's stations in WMDR.
MOST_BYTES = 256 << 20
# So many bad rows are shown.
SHOWN = 100


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    look = actions.add_parser(
        "history",
        help="where stations were, what they were called, which sensors were replaced",
        description="Show where stations were since when, what they were called, and which sensors were replaced: the "
        "places with which the past is judged.",
    )
    look.add_argument("station", nargs="?", metavar="STATION", help="its id; default: all that changed")
    look.add_argument("--json", action="store_true", help="as JSON")
    add_setting(look, "--db", "db", "DATABASE")

    correct = actions.add_parser(
        "correct",
        help="declare that a station has always been at a place, or that nothing is declared of it",
        description="Declare that a station has always been at a place: a move that its feed told of was a correction. "
        "It holds until the feed tells of a later move.",
    )
    correct.add_argument("station", metavar="STATION", help="its id")
    correct.add_argument("--latitude", type=float, metavar="DEGREES", help="default: where the feed says that it is")
    correct.add_argument("--longitude", type=float, metavar="DEGREES", help="likewise")
    correct.add_argument("--elevation", type=float, metavar="METRES", help="likewise")
    correct.add_argument("--since", metavar="TIME", help="it has been there since this; before, as was known until now")
    correct.add_argument("--forget", action="store_true", help="nothing is declared of its place any more")
    correct.add_argument("--by", metavar="NAME", help="who declares it; default: who calls the command")
    correct.add_argument("--json", action="store_true", help="as JSON")
    add_setting(correct, "--db", "db", "DATABASE")

    export = actions.add_parser(
        "export",
        help="write what is declared of the stations as CSV, as import takes it",
        description="Write what is declared of all stations as CSV. To import it restores what is declared now.",
    )
    add_setting(export, "--db", "db", "DATABASE")

    bring = actions.add_parser(
        "import",
        help="declare what a file says of stations: CSV, OSCAR/Surface, WMDR, wis2box",
        description="Declare what a file says of stations, in the place of what was declared of them: CSV with "
        "valid_from and valid_to, a station list of OSCAR/Surface (CSV or JSON), WMDR (XML), or wis2box's "
        "station_list.csv. All of it is kept, or nothing.",
    )
    bring.add_argument("input", metavar="FILE", help="the file; - for standard input")
    bring.add_argument("--dry-run", action="store_true", help="look at the file, and change nothing")
    bring.add_argument("--by", metavar="NAME", help="who declares it; default: who calls the command")
    bring.add_argument("--json", action="store_true", help="as JSON")
    add_setting(bring, "--db", "db", "DATABASE")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Run the action."""
    actions = {"history": _history, "correct": _correct, "export": _export, "import": _import}
    return actions[args.action](args, loaded.settings)


def _history(args: argparse.Namespace, settings: Settings) -> int:
    with open_for_reading(settings.db) as store, store.snapshot():
        stations = {one.station_id: one for one in store.stations()}
        require_station(args.station, stations)
        rows = [*_told(store, stations, args.station)]
    if args.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    names = ("station_id", "since", "what", "name", "latitude", "longitude", "elevation", "by")
    table(
        [name.removesuffix("_id") for name in names],
        [["-" if row[name] is None else row[name] for name in names] for row in rows],
    )
    return 0


def _told(store: Store, stations: Mapping[str, Station], only: str | None) -> Iterator[dict[str, Any]]:
    """What changed of stations, each in order of time."""
    changes, declared, sensors = store.changes(), store.records.declared(), store.records.replaced_sensors()
    for name in [only] if only else sorted(changes.stations):
        own = stations[name]
        places = changes.places.get(name, ())
        origins = {max(one.since, ALWAYS): one.origin for one in declared.get(name, ())}
        rows = []
        for one in places:
            since = max(one.since, ALWAYS)
            rows.append(
                {
                    "station_id": name,
                    "since": iso_of(since) if since > ALWAYS else None,
                    "what": "place",
                    "name": one.name or own.station_name_en,
                    "latitude": one.latitude,
                    "longitude": one.longitude,
                    "elevation": one.elevation,
                    "by": origins.get(since, "declared") if one.declared else "feed",
                }
            )
        rows += [_sensor_row(sensor) for sensor in sensors if sensor.station_id == name]
        if only and not places:
            rows.insert(0, _as_it_is(own))
        if only:
            rows += _descriptions(store, name)
        yield from rows


def _sensor_row(one: ReplacedSensor) -> dict[str, Any]:
    nothing = dict.fromkeys(("name", "latitude", "longitude", "elevation"))
    what = f"new sensor of {one.variable}" + (f": {one.sensor}" if one.sensor else "")
    return {"station_id": one.station_id, "since": iso_of(one.since), "what": what, **nothing, "by": one.origin}


def _as_it_is(one: Station) -> dict[str, Any]:
    return {
        "station_id": one.station_id,
        "since": None,
        "what": "place",
        "name": one.station_name_en,
        "latitude": one.latitude,
        "longitude": one.longitude,
        "elevation": one.elevation,
        "by": "feed",
    }


def _descriptions(store: Store, name: str) -> Iterator[dict[str, Any]]:
    for one in reversed(store.records.history(name)):
        yield {
            "station_id": name,
            "since": iso_of(one.since),
            "what": "described",
            "name": one.station_name_en,
            "latitude": one.latitude,
            "longitude": one.longitude,
            "elevation": one.elevation,
            "by": "feed",
        }


def _correct(args: argparse.Namespace, settings: Settings) -> int:
    who = actor(args.by)
    given = [args.latitude, args.longitude, args.elevation]
    if args.forget and ([one for one in given if one is not None] or args.since):
        raise UsageError("--forget takes no place and no time")
    if (args.latitude is None) != (args.longitude is None):
        raise UsageError("give both --latitude and --longitude, or neither")
    since = ALWAYS if args.since is None else epoch(args.since, "--since")
    with open_for_writing(settings.db, begin=False) as store, store.transaction():
        stations = {one.station_id: one for one in store.stations()}
        require_station(args.station, stations)
        before = store.records.declared().get(args.station, [])
        facts: list[PlaceFact] = []
        if not args.forget:
            facts = [*_until(before, since), _wanted(args, stations[args.station], since)]
        store.records.declare({args.station: Facts(places=facts)}, time.time(), who)
        rows = [*_told(store, {one.station_id: one for one in store.stations()}, args.station)]
    if args.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    elif args.forget:
        print(f"{args.station}: its place is as the feed says")
    else:
        one = facts[-1]
        at = "" if one.elevation is None else f", {one.elevation:g} m"
        when = "always" if since <= ALWAYS else f"since {iso_of(since)}"
        print(f"{args.station}: {when} at {one.latitude:g}, {one.longitude:g}{at}")
        print("what was judged before is not judged anew by itself: weather-tool flag")
    return 0


def _until(declared: list[DeclaredPlace], since: float) -> Iterator[PlaceFact]:
    """What is declared up to a time."""
    for one in declared:
        if one.since < since:
            until = since if one.until is None else min(one.until, since)
            yield PlaceFact(one.since, until, *one[3:7])


def _wanted(args: argparse.Namespace, station: Station, since: float) -> PlaceFact:
    """The place that is declared."""
    if args.latitude is None:
        where = place(station.latitude, station.longitude)
        if where is None:
            raise UsageError(f"the feed does not say where {station.station_id} is: give --latitude and --longitude")
    elif (where := place(args.latitude, args.longitude)) is None:
        raise UsageError(f"--latitude={args.latitude:g} --longitude={args.longitude:g}: that is no place in degrees")
    metres = station.elevation if args.elevation is None else args.elevation
    if metres is not None and height(metres) is None:
        raise UsageError(f"--elevation={metres:g}: that is no height from {LOWEST} to {HIGHEST} m")
    return PlaceFact(since, None, None, *where, metres)


def _export(_: argparse.Namespace, settings: Settings) -> int:
    with open_for_reading(settings.db) as store, store.snapshot():
        stations, declared, sensors = store.stations(), store.records.declared(), store.records.replaced_sensors()
    writer = csv.DictWriter(sys.stdout, PLAIN, restval="", lineterminator="\n")
    writer.writeheader()
    for station in stations:
        own = {"station_id": station.station_id, "wigos_id": station.wigos_id or ""}
        rows: list[dict[str, Any]] = [
            {
                **own,
                "station_name": one.station_name_en or "",
                "latitude": one.latitude,
                "longitude": one.longitude,
                "elevation": "" if one.elevation is None else one.elevation,
                "valid_from": "" if one.since <= ALWAYS else iso_of(one.since),
                "valid_to": "" if one.until is None else iso_of(one.until),
            }
            for one in declared.get(station.station_id, ())
        ]
        rows += [
            {**own, "valid_from": iso_of(one.since), "variable": one.variable, "sensor": one.sensor}
            for one in sensors
            if one.station_id == station.station_id
        ]
        writer.writerows(rows or [own])
    return 0


def _import(args: argparse.Namespace, settings: Settings) -> int:
    named = "standard input" if args.input == "-" else args.input
    form = forms.read(_body(args.input), named)
    if args.dry_run:
        with open_for_reading(settings.db) as store, store.snapshot():
            done = _planned(store, form, settings, named)
    else:
        origin = f"{actor(args.by)}: {clean(Path(named).name)}"[:200]
        with open_for_writing(settings.db, begin=False) as store, store.transaction():
            done = _planned(store, form, settings, named)
            store.records.declare(done.facts, time.time(), origin)
    figures = {
        "form": form.name,
        "rows": len(form.rows),
        "stations": len(done.facts),
        "places": sum(len(one.places or ()) for one in done.facts.values()),
        "sensors": sum(len(one.sensors or ()) for one in done.facts.values()),
        "wigos_ids": sum(bool(one.wigos_id) for one in done.facts.values()),
        "not_known": done.unknown,
        "dry_run": args.dry_run,
    }
    if args.json:
        print(json.dumps(figures, indent=1))
    else:
        print(
            f"{form.name}: {figures['stations']} stations with {figures['places']} places, {figures['sensors']} "
            f"replaced sensors and {figures['wigos_ids']} WIGOS identifiers"
            + (f"; {done.unknown} rows are of stations that the database does not have" if done.unknown else "")
            + ("; nothing was changed" if args.dry_run else "")
        )
    return 0


def _planned(store: Store, form: Form, settings: Settings, named: str) -> Plan:
    """What a file declares.

    Raises:
        ToolkitError: a row cannot be used, or none is of a station that there is; each bad row was told.
    """
    done = plan(form, store.stations(), store.changes().places, settings.bounds)
    for line in done.wrong[:SHOWN]:
        print(f"{named}, {line}", file=sys.stderr)
    if len(done.wrong) > SHOWN:
        print(f"{named}: and {len(done.wrong) - SHOWN} more", file=sys.stderr)
    if done.wrong:
        raise ToolkitError(f"nothing was imported from {named}: correct what is wrong in it, see above")
    if not done.facts:
        raise ToolkitError(f"nothing was imported from {named}: no row is of a station that the database has")
    return done


def _body(named: str) -> bytes:
    try:
        if named == "-":
            body = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(named).open("rb") as file:
                body = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {named}: {reason(error)}") from None
    if len(body) > MOST_BYTES:
        raise UsageError(f"{named} is larger than {MOST_BYTES >> 20} MiB")
    return body
