"""`weather-tool data`."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from toolkit.archive import exporting, reading
from toolkit.archive.importing import import_file
from toolkit.archive.localtime import LocalTimes, zone_named
from toolkit.cli.options import add_setting, epoch, positive, window_end
from toolkit.cli.show import json_list, progress, table
from toolkit.collector.known_database import open_store
from toolkit.errors import ToolkitError, UsageError
from toolkit.feed.entries import Clock, utc
from toolkit.incidents import forms
from toolkit.incidents.kinds import rank
from toolkit.kinds import VARIABLES
from toolkit.location import without_impossible_place
from toolkit.locking import writing
from toolkit.model import Observation
from toolkit.query import answers, ask
from toolkit.settings import Loaded, Settings, spool_folder
from toolkit.sources import cadences_of
from toolkit.store import Extent, Selection, Store, StoreGoneError, open_for_reading, open_for_writing
from toolkit.store.flag_views import FAIL, SUSPECT
from toolkit.store.flags import ValueFlag
from toolkit.store.incidents import ACTIVE, Incident, IncidentFilter, Maintenance
from toolkit.times import iso_of, stored
from toolkit.variables import BY_NAME, MONITORED

EXAMPLES = (
    "weather-tool data latest",
    "weather-tool data export january.csv --start 2026-01-01 --end 2026-02-01 --station volos",
    "weather-tool data export november.nc --start 2026-11-01 --end 2026-12-01 --qc flags",
    "weather-tool data import old/weather_stream.db --timezone Europe/Athens",
    "weather-tool data import - < january.csv",
    'weather-tool data query "SELECT time, temp_out, temp_out_qc FROM observations_qc ORDER BY time DESC LIMIT 10"',
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary in (
        ("latest", "the newest observation of each station"),
        ("stations", "the stations, and what there is of each"),
        ("summary", "what the store holds, and what the collector did"),
    ):
        look = actions.add_parser(name, help=summary, description=f"Show {summary}.")
        look.add_argument("--json", action="store_true", help="as JSON")
        add_setting(look, "--db", "db", "DATABASE")

    export = actions.add_parser(
        "export",
        help="write observations to a file",
        description="Write observations, or the newest of each station as GeoJSON, to a file.",
    )
    export.add_argument(
        "output", metavar="FILE", help="NAME.csv, NAME.parquet, NAME.nc, NAME.geojson, or - for standard output"
    )
    export.add_argument("--format", choices=exporting.FORMATS, help="default: by the name's ending; CSV for -")
    export.add_argument("--start", metavar="TIME", help="observations after this")
    export.add_argument("--end", metavar="TIME", help="observations up to this, which is included")
    export.add_argument("--station", action="append", default=[], metavar="ID", help="may be repeated; default: all")
    export.add_argument("--variables", metavar="A,B", help="default: all")
    export.add_argument(
        "--qc",
        choices=exporting.QUALITIES,
        default="all",
        help="; ".join(f"{name}: {said}" for name, said in exporting.QUALITIES.items()) + ". Default: all",
    )
    export.add_argument(
        "--estimates",
        action="store_true",
        help="beside each value that fails or is suspect, VARIABLE_estimate: what the neighbours imply",
    )
    add_setting(export, "--db", "db", "DATABASE")

    bring = actions.add_parser(
        "import",
        help="take observations from CSV or from an existing weather_stream.db",
        description="Take observations from CSV or from an existing weather_stream.db. "
        "What is there already stays as it is; only gaps are filled.",
    )
    bring.add_argument(
        "input", type=Path, metavar="FILE",
        help="CSV with the columns of an export, or a database; - for standard input",
    )  # fmt: skip
    bring.add_argument(
        "--timezone", metavar="ZONE", help="whose local time the file's times are, such as Europe/Athens; default: UTC"
    )
    bring.add_argument("--replace", action="store_true", help="values of the file replace those that differ")
    bring.add_argument("--json", action="store_true", help="as JSON")
    add_setting(bring, "--db", "db", "DATABASE")

    query = actions.add_parser(
        "query",
        help="what the database answers to a SELECT",
        description="Run one SELECT, in the SQL of the database's engine. It can read, and do nothing else.",
    )
    query.add_argument("sql", metavar="SQL", help="the statement")
    form = query.add_mutually_exclusive_group()
    for name, summary in (("json", "as a JSON array"), ("ndjson", "as JSON, one row a line"), ("csv", "as CSV")):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=summary)
    query.add_argument("--rows", type=positive, default=10_000, metavar="N", help="the most rows; default: 10000")
    query.add_argument("--seconds", type=positive, default=60, metavar="N", help="the longest time; default: 60")
    add_setting(query, "--db", "db", "DATABASE")

    anew = actions.add_parser(
        "new",
        help="begin an empty database where one is gone for good",
        description="Begin an empty database in the place of one that is gone, or has 0 bytes, when it is not to be "
        "restored. One that is there stays as it is.",
    )
    add_setting(anew, "--db", "db", "DATABASE")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Run the action."""
    actions = {
        "latest": _latest, "stations": _stations, "summary": _summary, "export": _export, "import": _import,
        "query": _query, "new": _new,
    }  # fmt: skip
    return actions[args.action](args, loaded.settings)


