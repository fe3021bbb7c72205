"""`weather-tool metrics`."""

from __future__ import annotations

import argparse

from prometheus_client import CollectorRegistry, generate_latest

from toolkit.cli.options import add_setting
from toolkit.errors import UsageError
from toolkit.exporter.checks import CheckResults
from toolkit.exporter.metrics import Weather
from toolkit.exporter.server import serve
from toolkit.settings import DECLARATIONS, Loaded

EXAMPLES = (
    "weather-tool metrics",
    "weather-tool metrics --serve 127.0.0.1:9105",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    where = DECLARATIONS["metrics_address"]
    parser.add_argument(
        "--serve", nargs="?", const="", metavar="ADDRESS:PORT",
        help=f"serve them over HTTP, for ever. Where: {where.variable}, else {where.default}.",
    )  # fmt: skip
    add_setting(parser, "--db", "db", "DATABASE")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Print the metrics, or serve them."""
    settings = loaded.settings
    if args.serve is not None:
        try:
            address = DECLARATIONS["metrics_address"].kind.parse(args.serve or settings.metrics_address)
        except ValueError as error:
            raise UsageError(f"--serve={args.serve!r}: {error}") from None
        serve(address, settings)
        return 0
    checks, registry = CheckResults(), CollectorRegistry()
    checks.examine()
    weather = Weather(settings, checks)
    weather.count()
    registry.register(weather)
    print(generate_latest(registry).decode(), end="")
    return 0
