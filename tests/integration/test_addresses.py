"""A feed with an address for each station, with dates in it, and with pages."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.collector import service
from tests.conftest import Run
from tests.databases import query

TIME = 1_763_827_200
FIELDS = "station_id=id, time=at, temp_out=t"
Answer = tuple[int, dict[str, str], Any]


class Paths:
    """A server that answers each path by a function: status, headers, and what is sent as JSON.

    Attributes:
        url: where it is.
        answer: what answers a path.
        asked: the paths that were asked, in order.
        at_once: how many requests were answered at once at most.
    """

    def __init__(self) -> None:
        self.answer: Callable[[str], Answer] = lambda _path: (404, {}, "")
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.at_once = self._now = 0
        lock, paths = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with lock:
                    paths.asked.append(self.path)
                    paths.headers.append(dict(self.headers))
                    paths._now += 1
                    paths.at_once = max(paths.at_once, paths._now)
                status, headers, said = paths.answer(self.path)
                body = said if isinstance(said, bytes) else json.dumps(said).encode()
                if headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
                    status, body = 304, b""
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with lock:
                    paths._now -= 1
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def paths() -> Iterator[Paths]:
    running = Paths()
    yield running
    running.stop()


@pytest.fixture
def each(environment: dict[str, str], paths: Paths, tmp_path: Path) -> None:
    """A feed with an address for each of five stations."""
    stations = tmp_path / "stations.csv"
    rows = [f"s {number},39.{number},22.{number},{number * 10},0-300-0-{number}" for number in range(5)]
    stations.write_text("\n".join(["station_id,latitude,longitude,elevation,wigos_id", *rows]))
    environment |= {
        "WEATHER_FEED_URL": f"{paths.url}/{{station}}/latest",
        "WEATHER_FEED_FORMAT": "json",
        "WEATHER_FEED_FIELDS": FIELDS,
        "WEATHER_FEED_STATIONS": str(stations),
        "WEATHER_FEED_REQUESTS_PER_MINUTE": "6000",
    }


def latest(path: str) -> Answer:
    return 200, {}, {"at": TIME, "t": float(path.split("/")[1][-1])}


@pytest.mark.usefixtures("each")
def test_each_station_of_the_list_is_asked_and_its_document_is_its_own(run: Run, paths: Paths, db: str) -> None:
    paths.answer = latest
    done = run("collect", "--once", WEATHER_DB=db)
    assert done.stderr == "5 stations, 5 new observations\n"
    assert sorted(paths.asked) == [f"/s%20{number}/latest" for number in range(5)]
    assert query(db, "SELECT station_id, temp_out FROM observations ORDER BY 1") == [
        (f"s {number}", float(number)) for number in range(5)
    ]
    assert query(db, "SELECT COUNT(*) FROM collection_log") == [(1,)]
    assert query(db, "SELECT elevation FROM stations WHERE station_id = 's 3'") == [(30.0,)]


@pytest.mark.usefixtures("each")
def test_another_column_and_the_time_may_be_in_the_address(run: Run, paths: Paths, environment: dict[str, str]) -> None:
    environment["WEATHER_FEED_URL"] = f"{paths.url}/x{{wigos_id}}?from={{date-1d:%Y%m%dT%H}}&to={{date}}"
    paths.answer = lambda path: (200, {}, {"at": TIME, "t": 1.0, "id": path[-5:]})
    assert run("collect", "--once").returncode == 0
    assert all(re.fullmatch(r"/x0-300-0-\d\?from=\d{8}T\d\d&to=\d{4}-\d\d-\d\d", one) for one in paths.asked)
    assert len(set(paths.asked)) == 5


@pytest.mark.usefixtures("each")
def test_a_station_that_fails_is_counted_and_named_and_fails_no_other(
    run: Run, paths: Paths, environment: dict[str, str]
) -> None:
    def answer(path: str) -> Answer:
        return (404, {}, "") if "201" in path else (200, {}, b"<html>") if "202" in path else latest(path)

    paths.answer = answer
    done = run("collect", "--once")
    assert done.returncode == 0
    assert "3 stations, 3 new observations, 2 left out; 2 of 5 addresses failed: " in done.stderr
    assert f"s 1: the feed {paths.url}/s%201/latest answers 404 Not Found" in done.stderr
    assert "s 2: the feed is not JSON" in done.stderr
    counted = dict(query(environment["WEATHER_DB"], "SELECT label, count FROM counters WHERE name = 'left_out'"))
    assert counted == {"address without a document": 1, "document unreadable": 1}


@pytest.mark.usefixtures("each")
def test_the_feed_fails_if_most_of_its_stations_do_and_the_others_are_stored(
    run: Run, paths: Paths, environment: dict[str, str]
) -> None:
    paths.answer = lambda path: latest(path) if "204" in path else (500, {}, "")
    done = run("collect", "--once")
    assert done.returncode == 1
    assert "4 of 5 addresses failed: s 0: " in done.stderr
    assert query(environment["WEATHER_DB"], "SELECT station_id FROM observations") == [("s 4",)]
    paths.answer = lambda _path: (500, {}, "")
    assert "5 of 5 addresses failed: " in run("collect", "--once").stderr


@pytest.mark.usefixtures("each")
def test_no_more_are_asked_at_once_than_the_setting_says(run: Run, paths: Paths, environment: dict[str, str]) -> None:
    environment["WEATHER_FEED_CONCURRENCY"] = "2"
    both = threading.Barrier(2)

    def answer(path: str) -> Answer:
        if "204" not in path:  # the odd one
            both.wait(timeout=30)
        return latest(path)

    paths.answer = answer
    assert run("collect", "--once").returncode == 0
    assert paths.at_once == 2


@pytest.mark.usefixtures("each")
def test_a_pause_that_a_server_wants_counts_for_all_its_addresses(
    run: Run, paths: Paths, environment: dict[str, str]
) -> None:
    times = iter([(429, {"Retry-After": "1"}, "")])
    paths.answer = lambda path: next(times, None) or latest(path)
    assert run("collect", "--once").stderr == "5 stations, 5 new observations\n"
    assert len(paths.asked) == 6
    paths.asked.clear()
    paths.answer = lambda _path: (429, {"Retry-After": "600"}, "")
    done = run("collect", "--once", WEATHER_FEED_CONCURRENCY="1")
    assert done.returncode == 1
    assert "5 of 5 addresses failed" in done.stderr
    assert len(paths.asked) == 1


@pytest.mark.usefixtures("each")
def test_what_was_stored_of_each_address_is_not_fetched_again(
    paths: Paths, environment: dict[str, str], tmp_path: Path
) -> None:
    round_two, changed = threading.Event(), threading.Event()

    def answer(path: str) -> Answer:
        if len(paths.asked) > 10:
            changed.set()
        if len(paths.asked) > 5:
            round_two.set()
        status, _, said = latest(path)
        return (
            status,
            {"ETag": f'"{path}-{len(paths.asked) > 10 and "204" in path}"'},
            said | {"at": TIME + 60 * (len(paths.asked) > 10)},
        )

    paths.answer = answer
    environment |= {"WEATHER_CADENCE_SECONDS": "1", "WEATHER_FEED_PAUSE_SECONDS": "1"}
    with service(environment, tmp_path) as running:
        running.wait_for("5 stations, 5 new observations")
        running.wait_for("1 stations, 1 new observations")
        running.stop()
    assert all("If-None-Match" in headers for headers in paths.headers[5:])
    assert query(environment["WEATHER_DB"], "SELECT COUNT(*) FROM observations") == [(6,)]


@pytest.mark.usefixtures("each")
def test_what_waits_in_the_spool_still_knows_its_station(
    run: Run, paths: Paths, environment: dict[str, str], tmp_path: Path
) -> None:
    if "://" in environment["WEATHER_DB"]:
        pytest.skip("a folder that is none is made of a file")
    paths.answer = latest
    place = Path(environment["WEATHER_DB"])
    place.mkdir()
    done = run("collect", "--once")
    assert "waits in the spool" in done.stderr
    place.rmdir()
    paths.answer = lambda path: (200, {}, {"at": TIME + 60, "t": 1.0})
    assert run("collect", "--once").returncode == 0
    assert query(str(place), "SELECT COUNT(*) FROM observations") == [(10,)]
    assert not [*(tmp_path / "spool").glob("*.gz")]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://h/{station", "in braces give station, another column of the stations file, or a date"),
        ("http://h/{}", "in braces give station"),
        ("http://{station}/", "there are braces in its host"),
        ("http://h/{date:%s}", "has codes other than"),
        ("http://h/{station:%Y}", "only a date has a form"),
        ("http://h/{station}", "there is no list of stations: name a file in WEATHER_FEED_STATIONS"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused(run: Run, url: str, says: str) -> None:
    done = run("collect", "--once", WEATHER_FEED_URL=url)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert says in done.stderr


@pytest.mark.usefixtures("each")
def test_a_column_that_is_not_there_is_named(run: Run, paths: Paths) -> None:
    done = run("collect", "--once", WEATHER_FEED_URL=f"{paths.url}/{{icao}}")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "has no column icao, which the address names" in done.stderr


@pytest.mark.usefixtures("each")
def test_the_first_station_is_what_is_tried(run: Run, paths: Paths) -> None:
    paths.answer = latest
    done = run("feed", "try")
    assert done.returncode == 0, done.stderr
    assert "1 stations, 1 of them with a place, 1 observations" in done.stdout
    assert paths.asked == ["/s%200/latest"]


@pytest.fixture
def paged(environment: dict[str, str], paths: Paths) -> None:
    """A feed of three pages, with one observation on each."""
    environment |= {
        "WEATHER_FEED_URL": f"{paths.url}/all?limit=1",
        "WEATHER_FEED_FORMAT": "json",
        "WEATHER_FEED_RECORDS": "data",
        "WEATHER_FEED_FIELDS": FIELDS,
        "WEATHER_FEED_REQUESTS_PER_MINUTE": "6000",
    }


def page(number: int, **more: Any) -> dict[str, Any]:
    return {"data": [{"id": f"s{number}", "at": TIME, "t": 1.0}], **more}


def number_of(path: str) -> int:
    found = re.search(r"[?&]c=(\d+)", path)
    return int(found[1]) if found else 1


@pytest.mark.usefixtures("paged")
@pytest.mark.parametrize("form", ["links.next", "c=meta.cursor", "link"])
def test_the_pages_of_an_answer_are_followed(run: Run, paths: Paths, environment: dict[str, str], form: str) -> None:
    def answer(path: str) -> Answer:
        number = number_of(path)
        following = number + 1 if number < 3 else None
        link = f"/all?limit=1&c={following}" if following else None
        headers = {"Link": f'</x>; rel="prev", <{link}>; rel="next"'} if following else {}
        return 200, headers, page(number, links={"next": link}, meta={"cursor": following})

    paths.answer = answer
    done = run("collect", "--once", WEATHER_FEED_NEXT=form)
    assert done.stderr == "3 stations, 3 new observations\n"
    assert paths.asked == ["/all?limit=1", "/all?limit=1&c=2", "/all?limit=1&c=3"]
    assert query(environment["WEATHER_DB"], "SELECT COUNT(*) FROM collection_log") == [(1,)]


@pytest.mark.usefixtures("paged")
def test_an_answer_that_only_says_where_the_data_are_is_followed(run: Run, paths: Paths) -> None:
    paths.answer = lambda path: (200, {}, page(1) if path == "/data" else {"datos": f"{paths.url}/data"})
    done = run("collect", "--once", WEATHER_FEED_NEXT="datos")
    assert done.stderr == "1 stations, 1 new observations\n"


@pytest.mark.usefixtures("paged")
@pytest.mark.parametrize("form", ["links.next", "link"])
def test_a_relative_next_page_is_beside_the_page_that_answered(run: Run, paths: Paths, form: str) -> None:
    def answer(path: str) -> Answer:
        if path.startswith("/all"):
            return 302, {"Location": "/v2/first"}, ""
        link = "second" if path == "/v2/first" else None
        return 200, {"Link": f"<{link}>; rel=next"} if link else {}, page(len(path), links={"next": link})

    paths.answer = answer
    done = run("collect", "--once", WEATHER_FEED_NEXT=form)
    assert done.stderr == "2 stations, 2 new observations\n"
    assert paths.asked == ["/all?limit=1", "/v2/first", "/v2/second"]


@pytest.mark.usefixtures("paged")
def test_the_next_page_may_be_at_the_server_to_which_the_feed_has_moved(run: Run, paths: Paths) -> None:
    moved = paths.url.replace("127.0.0.1", "localhost")

    def answer(path: str) -> Answer:
        if path == "/all?limit=1":
            return 302, {"Location": f"{moved}/new/first"}, ""
        return 200, {}, page(len(path), links={"next": "second" if path == "/new/first" else None})

    paths.answer = answer
    done = run("collect", "--once", WEATHER_FEED_NEXT="links.next")
    assert done.stderr == "2 stations, 2 new observations\n"
    assert paths.asked == ["/all?limit=1", "/new/first", "/new/second"]


@pytest.mark.usefixtures("paged")
@pytest.mark.parametrize(
    ("following", "says"),
    [
        (lambda path, _url: path, "leads back to a page that came before"),
        (lambda path, _url: f"{path}0", "has more than 50 pages"),
        (lambda _path, _url: "http://elsewhere.example/", "has its next page at another server"),
        (lambda _path, url: url.replace("//", "//u:p@"), "has its next page at another server"),
        (lambda _path, _url: "//[", ""),
        (lambda _path, _url: ["x"], "names a next page that is neither a text nor a whole number"),
        (lambda _path, _url: "a\nb", "names a next page that is no address"),
        (lambda _path, _url: "/broken", "/broken answers 500"),
        (lambda _path, _url: "/html", "the feed is not JSON"),
    ],
)
def test_pages_that_do_not_all_come_are_no_success_and_those_that_came_are_stored(
    run: Run, paths: Paths, environment: dict[str, str], following: Callable[[str, str], Any], says: str
) -> None:
    def answer(path: str) -> Answer:
        if path == "/broken":
            return 500, {}, ""
        return 200, {}, b"<html>" if path == "/html" else page(1, next=following(path, paths.url))

    paths.answer = answer
    done = run("collect", "--once", WEATHER_FEED_NEXT="next")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "not all pages came: " in done.stderr
    assert says in done.stderr
    assert "elsewhere" not in done.stderr
    assert len(paths.asked) <= 50
    assert query(environment["WEATHER_DB"], "SELECT station_id FROM observations") == [("s1",)]


def test_what_says_no_next_page_is_refused(run: Run) -> None:
    done = run("collect", "--once", WEATHER_FEED_NEXT="c=[[")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "WEATHER_FEED_NEXT=c=[[: it is no JMESPath" in done.stderr
