"""Signing in to the console, and who would like to without: over HTTP, at a service that runs, on both engines."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests import preloaded
from tests.conftest import TOOL, Run
from tests.console import PASSWORD, Client, Console
from tests.databases import change, query
from tests.documents import ROOT
from toolkit.store import open_for_writing
from toolkit.store.accounts import IDLE_SECONDS, LONGEST_SECONDS

KEY = "the key that only the proxy has"
ACTION = "incidents/1/note"


Running = Callable[[str], Console]


@pytest.fixture(scope="module")
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service on a store of an engine, which the tests of this file share: to start it takes longer than most."""
    services: dict[str, Console] = {}

    def of(engine: str) -> Console:
        if engine not in services:
            folder = tmp_path_factory.mktemp(engine)
            db = str(folder / "weather.db")
            if engine == "postgresql":
                db = request.getfixturevalue("postgresql").database(f"people_{uuid4().hex}")
            services[engine] = begun(db, folder)
        # As if it were new: nobody is signed in, and nobody but maria has an account.
        service = services[engine]
        change(service.db, "DELETE FROM sessions")
        if query(service.db, "SELECT name, role FROM accounts") != [("maria", "operator")]:
            change(service.db, "DELETE FROM accounts")
            service.forget()
            service.account("maria")
        return service

    yield of
    for service in services.values():
        service.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, kept: Running) -> Console:
    """A service on a store of each engine, with maria, an operator."""
    return kept(request.param)


@pytest.fixture
def console(kept: Running) -> Console:
    """The same on SQLite, for what the store has no part in."""
    return kept("sqlite")


@pytest.fixture
def own(db: str, tmp_path: Path) -> Iterator[Console]:
    """A service of each engine for one test: one that stops it, or sends it more wrong words than others could bear."""
    service = begun(db, tmp_path)
    yield service
    service.stop()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Console]:
    """The same on SQLite, for what the store has no part in."""
    service = begun(str(tmp_path / "weather.db"), tmp_path)
    yield service
    service.stop()


def begun(db: str, folder: Path) -> Console:
    """Start a service on an empty store; a proxy's key is among its credentials, and maria has an account."""
    with open_for_writing(db):
        pass
    (folder / "credentials").mkdir()
    (folder / "credentials" / "console_proxy_key").write_text(KEY)
    service = Console(db, folder, CREDENTIALS_DIRECTORY=str(folder / "credentials"))
    service.account("maria")
    return service


def post(console: Console, name: str, password: str, **headers: str) -> requests.Response:
    return requests.post(
        f"{console.root}data/session", json={"name": name, "password": password}, headers=headers, timeout=30
    )


def person(client: Client) -> Any:
    return client.json("about")["person"]


def test_an_operator_acts_a_viewer_looks_and_nobody_else_does(either: Console) -> None:
    nobody, maria, nikos = Client(either), either.session("maria"), either.session("Νίκος", "viewer")
    assert nobody.json("about")["sign_in"] is True
    assert (person(nobody), person(maria)) == (None, {"name": "maria", "role": "operator"})
    assert person(nikos) == {"name": "Νίκος", "role": "viewer"}
    body = {"note": "on Tuesday"}
    assert nobody.post(ACTION, body).status_code == 401
    refused = nikos.post(ACTION, body)
    assert (refused.status_code, "Νίκος may look, and not act" in refused.json()["detail"]) == (403, True)
    assert maria.post(ACTION, body).status_code not in {401, 403}  # there is no such incident
    for one in (nobody, nikos, maria):
        assert one.get("incidents").status_code == 200
        assert "no-store" in one.get("about").headers["Cache-Control"]
    assert "private" in maria.get("incidents").headers["Cache-Control"]


