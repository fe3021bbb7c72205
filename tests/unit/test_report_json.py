"""Long reports as JSON, in pieces."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import pytest

from toolkit.report_json import as_json


@dataclass
class Part:
    name: str
    value: Any


@dataclass
class Report:
    schema: str
    parts: list[Any]
    one: Any
    others: list[Any]


REPORTS = [
    Report("x/1", [], None, []),
    Report(
        'β\n\u2028"\\', [Part("a\nb", 0.1), Part("c", [Part("d", [])])], Part("e", {"f": [1, []]}), [[], {}, 1, None]
    ),
    Report("x/1", [{"g": Part("h", True)}], [], ["i", [["j"]]]),
]


@pytest.mark.parametrize("report", REPORTS)
def test_the_text_is_that_of_all_at_once(report: Report) -> None:
    assert "".join(as_json(report)) == json.dumps(asdict(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def test_each_entry_of_a_list_is_a_piece() -> None:
    report = Report("x/1", [Part("n", number) for number in range(1000)], None, [])
    assert max(map(len, as_json(report))) < 60


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_what_json_has_no_number_for_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        "".join(as_json(Report("x/1", [Part("n", wrong)], None, [])))
