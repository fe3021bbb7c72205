"""A secret in an address is refused by name, or has its place in a credential; nobody is shown it."""

from __future__ import annotations

import base64
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.answers import answering
from tests.collector import service
from tests.conftest import Feed, Run
from toolkit.address import SecretAddress, secret_in, shown
from toolkit.checks import bad
from toolkit.checks.catalogue import CHECKS
from toolkit.checks.diagnosis import examine
from toolkit.checks.host import Host
from toolkit.settings import load_lenient
from toolkit.store import open_for_reading

SECRET = "s3cr3t-K3Y"


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("WEATHER_FEED_URL", "http://h/feed?apikey={}"),
        ("WEATHER_FEED_URL", "https://h/feed?format=csv&X-API-Key={}"),
        ("WEATHER_FEED_URL", "https://h/feed?a=1;access_token={}"),
        ("WEATHER_FEED_URL", "https://h/feed?appid={}"),
        ("WEATHER_FEED_URL", "https://h/feed?%74oken={}"),
        ("WEATHER_FEED_URL", "https://h/feed#token={}"),
        ("WEATHER_FEED_URL", "https://user:{}@h/feed"),
        ("WEATHER_FEED_URL", "HTTP://user:{}@h/feed"),
        ("WEATHER_FEED_URL", "http://user:{}/x@h/feed"),
        ("WEATHER_FEED_URL", "http://user:{}?x@h/feed"),
        ("WEATHER_FEED_URL", "http://{}@h/feed"),
        ("WEATHER_FEED_URL", "ftp://user:{}@h/feed"),
        ("WEATHER_FEED_URL", "user:{}@h/feed"),
        ("WEATHER_FEED_URL", "http://[{}"),
        ("WEATHER_FEED_PROXY", "http://user:{}@proxy:3128"),
        ("WEATHER_FEED_PROXY", "http://{}@proxy:3128"),
        ("WEATHER_DB", "postgresql://weather:{}@h/weather"),
        ("WEATHER_DB", "postgresql://weather@h/weather?password={}"),
        ("WEATHER_DB", "postgresql://weather@h/weather?sslmode=require&sslpassword={}"),
        ("WEATHER_DB", "mysql://weather:{}@h/weather"),
        ("WEATHER_RESTIC_REPOSITORY", "rest:https://user:{}@h/weather"),
        ("WEATHER_RESTIC_REPOSITORY", "s3:https://user:{}@h/weather"),
    ],
)
def test_a_secret_is_refused_where_others_can_read_it(
    run: Run, environment: dict[str, str], variable: str, address: str
) -> None:
    text = address.format(SECRET)
    file = Path(environment["WEATHER_ENV_FILE"])
    file.write_text(f'{variable}="{text}"\n')
    del environment["WEATHER_FEED_URL"]
    environment.pop(variable, None)
    for words in (["collect", "--once"], ["settings"]):
        done = run(*words)
        assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, ""), done.stderr
        assert f"{variable}=" in done.stderr
        assert SECRET not in done.stderr


@pytest.mark.parametrize("line", ['WEATHER_FEED_URL="http://h/?key={}', "WEATHER_FEED_URL 'http://u:{}@h/'"])
def test_a_line_that_is_no_assignment_is_shown_without_its_secret(
    run: Run, environment: dict[str, str], line: str
) -> None:
    Path(environment["WEATHER_ENV_FILE"]).write_text(line.format(SECRET) + "\n")
    done = run("settings")
    assert (done.returncode, SECRET in done.stderr) == (2, False)
    assert "line 1" in done.stderr


