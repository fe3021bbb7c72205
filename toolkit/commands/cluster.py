"""`weather-tool cluster`."""

from __future__ import annotations

import argparse
import json

from toolkit.cli.options import add_setting, positive
from toolkit.cli.show import table
from toolkit.errors import ToolkitError, UsageError
from toolkit.settings import Loaded

EXAMPLES = (
    "weather-tool cluster status",
    "weather-tool cluster scheduler 127.0.0.1:8786 --dask tcp://127.0.0.1:8786",
    "weather-tool cluster worker --processes 4",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    schedule = actions.add_parser(
        "scheduler",
        help="hand out the tiles of detection runs",
        description="Be the scheduler of a cluster, until told to stop; by TLS or not as WEATHER_DASK says.",
    )
    add_setting(schedule, "ADDRESS:PORT", "cluster_address")
    work = actions.add_parser(
        "worker",
        help="work on the tiles",
        description="Work on tiles of detection runs for the scheduler that WEATHER_DASK names, until told to stop.",
    )
    work.add_argument(
        "--processes", type=positive, metavar="N", help="how many at once (default: as many as there are processors)"
    )
    show = actions.add_parser(
        "status", help="the scheduler and its workers", description="Show the scheduler and its workers."
    )
    show.add_argument("--json", action="store_true", help="as JSON")
    for one in (schedule, work, show):
        add_setting(one, "--dask", "dask", "ADDRESS")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Run the action."""
    settings = loaded.settings
    if settings.dask is None:
        raise UsageError("WEATHER_DASK names no scheduler: set it to tls://HOST:PORT (see docs/distributed.md)")
    try:
        import distributed  # noqa: F401 - is it there?
    except ImportError as error:
        raise ToolkitError(
            f"the package {error.name} is missing: pip install 'weather-toolkit[distributed]'"
        ) from error
    if args.action == "scheduler":
        return _scheduler(settings.cluster_address, settings.dask)
    return {"worker": _worker, "status": _status}[args.action](args, settings.dask)


def _scheduler(listens: str, address: str) -> int:
    from toolkit.cluster.serving import serve_scheduler

    serve_scheduler(listens, address.partition("://")[0])
    return 0


def _worker(args: argparse.Namespace, address: str) -> int:
    from dask.system import CPU_COUNT

    from toolkit.cluster.serving import serve_workers

    serve_workers(address, args.processes or CPU_COUNT)
    return 0


def _status(args: argparse.Namespace, address: str) -> int:
    from toolkit.cluster.judging import connected, workers
    from toolkit.cluster.release import release

    with connected(address) as client:
        found = workers(client)
    ours = sum(one.release == release() for one in found)
    if args.json:
        rows = [{**one._asdict(), "judges": one.release == release()} for one in found]
        print(json.dumps({"scheduler": address, "release": release(), "workers": rows}, indent=1))
    else:
        print(f"{address}: {ours} of {len(found)} workers are of this release, {release()}")
        if found:
            table(("worker", "address", "release"), [(one.name, one.address, one.release or "-") for one in found])
    return 0 if ours else 1
