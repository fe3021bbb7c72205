"""Observations, flags, anomalies and incidents as pandas DataFrames; quality control of any DataFrame; plots.

    from toolkit.analysis import Database

    with Database("weather_stream.db") as db:
        good = db.observations("2026-01-01", "2026-02-01", stations=["volos"])

docs/tutorial.md shows all of it at work.
"""

from toolkit.analysis.database import Database
from toolkit.analysis.judging import detect, run_test
from toolkit.analysis.plots import plot

__all__ = ["Database", "detect", "plot", "run_test"]
