"""The page of the variables: what each value means, how it is stored, and in which units a feed may give it."""

from __future__ import annotations

from toolkit.mapping import units_of
from toolkit.variables import MEASURED, Variable

INTRODUCTION = """\
Generated from `toolkit/variables.py` by `make generate`.

A value is stored in the unit of this table, whatever the feed's unit is. Names are the columns of the table
`observations`, of exports and of imports, and the names of a feed's fields unless `WEATHER_FEED_FIELDS` gives others.
`wind_dir_str` and `hi_dir_str` are the directions as one of 16 compass points. The standard names are those of the CF
conventions; what a value says about its period is in the terms of WMO-No. 8."""

DEFAULTS = """\
A *detected* variable is judged by a detection run unless `WEATHER_DETECTION_VARIABLES` says otherwise. A *monitored*
one has its sensor's health in `weather-tool sensors`. A *compared* one is compared with neighbours, and with its own
past on the scale that the declaration gives; the others are tested for possible values, gaps and consistency."""


def variables_page() -> str:
    """The whole page."""
    meaning = [
        "| name | what it is | unit | CF standard name | a value is |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| `{one.name}` | {one.label} | {one.unit} | `{one.standard_name}` | {_statistic(one)} |"
            for one in MEASURED
        ),
    ]
    notes = [f"- `{one.name}`: {one.note}" for one in MEASURED if one.note]
    kept = [
        "| name | possible | stored in steps of | accuracy of a good sensor | detected | monitored | compared |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| `{one.name}` | {_possible(one)} | {1 / one.per_unit:g} {one.unit} "
            f"| {one.accuracy:g} {one.unit} | {_yes(one.detected)} | {_yes(one.monitored)} "
            f"| {_yes(one.scale is not None)} |"
            for one in MEASURED
        ),
    ]
    by_unit: dict[str, list[str]] = {}
    for one in MEASURED:
        by_unit.setdefault(one.unit, []).append(one.name)
    units = [
        "| stored unit | a feed may give | of |",
        "| --- | --- | --- |",
        *(
            f"| {unit} | {', '.join(f'`{given}`' for given in units_of(names[0]))} | {', '.join(map(_code, names))} |"
            for unit, names in by_unit.items()
        ),
        f"| m | {', '.join(f'`{given}`' for given in units_of('elevation'))} | `elevation` of a station |",
    ]
    parts = [
        "# Variables", INTRODUCTION, "\n".join(meaning), "\n".join(notes), "## Limits and steps",
        "A value beyond what is possible is rejected, and kept in the table `rejected`; one that a working sensor may "
        "read is stored as the bound. A value between two steps is stored as it is, in more space.",
        "\n".join(kept), DEFAULTS, "## Units of a feed", "\n".join(units),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _statistic(one: Variable) -> str:
    if one.statistic == "instantaneous":
        return "instantaneous"
    return f"{one.statistic}, over {one.period}"


def _possible(one: Variable) -> str:
    """What is possible, and what a working sensor may read where that is more."""
    (least, most), possible = one.readable, f"{one.low:g} to {one.high:g} {one.unit}"
    return possible if (least, most) == (one.low, one.high) else f"{possible}, read as {least:g} to {most:g}"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else ""


def _code(name: str) -> str:
    return f"`{name}`"
