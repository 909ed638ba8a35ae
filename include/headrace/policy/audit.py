"""Who asked what, which plan ran, what was refused: rows are added to audit_logs and never changed.

Fail closed: an answer that carries figures is handed over only after its row is committed, so a database that is
down means no figures. A refusal and a failed sign-in are recorded too, but they stay refusals if that fails.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Protocol

import psycopg
from psycopg.types.json import Jsonb

from headrace.log import get_logger
from headrace.settings import MissingSecret, Settings

_LOG = get_logger(__name__)
_INSERT = (
    "insert into audit_logs (at, actor, action, subject, detail, allowed, old, new)"
    " values (now(), %s, %s, %s, %s, %s, %s, %s)"
)
_SECONDS = 3


class AuditUnavailable(RuntimeError):
    """The record could not be written."""


@dataclass(frozen=True)
class Entry:
    actor: str
    action: str
    subject: str
    allowed: bool
    detail: dict[str, Any] = field(default_factory=dict)
    old: Any = None
    """What it was, where something was changed."""
    new: Any = None

    def row(self) -> tuple[Any, ...]:
        values = tuple(None if value is None else Jsonb(value) for value in (self.old, self.new))
        return self.actor, self.action, self.subject[:2000], Jsonb(self.detail), self.allowed, *values


def insert(connection: psycopg.Connection[Any], entry: Entry) -> None:
    """In the caller's transaction, for a change that must not be without its record."""
    connection.execute(_INSERT, entry.row())


class Audit(Protocol):
    def write(self, entry: Entry) -> None: ...


class PostgresAudit:
    """One connection, kept, under a lock; opened again once when it was lost."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._connection: psycopg.Connection | None = None

    def write(self, entry: Entry) -> None:
        with self._lock:
            kept = self._connection is not None
            try:
                self._insert(entry)
            except psycopg.OperationalError as error:
                self._drop()
                if not kept:
                    raise AuditUnavailable(f"audit_logs cannot be written: {error}") from error
                self._retry(entry)
            except psycopg.Error as error:
                self._drop()
                raise AuditUnavailable(f"audit_logs cannot be written: {error}") from error

    def _retry(self, entry: Entry) -> None:
        try:
            self._insert(entry)
        except psycopg.Error as error:
            self._drop()
            raise AuditUnavailable(f"audit_logs cannot be written: {error}") from error

    def _insert(self, entry: Entry) -> None:
        if self._connection is None:
            self._connection = self._connect()
        insert(self._connection, entry)

    def _connect(self) -> psycopg.Connection:
        try:
            dsn = self._settings.postgres_dsn("headrace")
        except MissingSecret as error:
            raise AuditUnavailable(str(error)) from error
        limit = f"-c statement_timeout={_SECONDS * 1000}"
        return psycopg.connect(dsn, autocommit=True, connect_timeout=_SECONDS, options=limit)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def write_or_log(audit: Audit, entry: Entry) -> None:
    """For refusals: they stand whether or not the record could be written."""
    try:
        audit.write(entry)
    except AuditUnavailable as error:
        _LOG.error("audit_not_written", action=entry.action, actor=entry.actor, reason=str(error))
