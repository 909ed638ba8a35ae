"""The historical part: compiled by MetricFlow, run on Trino as the person who asks, within time and size limits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import requests
from trino.dbapi import Connection
from trino.exceptions import Error, TrinoUserError

from headrace.assistant.evidence import HistoryRequest, HistoryResult
from headrace.assistant.figures import Key, Part, Value
from headrace.assistant.periods import floor, shift
from headrace.assistant.remembered import Answer, Remembered
from headrace.assistant.route import NotKnown
from headrace.log import get_logger
from headrace.policy import Identity
from headrace.semantics import CannotCompile, Condition, Request, compile_sql
from headrace.settings import Settings

_LOG = get_logger(__name__)
_MOST_ROWS = 50_000
_DENIED = {"PERMISSION_DENIED"}
_OVER_LIMIT = {
    "EXCEEDED_TIME_LIMIT", "EXCEEDED_SCAN_LIMIT", "EXCEEDED_CPU_LIMIT", "EXCEEDED_GLOBAL_MEMORY_LIMIT",
    "EXCEEDED_LOCAL_MEMORY_LIMIT",
}  # fmt: skip


class HistoryUnavailable(RuntimeError):
    """History cannot be read now; live figures still can."""


class HistoryRefused(PermissionError):
    """Trino's own rules said no to this person, whatever the application thought."""


class TrinoHistory:
    def __init__(
        self,
        connect: Callable[[Identity], Connection],
        compile_sql: Callable[[HistoryRequest], str],
        *,
        seconds: float,
        remembered: Remembered,
    ) -> None:
        self._connect, self._compile, self._seconds, self._remembered = connect, compile_sql, seconds, remembered

    def read(self, identity: Identity, request: HistoryRequest) -> HistoryResult:
        sql = self._compile(request)
        rows, names = self._remembered(identity, sql, partial(self._run, identity, sql))
        if len(rows) > _MOST_ROWS:
            raise HistoryUnavailable(f"That would be more than {_MOST_ROWS:,} rows; ask for fewer groups.")
        return HistoryResult(_part(request, rows, names), sql)

    def _run(self, identity: Identity, sql: str) -> Answer:
        try:
            with closing(self._connect(identity)) as connection, closing(connection.cursor()) as cursor:
                # Trino stops by itself at its own limit; this stops a query whose caller has gone.
                timer = threading.Timer(self._seconds, cursor.cancel)
                timer.daemon = True
                timer.start()
                try:
                    cursor.execute(sql)
                    rows = cursor.fetchmany(_MOST_ROWS + 1)
                    return rows, [column.name for column in cursor.description or ()]
                finally:
                    timer.cancel()
        except TrinoUserError as error:
            raise _told(error) from error
        except (Error, requests.RequestException, OSError) as error:
            _LOG.warning("trino_failed", reason=str(error)[:500])
            raise HistoryUnavailable("Trino, which answers about history, does not answer now.") from error


def compiled(settings: Settings, request: HistoryRequest) -> str:
    """By MetricFlow, from the definitions; the same statement for every person, run with each one's own rights."""
    start, end = _period(request)
    asked = Request(
        metrics=tuple(m.name for m in request.metrics),
        group_by=tuple(d.qualified for d in request.group_by),
        where=tuple(Condition(d.qualified, f.values, f.negated) for d, f in request.filters),
        start=start,
        end=end,
        grain=request.grain,
        limit=_MOST_ROWS + 1,
    )
    try:
        return compile_sql(asked, settings)
    except CannotCompile as error:
        raise NotKnown(f"These figures do not go together: {error}") from error


def _period(request: HistoryRequest) -> tuple[datetime, datetime]:
    """As asked; whole days for figures that are kept by day, the last one as far as it is known."""
    start, end = request.stretch.start, request.stretch.end
    days = [m.label for m in request.metrics if m.finest == "day"]
    if not days:
        return start, end
    if start != floor(start, "day") or request.grain in ("minute", "hour"):
        raise NotKnown(
            f"{' and '.join(days)}: known for whole days only. Ask for days, such as yesterday or last week."
        )
    return start, end if end == floor(end, "day") else shift(floor(end, "day"), "day", 1)


def _told(error: TrinoUserError) -> Exception:
    _LOG.warning("trino_refused", name=error.error_name, reason=str(error.message)[:500])
    if error.error_name in _DENIED:
        return HistoryRefused("You may not see the data behind this figure.")
    if error.error_name in _OVER_LIMIT:
        return HistoryUnavailable("The question is over the limit of time, memory or bytes; ask for a shorter period.")
    if error.error_name in ("TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"):
        return HistoryUnavailable("History is still being built; try again in a few minutes.")
    return HistoryUnavailable("Trino could not run this; its reason is in the log of the API.")


def _part(request: HistoryRequest, rows: Iterable[list[Any]], names: list[str]) -> Part:
    """MetricFlow names its columns after what was asked; the metrics are found by name, the keys by their order."""
    keyed = bool(request.grain) + len(request.group_by)
    metrics = {m.name: names.index(m.name) for m in request.metrics}
    keys = [i for i in range(len(names)) if i not in metrics.values()][:keyed]
    if len(keys) != keyed:
        raise HistoryUnavailable(f"expected {keyed} key columns, Trino sent {', '.join(names)}")
    part: Part = {}
    for row in rows:
        values = [row[i] for i in keys]
        bucket = _moment(values.pop(0)) if request.grain else None
        key: Key = (bucket, tuple(None if v is None else str(v) for v in values))
        part[key] = {name: _decimal(row[i]) for name, i in metrics.items()}
    return part


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else None


def _decimal(value: Any) -> Value:
    if value is None or isinstance(value, Decimal):
        return value
    return Decimal(str(value))
