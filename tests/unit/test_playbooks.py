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