def test_a_secret_in_a_credential_is_used_and_shown_to_nobody(
    run: Run, environment: dict[str, str], feed: Feed, tmp_path: Path
) -> None:
    address = "{}/s3cr3t-K3Y/latest?format=geojson&apikey=s3cr3t-K3Y"
    folder = tmp_path / "credentials"
    folder.mkdir()
    del environment["WEATHER_FEED_URL"]
    environment |= {"CREDENTIALS_DIRECTORY": str(folder), "WEATHER_CADENCE_SECONDS": "1"}
    credential = folder / "feed_url"
    credential.write_text(address.format(feed.url) + "\n")
    said = [run("collect", "--once", "--verbose")]
    assert said[0].returncode == 0, said[0].stderr
    said += [run("settings"), run("settings", "--json"), run("metrics"), run("report", "--html", "-")]
    said += [run("data", "summary"), run("detect", "--json"), run("healthcheck"), run("doctor", "--area", "feed")]
    assert json.loads(said[2].stdout)["WEATHER_FEED_URL"]["from"] == "the credential feed_url"
    with answering() as server:
        credential.write_text(address.format(server.url) + "\n")
        for answer in (
            b"401 No\r\n\r\n",
            b"404 Not found: /feed?apikey=s3cr3t-K3Y and /feed/s3cr3t-K3Y/latest\r\n\r\n",
            b"302 Found\r\nLocation: ftp://h/x/s3cr3t-K3Y?apikey=s3cr3t-K3Y\r\n\r\n",
            b"302 Found\r\nLocation: http://[/s3cr3t-K3Y?apikey=s3cr3t-K3Y\r\n\r\n",
            b"302 Found\r\nLocation: http://127.0.0.1:9/x/s3cr3t-K3Y?apikey=s3cr3t-K3Y\r\n\r\n",
        ):
            server.answer = b"HTTP/1.1 " + answer
            said.append(run("collect", "--once", "--verbose"))
            assert said[-1].returncode == 1
        said += [run("doctor"), run("doctor", "--json", "--area", "feed")]
        (tmp_path / "episodes").mkdir()
        said.append(run("alert", "backup", "--episodes", str(tmp_path / "episodes")))
        with service(environment, tmp_path) as running:
            status = running.wait_for("failed attempts")
            log = running.stop()
        assert b"s3cr3t-K3Y" in server.requests[-1]
    credential.write_text("http://127.0.0.1:9/s3cr3t-K3Y?s3cr3t-K3Y")
    said.append(run("collect", "--once", "--verbose"))
    said += [run("report", "--html", "-"), run("metrics"), run("data", "summary")]
    for done in said:
        assert SECRET not in done.stdout + done.stderr, done.args
    assert SECRET not in status + log
    database = sqlite3.connect(environment["WEATHER_DB"])
    assert SECRET not in "\n".join(database.iterdump())
    database.close()


@pytest.mark.parametrize("echoed", ["s3cr3t-K3Y+x", "s3cr3t-K3Y x", "s3cr3t-K3Y%20x"])
def test_a_parameter_of_any_name_is_not_told_when_the_server_sends_it_back(
    run: Run, environment: dict[str, str], echoed: str
) -> None:
    with answering() as server:
        environment["WEATHER_FEED_URL"] = f"{server.url}?format=csv&code={echoed.replace(' ', '+')}"
        server.answer = f"HTTP/1.1 403 No {echoed} here, 403\r\n\r\n".encode()
        done = run("collect", "--once")
    assert (done.returncode, SECRET in done.stderr) == (1, False)
    assert "answers 403 No … here, 403" in done.stderr


def test_a_name_and_a_password_are_sent_to_their_server_alone(
    run: Run, environment: dict[str, str], feed: Feed, tmp_path: Path
) -> None:
    del environment["WEATHER_FEED_URL"]
    environment["CREDENTIALS_DIRECTORY"] = str(tmp_path)
    with answering() as server:
        server.answer = f"HTTP/1.1 302 Found\r\nLocation: {feed.url}\r\n\r\n".encode()
        (tmp_path / "feed_url").write_text(server.url.replace("://", "://us%40er:p%3Ass@"))
        assert run("collect", "--once").returncode == 0
        sent = base64.b64encode(b"us@er:p:ss")
        assert b"Authorization: Basic " + sent + b"\r\n" in server.requests[0]
    assert "Authorization" not in feed.requests[0]


