"""The file of stations: read as a feed is, and refused with the row where a station has no place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.feed.stations import read_stations
from toolkit.model import Bounds, Station

HEAD = "station_id,latitude,longitude,elevation\n"


def read(tmp_path: Path, content: str | bytes) -> list[Station]:
    file = tmp_path / "st.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_stations(file, Bounds(id_length=20))


@pytest.mark.parametrize(
    "content",
    [
        HEAD + "UEB             ,47.3,8.5,870\n",
        b"\xef\xbb\xbf" + HEAD.encode() + b"UEB,47.3,8.5,870\n",
        (HEAD + "UEB,47.3,8.5,870\n").encode("utf-16"),
        HEAD.replace(",", ";") + "UEB;47,3;8,5;870\r\n\r\n",
        "# of the network\n" + HEAD + "# Zurich\nU\u00adEB,47.3,8.5,870\n",
    ],
)
def test_a_station(tmp_path: Path, content: str | bytes) -> None:
    (station,) = read(tmp_path, content)
    assert station == ("UEB", "UEB", None, 47.3, 8.5, 870, None)


@pytest.mark.parametrize("elevation", ["", ",", ",---", ",NA"])
def test_a_height_need_not_be_known(tmp_path: Path, elevation: str) -> None:
    assert read(tmp_path, f"{HEAD}UEB,47.3,8.5{elevation}\n")[0].elevation is None


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("UEB,47.3", "row 3 has no longitude"),
        ("UEB,,8.5,870", "row 3 has no latitude"),
        (",47.3,8.5,870", "row 3 has no station_id"),
        ("UEB,247.3,8.5,870", "row 3: latitude '247.3' and longitude '8.5' are no place in degrees"),
        ("UEB,0,0,870", "row 3: latitude '0' and longitude '0' are no place"),
        ("UEB,nan,8.5,870", "row 3 has no latitude"),
        ("UEB,inf,8.5,870", "row 3: latitude 'inf'"),
        ("UEB,north,8.5,870", "row 3: latitude 'north'"),
        ("UEB,47.3,8.5,inf", "row 3: elevation 'inf' is no height from -430 to 8849 m"),
        ("UEB,47.3,8.5,-9999", "row 3: elevation '-9999' is no height"),
        ('UEB,47.3,"8.5,870', "row 3 cannot be read: a quote in it is not closed"),
        ("o\u00adk,47.3,8.5,870", "row 3: the station 'ok' is in row 2 already"),
        (f"{'U' * 21},47.3,8.5,870", "row 3: its station_id is not usable; at most 20 characters are"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(tmp_path: Path, row: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        read(tmp_path, f"{HEAD}ok,1,1,1\n{row}\n")
    assert str(refused.value).startswith(f"{tmp_path / 'st.csv'}, row 3")


def test_what_is_no_file_of_stations(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no CSV with the fields station_id and latitude and longitude"):
        read(tmp_path, "a,b\n1,2\n")
    with pytest.raises(UsageError, match="cannot read the stations in"):
        read_stations(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for endless in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(UsageError, match=f"cannot read the stations in {endless}: it is no regular file"):
            read_stations(endless)
