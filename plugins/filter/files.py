"""Ansible filter: the files that one step writes, of the list of all that a host has (`__weather_files`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_ATTRIBUTES = ("owner", "group", "mode", "optional", "validate")


def files_of(files: Sequence[Mapping[str, Any]], written: str, scheduler: str) -> list[dict[str, Any]]:
    """What the module weather_files is to write in one step.

    Args:
        files: see roles/weather/vars/main.yml.
        written: the step.
        scheduler: of the host; what is declared for another is left out.
    """
    return [
        {"path": path, "content": content, **{name: one[name] for name in _ATTRIBUTES if name in one}}
        for one in files
        if one.get("written") == written and one.get("scheduler", scheduler) == scheduler
        for path, content in _texts(one)
        if content
    ]


def _texts(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "contents" not in one:
        yield one["path"], one["content"]
        return
    for name, content in one["contents"].items():
        yield one["path"].replace("*", name), content


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters, by name."""
        return {"weather_files_of": files_of}
