"""`weather-tool settings`."""

from __future__ import annotations

import argparse
import json

from toolkit.cli.show import table
from toolkit.settings import DECLARATIONS, Loaded

EXAMPLES = (
    "weather-tool settings",
    "weather-tool settings --json",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Show the settings."""
    declared = DECLARATIONS
    rows = [
        (declared[name].variable, declared[name].kind.shown(origin.text), origin.place)
        for name, origin in loaded.origins.items()
    ]
    if args.json:
        print(
            json.dumps(
                {variable: {"value": text, "from": place} for variable, text, place in rows},
                indent=1,
                ensure_ascii=False,
            )
        )
    else:
        table(("setting", "value", "from"), rows)
    return 0
