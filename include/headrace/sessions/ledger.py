"""Sessions in PostgreSQL: what may still change, what was closed, and how far the topics were read, in one step.

A restart begins at the offsets that belong to exactly these sessions, so an event is neither lost nor counted twice.
Whether a closed session was told to the topic is a second mark on its row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from headrace.contracts.sessions import Sessions
from headrace.sessions.book import Session
from headrace.sessions.changes import Place
from headrace.settings import Settings

_LOCK = "headrace sessions"
_KEPT = timedelta(days=1)
_TOLD_AT_ONCE = 5000
_COLUMNS = "stream, user_id, first_event, started_at, ended_at, events, by_type"
_OPEN = f"insert into open_sessions ({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s)"  # noqa: S608 - names of columns from above
_CLOSED = f"""
insert into closed_sessions (session_id, closed_at, {_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (session_id) do nothing
"""  # noqa: S608 - names of columns from above
_STREAM = """
insert into session_streams (stream, rule, through, late, repeated, refused) values (%s, %s, %s, %s, %s, %s)
on conflict (stream) do update set rule = excluded.rule, through = excluded.through, late = session_streams.late + excluded.late,
    repeated = session_streams.repeated + excluded.repeated, refused = session_streams.refused + excluded.refused
"""
_PROGRESS = """
insert into session_progress (stream, partition, next_offset) values (%s, %s, %s)
on conflict (stream, partition) do update set next_offset = excluded.next_offset
"""


class AnotherRuns(RuntimeError):
    """Another process keeps these sessions."""


@dataclass(frozen=True)
class Closed:
    """A session that is final since a moment that its events decide."""

    session: Session
    closed_at: datetime


@dataclass
class Step:
    """What one step changed in a stream."""

    stream: str
    rule: Sessions
    """By which all its open sessions are found."""
    through: datetime | None
    touched: list[str]
    open: list[Session]
    """All open sessions of those touched."""
    closed: list[Closed]
    offsets: dict[Place, int]
    late: int = 0
    repeated: int = 0
    refused: int = 0


@dataclass
class Kept:
    offsets: dict[Place, int] = field(default_factory=dict)
    through: dict[str, datetime] = field(default_factory=dict)
    rules: dict[str, Sessions] = field(default_factory=dict)
    """By which its open sessions were found, where that was noted."""
    open: list[Session] = field(default_factory=list)


class Ledger:
    """One connection; with it goes the lock that keeps a second process out."""

    def __init__(self, settings: Settings) -> None:
        self._connection: psycopg.Connection[Any] = psycopg.connect(
            settings.postgres_dsn("headrace"), autocommit=True, connect_timeout=3,
            options="-c statement_timeout=20000 -c timezone=UTC", tcp_user_timeout=20000,
        )  # fmt: skip
        locked = self._connection.execute("select pg_try_advisory_lock(hashtext(%s))", [_LOCK]).fetchone()
        if not locked or not locked[0]:
            self._connection.close()
            raise AnotherRuns("another process keeps the sessions; this one waits until it ends")

    def kept(self) -> Kept:
        fetch = self._fetch
        streams = fetch("select * from session_streams")
        return Kept(
            {(row["stream"], row["partition"]): row["next_offset"] for row in fetch("select * from session_progress")},
            {row["stream"]: row["through"] for row in streams},
            {row["stream"]: Sessions(**row["rule"]) for row in streams if row["rule"]},
            [_session(row) for row in fetch(f"select {_COLUMNS} from open_sessions")],  # noqa: S608
        )

    def write(self, steps: Iterable[Step]) -> None:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for step in steps:
                cursor.execute(
                    "delete from open_sessions where stream = %s and user_id = any(%s)", [step.stream, step.touched]
                )
                cursor.executemany(_OPEN, [_row(session) for session in step.open])
                cursor.executemany(_CLOSED, [(c.session.id, c.closed_at, *_row(c.session)) for c in step.closed])
                counts = step.late, step.repeated, step.refused
                cursor.execute(_STREAM, [step.stream, Jsonb(asdict(step.rule)), step.through, *counts])
                cursor.executemany(_PROGRESS, [(*place, offset) for place, offset in step.offsets.items()])

    def untold(self) -> list[Closed]:
        """Closed sessions that may not be in the topic yet, oldest first."""
        return self._closed("where not told order by closed_at limit %s", [_TOLD_AT_ONCE])

    def told(self, closed: list[Closed]) -> None:
        ids = [one.session.id for one in closed]
        self._connection.execute("update closed_sessions set told = true where session_id = any(%s)", [ids])

    def recent(self, since: datetime) -> list[Closed]:
        return self._closed("where ended_at > %s", [since])

    def tidy(self) -> None:
        """What was told long ago is in the topic and in the lake."""
        self._connection.execute("delete from closed_sessions where told and closed_at < now() - %s", [_KEPT])

    def close(self) -> None:
        self._connection.close()

    def _closed(self, rest: str, arguments: list[Any]) -> list[Closed]:
        sql = f"select closed_at, {_COLUMNS} from closed_sessions {rest}"  # noqa: S608
        return [Closed(_session(row), row["closed_at"]) for row in self._fetch(sql, arguments)]

    def _fetch(self, sql: str, arguments: list[Any] | None = None) -> list[dict[str, Any]]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(sql, arguments).fetchall()


def _row(session: Session) -> tuple[Any, ...]:
    return (
        session.stream,
        session.user_id,
        session.first_event,
        session.started_at,
        session.ended_at,
        session.events,
        Jsonb(session.by_type),
    )


def _session(row: dict[str, Any]) -> Session:
    return Session(*(row[name] for name in _COLUMNS.split(", ")))
