"""Ansible filter: variables that nothing in the toolkit knows, each with the nearest one that it does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

_NAME = re.compile(r"\bweather_\w+")


def misspelt(names: Iterable[str], project: str) -> list[str]:
    """Those of `names` that begin with weather_ and stand nowhere in the project's roles and playbooks."""
    known = {
        name
        for folder in ("roles", "playbooks")
        for path in Path(project, folder).rglob("*")
        if path.suffix in {".yml", ".j2"}
        for name in _NAME.findall(path.read_text(encoding="utf-8"))
    }
    return [_told(name, known) for name in sorted({name for name in names if _NAME.fullmatch(name)} - known)]


def _told(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"{name} (did you mean {near[0]}?)" if near else name


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters, by name."""
        return {"weather_misspelt": misspelt}
