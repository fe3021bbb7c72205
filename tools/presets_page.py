"""The page of the presets: which networks are known, whose their data are, and what was compared with what."""

from __future__ import annotations

from toolkit.presets import Preset, names, preset

INTRODUCTION = """\
Generated from `toolkit/presets/` by `make generate`.

`weather-tool feed presets NAME` says the same on a controller or a host, and what belongs into the inventory. A preset
is what a source does not say otherwise: an address of yours, other fields or another cadence stand beside `preset` in
its table. [Another network in an hour](../feeds.md) has the steps. None of these services was reached from here: each
preset says what it was compared with, and a document in its network's form is read in the tests."""


def presets_page() -> str:
    """The whole page."""
    known = [preset(name) for name in names()]
    rows = [f"| [`{one.name}`](#{one.name}) | {one.title} | {one.area} | {one.licence} |" for one in known]
    return "\n".join(
        ["# Presets", "", INTRODUCTION, "", "| name | network | where | licence |", "| --- | --- | --- | --- |", *rows]
        + [line for one in known for line in ("", f"## {one.name}", "", *_section(one))]
        + [""]
    )


def _section(one: Preset) -> list[str]:
    facts = [f"- {what}: {f'<{text}>' if text.startswith('https://') else text}" for what, text in one.facts()]
    return [f"{one.title}.", "", *facts, "", "```yaml", one.inventory().rstrip(), "```"]