def _latest(args: argparse.Namespace, settings: Settings) -> int:
    with open_for_reading(settings.db) as store, store.snapshot():
        latest = store.latest()
        present = window_end("NOW", store.newest())
        incidents, maintenance = _open_incidents(store, present)
        flags = _flags(store, latest)
    if args.json:
        json_list(
            {
                **one._asdict(),
                "time": iso_of(one.time),
                "flags": {name: flag._asdict() for name, flag in flags.get(one.station_id, {}).items()},
                "incidents": [forms.of_incident(incident) for incident in incidents.get(one.station_id, [])],
                "maintenance": [
                    forms.of_maintenance(window, present) for window in maintenance.get(one.station_id, [])
                ],
            }
            for one in latest
        )
        return 0
    units = [f"{name} ({BY_NAME[name].unit})" for name in MONITORED]
    values = [[getattr(one, name) for name in MONITORED] for one in latest]
    table(
        ("station", "time", "age (min)", *units, "flags", "incidents"),
        [
            (
                one.station_id,
                iso_of(one.time),
                f"{(present - one.time) / 60:.0f}",
                *("-" if value is None else f"{value:g}" for value in row),
                "; ".join(
                    f"{name} {flag}"
                    for name, flag in flags.get(one.station_id, {}).items()
                    if flag.flag in {SUSPECT, FAIL}
                )
                or "-",
                _told(incidents.get(one.station_id, []), maintenance.get(one.station_id, [])),
            )
            for one, row in zip(latest, values, strict=True)
        ],
    )
    return 0


def _open_incidents(store: Store, present: float) -> tuple[dict[str, list[Incident]], dict[str, list[Maintenance]]]:
    """The open incidents of each station, those of the network among them, the worst first; and its maintenance."""
    active = {one.id: one for one in store.incidents.find(IncidentFilter(states=ACTIVE))}
    incidents, maintenance = defaultdict(list), defaultdict(list)
    for one in active.values():
        if one.station_id is not None:
            incidents[one.station_id].append(one)
    for part in store.incidents.affected([one.id for one in active.values() if one.station_id is None]):
        incidents[part.station_id].append(active[part.incident_id])
    for some in incidents.values():
        some.sort(key=lambda one: (-rank(one.severity), one.started, one.id))
    for window in store.incidents.maintenance(present, present):
        maintenance[window.station_id].append(window)
    return incidents, maintenance


