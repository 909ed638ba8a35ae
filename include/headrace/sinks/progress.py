"""How far each sink is: written by its worker, read by `status` and by the measurements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from headrace.log import get_logger
from headrace.settings import Settings

log = get_logger(__name__)
_SILENT_SECONDS = 60.0
_REPORT = """
insert into sinks (name, at, lag, written, error) values (%s, now(), %s, %s, %s)
on conflict (name) do update set at = now(), lag = excluded.lag, written = excluded.written, error = excluded.error
"""


@dataclass(frozen=True)
class SinkState:
    name: str
    at: datetime
    lag: int | None
    written: int
    """Messages since its process began."""
    error: str | None

    @property
    def silent(self) -> bool:
        return (datetime.now(UTC) - self.at).total_seconds() > _SILENT_SECONDS

    @property
    def healthy(self) -> bool:
        return self.error is None and not self.silent


class Progress:
    """A report that cannot be written is logged and no more: a sink must not stop for it."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings, self._name = settings, name
        self._connection: psycopg.Connection[Any] | None = None

    def report(self, lag: int | None, written: int, error: str | None) -> None:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(
                    self._settings.postgres_dsn("headrace"), autocommit=True, connect_timeout=3,
                    options="-c statement_timeout=3000", tcp_user_timeout=5000,
                )  # fmt: skip
            self._connection.execute(_REPORT, [self._name, lag, written, error])
        except psycopg.Error as failure:
            log.warning("a sink's progress was not written", sink=self._name, error=str(failure))
            self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def states(settings: Settings) -> list[SinkState]:
    """Of the sinks that run; one that never said anything is missing. Raises psycopg.Error."""
    with (
        psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=3) as connection,
        connection.cursor(row_factory=class_row(SinkState)) as cursor,
    ):
        command = "select name, at, lag, written, error from sinks where name = any(%s) order by name"
        return cursor.execute(command, [list(settings.running_sinks)]).fetchall()
