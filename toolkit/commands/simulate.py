"""`weather-tool simulate`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from pathlib import Path

from toolkit.errors import ToolkitError, UsageError
from toolkit.feed.stations import read_stations
from toolkit.settings import Loaded
from toolkit.simulator import faults, replay
from toolkit.simulator.clock import Clock
from toolkit.simulator.network import default_network
from toolkit.simulator.server import PATH, compose, server
from toolkit.simulator.source import Source
from toolkit.simulator.weather import SimulatedWeather
from toolkit.times import parse, stored

EXAMPLES = (
    "weather-tool simulate",
    "weather-tool simulate --start=-7h --speed 300 --fault station=volos,variable=temp_out,kind=spike,at=-40m,for=20m",
    "weather-tool simulate --replay observations.csv --start=-3d --speed 1800",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--address", default="127.0.0.1", help="where to listen (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8088, help="0 takes any free one (default: %(default)s)")
    parser.add_argument("--stations", type=Path, metavar="CSV", help="the network (default: 14 stations in Greece)")
    parser.add_argument(
        "--seed", type=int, default=1, help="the same seed gives the same weather (default: %(default)s)"
    )
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="recorded observations (CSV or weather_stream.db) instead of simulated ones",
    )
    parser.add_argument("--from", dest="begin", metavar="TIME", help="with --replay: from this recorded time on")
    parser.add_argument(
        "--start",
        metavar="TIME",
        help="where the clock begins: a time, or -7h; with --replay the recording is moved there by whole days",
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        help="how fast the clock runs until it reaches real time (default: %(default)g)",
    )
    parser.add_argument(
        "--cadence",
        type=int,
        default=600,
        metavar="SECONDS",
        help="time between observations (default: %(default)s)",
    )
    parser.add_argument(
        "--live-cadence",
        type=int,
        metavar="SECONDS",
        help="the same once real time is reached (default: as --cadence)",
    )
    parser.add_argument(
        "--fault", action="append", default=[], metavar="SPEC",
        help="station=ID,variable=NAME,kind=KIND,at=TIME,for=DURATION,size=NUMBER; may be repeated; "
        f"KIND: {', '.join([*faults.KINDS, 'silent'])}; TIME: a time, or -40m (before now)",
    )  # fmt: skip
    parser.add_argument("--once", action="store_true", help="print the present document instead of serving it")


def run(args: argparse.Namespace, _loaded: Loaded) -> int:
    """Serve the feed until interrupted."""
    now = time.time()
    if args.speed <= 0 or args.cadence <= 0 or (args.live_cadence or 1) <= 0:
        raise UsageError("--speed, --cadence and --live-cadence must be above 0")
    try:
        start = faults.moment(args.start, now) if args.start else None
        begin = parse(args.begin).timestamp() if args.begin else None
    except ValueError as error:
        raise UsageError(str(error)) from None
    source, start = _source(args, start, begin, now)
    source = faults.Faulty(source, [faults.parse(text, source.stations, now) for text in args.fault])
    clock = Clock(start, args.speed, args.cadence, args.live_cadence or args.cadence, now)
    if args.once:
        sys.stdout.buffer.write(compose(source.stations, source.at(clock.observed(now)[0])) + b"\n")
        return 0
    try:
        feed = server(source, clock, args.address, args.port)
    except OSError as error:
        raise ToolkitError(f"cannot listen on {args.address}:{args.port}: {error.strerror or error}") from error
    address, port = feed.server_address[:2]
    # shutdown() waits until serve_forever() has ended, so a signal handler must not call it itself.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=feed.shutdown).start())
    print(
        f"http://{address!s}:{port}{PATH}: {len(source.stations)} stations, from {stored(start)} UTC",
        flush=True,
    )
    with feed:
        feed.serve_forever(poll_interval=0.1)
    return 0


def _source(args: argparse.Namespace, start: float | None, begin: float | None, now: float) -> tuple[Source, float]:
    """The weather to serve, and the time at which its clock begins, in seconds since the epoch."""
    stations = read_stations(args.stations) if args.stations else None
    if args.replay:
        recorded = replay.read(args.replay, stations, start, begin)
        return recorded, recorded.first if start is None else start
    return SimulatedWeather(stations or default_network(), args.seed), now if start is None else start
