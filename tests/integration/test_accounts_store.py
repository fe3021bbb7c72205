"""Accounts and sessions in the store of either engine: what is kept, what a backup brings back, what is removed."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import Run
from tests.databases import change, query
from tests.postgresql import Server
from toolkit.store import open_for_reading, open_for_writing
from toolkit.store.accounts import IDLE_SECONDS, LONGEST_SECONDS, Account, Session

TIME = 1_763_827_200
MARIA = Account("maria", "operator", "$argon2id$maria", "people", TIME)
NIKOS = Account("Νίκος", "viewer", "$argon2id$nikos", "inventory", TIME)


def fill(db: str) -> None:
    with open_for_writing(db) as store, store.transaction():
        for one in (NIKOS, MARIA):
            store.accounts.put(one)
            store.accounts.begin(f"digest of {one.name}", one.name, TIME, 3)


def test_what_is_written_is_read(db: str) -> None:
    fill(db)
    with open_for_reading(db) as store:
        assert store.accounts.all() == [MARIA, NIKOS]
        assert store.accounts.find("maria") == MARIA
        assert store.accounts.find("Maria") is None
        assert store.accounts.session("digest of maria") == Session("maria", "operator", TIME, TIME)
        assert store.accounts.session("another") is None
        assert store.accounts.number_of_sessions() == {"maria": 1, "Νίκος": 1}


def test_sessions_end_with_what_they_were_begun_for(db: str) -> None:
    fill(db)
    with open_for_writing(db) as store, store.transaction():
        store.accounts.put(MARIA._replace(role="viewer"))
        store.accounts.remove("Νίκος")
        assert store.accounts.all() == [MARIA._replace(role="viewer")]
        assert store.accounts.number_of_sessions() == {}


def test_a_person_has_a_bounded_number_of_sessions(db: str) -> None:
    fill(db)
    with open_for_writing(db) as store, store.transaction():
        for number in range(4):
            store.accounts.begin(str(number), "maria", TIME + number, 3)
        store.accounts.begin("before", "maria", TIME - 60, 3)  # the clock was set back: who signs in is not shut out
        assert store.accounts.number_of_sessions() == {"maria": 3, "Νίκος": 1}
        assert [bool(store.accounts.session(one)) for one in ("1", "2", "3", "before")] == [False, True, True, True]


def test_maintenance_removes_sessions_that_have_ended(run: Run, db: str) -> None:
    fill(db)
    with open_for_writing(db) as store:
        for started, seen, kept in (
            (LONGEST_SECONDS - 9, 9, True), (9, 9, True), (LONGEST_SECONDS + 9, 9, False), (IDLE_SECONDS + 9, 0, False),
        ):  # fmt: skip
            with store.transaction():
                store.accounts.begin("one", "maria", TIME - started, 9)
                if seen:
                    store.accounts.note_seen("one", TIME - seen)
                store.accounts.end_old(TIME)
                assert (store.accounts.session("one") is not None) is kept
                store.accounts.end(["one"])
    assert run("maintain", WEATHER_DB=db).returncode == 0
    assert query(db, "SELECT COUNT(*) FROM sessions") == [(0,)]  # they are of 2025


def test_rows_of_others_are_nobody(db: str) -> None:
    fill(db)
    change(db, "UPDATE accounts SET role = 'root'")
    with open_for_reading(db) as store:
        assert store.accounts.all() == []
        assert store.accounts.session("digest of maria") is None


def test_a_restore_brings_back_neither_a_removed_account_nor_a_session(run: Run, db: str) -> None:
    fill(db)
    assert run("backup", "create", WEATHER_DB=db).returncode == 0
    with open_for_writing(db) as store, store.transaction():
        store.accounts.put(MARIA._replace(password="$argon2id$new"))
        store.accounts.remove("Νίκος")
        store.accounts.begin("since", "maria", TIME, 3)
    done = run("restore", "LATEST", WEATHER_DB=db)
    assert (done.returncode, "accounts" in done.stderr) == (0, False), done.stderr
    with open_for_reading(db) as store:
        assert store.accounts.all() == [MARIA._replace(password="$argon2id$new")]
        assert store.accounts.number_of_sessions() == {}
    with open_for_writing(db) as store, store.transaction():
        store.accounts.remove("maria")  # a database that was lost and began anew
    assert run("restore", "LATEST", WEATHER_DB=db).returncode == 0
    with open_for_reading(db) as store:
        assert store.accounts.all() == [MARIA, NIKOS]
        assert store.accounts.number_of_sessions() == {}


def test_who_may_read_every_table_may_not_read_these(postgresql: Server) -> None:
    db = postgresql.database("test_readers")
    with psycopg.connect(db) as connection:
        connection.execute("DO $$ BEGIN CREATE ROLE console_reader; EXCEPTION WHEN duplicate_object THEN END $$")
        connection.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO console_reader, PUBLIC")
    fill(db)
    with psycopg.connect(db) as connection:
        connection.execute("SET ROLE console_reader")
        assert connection.execute("SELECT COUNT(*) FROM stations").fetchone() == (0,)
        for table in ("accounts", "sessions"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(f"SELECT * FROM {table}")
