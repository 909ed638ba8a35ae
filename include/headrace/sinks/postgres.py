"""Live windows as rows of PostgreSQL: table `aggregations`, one row a window and keys, the newest version only.

Windows by person stay where the policy guards them, in the live store and the lake.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from confluent_kafka import Message

from headrace.contracts.model import load_contracts
from headrace.settings import Settings
from headrace.sinks.sink import SinkDown
from headrace.sinks.windows import Window, newest_windows
from headrace.streams.topics import METRICS

_WRITE = """
insert into aggregations as known (spec, window_start, late, keys, generation, n, figures)
select * from unnest(%s::text[], %s::timestamptz[], %s::boolean[], %s::jsonb[], %s::bigint[], %s::bigint[], %s::jsonb[])
on conflict (spec, window_start, late, keys) do update
set generation = excluded.generation, n = excluded.n, figures = excluded.figures, updated_at = now()
where (excluded.generation, excluded.n) > (known.generation, known.n)
"""
_TIDY = "delete from aggregations where window_start < %s"


class PostgresSink:
    topics: tuple[str, ...] = (METRICS,)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept = settings.aggregations_hours * 3600
        self._people = {f for c in load_contracts(settings.contracts).values() for f in c.person_fields}
        self._connection: psycopg.Connection[Any] | None = None

    def write(self, messages: Sequence[Message]) -> None:
        oldest = time.time() - self._kept
        windows = (window for window in newest_windows(messages) if window.window_start >= oldest)
        if kept := [window for window in windows if not self._people & window.keys.keys()]:
            self._execute(_WRITE, [list(column) for column in zip(*map(_columns, kept), strict=True)])

    def tidy(self) -> None:
        self._execute(_TIDY, [datetime.fromtimestamp(time.time() - self._kept, UTC)])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _execute(self, command: str, arguments: list[Any]) -> None:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(
                    self._settings.postgres_dsn("headrace"), autocommit=True, connect_timeout=3,
                    options="-c statement_timeout=30000", tcp_user_timeout=5000,
                )  # fmt: skip
            self._connection.execute(command, arguments)
        except psycopg.Error as error:
            self.close()
            raise SinkDown(f"PostgreSQL: {error}") from error


def _columns(window: Window) -> tuple[Any, ...]:
    start = datetime.fromtimestamp(window.window_start, UTC)
    keys, figures = json.dumps(window.keys), msgspec.json.encode(window.values).decode()
    return window.spec, start, window.late, keys, window.generation, window.n, figures
