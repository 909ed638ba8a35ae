"""What the platform found out about its data, brought from PostgreSQL into the lake before a build: repeating it changes nothing.

Anomalies and quality are written where they are found, by the second; people ask about them beside all else, in curated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from headrace.lake import literals
from headrace.lake.trino import connect, fetch
from headrace.log import get_logger
from headrace.settings import Settings

_LOG = get_logger(__name__)
_ROWS = 200
_SECONDS = 120.0
_OVERLAP = timedelta(hours=1)
"""A row may have been committed later than its own time says."""
_COLUMNS = (
    "select column_name, data_type from information_schema.columns where table_name = %s order by ordinal_position"
)
_TYPES = {
    "text": "varchar",
    "jsonb": "varchar",
    "boolean": "boolean",
    "integer": "integer",
    "bigint": "bigint",
    "double precision": "double",
    "numeric": "decimal(38,10)",
    "date": "date",
    "timestamp with time zone": "timestamp(6) with time zone",
}


@dataclass(frozen=True)
class Found:
    """A table of PostgreSQL, what makes two rows the same, and when a row was changed last, as both engines say it."""

    name: str
    keys: tuple[str, ...]
    changed: str

    @property
    def relation(self) -> str:
        return f"lake.raw.found_{self.name}"


TABLES = (
    Found("anomalies", ("id",), "greatest(last_at, coalesce(closed_at, last_at))"),
    Found("quality", ("table_name", "day", "figure"), "measured_at"),
)


def bring_found(settings: Settings) -> dict[str, int]:
    """How many rows of each were new or written anew."""
    brought: dict[str, int] = {}
    dsn = settings.postgres_dsn("headrace")
    with (
        psycopg.connect(dsn, connect_timeout=5, options="-c timezone=UTC -c statement_timeout=60000") as source,
        connect(settings, service="dbt", timeout=_SECONDS) as lake,
        closing(lake.cursor()) as cursor,
    ):
        for table in TABLES:
            columns = [(str(name), str(kind)) for name, kind in source.execute(_COLUMNS, [table.name]).fetchall()]
            listed = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in columns)
            fetch(cursor, f"create table if not exists {table.relation} ({listed})")
            brought[table.name] = 0
            changed = _changed(source, cursor, table, [name for name, _ in columns])
            while rows := changed.fetchmany(_ROWS):
                fetch(cursor, merge(table, columns, rows))
                brought[table.name] += len(rows)
    _LOG.info("found_brought", **brought)
    return brought


def _changed(source: Any, cursor: Any, table: Found, columns: Sequence[str]) -> psycopg.Cursor:
    """In the lake nothing is newer than the newest that was brought: what changed since, and a little before. A row of the
    future is of a clock that was ahead, and says nothing of what has been brought.
    """
    past = f"where {table.changed} <= current_timestamp"
    ((newest,),) = fetch(cursor, f"select max({table.changed}) from {table.relation} {past}")  # noqa: S608
    since = f" where {table.changed} >= %s" if newest else ""
    sql = f"select {', '.join(columns)} from {table.name}{since} order by {', '.join(table.keys)}"  # noqa: S608
    return source.execute(sql, [newest - _OVERLAP] if newest else [])  # type: ignore[no-any-return]


def merge(table: Found, columns: Sequence[tuple[str, str]], rows: Sequence[tuple[Any, ...]]) -> str:
    names = [name for name, _ in columns]
    values = ", ".join(f"({', '.join(_typed(value, columns[n][1]) for n, value in enumerate(row))})" for row in rows)
    same = " and ".join(f"known.{key} = new.{key}" for key in table.keys)
    changes = ", ".join(f"{name} = new.{name}" for name in names if name not in table.keys)
    return (
        f"merge into {table.relation} as known using (values {values}) as new ({', '.join(names)}) on {same}"  # noqa: S608
        f" when matched then update set {changes}"
        f" when not matched then insert ({', '.join(names)}) values ({', '.join(f'new.{name}' for name in names)})"
    )


def _typed(value: Any, kind: str) -> str:
    """As text, which Trino reads: a document stays the text that it is."""
    if value is None:
        return f"cast(null as {_TYPES[kind]})"
    if isinstance(value, datetime):
        return literals.moment(value)
    if isinstance(value, dict | list):
        value = json.dumps(value)
    return f"cast({literals.text(str(value))} as {_TYPES[kind]})"
