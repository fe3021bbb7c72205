"""Checks of the observations."""

from __future__ import annotations

from toolkit.checks import Check, Finding, Status
from toolkit.settings import Settings
from toolkit.store import open_for_reading
from toolkit.times import from_stored, now

# A monitor waits for its answer: shorter than any plugin's own time limit.
PATIENCE_SECONDS = 1.0
# Clocks of feed and host may differ by this much before a time counts as being in the future.
TOLERANCE_SECONDS = 60.0


def _fresh(settings: Settings) -> Finding:
    with open_for_reading(settings.db, PATIENCE_SECONDS) as store:
        newest = store.newest()
        stations = len(store.stations())
    if newest is None:
        return Finding(Status.CRITICAL, f"the database {settings.db} holds no observation")
    limit = settings.fresh_minutes * 60
    age = (now() - from_stored(newest)).total_seconds()
    figures = {"age": f"{max(age, 0):.0f}s;{limit};{limit};0", "stations": f"{stations}"}
    if age < -TOLERANCE_SECONDS:
        return Finding(
            Status.CRITICAL, f"the newest observation ({newest} UTC) is {_long(-age)} in the future", figures
        )
    seen = f"the newest observation ({newest} UTC) is {_long(max(age, 0))} old"
    if age > limit:
        return Finding(Status.CRITICAL, f"{seen}, more than {settings.fresh_minutes} minutes", figures)
    return Finding(Status.OK, f"{seen}, {stations} stations", figures)


def _long(seconds: float) -> str:
    """A length of time as people say it."""
    for length, unit in ((2 * 86400, "days"), (2 * 3600, "hours"), (2 * 60, "minutes")):
        if seconds >= length:
            return f"{seconds / (length / 2):.0f} {unit}"
    return f"{seconds:.0f} seconds"


OBSERVATIONS_FRESH = Check(
    id="observations-fresh",
    area="data quality",
    guards="Observations of the feed's last refresh are in the database.",
    probe=_fresh,
    remedy="systemctl status weather-collector",
)
