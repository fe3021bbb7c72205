"""Several sources, by the command and by the service."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.collector import service
from tests.conftest import Feed, Run, collection, feature
from tests.databases import query

TIME = 1_763_827_200
PRESETS = Path(__file__).parent.parent / "data" / "presets"
Sources = Callable[..., list[Feed]]


def write(path: Path, *tables: dict[str, Any]) -> None:
    """Write a file of sources."""
    lines = (["[[source]]", *(f"{name} = {json.dumps(value)}" for name, value in one.items())] for one in tables)
    path.write_text("\n".join(line for one in lines for line in one), encoding="utf-8")


@pytest.fixture
def sources(environment: dict[str, str], tmp_path: Path) -> Iterator[Sources]:
    """Makes sources, each with a feed of its own, out of what is said of each besides its address."""
    environment["WEATHER_SOURCES_FILE"] = str(tmp_path / "sources.toml")
    with ExitStack() as running:

        def make(*tables: dict[str, Any]) -> list[Feed]:
            feeds = [Feed() for _ in tables]
            for feed in feeds:
                running.callback(feed.stop)
            filled = [{"url": feed.url, **table} for feed, table in zip(feeds, tables, strict=True)]
            write(tmp_path / "sources.toml", *filled)
            return feeds

        yield make


def test_a_station_belongs_to_the_first_source_that_tells_of_it(
    run: Run, sources: Sources, db: str, environment: dict[str, str]
) -> None:
    environment["WEATHER_DB"] = db
    first, second = sources({"name": "own"}, {"name": "other"})
    second.body = collection(feature("volos", station_name_en="Theirs", ts=TIME, temp_out=9.0, rain=None))
    first.body = collection(feature("zagora", ts=TIME, temp_out=1.0))
    assert run("collect", "--once").returncode == 0
    first.body = collection(feature("volos", station_name_en="Ours", ts=TIME, temp_out=8.0, rain=None))
    assert run("collect", "--once").returncode == 0
    second.body = collection(feature("volos", station_name_en="Theirs again", ts=TIME, temp_out=7.0, rain=0.2))
    done = run("collect", "--once")
    assert done.returncode == 0
    assert "other: 1 stations, 0 new observations, 1 corrected" in done.stderr
    assert query(db, "SELECT station_name_en, source FROM stations WHERE station_id = 'volos'") == [("Ours", "own")]
    assert query(db, "SELECT temp_out, rain FROM observations WHERE station_id = 'volos'") == [(8.0, 0.2)]


def test_new_stations_are_bounded_also_of_a_source_whose_stations_all_belong_to_another(
    run: Run, sources: Sources, environment: dict[str, str], db: str
) -> None:
    environment["WEATHER_DB"] = db
    first, second = sources({"name": "own"}, {"name": "other", "new_stations_per_day": 2})
    first.body = second.body = collection(*(feature(name, ts=TIME) for name in "abcd"))
    assert run("collect", "--once").returncode == 0
    assert query(db, "SELECT DISTINCT source FROM stations") == [("own",)]
    second.body = collection(*(feature(name, ts=TIME) for name in "abcdefgh"))
    done = run("collect", "--once")
    assert done.returncode == 0, done.stderr
    assert query(db, "SELECT station_id FROM stations WHERE source = 'other' ORDER BY 1") == [("e",), ("f",)]
    assert query(db, "SELECT count FROM counters WHERE label = 'new station beyond those of a day'") == [(2,)]


def test_a_source_that_fails_is_named_and_others_are_stored(
    run: Run, sources: Sources, environment: dict[str, str], db: str
) -> None:
    environment["WEATHER_DB"] = db
    broken, _ = sources({"name": "broken", "prefix": "b-"}, {"name": "well", "prefix": "w-"})
    broken.body = b"no document"
    done = run("collect", "--once")
    assert done.returncode == 1
    assert "broken: the feed is not JSON" in done.stderr
    assert query(db, "SELECT DISTINCT substr(station_id, 1, 2) FROM stations") == [("w-",)]
    assert query(db, "SELECT name, cycles, failures FROM sources") == [("well", 1, 0)]


def test_a_preset_is_what_a_source_does_not_say(
    run: Run, sources: Sources, environment: dict[str, str], db: str
) -> None:
    environment["WEATHER_DB"] = db
    swiss, spanish = sources(
        {"name": "swiss", "preset": "meteoswiss"},
        {
            "name": "spanish",
            "preset": "aemet",
            "auth": "",
            "prefix": "es-",
            "fields": "station_id=idema, time=fint, temp_out=ts",
        },
    )
    swiss.body = (PRESETS / "meteoswiss.csv").read_bytes()
    spanish.body = (PRESETS / "aemet.json").read_bytes()
    done = run("collect", "--once")
    assert done.returncode == 0, done.stderr
    assert query(db, "SELECT station_id, temp_out FROM observations WHERE temp_out > 13.2 ORDER BY 1") == [
        ("TAE", 13.5),
        ("es-8025", 15.5),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no source in it: give a table [[source]] for each"),
        ("[[source]", "are not TOML"),
        ("[[source]]\nname = 'A b'\nurl = 'http://x/'", "source 1: name = 'A b': give one of at most 40"),
        ("[[source]]\nname = 'a'", "source a: it has no url: give the address of its documents"),
        ("[[source]]\nname = 'a'\nurl = 'x'", "source a: url = 'x': give an http:// or https:// address"),
        (
            "[[source]]\nname = 'a'\nurl = 'http://x/?key=1'",
            "url = 'http://x/?…': the parameter key does not belong here",
        ),
        ("[[source]]\nname = 'a'\nurl = 'http://x/'\nauth = 'basic me:x'", "auth = 'basic …': give basic alone"),
        ("[[source]]\nname = 'a'\nurl = 'http://x/'\nfelds = 'x'", "source a: felds: did you mean fields?"),
        ("[[source]]\nname = 'a'\nurl = 'http://x/'\n" * 2, "source 1 has the name 'a', too: give another one"),
        ("[[source]]\nname = 'a'\nurl = 'http://x/'\nmax_mib = []", "max_mib = '[]': give a text or a number"),
        ("feed = 1", "'feed' means nothing here"),
        ("[[source]]\nname = 'a'\npreset = 'noah'", "source a: preset = 'noah': did you mean noa?"),
        ("[[source]]\nname = 'a'\npreset = 'noa'\nformat = 'cvs'", "source a: format = 'cvs': did you mean csv?"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(
    run: Run, environment: dict[str, str], tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(text, encoding="utf-8")
    environment["WEATHER_SOURCES_FILE"] = str(path)
    done = run("collect", "--once")
    assert done.returncode == 2
    assert says in done.stderr
    assert str(path) in done.stderr


def test_the_doctor_names_the_sources_that_are_not_well(
    run: Run, sources: Sources, environment: dict[str, str], tmp_path: Path
) -> None:
    environment["WEATHER_DB"] = str(tmp_path / "weather.db")
    _, wrong, down = sources(
        {"name": "well", "prefix": "w-"}, {"name": "wrong", "prefix": "x-"}, {"name": "down", "prefix": "d-"}
    )
    assert run("collect", "--once").returncode == 0
    wrong.body = b"no document"
    down.stop()
    told = json.loads(run("doctor", "--json", "--area", "feed").stdout)
    found = {one["id"]: (one["status"], one["evidence"]) for one in told["checks"]}
    assert found["feed-readable"][0] == "WARNING"
    assert found["feed-readable"][1].startswith("wrong: the feed is not JSON")
    assert found["feed-connects"][0] == "WARNING"
    assert found["feed-connects"][1].startswith("down: 127.0.0.1")
    assert "well: " not in found["feed-readable"][1] + found["feed-connects"][1]
    told = run("metrics").stdout
    assert 'weather_source_cycles_total{source="down"} 1.0' in told
    assert 'weather_source_spool_documents{source="well"} 0.0' in told


def test_a_source_is_shown_as_it_is_for_it(run: Run, sources: Sources) -> None:
    sources({"name": "own", "cadence_seconds": 60}, {"name": "other", "preset": "meteoswiss"})
    assert "sources: own, other" in run("settings").stdout
    shown = json.loads(run("settings", "own", "--json").stdout)
    assert shown["WEATHER_CADENCE_SECONDS"]["value"] == "60"
    assert shown["WEATHER_CADENCE_SECONDS"]["from"].endswith("sources.toml, source own")
    assert json.loads(run("settings", "other", "--json").stdout)["WEATHER_FEED_FORMAT"]["value"] == "csv"
    done = run("settings", "owm")
    assert (done.returncode, done.stderr.strip().endswith("there is no source 'owm'; did you mean own?")) == (2, True)


FAST = {"cadence_seconds": 1, "pause_seconds": 1}


def newer() -> Callable[[], bytes]:
    """What makes documents of one station, each a minute later than the last."""
    minutes = count()
    return lambda: collection(feature("volos", ts=TIME + 60 * next(minutes)))


def test_neither_a_source_that_hangs_nor_one_that_floods_keeps_another_or_the_end(
    environment: dict[str, str], sources: Sources, tmp_path: Path
) -> None:
    hangs, floods, well = sources(
        {"name": "hangs", "prefix": "h-"},
        {"name": "floods", "prefix": "f-", **FAST},
        {"name": "well", "prefix": "w-", **FAST},
    )
    released, lengths = threading.Event(), count(15 << 20)
    hangs.make = lambda: collection() if released.wait(120) else b""
    floods.make = lambda: b'{"type": "FeatureCollection", "features": [' + b" " * next(lengths) + b"]}"
    well.make = newer()
    try:
        with service(environment, tmp_path) as running:
            # Its own cycles are the clock: five of them, while the others do what they do.
            while len(floods.requests) < 3 or not hangs.requests or running.log.count("well: 1 stations, 1 new") < 5:
                running.wait_for("WATCHDOG=1")
            log = running.stop()
    finally:
        released.set()
    assert running.process.returncode == 0
    assert "hangs: the feed" not in log  # it did not wait until that fetch had taken too long
    assert "floods: the feed holds no station" in log


def test_a_spool_that_is_full_takes_nothing_of_another_sources(
    environment: dict[str, str], sources: Sources, tmp_path: Path
) -> None:
    full, small = sources({"name": "full", "prefix": "f-", **FAST}, {"name": "small", "prefix": "s-", **FAST})
    full.make = lambda: collection(feature("volos", noise=os.urandom(400_000).hex()))
    small.make = newer()
    place = Path(environment["WEATHER_DB"])
    place.mkdir()  # no database can be there
    with service({**environment, "WEATHER_SPOOL_MIB": "1"}, tmp_path) as running:
        while running.log.count("the oldest document is given up") < 2:
            running.wait_for("WATCHDOG=1")
        waited = len(small.requests) - 1
        place.rmdir()
        running.wait_for("small: ")
        while "well again" not in running.log:
            running.wait_for("WATCHDOG=1")
        running.wait_for("small: 1 stations, 1 new observations")
        log = running.stop()
    assert "/full" in log
    assert "wait in" in log
    ((stored, first),) = query(
        str(place), "SELECT COUNT(*), MIN(unixepoch(time)) FROM observations WHERE station_id = 's-volos'"
    )
    assert stored >= waited
    assert first == TIME


def test_what_waits_of_a_source_that_is_no_more_is_stored(
    run: Run, environment: dict[str, str], sources: Sources, tmp_path: Path
) -> None:
    kept, _ = sources({"name": "kept", "prefix": "k-"}, {"name": "gone", "prefix": "g-"})
    place = Path(environment["WEATHER_DB"])
    place.mkdir()
    assert "gone: " in run("collect", "--once").stderr
    place.rmdir()
    write(tmp_path / "sources.toml", {"name": "kept", "prefix": "k-", "url": kept.url})
    with service(environment, tmp_path) as running:
        while [*(tmp_path / "spool").glob("*/*.gz")]:
            running.wait_for("WATCHDOG=1")
        log = running.stop()
    assert "gone is no source any more: the documents of it that wait are stored" in log
    assert query(str(place), "SELECT station_id, source FROM stations ORDER BY 1") == [
        ("g-volos", "gone"),
        ("k-volos", "kept"),
    ]
