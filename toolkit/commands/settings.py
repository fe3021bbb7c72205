"""`weather-tool settings`."""

from __future__ import annotations

import argparse
import json

from toolkit.cli.show import table
from toolkit.settings import DECLARATIONS, Loaded
from toolkit.sources import ONLY, as_given, source_named, sources_of

EXAMPLES = (
    "weather-tool settings",
    "weather-tool settings --json",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="as they are for this source")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Show the settings, and see that the sources can be used."""
    declared, sources = DECLARATIONS, sources_of(loaded.settings)
    rows = [
        (declared[name].variable, declared[name].kind.shown(origin.text), origin.place)
        for name, origin in loaded.origins.items()
    ]
    if args.source is not None:
        source = source_named(args.source, sources)
        own = {
            declared[name].variable: declared[name].kind.shown(text)
            for name, text in as_given(source.name, loaded.settings).items()
        }
        place = f"{loaded.settings.sources_file}, source {source.name}"
        rows = [(name, own.get(name, text), place if name in own else origin) for name, text, origin in rows]
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
        if args.source is None and [one.name for one in sources] != [ONLY]:
            print(f"sources: {', '.join(one.name for one in sources)}")
    return 0
