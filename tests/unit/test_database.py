from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from toolkit.database import PostgreSQLDatabase, SQLiteDatabase, database
from toolkit.kinds import DATABASE


@pytest.mark.parametrize("text", ["/var/lib/weather/data/weather_stream.db", "/a/b c.db"])
def test_a_path_is_a_file(text: str) -> None:
    found = DATABASE.parse(text)
    assert found == SQLiteDatabase(Path(text)) == database(text) == database(found)
    assert (str(found), found.file) == (text, Path(text))


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("postgresql://weather@h/weather", 5432),
        ("postgres://h:1234/w?sslmode=require", 1234),
        ("postgresql:///w", 5432),
    ],
)
def test_an_address_is_on_a_server(text: str, port: int) -> None:
    found = DATABASE.parse(text)
    assert found == PostgreSQLDatabase(text) == database(text)
    assert (str(found), found.file, found.port) == (text, None, port)


@pytest.mark.parametrize("text", ["mysql://h/w", "postgresql+psycopg://h/w", "file:///a.db"])
def test_what_no_engine_knows_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="give the path of an SQLite file, or postgresql://USER@HOST/DATABASE"):
        DATABASE.parse(text)


@pytest.mark.parametrize("engine", [SQLiteDatabase.engine, PostgreSQLDatabase.engine])
def test_an_engine_offers_all_its_parts(engine: str) -> None:
    """They are found by name: a type checker does not see what is missing."""
    for module, names in {
        f"toolkit.store.{engine}": ("open_for_writing", "open_for_reading", "schema"),
        f"toolkit.backup.{engine}.snapshot": ("ENDING", "VERSION", "size_bytes", "snapshot", "inspect"),
        f"toolkit.backup.{engine}.restore": ("put", "undo", "scratch"),
        f"toolkit.query.{engine}": ("answering",),
    }.items():
        assert [name for name in names if not hasattr(import_module(module), name)] == []
