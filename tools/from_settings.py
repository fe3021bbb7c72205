"""What derives from `toolkit.settings`: the role's argument specs, the settings file's template, the page in docs/."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from toolkit.settings import DECLARATIONS
from toolkit.sources import FIELDS

ROOT = Path(__file__).parent.parent
NOTE = "Generated from toolkit/settings.py by `make generate`."


class Indented(yaml.SafeDumper):
    """Indents the items of a list, as yamllint requires."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, D102 - yaml's own
        super().increase_indent(flow, indentless=False)


def _default(kind: str, text: str) -> Any:
    """A setting's default in the type that Ansible gives it."""
    convert: Mapping[str, Any] = {"int": int, "float": float, "bool": lambda value: value == "1"}
    return convert.get(kind, str)(text)


def argument_specs() -> str:
    """The role's argument specs: its own variables, then a variable for each setting."""
    own = yaml.safe_load((ROOT / "roles/weather/meta/own_arguments.yml").read_text("utf-8"))
    options = dict(own["options"])
    options["weather_sources"]["options"] = _fields_of_a_source()
    for declared in DECLARATIONS.values():
        spec = declared.kind.spec
        # A space after each comma, so that the line of a long list can be broken.
        shown = re.sub(",(?! )", ", ", declared.default)
        default = f"the program's default, {shown}" if shown else "empty"
        text = f"{declared.doc} Not given: {default}."
        options[declared.variable.lower()] = {**spec, "description": text}
    entry = {**own, "options": options}
    # Playbooks include variables.yml first: wrong variables are reported before a host is touched.
    specs = {"argument_specs": {"main": entry, "variables": entry}}
    body = yaml.dump(specs, Dumper=Indented, sort_keys=False, allow_unicode=True, width=90, explicit_start=True)
    return f"# {NOTE} The role's own variables: own_arguments.yml.\n{body}"


def _fields_of_a_source() -> dict[str, Any]:
    name = {"type": "str", "required": True, "description": "By which it is known in messages and metrics."}
    fields = {}
    for field, setting in FIELDS.items():
        declared = DECLARATIONS[setting]
        text = f"{declared.doc} Not given: what {declared.variable.lower()} says."
        fields[field] = {**declared.kind.spec, "description": text}
    preset = {
        "type": "str",
        "description": "The network whose preset says what is not said here: docs/reference/presets.md.",
    }
    return {"name": name, "preset": preset, **fields}


def settings_template() -> str:
    """The template of /etc/weather/weather.env: the settings of the inventory, and all others as comments."""
    blocks = [
        "{# " + NOTE + " #}",
        "# {{ ansible_managed }}",
        "# Secrets do not belong here: they are in /etc/weather/credentials/.",
        "{% macro quoted(value) %}",
        r"""{{- '"' ~ value | string | regex_replace('(["\\\\$`])', '\\\\\\1') ~ '"' -}}""",
        "{% endmacro %}",
    ]
    for declared in DECLARATIONS.values():
        name = declared.variable.lower()
        filters = {"bool": " | bool | int", "list": " | to_json(ensure_ascii=false, sort_keys=true)"}
        value = name + filters.get(declared.kind.spec["type"], "")
        blocks.append(
            f"\n# {declared.doc}\n"
            f"{{% if {name} | default(none) is not none %}}\n{declared.variable}={{{{ quoted({value}) }}}}\n"
            f'{{% else %}}\n# {declared.variable}="{declared.default}"\n{{% endif %}}'
        )
    return "\n".join(blocks) + "\n"


def settings_page() -> str:
    """The reference page of the settings."""
    lines = [
        "# Settings",
        "",
        f"<!-- {NOTE} -->",
        "",
        "A value comes from the first of: an option of the command, the credential of that name (for an address with a",
        "secret in it), the environment, `/etc/weather/weather.env` (another file: `WEATHER_ENV_FILE`), the default.",
        "`weather-tool settings` shows each value and where it came from. In an inventory, a setting is the variable",
        "of the same name in small letters.",
        "",
        "| setting | default | what it is |",
        "| --- | --- | --- |",
    ]
    for declared in DECLARATIONS.values():
        also = f" Also read as `{declared.alias}`." if declared.alias else ""
        choices = declared.kind.spec.get("choices")
        one_of = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
        # A bar would end the cell, also within a code span (GitHub Flavored Markdown, 4.10).
        default = f"`{declared.default}`".replace("|", "\\|") if declared.default else "empty"
        lines.append(f"| `{declared.variable}` | {default} | {declared.doc}{one_of}{also} |")
    return "\n".join(lines) + "\n"
