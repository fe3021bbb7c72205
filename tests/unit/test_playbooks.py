"""What playbooks must not do, whatever they are for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def tasks_of(folded: Any) -> Iterator[dict[str, Any]]:
    """All tasks, also those within plays and blocks."""
    for one in folded or []:
        yield one
        for part in ("pre_tasks", "tasks", "post_tasks", "block", "rescue", "always"):
            yield from tasks_of(one.get(part))


def test_no_condition_is_given_to_the_handlers_of_a_role_by_importing_it() -> None:
    """An imported role's handlers get the `when` of the import: what a task before it notified is then not done."""
    files = [ROOT / "site.yml", *(ROOT / "playbooks").glob("*.yml"), *(ROOT / "roles").glob("*/tasks/*.yml")]
    found = [
        f"{file.relative_to(ROOT)}: {task['name']}"
        for file in files
        for task in tasks_of(yaml.safe_load(file.read_text("utf-8")))
        if "ansible.builtin.import_role" in task and "when" in task
    ]
    assert found == []


def test_what_a_role_registers_has_the_prefix_of_its_internals() -> None:
    """An inventory that sets such a variable is refused; one without the prefix would be overwritten without a word."""
    files = [*(ROOT / "playbooks").glob("*.yml"), *(ROOT / "roles").glob("*/tasks/*.yml")]
    found = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files
        for task in tasks_of(yaml.safe_load(file.read_text("utf-8")))
        for name in [*filter(None, [task.get("register")]), *task.get("ansible.builtin.set_fact", ())]
        if not name.startswith("__weather_") and file.name != "doctor.yml"  # which is of no role, and sets nothing
    ]
    assert found == []


def test_every_role_refuses_variables_that_it_does_not_have() -> None:
    roles = {path.parts[-3] for path in (ROOT / "roles").glob("*/meta/main.yml")}
    refusing = {
        path.parts[-3]
        for path in (ROOT / "roles").glob("*/meta/main.yml")
        if {"role": "weather.toolkit.weather_common"} in yaml.safe_load(path.read_text("utf-8"))["dependencies"]
    }
    assert roles - refusing == {"weather_common"}
