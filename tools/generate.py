"""Write the files that derive from declarations: of settings, checks, variables, commands, reports."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import shtab
import yaml

from toolkit import __version__
from toolkit.checks.catalogue import CHECKS
from toolkit.checks.runbook import index, page
from toolkit.cli.main import COMMANDS, parser_of
from toolkit.commands.completion import SHELLS
from tools.alert_rules import rules
from tools.dashboard import fleet
from tools.dashboard_picture import layout
from tools.from_settings import Indented, argument_specs, settings_page, settings_template
from tools.presets_page import presets_page
from tools.python_page import python_page
from tools.quality_tests import DETECTION, detection_page, thresholds_page
from tools.reference import FORMS, commands_page, forms_page, man_page, metrics_page, roles_page, schema
from tools.variables_page import variables_page

ROOT = Path(__file__).parent.parent
RUNBOOKS = "docs/runbooks"


def rules_file() -> str:
    """The alert rules for Prometheus."""
    body = yaml.dump(rules(), Dumper=Indented, sort_keys=False, allow_unicode=True, width=100, explicit_start=True)
    return f"# Generated from toolkit/checks/ by `make generate`.\n{body}"


def galaxy_file() -> str:
    """What the collection is, which is written by hand, with the version of the toolkit."""
    return re.sub(r"(?m)^version: .*$", f"version: {__version__}", (ROOT / "galaxy.yml").read_text("utf-8"))


def completion(shell: str) -> str:
    """The completion of weather-tool for a shell."""
    return str(shtab.complete(parser_of(COMMANDS), shell))


GENERATED: dict[str, Callable[[], str]] = {
    "galaxy.yml": galaxy_file,
    "roles/weather/meta/argument_specs.yml": argument_specs,
    "templates/weather.env.j2": settings_template,
    "docs/settings.md": settings_page,
    "docs/reference/commands.md": commands_page,
    "docs/reference/roles.md": roles_page,
    "docs/reference/metrics.md": metrics_page,
    "docs/reference/variables.md": variables_page,
    "docs/reference/presets.md": presets_page,
    "docs/reference/python.md": python_page,
    "docs/reference/report.md": forms_page,
    "docs/reference/quality.md": thresholds_page,
    DETECTION: detection_page,
    **{f"docs/reference/{name}.schema.json": partial(schema, name) for name in FORMS},
    "templates/prometheus/weather.rules.yml": rules_file,
    "templates/grafana/weather.json": fleet,
    "docs/images/dashboard.svg": layout,
    **{f"toolkit/completion/weather-tool.{shell}": partial(completion, shell) for shell in SHELLS},
    "toolkit/man/weather-tool.1": man_page,
    f"{RUNBOOKS}/README.md": index,
    **{f"{RUNBOOKS}/{check.id}.md": partial(page, check) for check in CHECKS},
}


def main() -> None:
    """Write the files, and remove the runbooks of checks that do not exist any more."""
    for folder in (RUNBOOKS, "docs/reference", "toolkit/man"):
        (ROOT / folder).mkdir(exist_ok=True)
    for path in (ROOT / RUNBOOKS).glob("*.md"):
        if f"{RUNBOOKS}/{path.name}" not in GENERATED:
            path.unlink()
    for name, make in GENERATED.items():
        (ROOT / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
