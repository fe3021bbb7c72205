"""The reference pages of docs/: commands, role variables, metrics, the schema of a report."""

from __future__ import annotations

import json
import os
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import yaml

from toolkit.backup.creating import create
from toolkit.backup.drill_record import Drill, keep
from toolkit.backup.folder import Folder
from toolkit.cli import COMMANDS, parser_of
from toolkit.detector.report import Report
from toolkit.detector.sensors import Health as SensorHealth
from toolkit.exporter.health import Health
from toolkit.exporter.metrics import Weather
from toolkit.feed.document import EARLIEST, Document, Observation, Station
from toolkit.settings import Origin, load
from toolkit.store import open_for_writing
from toolkit.times import iso, now

ROOT = Path(__file__).parent.parent
COLUMNS = "110"


def commands_page() -> str:
    """What each command's --help says."""
    os.environ["COLUMNS"] = COLUMNS
    parts = ["# Commands", f"{_note('toolkit/commands/')} On a host, `man` is `weather-tool COMMAND --help`."]
    parts.append(_code(parser_of([]).format_help()))
    for name in COMMANDS:
        parser = parser_of([name])
        (sub,) = [action for action in parser._actions if action.dest == "command"]
        command = sub.choices[name]  # type: ignore[index]
        parts += [f"## {name}", import_module(f"toolkit.commands.{name}").__doc__ or "", _code(command.format_help())]
        for action in command._actions:
            if action.dest == "action":
                parts += [_code(one.format_help()) for one in action.choices.values()]
    return _page(parts)


def roles_page() -> str:
    """Every role's variables, from its argument specs."""
    parts = ["# Variables of the roles", _note("roles/*/meta/argument_specs.yml")]
    for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        name = path.parent.parent.name
        main = yaml.safe_load(path.read_text("utf-8"))["argument_specs"]["main"]
        rows = ["| variable | type | |", "| --- | --- | --- |"]
        for option, spec in sorted(main.get("options", {}).items()):
            kind = " or ".join(f"`{one}`" for one in spec["choices"]) if "choices" in spec else spec.get("type", "str")
            rows.append(f"| `{option}` | {kind}{', required' if spec.get('required') else ''} | {_text(spec)} |")
        parts += [
            f"## {name}",
            f"{main['short_description']}: [README](../../roles/{name}/README.md).",
            "\n".join(rows),
        ]
    return _page(parts)


def metrics_page() -> str:
    """The exporter's metrics, as it gives them on a host that has one of everything."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"db": Origin(f"{folder}/weather.db", ""), "backups": Origin(folder, "")}, {}).settings
        nothing = [None] * (len(Observation._fields) - 2)
        station = Station("one", None, None, None, None, None)
        with open_for_writing(settings.db) as store:
            store.add(Document([station], [Observation(EARLIEST, "one", *nothing)]), EARLIEST)
        create(Folder(folder), settings.db)
        keep(Path(folder), Drill(ended_at=iso(now()), restore_seconds=1.0))
        families = list(Weather(settings, Health()).collect())
    rows = ["| metric | type | |", "| --- | --- | --- |"]
    for one in sorted(families, key=lambda family: family.name):
        name = f"{one.name}_total" if one.type == "counter" else one.name
        rows.append(f"| `{name}` | {one.type} | {one.documentation} |")
    return _page(["# Metrics", _note("toolkit/exporter/"), "\n".join(rows)])


def report_schema() -> str:
    """JSON Schema of a detection report."""
    return _schema(Report)


def sensors_schema() -> str:
    """JSON Schema of `weather-tool sensors --json`."""
    return _schema(SensorHealth)


def _schema(of: type) -> str:
    found = msgspec.json.schema(of)
    # `class` is a keyword in Python and the name in JSON.
    text = json.dumps(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}, indent=1, ensure_ascii=False
    )
    return text.replace('"class_"', '"class"') + "\n"


def _note(source: str) -> str:
    return f"Generated from `{source}` by `make generate`."


def _text(spec: dict[str, Any]) -> str:
    description = spec.get("description", "")
    return str(" ".join(description) if isinstance(description, list) else description).replace("|", "\\|")


def _code(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def _page(parts: list[str]) -> str:
    return "\n\n".join(filter(None, parts)) + "\n"
