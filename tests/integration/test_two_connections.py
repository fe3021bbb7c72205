"""A large SQLite database is read with two connections at once, and both see the same moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toolkit.model import Document, Observation, Station
from toolkit.store import Span, open_for_reading, open_for_writing, sqlite_store

HOURS, TIME = 8, 1_760_000_400
NOTHING = dict.fromkeys(Observation._fields)


def document(temperature: float) -> Document:
    """Observations of some hours, each with the same temperature."""
    observed = [
        Observation(**{**NOTHING, "time": TIME + 3600 * hour, "station_id": "a", "temp_out": temperature})
        for hour in range(HOURS)
    ]
    return Document([Station("a", "A", None, 38.0, 23.0, 10.0)], observed)


def test_what_is_written_meanwhile_is_seen_by_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_store, "WORTH_A_SECOND", 0)
    db = str(tmp_path / "weather.db")
    with open_for_writing(db) as store:
        store.add(document(1.5), TIME + 3600 * HOURS)
    span = Span(TIME - 1, TIME + 3600 * HOURS)
    with open_for_reading(db) as store:
        with store.snapshot():
            with open_for_writing(db) as other:
                other.add(document(2.5), TIME + 3600 * HOURS + 1)
            before = np.hstack(list(store.readings([span], ["temp_out"])))
        after = np.hstack(list(store.readings([span], ["temp_out"])))
    times = TIME + 3600.0 * np.arange(HOURS)
    assert before.tolist() == [[1.0] * HOURS, times.tolist(), [1.5] * HOURS]
    assert after.tolist() == [[1.0] * HOURS, times.tolist(), [2.5] * HOURS]