def test_the_cookie_is_the_browsers_alone(console: Console) -> None:
    begun = post(console, "maria", PASSWORD)
    assert (begun.status_code, begun.text) == (204, "")
    cookie = begun.headers["Set-Cookie"]
    assert re.fullmatch(
        r"weather_session=[\w-]{43}; HttpOnly; Max-Age=604800; Path=/console; SameSite=strict", cookie
    ), cookie
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/weather"}
    cookie = post(console, "maria", PASSWORD, **told).headers["Set-Cookie"]
    assert "; Path=/weather/console;" in cookie
    assert cookie.endswith("; Secure")
    host = console.origin.removeprefix("http://")
    assert post(console, "maria", PASSWORD, Origin=f"https://{host}").headers["Set-Cookie"].endswith("; Secure")
    token = cookie.split("=", 1)[1].split(";")[0]
    kept = query(console.db, "SELECT digest, name FROM sessions")
    assert len(kept) == 3
    assert token not in str(kept)


def test_a_session_ends_by_signing_out_and_with_the_account(either: Console) -> None:
    maria, elsewhere = either.session("maria"), either.session("maria")
    token = maria.http.cookies["weather_session"]
    del maria.http.headers["X-CSRF-Token"]
    address = f"{either.root}data/session"
    assert maria.http.delete(address, timeout=30).status_code == 403
    maria.http.headers["X-CSRF-Token"] = maria.json("about")["csrf"]
    assert maria.http.delete(address, timeout=30).status_code == 204
    assert person(maria) is None
    maria.http.cookies.set("weather_session", token)  # which somebody had copied
    assert (person(maria), maria.post(ACTION, {}).status_code) == (None, 401)
    for words, said in (
        (("role", "maria", "viewer"), ""), (("password", "maria"), "Another long word, 8\n"), (("remove", "maria"), ""),
    ):  # fmt: skip
        if not person(elsewhere):
            password = PASSWORD if words[0] == "password" else said or "Another long word, 8"
            assert elsewhere.post("session", {"name": "maria", "password": password}).ok
        either.run("accounts", *words, said=said)
        wait_until(lambda: person(elsewhere) is None)
    assert post(either, "maria", "Another long word, 8").status_code == 401


def is_nobody(client: Client) -> bool:
    return person(client) is None


