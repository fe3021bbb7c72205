"""The quality-control tests in the documents: the table of docs/detection.md, and the reference page of thresholds."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from toolkit.detector.health.rules import RULES, Rule
from toolkit.quality.base import QualityTest, Thresholds
from toolkit.quality.catalogue import TESTS
from toolkit.quality.temporal import METHODS

ROOT = Path(__file__).parent.parent
DETECTION = "docs/detection.md"
BEGIN = "<!-- generated from toolkit/quality/ by `make generate` -->"
END = "<!-- end -->"


def detection_page() -> str:
    """docs/detection.md with the table of tests between its two comments."""
    before, _, rest = (ROOT / DETECTION).read_text("utf-8").partition(f"{BEGIN}\n")
    _, _, after = rest.partition(f"{END}\n")
    rows = ["| test | finds | limit | standard name |", "| --- | --- | --- | --- |"]
    rows += [f"| {test.name} | {test.finds} | {test.limit} | {test.standard_name or '–'} |" for test in TESTS]
    return f"{before}{BEGIN}\n" + "\n".join(rows) + f"\n{END}\n{after}"


def thresholds_page() -> str:
    """Every test with its source, what a flag means, and its thresholds with unit and origin."""
    parts = [
        "# Quality-control tests",
        "Generated from `toolkit/quality/` by `make generate`. How they work together: [detection](../detection.md). "
        "An interval that several of them flagged for as long has the name of the first.",
    ]
    for test in TESTS:
        parts += _test(test)
    first, *_ = METHODS.values()
    parts += ["## Temporal methods", "`--temporal-method NAME` takes one of these in place of the tests that compare."]
    parts.append(_table(("method", "source"), [(f"`{method.name}`", method.source) for method in METHODS.values()]))
    parts += _meaning(first)
    parts += [
        "## Sensor health",
        "What `weather-tool sensors` finds over days to weeks. Of several the first that is worst gives the reason.",
    ]
    parts.append(_table(("rule", "finds", "warning", "critical", "unit", "origin"), [_rule(rule) for rule in RULES]))
    return "\n\n".join(parts) + "\n"


def _rule(rule: Rule) -> tuple[str, ...]:
    side = "below" if rule.least else "above"
    limits = (f"{side} {limit:g}" for limit in (rule.warning, rule.critical))
    return (f"`{rule.name}`", rule.finds, *limits, rule.unit, rule.origin or "–")


def _test(test: QualityTest) -> list[str]:
    title = f"## {test.name}" + (f" ({test.standard_name})" if test.standard_name else "")
    return [title, f"Finds {test.finds}. Source: {test.source}.", *_meaning(test)]


def _meaning(test: QualityTest) -> list[str]:
    parts = [f"A flag means: {test.evidence.value}."]
    if rows := _thresholds(test.thresholds):
        parts.append(_table(("threshold", "value", "unit", "what it decides", "origin"), rows))
    else:
        parts.append("Its limits are the [physical bounds of each variable](variables.md).")
    return parts


def _thresholds(thresholds: Thresholds) -> list[tuple[str, ...]]:
    return [
        (
            f"`{item.name}`",
            f"{getattr(thresholds, item.name):g}",
            item.metadata["unit"] or "–",
            item.metadata["meaning"],
            item.metadata["origin"],
        )
        for item in fields(thresholds)
    ]


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
