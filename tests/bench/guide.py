"""The reference: a collector of the deployment guide's design, which `make bench` compares ours with.

It commits once for every station, then once for a batch of observations, into SQLite as it is opened by default.
"""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from pathlib import Path

VALUES = (
    "temp_out", "hi_temp", "low_temp", "out_hum", "bar", "rain", "wind_speed", "wind_dir", "wind_dir_str", "hi_speed",
    "hi_dir", "hi_dir_str",
)  # fmt: skip


def open_database(path: Path) -> sqlite3.Connection:
    """Make the guide's tables."""
    connection = sqlite3.connect(path)
    connection.executescript(
        f"""
        CREATE TABLE stations (station_id TEXT PRIMARY KEY, station_name_en TEXT, station_name_gr TEXT, latitude REAL,
            longitude REAL, elevation REAL, last_seen TEXT);
        CREATE TABLE observations (id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT, station_id TEXT,
            {", ".join(VALUES)}, collected_at TEXT, UNIQUE (time, station_id));
        CREATE INDEX observations_time ON observations (time);
        CREATE INDEX observations_station ON observations (station_id, time);
        """
    )
    return connection


def cycle(url: str, connection: sqlite3.Connection) -> None:
    """Fetch and store once."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        features = json.load(answer)["features"]
    rows = []
    for feature in features:
        properties, (longitude, latitude, elevation) = feature["properties"], feature["geometry"]["coordinates"]
        connection.execute(
            "INSERT OR REPLACE INTO stations VALUES (?, ?, ?, ?, ?, ?, datetime('now'))",
            (properties["station_file"], properties.get("station_name_en"), properties.get("station_name_gr"),
             latitude, longitude, elevation),
        )  # fmt: skip
        connection.commit()
        rows.append((properties["ts"], properties["station_file"], *(properties.get(name) for name in VALUES)))
    connection.executemany(
        f"INSERT OR IGNORE INTO observations (time, station_id, {', '.join(VALUES)}, collected_at) "
        f"VALUES (datetime(?, 'unixepoch'), ?, {', '.join('?' * len(VALUES))}, datetime('now'))",
        rows,
    )
    connection.commit()
