"""PostgreSQL: live windows in `aggregations`, the newest version of each, and, where a setting asks, `raw_events`.

Windows by person stay where the policy guards them, in the live store and the lake. Both tables hold some hours.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from confluent_kafka import Message

from headrace.contracts.model import load_contracts
from headrace.live.rows import Metric
from headrace.settings import Settings
from headrace.sinks.sink import SinkDown
from headrace.sinks.windows import newest_windows
from headrace.streams.topics import METRICS

_WRITE = """
insert into aggregations as known (spec, window_start, late, keys, generation, n, figures)
select * from unnest(%s::text[], %s::timestamptz[], %s::boolean[], %s::jsonb[], %s::bigint[], %s::bigint[], %s::jsonb[])
on conflict (spec, window_start, late, keys) do update
set generation = excluded.generation, n = excluded.n, figures = excluded.figures, updated_at = now()
where (excluded.generation, excluded.n) > (known.generation, known.n)
"""
_WRITE_RAW = """
insert into raw_events (topic, partition, "offset", event_type, arrived_at, key, value)
select * from unnest(%s::text[], %s::int[], %s::bigint[], %s::text[], %s::timestamptz[], %s::bytea[], %s::bytea[])
on conflict do nothing
"""
_FORGET = "delete from aggregations where spec = %s and generation < %s"
_TIDY = "delete from aggregations where window_start < %s"
_TIDY_RAW = "delete from raw_events where arrived_at < %s"


class PostgresSink:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept = settings.aggregations_hours * 3600
        self._raw_kept = settings.raw_events_hours * 3600
        contracts = load_contracts(settings.contracts).values()
        self._people = {field for contract in contracts for field in contract.person_fields}
        self._types = {contract.topic: contract.name for contract in contracts} if self._raw_kept else {}
        self.topics = (METRICS, *self._types)
        self._counting: dict[str, int] = {}
        """The newest counting of a specification that has reached the present: what older ones left is not wanted."""
        self._connection: psycopg.Connection[Any] | None = None

    def write(self, messages: Sequence[Message]) -> None:
        oldest = time.time() - self._kept
        live = (message for message in messages if message.topic() == METRICS)
        windows = (window for window in newest_windows(live) if window.window_start >= oldest)
        kept = [window for window in windows if not self._people & window.keys.keys()]
        self._forget_older(kept)
        kept = [window for window in kept if window.generation >= self._counting.get(window.spec, 0)]
        self._insert(_WRITE, [_columns(window) for window in kept])
        raw = (
            _raw_columns(message, self._types[message.topic()])
            for message in messages
            if message.topic() in self._types
        )
        oldest_raw = _before(self._raw_kept)
        self._insert(_WRITE_RAW, [row for row in raw if row[4] >= oldest_raw])

    def tidy(self) -> None:
        self._execute(_TIDY, [_before(self._kept)])
        self._execute(_TIDY_RAW, [_before(self._raw_kept)])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _forget_older(self, windows: Sequence[Metric]) -> None:
        """A counting of other keys writes other rows, so that it overwrites none of those before it."""
        for window in windows:
            if window.present and window.generation > self._counting.get(window.spec, 0):
                self._execute(_FORGET, [window.spec, window.generation])
                self._counting[window.spec] = window.generation

    def _insert(self, command: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self._execute(command, [list(column) for column in zip(*rows, strict=True)])

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


def _columns(window: Metric) -> tuple[Any, ...]:
    start = datetime.fromtimestamp(window.window_start, UTC)
    keys = {name: _storable(value) for name, value in window.keys.items()}
    return window.spec, start, window.late, json.dumps(keys), window.generation, window.n, json.dumps(window.values)


def _storable(value: Any) -> Any:
    """PostgreSQL's text has no character of number zero; an event may."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _before(seconds: int) -> datetime:
    return datetime.fromtimestamp(time.time() - seconds, UTC)


def _raw_columns(message: Message, event_type: str) -> tuple[Any, ...]:
    """The bytes as they came: they may be anything, and text would have to be refused."""
    arrived = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
    place = message.topic(), message.partition(), message.offset()
    return *place, event_type, arrived, message.key(), message.value()
