"""A store of observations, as DataFrames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd

from toolkit import times
from toolkit.analysis import frames
from toolkit.analysis.frames import Moment
from toolkit.detector.sensors import Sensor, examine
from toolkit.errors import UsageError
from toolkit.flagging.estimates import estimates as estimated
from toolkit.flagging.readings import flagged_readings
from toolkit.model import Station
from toolkit.settings import Settings, load
from toolkit.store import Selection, Span, StoredAnomaly, open_for_reading
from toolkit.store.flag_views import PASS
from toolkit.store.flags import Decisive
from toolkit.store.incidents import Incident, IncidentFilter

Quality = Literal["good", "all", "flags"]


class Database:
    """A store of observations that is read, never changed; a collector may write to it meanwhile.

    Times are given as ISO 8601 or as datetimes, in UTC unless they have an offset. Of two times, what is after the
    first is meant, up to and including the second; None is no bound. Times in answers are UTC.

    Args:
        named: the path of an SQLite file, or `postgresql://USER@HOST/DATABASE`; None for the one in the settings.
        settings: how sensors are judged; None for the settings of this machine (`weather-tool settings`).

    Raises:
        StoreError: there is none, or it cannot be read.
    """

    def __init__(self, named: str | Path | None = None, *, settings: Settings | None = None) -> None:
        self._settings = settings or load().settings
        self._store = open_for_reading(self._settings.db if named is None else str(named))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store; leaving a `with` does it, too."""
        self._store.__exit__(None, None, None)

    def stations(self) -> pd.DataFrame:
        """The stations, by station_id: names, latitude and longitude (degrees), elevation (m)."""
        return pd.DataFrame.from_records(self._store.stations(), columns=Station._fields).set_index("station_id")

    def observations(
        self,
        start: Moment | None = None,
        end: Moment | None = None,
        stations: Sequence[str] = (),
        variables: Sequence[str] | None = None,
        qc: Quality = "good",
        *,
        estimates: bool = False,
    ) -> pd.DataFrame:
        """Observations, in order of time, then station.

        Args:
            start: after this.
            end: up to and including this.
            stations: ids; none for all.
            variables: names, see docs/reference/variables.md; None for all.
            qc: `good` for values that passed quality control (flag 1) alone, NaN in the place of others; `all` for all
                values; `flags` for all values, each with `VARIABLE_qc`, QARTOD's flag, and `VARIABLE_qc_test`, what
                decided.
            estimates: whether each variable has `VARIABLE_estimate` beside it: what neighbours imply, in its unit, for
                a value that is suspect or has failed (flags 3 and 4), and NaN for any other.

        Returns:
            Index `time`; columns `station_id` and the variables, in their units, NaN where there is no value.

        Raises:
            UsageError: a time, a station, a variable or `qc` is none.
            StoreError: the store cannot be read.
        """
        if qc not in get_args(Quality):
            raise UsageError(f"qc={qc!r}: give {', '.join(get_args(Quality))}")
        names = frames.variables(variables)
        chosen = self._selection(start, end, stations)
        with self._store.snapshot():
            ids = [station.station_id for station in self._store.stations()]
            parts = list(flagged_readings(self._store, chosen, names))
            better = [estimated(self._store, self._settings, one) for one in parts] if estimates else []
        tests: dict[str, int] = {"": 0}

        def joined(columns: Sequence[Any], kind: Any) -> Any:
            return np.concatenate([*columns, np.empty(0, dtype=kind)]).astype(kind, copy=False)

        frame: dict[str, Any] = {
            "station_id": pd.Categorical.from_codes(joined([one.station for one in parts], np.int32), ids)
        }
        for name in names:
            values = joined([one.values[name] for one in parts], np.float64)
            flags = joined([one.flags[name] for one in parts], np.int8)
            frame[name] = np.where(flags == PASS, values, np.nan) if qc == "good" else values
            if qc == "flags":
                frame[f"{name}_qc"] = flags
                codes = [
                    np.array([tests.setdefault(test, len(tests)) for test in one.test_names])[one.tests[name]]
                    for one in parts
                ]
                frame[f"{name}_qc_test"] = joined(codes, np.int16)
            if estimates:
                frame[f"{name}_estimate"] = joined([one[name] for one in better], np.float64)
        for name in names if qc == "flags" else ():
            frame[f"{name}_qc_test"] = pd.Categorical.from_codes(frame[f"{name}_qc_test"], [*tests])
        index = frames.index(joined([one.time for one in parts], np.int64)).rename("time")
        return pd.DataFrame(frame, index=index, copy=False)

    def flags(
        self, start: Moment | None = None, end: Moment | None = None, stations: Sequence[str] = ()
    ) -> pd.DataFrame:
        """The intervals in which something is said of values: by detection runs, incidents and people.

        Returns:
            Index `started`, the time of the first value; columns station_id, variable (`all` for the station as a
            whole), ended, flag, test, and precedence: of several intervals the one with the lowest number decides.
        """
        chosen = self._selection(start, end, stations)
        found = self._store.flags.decisive(_span(chosen), chosen.stations)
        return frames.table(Decisive, found, ["started", "ended"])

    def anomalies(
        self, start: Moment | None = None, end: Moment | None = None, stations: Sequence[str] = ()
    ) -> pd.DataFrame:
        """The anomalies that detection runs found.

        Returns:
            Index `started`; columns station_id, variable, ended, class, test, value, expected, score, reason,
            confidence, state, first_run, last_run, as in the table `anomalies`.
        """
        found = self._store.anomalies(self._selection(start, end, stations))
        return frames.table(StoredAnomaly, found, ["started", "ended", "first_run", "last_run"])

    def incidents(
        self, start: Moment | None = None, end: Moment | None = None, stations: Sequence[str] = ()
    ) -> pd.DataFrame:
        """The incidents, whatever has become of them.

        Returns:
            Index `started`; columns id, station_id (None for the whole network's), variable, kind, symptoms, severity,
            state, ended, opened, acknowledged, resolved, verdict and the others of the table `incidents`.
        """
        chosen = self._selection(start, end, stations)
        wanted = IncidentFilter(stations=chosen.stations, since=chosen.start, until=chosen.end, parts=True)
        return frames.table(
            Incident,
            self._store.incidents.find(wanted),
            ["started", "ended", "opened", "acknowledged", "resolved", "judged"],
        )

    def sensors(self, days: float = 7.0, end: Moment | None = None) -> pd.DataFrame:
        """The health of every sensor over some days, the worst first, as `weather-tool sensors` has it.

        Args:
            days: how far back to look.
            end: up to when; None for the newest observation.

        Returns:
            Columns station_id, variable, state (`healthy`, `warning`, `critical`), rule (the one that decided), reason,
            since, drift_per_day and the other figures of docs/reference/quality.md.
        """
        newest = self._store.newest()
        if newest is None:
            return pd.DataFrame(columns=["station_id", "variable", "state", "rule", "reason", "since"])
        until = times.from_stored(newest).timestamp() if end is None else frames.epoch(end)
        found = examine(self._store, self._settings, until, days).sensors
        frame = pd.DataFrame.from_records([_flat(one) for one in found])
        for name in ("since", "last_good"):
            frame[name] = pd.to_datetime(frame[name], utc=True)
        return frame

    def _selection(self, start: Moment | None, end: Moment | None, stations: Sequence[str]) -> Selection:
        known = [station.station_id for station in self._store.stations()]
        return frames.selection(start, end, stations, known)


def _span(chosen: Selection) -> Span:
    """A selection's time, with the calendar's bounds where it has none."""
    last = times.parse(f"{times.LAST_YEAR}-12-31").timestamp()
    return Span(chosen.start if chosen.start is not None else 0.0, chosen.end if chosen.end is not None else last)


def _flat(sensor: Sensor) -> dict[str, Any]:
    """A sensor's health as a row."""
    row = asdict(sensor)
    faults = row.pop("faults")
    return {
        "station_id": row.pop("station_id"),
        "variable": row.pop("variable"),
        "state": row.pop("state"),
        "rule": faults[0]["name"] if faults else None,
        **row,
    }
