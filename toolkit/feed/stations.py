"""The stations of a network from a CSV file, for feeds that do not say where their stations are."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path

from toolkit.errors import UsageError, reason
from toolkit.feed import table
from toolkit.feed.entries import Entries
from toolkit.feed.values import is_no_number
from toolkit.location import HIGHEST, LOWEST
from toolkit.model import Bounds, Station
from toolkit.text import decoded, one_line

NEEDED = ("station_id", "latitude", "longitude")


def read_stations(path: Path | Traversable, bounds: Bounds = Bounds()) -> list[Station]:
    """Read a CSV file with the columns of the table `stations`.

    Raises:
        UsageError: the file cannot be read, or a station in it has no id, has no possible place, or is there twice.
    """
    try:
        if isinstance(path, Path) and not stat.S_ISREG(path.stat().st_mode):  # a device or a pipe may be endless
            raise UsageError(f"cannot read the stations in {path}: it is no regular file")
        rows = table.rows(table.lines_of(decoded(path.read_bytes())), *([name] for name in NEEDED), padded=True)
        found: dict[str, tuple[int, Station]] = {}
        for number, row in rows:
            station = _station(path, number, row, bounds)
            before, _ = found.setdefault(station.station_id, (number, station))
            if before != number:
                raise UsageError(f"{path}, row {number}: the station {station.station_id!r} is in row {before} already")
        return [station for _, station in found.values()]
    except OSError as error:
        raise UsageError(f"cannot read the stations in {path}: {reason(error)}") from error
    except ValueError as error:
        raise UsageError(f"the file of stations {path} is {error}") from None


def read_columns(path: Path, names: Sequence[str], bounds: Bounds = Bounds()) -> dict[str, Mapping[str, str]]:
    """What each station has in some columns of such a file, by its id; where one of them is empty it is left out.

    Raises:
        UsageError: as `read_stations`; or a column is missing, or empty for all.
    """
    stations = [one.station_id for one in read_stations(path, bounds)]
    found: dict[str, Mapping[str, str]] = {}
    try:
        rows = table.rows(
            table.lines_of(decoded(path.read_bytes())), *([name] for name in [*NEEDED, *names]), padded=True
        )
        for (_, row), station_id in zip(rows, stations, strict=True):
            values = {name: row[name].strip() for name in names} if row else {}
            if values and all(values.values()):
                found[station_id] = values
    except OSError as error:
        raise UsageError(f"cannot read the stations in {path}: {reason(error)}") from error
    except ValueError:
        raise UsageError(
            f"the file of stations {path} has no column {' or '.join(names)}, which the address names"
        ) from None
    if not found:
        raise UsageError(f"no station in {path} has a {' and a '.join(names)}, which the address of the feed names")
    return found


def _station(path: Path | Traversable, number: int, row: Mapping[str, str] | None, bounds: Bounds) -> Station:
    where = f"{path}, row {number}"
    if row is None:
        raise UsageError(f"{where} cannot be read: a quote in it is not closed, or it has more cells than the header")
    empty = [name for name in NEEDED if is_no_number(row[name])]
    if empty:
        raise UsageError(f"{where} has no {empty[0]}")
    entries = Entries(bounds=bounds)
    entries.describe(row)
    if not entries.stations:
        raise UsageError(f"{where}: its station_id is not usable; at most {bounds.id_length} characters are")
    ((station_id, station),) = entries.stations.items()
    if station.latitude is None:
        latitude, longitude = (one_line(row[name], 40) for name in ("latitude", "longitude"))
        raise UsageError(f"{where}: latitude {latitude!r} and longitude {longitude!r} are no place in degrees")
    if station.elevation is None and not is_no_number(elevation := row.get("elevation", "")):
        elevation = one_line(elevation, 40)
        raise UsageError(f"{where}: elevation {elevation!r} is no height from {LOWEST} to {HIGHEST} m")
    return station._replace(station_name_en=station.station_name_en or station_id)
