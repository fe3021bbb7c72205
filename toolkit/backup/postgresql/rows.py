"""A snapshot of rows alone, as COPY writes them: of a database whose tables pg_dump cannot dump.

The file is SQL that psql takes: for each table a COPY command, its rows, and the line that ends them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psycopg
from psycopg import sql

# How the file begins, to the byte: nothing else but tables may be in it.
HEADER = (
    b"-- Rows of a database of weather-tool with TimescaleDB. weather-tool restore takes them; psql puts them into\n"
    b"-- empty tables of the same schema.\n"
    b"SET client_encoding = 'UTF8';\n"
    b"SET datestyle = ISO;\n"
)
END = b"\\.\n"
_COLUMNS = """
SELECT quote_ident(attname) FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""


def write(connection: psycopg.Connection, tables: Iterable[str], to: Path) -> None:
    """Write the rows of tables as the connection's transaction sees them.

    Raises:
        psycopg.Error: one cannot be read.
        OSError: the file cannot be written.
    """
    # As pg_dump sets them: numbers to the last bit, times as this program compares them.
    connection.execute("SET LOCAL datestyle TO ISO; SET LOCAL extra_float_digits TO 3")
    with to.open("wb") as file, connection.cursor() as cursor:
        file.write(HEADER)
        for table in tables:
            columns = ", ".join(name for (name,) in connection.execute(_COLUMNS, (table,)))
            file.write(f"COPY {table} ({columns}) FROM stdin;\n".encode())
            with cursor.copy(sql.SQL(f"COPY (SELECT {columns} FROM {table}) TO STDOUT")) as rows:
                for row in rows:
                    file.write(row)
            file.write(END)
