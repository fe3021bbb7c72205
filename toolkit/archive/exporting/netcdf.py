"""Writing netCDF by the CF conventions: time series at stations, on one dimension of stations and one of times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import __version__
from toolkit.archive.exporting import lacking
from toolkit.archive.exporting.columns import Advance, Column, ExportContent, Piece, columns
from toolkit.model import Station
from toolkit.store.flag_views import MEANINGS, MISSING
from toolkit.text import clean
from toolkit.times import iso, now
from toolkit.units import udunits
from toolkit.variables import BY_NAME, Variable

if TYPE_CHECKING:
    from toolkit.archive.exporting.columns import Array

CONVENTIONS = "CF-1.11"
# The file is made of chunks of at most so many stations and times. Those of one variable that are being filled hold so
# many values, and are in memory until they are full: none is packed twice.
CHUNK = 64, 1024
CELLS_AT_ONCE = 500_000
CACHE_BYTES = 10 * CELLS_AT_ONCE

METHODS = {
    "instantaneous": "point", "mean": "mean", "maximum": "maximum", "minimum": "minimum", "prevailing": "mode",
    "accumulated": "sum",
}  # fmt: skip
"""The cell method (CF, appendix E) of each statistic."""


def write(
    pieces: Iterable[Piece], wanted: ExportContent, stations: Sequence[Station], path: Path, advance: Advance
) -> None:
    """Write an array of stations and times for each column, with NaN where a station has no observation at a time.

    Args:
        pieces: the observations, in order of time.
        wanted: the columns. Those of words are left out: they say what the directions say.
        stations: those of the observations, and their places as far as they are known.
        path: what to write.
        advance: hears of observations as they are written.

    Raises:
        ToolkitError: netCDF4 is not installed.
        OSError: the file cannot be written.
    """
    try:
        import netCDF4
    except ImportError:
        raise lacking("netCDF", "netcdf4") from None

    try:
        with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
            writer = _Writer(file, wanted, stations)
            for piece in pieces:
                writer.append(piece)
                advance(len(piece.readings.time))
            writer.finish()
    except RuntimeError as error:  # of the library, which does not pass on what the system said
        raise OSError(f"{error}; is the disk full?") from error


class _Writer:
    """An open file, which grows along its dimension of times."""

    def __init__(self, file: Any, wanted: ExportContent, stations: Sequence[Station]) -> None:
        self._file = file
        self._columns = [column for column in columns(wanted) if column.what != "words"]
        self._rows = {station.station_id: row for row, station in enumerate(stations)}
        self._tests: dict[str, int] = {"": 0}
        file.setncatts(_about())
        file.createDimension("station", len(stations))
        file.createDimension("time", None)
        self._describe(stations)
        self._time = file.createVariable("time", "i8", ("time",))
        self._time.setncatts(
            {
                "standard_name": "time", "long_name": "time of observation", "calendar": "standard", "axis": "T",
                "units": "seconds since 1970-01-01 00:00:00", "units_metadata": "leap_seconds: unknown",
            }
        )  # fmt: skip
        self._variables = {column.name: self._create(column) for column in self._columns}

    def append(self, piece: Piece) -> None:
        """Write some observations, all of them later than those before."""
        import numpy as np

        readings = piece.readings
        rows = np.array([self._rows.get(station_id, -1) for station_id in readings.stations])[readings.station]
        times, places = np.unique(readings.time, return_inverse=True)
        at_once = max(1, CELLS_AT_ONCE // max(1, len(self._rows)))
        renumbered = self._renumbered(readings.test_names)
        for start in range(0, len(times), at_once):
            part = slice(*np.searchsorted(places, [start, start + at_once]))
            begin = len(self._time)
            number = len(times[start : start + at_once])
            self._time[begin : begin + number] = times[start : start + at_once]
            where = rows[part], places[part] - start
            for column in self._columns:
                values = _values(piece, column, renumbered)[part]
                grid = np.full((len(self._rows), number), _nothing(column), dtype=values.dtype)
                grid[where] = values
                self._variables[column.name][:, begin : begin + number] = grid

    def finish(self) -> None:
        """Say what the numbers of tests mean: only now are all known."""
        import numpy as np

        meanings = " ".join(clean(test).replace(" ", "_") or "none" for test in self._tests)
        for column in self._columns:
            if column.what == "test":
                variable = self._variables[column.name]
                variable.flag_values = np.arange(len(self._tests), dtype=variable.dtype)
                variable.flag_meanings = meanings

    def _renumbered(self, test_names: Sequence[str]) -> Array:
        """For each test of a piece the number that it has in the file."""
        import numpy as np

        return np.array([self._tests.setdefault(test, len(self._tests)) for test in test_names], dtype=np.int16)

    def _describe(self, stations: Sequence[Station]) -> None:
        texts = {
            "station_id": ("station_id", {"cf_role": "timeseries_id", "long_name": "id of the station"}),
            "station_name": ("station_name_en", {"long_name": "name of the station"}),
            "wigos_id": ("wigos_id", {"long_name": "WIGOS station identifier"}),
        }
        for name, (attribute, said) in texts.items():
            variable = self._file.createVariable(name, str, ("station",))
            variable.setncatts(said)
            for row, station in enumerate(stations):
                variable[row] = getattr(station, attribute) or ""
        numbers = {
            "latitude": ("latitude", "degrees_north", {}),
            "longitude": ("longitude", "degrees_east", {}),
            "elevation": ("surface_altitude", "m", {"positive": "up"}),
        }
        for name, (standard_name, units, more) in numbers.items():
            variable = self._file.createVariable(name, "f8", ("station",), fill_value=float("nan"))
            variable.setncatts(
                {"standard_name": standard_name, "long_name": f"{name} of the station", "units": units, **more}
            )
            variable[:] = [float("nan") if (at := getattr(one, name)) is None else at for one in stations]

    def _create(self, column: Column) -> Any:
        import numpy as np

        kind = {"flag": "i1", "test": "i2"}.get(column.what, "f8")
        number = max(1, len(self._rows))
        sizes = min(number, CHUNK[0]), max(1, min(CELLS_AT_ONCE // number, CHUNK[1]))
        compressed = {"compression": "zlib", "complevel": 1, "chunksizes": sizes, "chunk_cache": CACHE_BYTES}
        nothing = _nothing(column) if kind == "f8" else False
        made = self._file.createVariable(column.name, kind, ("station", "time"), fill_value=nothing, **compressed)
        variable = BY_NAME[column.variable]
        made.coordinates = "station_id station_name latitude longitude elevation"
        match column.what:
            case "flag":
                made.setncatts({"standard_name": "aggregate_quality_flag", "long_name": f"flag of {variable.label}"})
                made.flag_values = np.array(list(MEANINGS), dtype=np.int8)
                made.flag_meanings = " ".join(MEANINGS.values())
                made.references = "QARTOD: Manual for the Use of Real-Time Oceanographic Data Quality Control Flags"
            case "test":
                made.long_name = f"what decided on the flag of {variable.label}"
            case "estimate":
                made.setncatts({"long_name": f"{variable.label}, estimated", "units": udunits(variable.unit)})
                made.comment = "What the neighbours imply for a value that failed or is suspect; not an observation."
            case _:
                beside = [other.name for other in self._columns if other.variable == column.variable]
                made.setncatts(_said_of(variable))
                if others := [name for name in beside if name != column.name]:
                    made.ancillary_variables = " ".join(others)
        return made


def _about() -> dict[str, str]:
    return {
        "Conventions": CONVENTIONS,
        "featureType": "timeSeries",
        "title": "Observations of weather stations",
        "source": "surface observation by automatic weather stations",
        "history": f"{iso(now())} weather-tool {__version__} data export",
    }


def _said_of(variable: Variable) -> dict[str, str]:
    over = f" (over {variable.period})" if variable.period else ""
    said = {
        "standard_name": variable.standard_name,
        "long_name": variable.label,
        "units": udunits(variable.unit),
        "cell_methods": f"time: {METHODS[variable.statistic]}{over}",
    }
    if variable.unit == "°C":
        said["units_metadata"] = "temperature: on_scale"
    return said | ({"comment": variable.note} if variable.note else {})


def _values(piece: Piece, column: Column, renumbered: Array) -> Array:
    readings, name = piece.readings, column.variable
    match column.what:
        case "flag":
            return readings.flags[name]
        case "test":
            tests: Array = renumbered[readings.tests[name]]
            return tests
        case "estimate":
            return piece.estimates[name]
        case _:
            return readings.values[name]


def _nothing(column: Column) -> float:
    """What stands where a station has no observation at a time."""
    return {"flag": MISSING, "test": 0}.get(column.what, float("nan"))
