"""Ansible filter: variables of an inventory that the roles do not have, and internals that it must not set."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

_NAME = re.compile(r"\bweather_\w+")
_INTERNAL = "__weather_"


def refused_names(names: Iterable[str], project: str) -> list[str]:
    """What is wrong with the names of variables, one sentence for each that is refused.

    Args:
        names: of all variables that an inventory, its group_vars and host_vars, and -e set for a host.
        project: the toolkit's source tree. A name that stands nowhere in its roles and playbooks is misspelt.
    """
    given = sorted(set(names))
    wrong = [
        f"{name} is internal to the roles, and must not be set: take it out; docs/reference/roles.md lists what may be"
        for name in given
        if name.startswith(_INTERNAL)
    ]
    known = {
        name
        for folder in ("roles", "playbooks")
        for path in Path(project, folder).rglob("*")
        if path.suffix in {".yml", ".j2"}
        for name in _NAME.findall(path.read_text(encoding="utf-8"))
    }
    unknown = [_with_nearest(name, known) for name in given if _NAME.fullmatch(name) and name not in known]
    if unknown:
        wrong.append(
            f"no variable has this name: {', '.join(unknown)}. See docs/reference/roles.md and docs/settings.md"
        )
    return wrong


def _with_nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"{name} (did you mean {near[0]}?)" if near else name


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters, by name."""
        return {"weather_refused_names": refused_names}
