"""Few stations of a large network, on each engine."""

from __future__ import annotations

import numpy as np

from toolkit.model import Document, Observation, Station
from toolkit.store import Span, open_for_reading, open_for_writing

TIME = 1_763_827_200
NAMES = [f"s{number:03d}" for number in range(200)]
_REST = (None, None, 60.0, None, None, None, 90.0, "E", None, None, None)


def test_few_of_many_stations_are_read_as_all_are(db: str) -> None:
    rows = [
        Observation(TIME + 600 * slot, name, slot + number / 10, *_REST)
        for slot in range(1, 20)
        for number, name in enumerate(NAMES)
        if (slot + number) % 7
    ]
    rows += [Observation(TIME + 600 * 5 + 17, "s003", -3.5, *_REST)]  # a time that no other station has
    with open_for_writing(db) as store:
        store.add(Document([Station(name, None, None, None, None, None) for name in NAMES], rows), TIME)
    span, names = Span(TIME + 600 * 2, TIME + 600 * 18), ["temp_out", "wind_dir_str"]
    with open_for_reading(db) as store:
        everything = store.columns(span, names)
        for some in (["s003"], ["s003", "s150"]):
            found = store.columns(span, names, some)
            expected = everything.taken(np.isin(everything.station, [NAMES.index(one) for one in some]))
            assert len(found.time) == len(expected.time) > 10
            for one, other in zip(found[:3], expected[:3], strict=True):
                assert np.array_equal(one, other)
            assert all(np.array_equal(found.values[name], expected.values[name]) for name in names)
        assert not len(store.columns(span, names, ["gone"]).time)
        assert not len(store.columns(Span(TIME - 9, TIME), names, ["s003"]).time)
