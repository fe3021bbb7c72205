from __future__ import annotations

import pytest

from toolkit.collector.cadence import FetchSchedule
from toolkit.feed.fetch import Fetched

NOW = 1_763_827_200.0


def fetched(modified: float | None = None, fresh_for: float | None = None) -> Fetched:
    return Fetched(b"", None, modified, fresh_for, {})


@pytest.mark.parametrize(
    ("modified", "fresh_for", "wait"),
    [
        (None, None, 606),  # a cadence after what was just seen, and a little
        (NOW - 120, None, 486),  # in step with the server's own refresh
        (NOW + 50, None, 606),  # a clock that is ahead says nothing
        (NOW - 9999, None, 606),  # nor a time that is long past
        (NOW - 595, None, 30),  # never at once
        (None, 120, 120),
        (None, 2, 30),  # however often it says that it changes
        (None, 0, 30),  # it grew old on its way
        (None, 31536000, 600),  # not longer than the feed can be trusted to stay the same
    ],
)
def test_the_next_request_is_in_step_with_the_feed(
    modified: float | None, fresh_for: float | None, wait: float
) -> None:
    assert FetchSchedule(600, 30).after_document(fetched(modified, fresh_for), NOW) == pytest.approx(wait)


@pytest.mark.parametrize(("cadence", "pause", "wait"), [(600, 5, 5), (600, 90, 30), (60, 30, 3), (10, 30, 1)])
def test_the_pause_is_a_setting_within_a_part_of_the_cadence(cadence: int, pause: int, wait: int) -> None:
    assert FetchSchedule(cadence, pause).after_document(fetched(fresh_for=0.1), NOW) == wait


def test_failures_are_retried_with_growing_delays_and_forgotten_when_over() -> None:
    schedule = FetchSchedule(600, 30)
    delays = [schedule.after_failure() for _ in range(10)]
    limits = [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert all(0.75 * limit <= delay <= limit for delay, limit in zip(delays, limits, strict=True))
    schedule.after_document(fetched(), NOW)
    assert schedule.after_failure() <= 2


def test_a_day_takes_few_requests() -> None:
    schedule, now, requests = FetchSchedule(600, 30), NOW, 0
    while now < NOW + 86400:
        requests += 1
        now += schedule.after_document(fetched(modified=now - now % 600), now)
    assert requests <= 145
