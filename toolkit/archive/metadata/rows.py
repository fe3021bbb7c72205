"""What a file of metadata says, row by row, as it is written: nothing of it is checked yet."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One period of a station, or one of its sensors, as a file writes it; empty where it says nothing.

    Attributes:
        number: which row of the file, for people.
        station_id: what the network calls the station.
        wigos_ids: its WIGOS identifiers, the primary one first; None where the file has no place for them.
        others: other identifiers, by which the station may be known.
        name: what it is called.
        latitude, longitude, elevation: where it is.
        valid_from, valid_to: for which time that is so.
        variable, sensor: which sensor was replaced at `valid_from`, and what by.
        broken: why the row cannot be read.
    """

    number: int
    station_id: str = ""
    wigos_ids: tuple[str, ...] | None = None
    others: tuple[str, ...] = ()
    name: str = ""
    latitude: str = ""
    longitude: str = ""
    elevation: str = ""
    valid_from: str = ""
    valid_to: str = ""
    variable: str = ""
    sensor: str = ""
    broken: str = ""


class Form(NamedTuple):
    """A file of metadata.

    Attributes:
        name: of its form.
        rows: what it says.
        history: whether it tells the time for which each place is valid; otherwise it says where stations are now.
        foreign: whether it may be of more stations than the network's.
        sensors: whether it tells of sensors.
    """

    name: str
    rows: list[Row]
    history: bool
    foreign: bool
    sensors: bool
