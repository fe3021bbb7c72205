"""Mutated files of metadata: each ends in a plan or in one line, and what is planned can be kept."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzzing import TIMES, mutated
from tests.integration.test_moved_stations import OSCAR, OSCAR_CSV, PLAIN, THERE, WIS2BOX, WMDR
from toolkit.archive.metadata import forms
from toolkit.archive.metadata.planning import plan
from toolkit.errors import ToolkitError
from toolkit.model import Bounds, Document
from toolkit.store import open_for_writing

NUMBER = 1000 * TIMES


@pytest.mark.parametrize(
    "content",
    [PLAIN, OSCAR, OSCAR_CSV, WIS2BOX, WMDR.replace("T20:00:00Z", "")],
    ids=["csv", "json", "oscar", "wis2", "wmdr"],
)
def test_a_mutated_file_of_metadata(content: str, tmp_path: Path) -> None:
    source, kept = random.Random(content), 0
    with open_for_writing(str(tmp_path / "weather.db")) as store:
        store.add(Document(THERE, []), 0)
        for _ in range(NUMBER):
            body = mutated(content.encode(), source)
            try:
                done = plan(forms.read(body, "it"), THERE, {}, Bounds())
            except ToolkitError as error:
                assert "\n" not in str(error)
                continue
            assert all("\n" not in line for line in done.wrong)
            if not done.wrong and done.facts and kept < 100:
                with store.transaction():
                    store.records.declare(done.facts, 1e9, "test")
                store.changes()
                kept += 1
    assert kept > 10
