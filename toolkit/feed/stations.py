"""A network's stations from a CSV file: where they are, which a feed does not always say."""

from __future__ import annotations

import csv
from importlib.resources.abc import Traversable
from pathlib import Path

from toolkit.errors import UsageError, reason
from toolkit.feed.document import Station


def read_stations(path: Path | Traversable) -> list[Station]:
    """A network from a CSV file with the columns of the table `stations`.

    Raises:
        UsageError: the file cannot be read, or a station has no id, latitude or longitude.
    """
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        return [
            Station(
                station_id=row["station_id"],
                station_name_en=row.get("station_name_en") or row["station_id"],
                station_name_gr=row.get("station_name_gr") or None,
                latitude=float(row["latitude"]),
                longitude=float(row["longitude"]),
                elevation=float(row["elevation"]) if row.get("elevation") else None,
            )
            for row in rows
        ]
    except OSError as error:
        raise UsageError(f"cannot read the stations in {path}: {reason(error)}") from error
    except (KeyError, ValueError) as error:
        raise UsageError(f"{path}: a station needs station_id, latitude and longitude as numbers ({error})") from error
