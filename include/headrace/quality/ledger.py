"""Figures in PostgreSQL: one row for each table, day and figure, kept for as long as anybody may ask what a day was worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

import psycopg
from psycopg.types.json import Jsonb

from headrace.quality.figures import NAMES, Figure, Verdict, verdicts
from headrace.settings import Settings

_UPSERT = """
insert into quality (table_name, day, figure, good, counted, unit, threshold, detail, measured_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, now())
on conflict (table_name, day, figure) do update set good = excluded.good, counted = excluded.counted,
    unit = excluded.unit, threshold = excluded.threshold, detail = excluded.detail, measured_at = now()
"""
_SELECT = """
select table_name, day, figure, good, counted, threshold, unit, detail, measured_at from quality
where day between %s and %s and (%s::text[] is null or table_name = any(%s))
order by day desc, split_part(table_name, '.', 1), table_name, array_position(%s, figure)
"""


def write(settings: Settings, figures: Iterable[Figure]) -> None:
    with _connect(settings) as connection, connection.cursor() as cursor:
        cursor.executemany(
            _UPSERT,
            [(f.table, f.day, f.name, f.good, f.counted, f.unit, f.threshold, Jsonb(f.detail)) for f in figures],
        )


def read(settings: Settings, first: date, last: date, tables: Sequence[str] | None = None) -> list[Figure]:
    """Newest day first."""
    asked = None if tables is None else list(tables)
    with _connect(settings) as connection:
        rows = connection.execute(_SELECT, [first, last, asked, asked, list(NAMES)]).fetchall()
    return [_figure(row) for row in rows]


def measured_through(settings: Settings) -> date | None:
    """The newest day of which there is any figure."""
    with _connect(settings) as connection:
        row = connection.execute("select max(day) from quality").fetchone()
    return row[0] if row else None


def newest(settings: Settings, tables: Sequence[str], until: date, days: int = 2) -> list[Verdict]:
    """The newest verdict of each of these tables that is not empty, of the days up to `until`."""
    found: dict[str, Verdict] = {}
    for verdict in verdicts(read(settings, until - timedelta(days=days - 1), until, tables)):
        if verdict.state != "empty":
            found.setdefault(verdict.table, verdict)
    return list(found.values())


def _figure(row: tuple) -> Figure:  # type: ignore[type-arg]
    table, day, name, good, counted, threshold, unit, detail, measured_at = row
    return Figure(table, day, name, good, counted, Decimal(threshold), unit, detail, measured_at)


def _connect(settings: Settings) -> psycopg.Connection:
    return psycopg.connect(
        settings.postgres_dsn("headrace"), connect_timeout=3, options="-c timezone=UTC -c statement_timeout=10000"
    )
