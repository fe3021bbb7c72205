"""Run the benchmarks and print a table; 1 if a bound is not kept."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import (
    backing_up,
    clustering,
    collecting,
    console,
    detecting,
    everyday,
    exporting,
    flagging,
    incidents,
    large,
    networks,
    pushing,
    reading,
    serving,
    storing,
)


def main() -> int:
    """Run those whose names contain one of the arguments, or all."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%F}")
    print(f"{'':46} {'measured':>12} {'bound':>10}   against")
    kept = True
    parts = (
        collecting,
        reading,
        networks,
        pushing,
        everyday,
        detecting,
        clustering,
        incidents,
        large,
        storing,
        exporting,
        flagging,
        serving,
        console,
        backing_up,
    )
    for bench in (bench for part in parts for bench in part.BENCHES):
        if sys.argv[1:] and not any(word in bench.__name__ for word in sys.argv[1:]):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for figure in bench(Path(folder)):
                print(figure, flush=True)
                kept = kept and figure.kept
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