def test_a_proxy_gets_its_password(run: Run, environment: dict[str, str], feed: Feed, tmp_path: Path) -> None:
    environment |= {"CREDENTIALS_DIRECTORY": str(tmp_path), "WEATHER_FEED_URL": "http://far.example/feed"}
    (tmp_path / "feed_proxy").write_text(feed.url.replace("://", "://user:s3cr3t-K3Y@"))
    assert run("collect", "--once").returncode == 0
    assert feed.requests[0]["Proxy-Authorization"] == "Basic " + base64.b64encode(b"user:s3cr3t-K3Y").decode()
    assert "Authorization" not in feed.requests[0]
    feed.stop()
    done = run("collect", "--once", "--verbose")
    assert (done.returncode, SECRET in done.stderr) == (1, False)


def test_a_credential_is_checked_as_a_setting_is(run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "feed_url").write_text("ftp://h/s3cr3t-K3Y")
    done = run("collect", "--once", CREDENTIALS_DIRECTORY=str(tmp_path))
    assert (done.returncode, done.stderr.count("\n"), SECRET in done.stderr) == (2, 1, False)
    assert "(the credential feed_url): give an http:// or https:// address" in done.stderr


def test_what_the_doctor_saw_in_a_unit_or_an_old_log_is_told_without_secrets(
    run: Run, environment: dict[str, str]
) -> None:
    seen = (
        f"a drop-in sets https_proxy=http://u:{SECRET}@h:3128, WEATHER_FEED_URL='http://h/x?key={SECRET}'; a file has "
        f"'token = {SECRET} {SECRET}' and 'PGPASSWORD=\"{SECRET}\"'."
    )
    check = replace(CHECKS[0], probe=lambda _: bad(seen))
    (result,) = examine(Host(load_lenient({}, environment)), [check])
    assert result.finding.evidence == (
        "a drop-in sets https_proxy=http://h:3128, WEATHER_FEED_URL='http://h/x?…'; a file has 'token = …' and "
        "'PGPASSWORD=\"…\"'."
    )
    assert run("collect", "--once").returncode == 0
    with sqlite3.connect(environment["WEATHER_DB"]) as database:
        text = f"the feed http://h/feed?key={SECRET} answers 500"
        database.execute(
            "INSERT INTO collection_log VALUES ('2999-01-01 00:00:00', 'failed', 0, 0, ?, NULL, NULL)", (text,)
        )
    database.close()
    with open_for_reading(environment["WEATHER_DB"]) as store:
        assert store.log(1)[0].message == "the feed http://h/feed?… answers 500"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://h:8443/a/b?format=csv#x", "https://h:8443/a/b?…"),
        ("https://h/@a/b", "https://h/@a/b"),
        ("https://[::1]:80/a", "https://[::1]:80/a"),
        ("postgresql://weather:pw@h1:1,h2/db?sslmode=require", "postgresql://weather@h1:1,h2/db?…"),
        ("postgresql:///weather", "postgresql:///weather"),
        ("rest:https://user:pw@h:8000/r", "rest:https://h:8000/r"),
        ("sftp:user@h:/srv/restic", "sftp:user@h:/srv/restic"),
        ("/var/lib/weather/a b.db", "/var/lib/weather/a b.db"),
        ("http://h\n\x1b[31m/", r"http://…"),
        (SecretAddress("https://h/KEY/latest?x"), "https://h/…"),
        (SecretAddress("https://h"), "https://h"),
    ],
)
def test_how_an_address_is_shown(address: str, told: str) -> None:
    assert shown(address) == told


@pytest.mark.parametrize(
    "address",
    [
        "https://h/feed?format=csv&station=KSEA",
        "https://h/feed?q=key",
        "https://h/@user/feed",
        "postgresql://weather@h/weather?sslkey=/etc/key.pem&require_auth=scram-sha-256",
        "sftp:user@h:/srv",
        "rest:https://user@h/",
        "/a/path",
    ],
)
def test_what_is_no_secret(address: str) -> None:
    assert secret_in(address) == ""