def wait_until(holds: Callable[[], bool]) -> None:
    """What another process stored is seen within a second."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_session_ends_by_itself(either: Console) -> None:
    """By age, by idleness, or because the clock was wrong when it began."""
    for column, seconds in (("started", LONGEST_SECONDS + 5), ("seen", IDLE_SECONDS + 5), ("started", -3600)):
        maria = either.session("maria")
        with open_for_writing(either.db) as store, store.transaction():
            engine = store.accounts._dialect
            engine.many(f"UPDATE sessions SET {column} = ?", [(engine.time(time.time() - seconds),)])
        wait_until(partial(is_nobody, maria))


def test_use_is_noted_now_and_then(either: Console) -> None:
    maria = either.session("maria")
    with open_for_writing(either.db) as store, store.transaction():
        engine = store.accounts._dialect
        engine.many("UPDATE sessions SET seen = ?", [(engine.time(time.time() - 3600),)])

    def noted() -> bool:
        assert person(maria)
        with open_for_writing(either.db) as store:
            ((seen,),) = store.accounts._dialect.query(f"SELECT {engine.seconds('seen')} FROM sessions")
        return bool(seen > time.time() - 60)

    wait_until(noted)


def test_a_token_that_was_planted_is_not_the_one_that_is_signed_in(console: Console) -> None:
    client, planted = Client(console), "p" * 43
    client.http.cookies.set("weather_session", planted, path="/console")
    client.sign_in("maria")
    stranger = Client(console)
    stranger.http.cookies.set("weather_session", planted)
    assert person(stranger) is None
    before = next(one.value for one in client.http.cookies if one.value != planted)
    again = Client(console)
    again.http.cookies.set("weather_session", before or "", path="/console")
    again.sign_in("maria")  # the session that the browser had ends
    assert query(console.db, "SELECT COUNT(*) FROM sessions") == [(1,)]


def test_what_is_no_token_is_nobody(console: Console) -> None:
    for token in ("", "x", "a" * 43, "a" * 5000, "../../x", "a" * 42 + "é", '"', "0" * 64):
        cookie = {"Cookie": f"weather_session={token}".encode()}
        answer = requests.get(f"{console.root}data/about", headers=cookie, timeout=30)
        assert (answer.status_code, answer.json()["person"]) == (200, None), token


def test_what_another_site_sends_is_refused(console: Console) -> None:
    maria = console.session("maria")
    host = console.origin.removeprefix("http://")
    for told in (
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"http://{host}.evil.example"},
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site", "Origin": console.origin},
        {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "é"},
    ):  # fmt: skip
        headers = {name: value.encode() for name, value in told.items()}
        answer = maria.http.post(f"{console.root}data/{ACTION}", json={}, headers=headers, timeout=30)
        assert answer.status_code == 403, told
        if "X-CSRF-Token" not in told:
            assert post(console, "maria", PASSWORD, **told).status_code == 403, told
    assert post(console, "maria", PASSWORD, Origin=console.origin).status_code == 204
    assert post(console, "maria", PASSWORD, **{"Sec-Fetch-Site": "same-origin"}).status_code == 204
    # What a form of another site can send without being asked is no JSON.
    form = requests.post(
        f"{console.root}data/session", data=json.dumps({"name": "maria", "password": PASSWORD}),
        headers={"Content-Type": "text/plain"}, timeout=30,
    )  # fmt: skip
    assert form.status_code == 400
    # The token of one session is nothing in another.
    other = console.session("eleni")
    maria.http.headers["X-CSRF-Token"] = other.http.headers["X-CSRF-Token"]
    assert maria.post(ACTION, {}).status_code == 403


def test_guessing_is_slow_and_locks_nobody_out(alone: Console) -> None:
    def guess(name: str, client: str) -> int:
        return post(alone, name, "a wrong password", **{"X-Forwarded-For": client}).status_code

    known = {"X-Forwarded-For": "192.0.2.1"}
    assert post(alone, "maria", PASSWORD, **known).status_code == 204
    assert [guess("eleni", "198.51.100.1") for _ in range(11)] == [401] * 10 + [429]
    answer = post(alone, "maria", PASSWORD, **{"X-Forwarded-For": "198.51.100.1"})
    assert (answer.status_code, 1 <= int(answer.headers["Retry-After"]) <= 60) == (429, True)
    # From a hundred places, each with its own bound: the name has one, too, whether there is such an account or not.
    for name in ("maria", "nobody"):
        assert [guess(name, f"203.0.113.{place}") for place in range(12)] == [401] * 10 + [429] * 2
    # She is still known where she signed in before.
    for _ in range(12):
        assert post(alone, "maria", PASSWORD, **known).status_code == 204
    # One client of IPv6 has a network of addresses.
    assert [guess("eva", f"2001:db8::{place}") for place in range(11)] == [401] * 10 + [429]


def test_an_unknown_name_takes_as_long_as_a_known_one(alone: Console) -> None:
    """By the processor's time: a hash is verified for both."""

    def spent(name: str) -> int:
        before = ticks(alone)
        for place in range(9):
            assert post(alone, name, "a wrong word", **{"X-Forwarded-For": f"192.0.2.{place}"}).status_code == 401
        return ticks(alone) - before

    spent("the first, which loads the library")
    assert 2 * spent("nobody") >= spent("maria") >= 9


