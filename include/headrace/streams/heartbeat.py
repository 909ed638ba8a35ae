"""How a streaming job tells that it lives and how far it is, in the table that Airflow and the lake watch.

A heartbeat that cannot be written is logged and no more: a job must not die of its own pulse.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psutil
import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from headrace.log import get_logger
from headrace.settings import Settings

log = get_logger(__name__)

_BEAT = """
insert into streams as s (job, handle, state, started_at, heartbeat_at, batch_id, lag, landed_through, detail)
values (%(job)s, %(handle)s, %(state)s, now(), now(), %(batch_id)s, %(lag)s, %(landed_through)s, %(detail)s)
on conflict (job) do update set
    started_at = case when s.handle = excluded.handle then coalesce(s.started_at, now()) else now() end,
    handle = excluded.handle,
    state = excluded.state,
    heartbeat_at = excluded.heartbeat_at,
    batch_id = coalesce(excluded.batch_id, s.batch_id),
    lag = excluded.lag,
    landed_through = coalesce(excluded.landed_through, s.landed_through),
    detail = s.detail || excluded.detail
"""

_READ = """
select job, handle, state, started_at, heartbeat_at, batch_id, lag, landed_through, restarts, reason, detail
from streams where job = %s
"""


@dataclass(frozen=True)
class Beat:
    """One job as the table shows it."""

    job: str
    handle: dict[str, Any] | None
    state: str
    started_at: datetime | None
    heartbeat_at: datetime | None
    batch_id: int | None
    lag: int | None
    landed_through: datetime | None
    restarts: int
    reason: str | None
    detail: dict[str, Any]


def own_handle() -> dict[str, Any]:
    """This process, so that nobody takes a later one of the same number for it."""
    return {"pid": os.getpid(), "created": psutil.Process().create_time()}


class Heartbeat:
    """One connection, opened when needed and again after it broke."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: psycopg.Connection[Any] | None = None

    def beat(
        self,
        job: str,
        handle: Mapping[str, Any],
        batch_id: int | None = None,
        lag: int | None = None,
        landed_through: datetime | None = None,
        state: str = "running",
        detail: Mapping[str, Any] | None = None,
    ) -> bool:
        """Whether it was written."""
        row = {
            "job": job,
            "handle": Jsonb(dict(handle)),
            "state": state,
            "batch_id": batch_id,
            "lag": lag,
            "landed_through": landed_through,
            "detail": Jsonb(dict(detail or {})),
        }
        try:
            self._open().execute(_BEAT, row)
        except (psycopg.Error, OSError) as error:
            log.warning("heartbeat not written; the next one is tried as usual", job=job, error=str(error))
            self.close()
            return False
        return True

    def read(self, job: str) -> Beat | None:
        with self._open().cursor(row_factory=class_row(Beat)) as cursor:
            return cursor.execute(_READ, (job,)).fetchone()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._settings.postgres_dsn("headrace"),
                autocommit=True,
                connect_timeout=3,
                options="-c statement_timeout=3000",
                tcp_user_timeout=5000,
            )
        return self._connection


def read(settings: Settings, job: str) -> Beat | None:
    """The last heartbeat of a job, for those who ask once."""
    heartbeat = Heartbeat(settings)
    try:
        return heartbeat.read(job)
    finally:
        heartbeat.close()
