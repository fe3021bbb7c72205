"""Ansible filter: settings that the program would refuse, told on the controller before a host is touched."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any


def refused(content: str, project: str) -> list[str]:
    """What is wrong with the settings of a weather.env, each named as the variable that an inventory sets.

    Args:
        content: of the file.
        project: the toolkit's source tree, which knows what a setting may be.
    """
    if project not in sys.path:
        sys.path.append(project)
    from toolkit.settings import DECLARATIONS, FILE_VARIABLE, Origin, read_file, settle

    with tempfile.NamedTemporaryFile("w", suffix=".env", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        given = read_file(Path(file.name))
    options = {
        name: Origin(given[declared.variable].text, declared.variable.lower())
        for name, declared in DECLARATIONS.items()
        if declared.variable in given
    }
    return settle(options, {FILE_VARIABLE: "/dev/null"}).wrong


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters, by name."""
        return {"weather_refused": refused}