def _flags(store: Store, observations: Sequence[Observation]) -> dict[str, dict[str, ValueFlag]]:
    """The flags of the newest values, by station and variable."""
    of_time = defaultdict(list)
    for one in observations:
        of_time[one.time].append(one.station_id)
    found: dict[str, dict[str, ValueFlag]] = {}
    for time, stations in of_time.items():
        found.update(store.flags.of(time, stations, MONITORED))
    return found


def _told(incidents: Sequence[Incident], maintenance: Sequence[Maintenance]) -> str:
    """A station's open incidents and maintenance in a line: `12 temp_out warning, acknowledged`."""
    parts = [f"{one.id} {one.variable} {one.severity}, {one.state}" for one in incidents]
    parts += [f"maintenance of {one.variable} until {stored(one.ended)[:16]}" for one in maintenance]
    return "; ".join(parts) or "-"


def _stations(args: argparse.Namespace, settings: Settings) -> int:
    with open_for_reading(settings.db) as store, store.snapshot():
        extents = {extent.station_id: extent for extent in store.extents()}
        stations = [without_impossible_place(station) for station in store.stations()]
        cadence = _cadences(store, settings, [station.station_id for station in stations])
    rows = []
    for station in stations:
        extent = extents.get(station.station_id)
        rows.append(
            {
                **station._asdict(),
                "first": iso_of(extent.first) if extent else None,
                "last": iso_of(extent.last) if extent else None,
                "observations": extent.number if extent else 0,
                "completeness": round(extent.number / _expected(extent, cadence[station.station_id]), 4)
                if extent
                else None,
            }
        )
    if args.json:
        json_list(rows)
    else:
        names = (
            "station_id", "wigos_id", "station_name_en", "latitude", "longitude", "elevation", "first", "last",
            "observations", "completeness",
        )  # fmt: skip
        header = [name.removeprefix("station_").replace("_en", "").replace("_", " ") for name in names]
        table(header, [["-" if row[name] is None else row[name] for name in names] for row in rows])
    return 0


