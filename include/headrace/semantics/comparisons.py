"""What comparing live and lake found, in PostgreSQL: a row a window, and from when on the live store must hold windows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from headrace.settings import Settings

State = Literal[
    "equal", "differs", "missing_live", "missing_lake", "compared", "begun", "uncovered", "filling", "unreachable"
]
"""Of a window's figures; the others are of a whole run in which nothing could be compared."""
EVERYTHING = "*"
"""The measure of a row that stands for a whole window, or for a whole run; its figures are events."""
_EQUAL_KEPT = timedelta(days=30)
_INSERT = """
insert into reconciliation (run_at, spec, window_start, keys, measure, live, lake, late, state)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_HOLD = """
insert into live_since (spec, since) values (%s, %s)
on conflict (spec) do update set since = greatest(live_since.since, excluded.since)
"""


@dataclass(frozen=True)
class Row:
    window_start: datetime
    keys: dict[str, str | None]
    measure: str
    live: Decimal | None
    lake: Decimal | None
    late: Decimal | None
    state: State


def held_since(settings: Settings, spec: str) -> datetime | None:
    """Windows that begin from here on were never freed; None before the first comparison."""
    with connect(settings) as connection:
        row = connection.execute("select since from live_since where spec = %s", [spec]).fetchone()
    return row[0] if row else None


def write(settings: Settings, spec: str, now: datetime, rows: Iterable[Row], *, held_since: datetime | None) -> None:
    """In one step with the mark: what is not compared again is in the ledger."""
    values = [(now, spec, r.window_start, Jsonb(r.keys), r.measure, r.live, r.lake, r.late, r.state) for r in rows]
    with connect(settings) as connection, connection.cursor() as cursor:
        cursor.executemany(_INSERT, values)
        if held_since:
            cursor.execute(_HOLD, (spec, held_since))
        cursor.execute(
            "delete from reconciliation where spec = %s and state = 'equal' and run_at < %s", (spec, now - _EQUAL_KEPT)
        )


def connect(settings: Settings) -> psycopg.Connection[Any]:
    return psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=5, options="-c timezone=UTC")
