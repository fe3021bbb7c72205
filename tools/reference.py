"""The reference pages of docs/: commands, role variables, metrics, the schema of a report."""

from __future__ import annotations

import json
import os
import re
import tempfile
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml
from argparse_manpage.manpage import Manpage

from toolkit.backup.creating import create
from toolkit.backup.drill_record import Drill, keep
from toolkit.backup.folder import Folder
from toolkit.cli.main import COMMANDS, parser_of
from toolkit.clock import EARLIEST
from toolkit.detector.report import Report
from toolkit.detector.sensors import Health as SensorHealth
from toolkit.exporter.checks import CheckResults
from toolkit.exporter.metrics import Weather
from toolkit.model import Document, Observation, Station
from toolkit.performance.report import Performance
from toolkit.settings import Origin, load
from toolkit.store import open_for_writing
from toolkit.times import iso, now

ROOT = Path(__file__).parent.parent
COLUMNS = "110"


class Form(NamedTuple):
    """A document in JSON: its type, its title, and what writes it."""

    type: type
    title: str
    where: str


FORMS = {
    "report": Form(
        Report, "A detection run", "`weather-tool detect --json`, and `/var/log/weather/reports/*.json` after every run"
    ),
    "sensors": Form(SensorHealth, "The health of sensors", "`weather-tool sensors --json`"),
    "network": Form(
        Performance, "A network's performance in a month",
        "`weather-tool network --json`, and `/var/log/weather/reports/network/*.json` on the first of each month",
    ),
    "drill": Form(Drill, "A restore drill", "`/var/backups/weather/drill.json`"),
}  # fmt: skip
INDEX = """## The index of pages

`index.html`, beside the pages, lists them, the newest first: the name of each and the sentence in its
`<meta name="description">`, such as "14 of 14 stations judged, 3 anomalies at 2". Every run writes it anew from the
pages that are there. Programs take the JSON reports: they have the same names."""


def commands_page() -> str:
    """The --help of each command."""
    os.environ["COLUMNS"] = COLUMNS
    parts = ["# Commands", _note("toolkit/commands/")]
    parts.append("It is what `weather-tool COMMAND --help` says; also a [man page](../../toolkit/man/weather-tool.1).")
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


def man_page() -> str:
    """The same as a man page."""
    os.environ["COLUMNS"] = "1000"  # man wraps lines itself
    of = {"description": "a weather-station anomaly-detection service", "manual_title": "weather-toolkit"}
    text = str(Manpage(parser_of(COMMANDS), of))
    # Without the date, so that the page changes only when a command does. The examples keep their line breaks.
    text = re.sub(r'^(\.TH \S+ "1") "[^"]*"', r'\1 ""', text)
    return re.sub(r"\.SH COMMENTS\nexamples:\n(.*)", r".SH EXAMPLES\n.nf\n\1\n.fi\n", text, flags=re.DOTALL)


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
    """The metrics of the exporter, taken from one that has a station, a backup and a drill to report on."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"db": Origin(f"{folder}/weather.db", ""), "backups": Origin(folder, "")}, {}).settings
        nothing = [None] * (len(Observation._fields) - 2)
        station = Station("one", None, None, None, None, None)
        with open_for_writing(settings.db) as store:
            store.add(Document([station], [Observation(EARLIEST, "one", *nothing)]), EARLIEST)
        create(Folder(folder), settings.db)
        keep(Path(folder), Drill(ended_at=iso(now()), restore_seconds=1.0))
        families = list(Weather(settings, CheckResults()).collect())
    rows = ["| metric | type | |", "| --- | --- | --- |"]
    for one in sorted(families, key=lambda family: family.name):
        name = f"{one.name}_total" if one.type == "counter" else one.name
        rows.append(f"| `{name}` | {one.type} | {one.documentation} |")
    return _page(["# Metrics", _note("toolkit/exporter/"), "\n".join(rows)])


def schema(name: str) -> str:
    """JSON Schema of one of `FORMS`."""
    return json.dumps(_schema(FORMS[name].type), indent=1, ensure_ascii=False) + "\n"


def forms_page() -> str:
    """The documents in JSON, field by field."""
    parts = ["# Reports as JSON", "Generated from the Python types that make them by `make generate`."]
    for name, form in FORMS.items():
        parts += [f"## {form.title}", f"{form.where}. As JSON Schema: [{name}.schema.json]({name}.schema.json)."]
        for of in _schema(form.type)["$defs"].values():
            rows = ["| field | type | |", "| --- | --- | --- |"]
            rows += [
                f"| `{field}` | {_kind(spec)} | {spec.get('description', '')} |"
                for field, spec in of["properties"].items()
            ]
            parts += [f"**{of['title']}**: {of['description']}", "\n".join(rows)]
    return _page([*parts, INDEX])


def _schema(of: type) -> dict[str, Any]:
    """JSON Schema of a type; the descriptions of the fields are those of its docstrings."""
    (found,), components = msgspec.json.schema_components([of])
    for spec in components.values():
        summary, _, attributes = cleandoc(spec["description"]).partition("\n\nAttributes:\n")
        spec["description"] = summary
        documented = dict(re.findall(r"^    (\w+(?:, \w+)*): (.+(?:\n     .+)*)", attributes, re.MULTILINE))
        words = {
            name: re.sub(r"\s+", " ", text).rstrip(".").replace("None", "null")
            for names, text in documented.items()
            for name in names.split(", ")
        }
        # `class` is a keyword in Python and the name in JSON.
        spec["properties"] = {
            name.rstrip("_"): {**field, "description": words[name.rstrip("_")]}
            for name, field in spec["properties"].items()
        }
        spec["required"] = [name.rstrip("_") for name in spec.get("required", [])]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "$defs": components}


def _kind(spec: dict[str, Any]) -> str:
    if "anyOf" in spec:
        return " or ".join(_kind(one) for one in spec["anyOf"])
    if "enum" in spec:
        return " or ".join(f"`{one}`" for one in spec["enum"])
    if "$ref" in spec:
        return f"{spec['$ref'].rpartition('/')[2]}"
    return f"list of {_kind(spec['items'])}" if spec["type"] == "array" else str(spec["type"])


def _note(source: str) -> str:
    return f"Generated from `{source}` by `make generate`."


def _text(spec: dict[str, Any]) -> str:
    description = spec.get("description", "")
    return str(" ".join(description) if isinstance(description, list) else description).replace("|", "\\|")


def _code(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def _page(parts: list[str]) -> str:
    return "\n\n".join(filter(None, parts)) + "\n"