def _expected(extent: Extent, cadence: float) -> int:
    """How many observations a station has from its first to its last if none is missing."""
    return int((extent.last - extent.first) // cadence) + 1


def _cadences(store: Store, settings: Settings, stations: Sequence[str]) -> dict[str, float]:
    """How often each station reports, in seconds: as its source tells."""
    return dict(zip(stations, cadences_of(settings).of(stations, store.owners), strict=True))


def _summary(args: argparse.Namespace, settings: Settings) -> int:
    with open_for_reading(settings.db) as store, store.snapshot():
        extents, counters, size = store.extents(), store.counters(), store.size_bytes()
        cadence = _cadences(store, settings, [extent.station_id for extent in extents])
        stations = len(store.stations())
    number = sum(extent.number for extent in extents)
    expected = sum(_expected(extent, cadence[extent.station_id]) for extent in extents)
    summary = {
        "store": str(settings.db),
        "size_bytes": size,
        "stations": stations,
        "observations": number,
        "first": iso_of(min(extent.first for extent in extents)) if extents else None,
        "last": iso_of(max(extent.last for extent in extents)) if extents else None,
        "completeness": round(number / expected, 4) if expected else None,
        "counters": {f"{count.name}: {count.label}": count.number for count in counters},
    }
    if args.json:
        print(json.dumps(summary, indent=1, ensure_ascii=False))
    else:
        counted = summary.pop("counters")
        table(("what", "value"), [*summary.items(), *counted.items()])  # type: ignore[attr-defined]
    return 0


def _export(args: argparse.Namespace, settings: Settings) -> int:
    kind = _format(args)
    try:
        variables = VARIABLES.parse(args.variables) if args.variables is not None else tuple(BY_NAME)
    except ValueError as error:
        raise UsageError(f"--variables: {error}") from None
    start = epoch(args.start, "--start") if args.start else None
    end = epoch(args.end, "--end") if args.end else None
    wanted = exporting.ExportContent(tuple(dict.fromkeys(variables)), args.qc, args.estimates)
    selection = Selection(start, end, args.station)
    with open_for_reading(settings.db) as store, store.snapshot():
        unknown = set(args.station) - {station.station_id for station in store.stations()}
        if unknown:
            raise UsageError(f"--station={min(unknown)}: there is no such station (see weather-tool data stations)")
        # Rows that are written to the terminal show the progress themselves.
        shown = args.output != "-" or not sys.stdout.isatty()
        total = None if kind == "geojson" else store.count(selection)
        with progress("exporting", total, shown=shown) as advance:
            output = sys.stdout if args.output == "-" else Path(args.output)
            not_evaluated = exporting.export(store, settings, selection, wanted, kind, output, advance)
    if not_evaluated:
        print(
            f"weather-tool: note: {not_evaluated} values were not evaluated, and are left out; "
            "weather-tool flag judges them",
            file=sys.stderr,
        )
    return 0


def _format(args: argparse.Namespace) -> str:
    """The format of an export, which fits what else is asked for."""
    kind = args.format or ("csv" if args.output == "-" else exporting.ENDINGS.get(Path(args.output).suffix))
    if kind is None:
        raise UsageError(f"{args.output}: give NAME{', NAME'.join(exporting.ENDINGS)}, or --format")
    if args.output == "-" and kind not in exporting.TEXT:
        raise UsageError(f"{kind} needs a file: give its name in place of -")
    if kind == "geojson" and (args.start or args.end):
        raise UsageError("GeoJSON has the newest observation of each station: leave out --start and --end")
    return str(kind)


def _import(args: argparse.Namespace, settings: Settings) -> int:
    with _input(args.input) as path:
        clock = _clock(path, args.timezone)
        with writing(spool_folder(settings)), open_store(settings) as store, progress("importing", None) as advance:
            done = import_file(store, path, args.replace, clock, settings.bounds, advance)
    if args.json:
        print(json.dumps({**done.stored._asdict(), "left_out": dict(done.left_out)}, indent=1, ensure_ascii=False))
    else:
        new, changed, there = done.stored
        print(f"{new} new, {changed} {'replaced' if args.replace else 'filled in'}, {there} unchanged")
        for reason, number in sorted(done.left_out.items()):
            where = f", first in row {done.first[reason]}" if reason in done.first else ""
            print(f"left out: {number} x {reason}{where}")
    if not any(done.stored):
        raise ToolkitError(f"nothing could be imported from {args.input}")
    return 0


def _query(args: argparse.Namespace, settings: Settings) -> int:
    answer = ask(settings.db, args.sql, rows=args.rows, seconds=args.seconds)
    if args.form:
        answers.FORMS[args.form](answer, sys.stdout)
    else:
        table(answer.columns, answers.cells(answer))
    return 0


def _new(_: argparse.Namespace, settings: Settings) -> int:
    try:
        with open_for_writing(settings.db, begin=False):
            pass
    except StoreGoneError:
        with open_for_writing(settings.db):
            print(f"{settings.db} is begun, without an observation")
        return 0
    raise ToolkitError(f"the database {settings.db} is there: nothing is to be begun")


@contextmanager
def _input(named: Path) -> Iterator[Path]:
    """The file to read. Standard input is copied into one, for it may be a database.

    It has a folder of its own: who only reads a database leaves the files that SQLite puts beside it.
    """
    if str(named) != "-":
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="weather-import-") as folder:
        path = Path(folder) / "input"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield path


def _clock(path: Path, timezone: str | None) -> Clock:
    """How the times of the file become UTC."""
    ours = True
    with suppress(Exception):  # a file that cannot be read is reported when its rows are read
        ours = not reading.is_file(path) or not reading.is_database(path) or reading.is_ours(path)
    if timezone is None:
        if not ours:
            raise UsageError(
                f"the times in {path} are the local time of the host that collected them: "
                "give --timezone, such as Europe/Athens"
            )
        return utc
    return LocalTimes(zone_named(timezone))
