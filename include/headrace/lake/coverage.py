"""The join point of live and historical figures: everything before it is in curated, complete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import psycopg

from headrace.settings import Settings

_ADVANCE = """
insert into coverage (stream, through, built_at) values (%s, %s, now())
on conflict (stream) do update set through = greatest(coverage.through, excluded.through), built_at = now()
"""
_WITHDRAW = "update coverage set through = %(to)s where through > %(to)s returning stream"
_WITHDRAW_HELD = "update live_since set since = %(to)s where since > %(to)s"
_LAST = "select count(*), min(through), min(built_at) from coverage where stream = any(%s)"


def through(settings: Settings, stream: str) -> datetime | None:
    """Events of the stream before this moment are all in curated; None before the first build."""
    with _connect(settings) as connection:
        row = connection.execute("select through from coverage where stream = %s", [stream]).fetchone()
    return row[0] if row else None


def last_build(settings: Settings, streams: Sequence[str]) -> tuple[datetime, datetime] | None:
    """What is curated of all of these streams, and when the build that says so was done; None if one was never built."""
    with _connect(settings) as connection:
        row = connection.execute(_LAST, [list(streams)]).fetchone()
    return (row[1], row[2]) if row and row[0] == len(streams) else None


def advance(settings: Settings, stream: str, through: datetime) -> None:
    """Moves the point forward: a repeated or belated build leaves it where it is."""
    if through.tzinfo is None:
        raise ValueError(f"coverage of {stream} needs a moment with a time zone, got {through!r}")
    with _connect(settings) as connection:
        connection.execute(_ADVANCE, [stream, through])


def withdraw(settings: Settings, moment: datetime) -> list[str]:
    """Takes back, of every stream, what was claimed beyond this moment, after a clock that was ahead; which streams had."""
    with _connect(settings) as connection:
        connection.execute(_WITHDRAW_HELD, {"to": moment})
        return sorted(stream for (stream,) in connection.execute(_WITHDRAW, {"to": moment}).fetchall())


def _connect(settings: Settings) -> psycopg.Connection:
    return psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=5, options="-c timezone=UTC")