def ticks(console: Console) -> int:
    """The processor's time that the service took, in hundredths of a second."""
    fields = Path(f"/proc/{console.service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_hash_that_somebody_wrote_lets_nobody_in(own: Console) -> None:
    rest = "$c29tZXNhbHQxMjM0NTY$c29tZWhhc2gxMjM0NTY3ODkwMTIzNDU2"
    for stored, password in (
        (f"$argon2id$v=19$m=99999999,t=3,p=1{rest}", PASSWORD), (f"$argon2id$v=19$m=999999,t=3,p=1{rest}", PASSWORD),
        (f"$argon2i$v=19$m=4096,t=3,p=1{rest}", PASSWORD), ("$argon2id$v=19$m=12288,t=3,p=1$!$!", PASSWORD),
        ("", ""), (PASSWORD, PASSWORD), ("x" * 100_000, PASSWORD),
    ):  # fmt: skip
        change(own.db, f"UPDATE accounts SET password = '{stored}'")
        assert post(own, "maria", password).status_code == 401, stored[:60]


def test_what_is_too_much_or_no_request_is_refused(console: Console) -> None:
    address = f"{console.root}data/session"
    headers = {"Content-Type": "application/json"}
    for body, status in (
        (b"{", 400), (b"[]", 400), (b'{"name": "maria"}', 400), (b'{"name": 1, "password": "x"}', 400),
        (b'{"name": "", "password": "x"}', 401), (b'{"name": "detector", "password": "x"}', 401),
        (json.dumps({"name": "n" * 9999, "password": "x"}).encode(), 401),
        (json.dumps({"name": "maria", "password": "x" * 9999}).encode(), 401),
        (b'{"name": "maria", "password": "\\ud800"}', 401),
        (b"[" * 30_000, 400), (b"x" * 33_000, 413),
    ):  # fmt: skip
        assert requests.post(address, body, headers=headers, timeout=30).status_code == status, body[:40]

    def endless() -> Iterator[bytes]:
        for _ in range(100_000):
            yield b"x" * 65536

    with suppress(requests.ConnectionError):  # it may be closed while it is still sending
        assert requests.post(address, endless(), headers=headers, timeout=30).status_code == 413
    assert person(Client(console)) is None
    log = console.service.log
    assert "x" * 40 not in log
    assert "Traceback" not in log


def test_who_sends_slowly_is_not_waited_for(console: Console) -> None:
    with socket.create_connection(("127.0.0.1", console.port), timeout=60) as slow:
        slow.sendall(
            b"POST /console/data/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 30000\r\n\r\n{"
        )
        answer = slow.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_proxy_on_this_host_says_who_it_is(either: Console) -> None:
    def told(name: bytes | str, key: str = KEY, **further: str) -> Client:
        client = Client(either)
        client.http.headers.update({"X-Forwarded-User": name, "X-Forwarded-Key": key, **further})
        return client

    maria = told("maria")
    about = maria.json("about")
    assert (about["person"], about["sign_out"]) == ({"name": "maria", "role": "operator"}, False)
    assert maria.post(ACTION, {}).status_code == 403
    maria.http.headers["X-CSRF-Token"] = about["csrf"]
    assert maria.post(ACTION, {"note": "x"}).status_code not in {401, 403}
    assert person(told("Νίκος".encode())) == {"name": "Νίκος", "role": "viewer"}  # who has no account may look
    for client in (
        told("maria", "another key"), told("maria", ""), told("maria", KEY + "x"), told("maria", "é" * 9), told(""),
        told("detector"), told(b"\xff\xfe"), told("n" * 99),
    ):  # fmt: skip
        assert person(client) is None
    either.run("accounts", "remove", "maria")
    wait_until(lambda: person(told("maria"))["role"] == "viewer")


def test_a_key_that_is_too_short_is_no_key(run: Run, db: str, tmp_path: Path) -> None:
    with open_for_writing(db):
        pass
    (tmp_path / "console_proxy_key").write_text("short")
    done = run("api", "127.0.0.1:9106", WEATHER_DB=db, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "console_proxy_key is too short: give at least 16" in done.stderr


def test_looking_follows_the_api(own: Console, tmp_path: Path) -> None:
    own.stop()
    (tmp_path / "credentials" / "api_tokens").write_text("0123456789abcdef\n")
    own.start()
    nobody = Client(own)
    assert nobody.json("about")["closed"] is True
    assert nobody.get("incidents").status_code == 401
    assert own.session("maria").get("incidents").status_code == 200


def test_sessions_outlast_the_service(alone: Console) -> None:
    maria = alone.session("maria")
    alone.kill()
    alone.start()
    assert person(maria) == {"name": "maria", "role": "operator"}
    assert maria.post(ACTION, {}).status_code not in {401, 403}


# The command


@pytest.fixture
def tool(environment: dict[str, str], db: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `weather-tool accounts` on an empty store; `said` is its standard input."""
    with open_for_writing(db):
        pass

    def call(*words: str, said: str = "") -> subprocess.CompletedProcess[str]:
        return preloaded.run([TOOL, "accounts", *words], {**environment, "WEATHER_DB": db}, said)

    return call


def test_accounts_are_kept_by_the_command(tool: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    def does(*words: str, said: str = "", code: int = 0) -> str:
        done = tool(*words, said=said)
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout

    assert does("list").startswith("nobody has an account")
    assert does("add", "maria", "--role", "viewer", said=f"{PASSWORD}\n") == "maria may sign in, as viewer\n"
    assert "has an account already" in does("add", "maria", "--role", "viewer", said=f"{PASSWORD}\n", code=1)
    assert "too alike" in does("add", "Maria", "--role", "viewer", said=f"{PASSWORD}\n", code=2)
    assert does("role", "maria", "operator") == "maria is operator, and is signed out\n"
    assert does("role", "maria", "operator") == "maria is operator already\n"
    (one,) = json.loads(does("list", "--json"))
    assert (one["name"], one["role"], one["kept_by"], one["sessions"]) == ("maria", "operator", "people", 0)
    assert "did you mean maria?" in does("remove", "mari", code=1)
    for name in ("", "detector", "n" * 65, "\x1b[2J"):
        said = does("add", name, "--role", "viewer", said=f"{PASSWORD}\n", code=0 if "[" in name else 2)
        assert "\x1b" not in said
    for said, why in (
        ("", "standard input: give the password"), ("short\n", "5 characters: give 12 to 128"),
        ("x" * 129, "129 characters"), ("aaaaaaaaaaaaaaa", "easily guessed"), ("maria-maria-7!", "easily guessed"),
    ):  # fmt: skip
        told = does("password", "maria", said=said, code=2)
        assert why in told
        assert not said.strip() or said.strip() not in told
    assert does("remove", "maria") == "maria has no account any more\n"


def test_an_inventory_declares_accounts(tool: Callable[..., subprocess.CompletedProcess[str]], db: str) -> None:
    def apply(*entries: dict[str, str], code: int = 0) -> Any:
        done = tool("apply", "--json", said=json.dumps(entries))
        assert (done.returncode, PASSWORD in done.stderr) == (code, False), done.stderr
        return done.stderr if code else json.loads(done.stdout)

    assert tool("add", "eleni", "--role", "viewer", said=PASSWORD).returncode == 0
    maria = {"name": "maria", "role": "operator", "password": PASSWORD}
    nikos = {
        "name": "nikos", "role": "viewer",
        "password_hash": "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQxMjM0NTY$c29tZWhhc2gxMjM0NTY3ODkwMTIzNDU2",
    }  # fmt: skip
    assert apply(maria, nikos) == {"changed": ["maria", "nikos"], "removed": []}
    assert apply(nikos, maria) == {"changed": [], "removed": []}
    by_proxy = {"name": "eva", "role": "operator"}
    assert apply(nikos, maria, by_proxy)["changed"] == ["eva"]
    assert apply(nikos, maria) == {"changed": [], "removed": ["eva"]}
    assert apply(maria | {"role": "viewer"}) == {"changed": ["maria"], "removed": ["nikos"]}
    assert apply() == {"changed": [], "removed": ["maria"]}
    assert [name for (name,) in query(db, "SELECT name FROM accounts")] == ["eleni"]
    assert apply(maria | {"name": "eleni"}) == {"changed": ["eleni"], "removed": []}  # it is the inventory's now
    for entry, why in (
        (maria | {"role": "root"}, "account 1 (maria): role: give viewer or operator"),
        (maria | {"pasword": "x"}, "did you mean password?"),
        (maria | {"password_hash": nikos["password_hash"]}, "either a password or a password_hash"),
        (nikos | {"password_hash": "$6$x$y"}, "account 1 (nikos): password_hash: it is no hash"),
        (maria | {"password": "short"}, "maria: the password has 5 characters"),
        ({"name": ""}, "account 1: name=''"),
    ):  # fmt: skip
        assert why in apply(entry, code=2)
    assert "too alike" in apply(maria, maria | {"name": "MARIA"}, code=2)
    assert "too alike" in apply(maria, maria, code=2)
    done = tool("apply", said="{")
    assert (done.returncode, "in JSON" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        ((PASSWORD, PASSWORD), 0, "maria may sign in, as viewer"),
        ((PASSWORD, PASSWORD + "x"), 2, "the two passwords differ: nothing was changed"),
        (("\x04",), 2, "nothing was typed: nothing was changed"),
    ],
)
def test_a_password_is_asked_for_twice_on_a_terminal(
    environment: dict[str, str], tmp_path: Path, typed: tuple[str, ...], code: int, says: str
) -> None:
    db = str(tmp_path / "weather.db")
    with open_for_writing(db):
        pass
    code_, said = at_a_terminal(
        [TOOL, "accounts", "add", "maria", "--role", "viewer"], typed, {**environment, "WEATHER_DB": db}
    )
    assert code_ == code, said
    assert says in said
    assert PASSWORD not in said


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ((PASSWORD, PASSWORD), f"reads '{PASSWORD}\\n'"),
        ((PASSWORD, PASSWORD + "x"), "OSError: the two passwords differ"),
        (("\x04",), "OSError: nothing was typed"),
    ],
)
def test_the_hosts_command_asks_for_a_password_and_hands_over_no_terminal(
    environment: dict[str, str], typed: tuple[str, ...], says: str
) -> None:
    """What root's `weather-tool` gives to the command, which runs as the service user and has no terminal."""
    launcher = ROOT / "roles/weather/files/weather-tool"
    looks = (
        f"import os, runpy; given = runpy.run_path({str(launcher)!r})['standard_input'](['accounts', 'add', 'maria']); "
        "print('reads', repr(open(given).read()))"
    )
    _, said = at_a_terminal([sys.executable, "-c", looks], typed, environment)
    assert says in said


def at_a_terminal(command: list[str], typed: tuple[str, ...], environment: dict[str, str]) -> tuple[int, str]:
    """What a command ends with and says to somebody who answers its prompts, each when it has come."""
    ours, terminal = os.openpty()
    with subprocess.Popen(
        command, env=environment, stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, text=True,
        start_new_session=True,
    ) as asking:  # fmt: skip
        shown = ""
        for text, prompt in zip(typed, ("assword", "once more: "), strict=False):
            while prompt not in shown:
                shown += os.read(ours, 1024).decode()
            os.write(ours, text.encode() if text < " " else f"{text}\n".encode())
            shown = shown.replace("assword", "")
        said = asking.communicate(timeout=60)[0]
    os.set_blocking(ours, False)
    with suppress(BlockingIOError):
        shown += os.read(ours, 4096).decode()
    os.close(ours)
    os.close(terminal)
    return asking.returncode, said + shown


def test_no_account_is_begun_without_a_store(run: Run, tmp_path: Path) -> None:
    gone = tmp_path / "none.db"
    done = run("accounts", "remove", "maria", WEATHER_DB=str(gone))
    assert (done.returncode, gone.exists()) == (1, False)
    assert "is gone" in done.stderr
