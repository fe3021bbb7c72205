"""Past time judged anew: a year of a small network, and the memory of a large one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench import detecting
from tests.bench.figure import Figure
from tests.bench.process import Used, tool
from tests.bench.storing import fill


def flag(path: Path) -> Used:
    """What `weather-tool flag` takes over all that a database has."""
    used = tool("flag", "--start", "2001-01-01", "--db", str(path))
    assert used.exit_code == 0, used
    return used


def past_judged_anew(folder: Path) -> Iterator[Figure]:
    """The command as a whole."""
    path = folder / "weather.db"
    fill(path)
    year = flag(path)
    yield Figure("14 stations for a year judged anew", year.seconds, "s", 60, against=f"{year.cpu:.0f} s of CPU")
    yield Figure("the same, memory at most", year.megabytes, "MB", 250)
    large = flag(detecting.database(folder, 10_000))
    yield Figure("10,000 stations judged anew, memory at most", large.megabytes, "MB", 600)


BENCHES = (past_judged_anew,)
