"""Finds one event or entity in the lake by its id: in processed, and in raw what landed since that was built.

Raw is judged by the same gate as everywhere; the id is looked for in the bytes first, so that little is judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import requests
from trino.dbapi import Connection
from trino.exceptions import Error, TrinoUserError

from headrace.contracts.model import Contract
from headrace.lake import literals
from headrace.lake.models import column
from headrace.live.records import Record, named_by_one_field, version_of
from headrace.log import get_logger
from headrace.streams.gate_model import trino_model

_LOG = get_logger(__name__)
_NOT_BUILT = {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND", "COLUMN_NOT_FOUND"}
_PLAIN = re.compile(r"[\w.:@+-]+", re.ASCII)
_MARGIN = timedelta(hours=1)


class LakeDown(RuntimeError):
    """Trino does not answer, so that nothing found is no answer."""


class NotBuilt(LakeDown):
    """The tables are not there yet."""


class LakeRecords:
    def __init__(
        self, connect: Callable[[], Connection], coverage: Callable[[str], datetime | None], future_minutes: int
    ) -> None:
        self._connect, self._coverage, self._future = connect, coverage, future_minutes

    def find(self, contract: Contract, key: str) -> Record | None:
        """An event as it first arrived; an entity in its newest state."""
        field = named_by_one_field(contract)
        if field is None:
            raise LookupError(f"{contract.name} is found by several fields together, not by one id")
        found = self._rows(contract, _processed(contract, field, key), key, "processed")
        if contract.kind == "events" and (first := next(found, None)):
            return first
        landed = self._rows(contract, self._raw(contract, field, key), key, "raw")
        if contract.kind == "events":
            return next(landed, None)
        return max((*found, *landed), key=lambda record: record.version, default=None)

    def _raw(self, contract: Contract, field: str, key: str) -> str:
        """What arrived before the point that curated is complete through is in processed."""
        covered = self._coverage(contract.name)
        since = f"arrived_at >= {literals.moment(covered - _MARGIN)}" if covered else "true"
        near = f"strpos(from_utf8(value), {literals.text(key)}) > 0" if _PLAIN.fullmatch(key) else "true"
        table = f"lake.{contract.raw_table}"
        judged = trino_model(contract, table, where=f"{since} AND {near}", future_minutes=self._future)
        names = ", ".join(f.name for f in contract.fields)
        order = (
            'arrived_at, topic, "partition", "offset"' if contract.kind == "events" else f"{contract.event_time} desc"
        )
        return (
            f"select {names}, arrived_at from ({judged}) where refusal is null and {field} = {literals.text(key)}"  # noqa: S608
            f"{_since_deleted(contract, key)} order by {order} limit 1"
        )

    def _rows(self, contract: Contract, sql: str, key: str, zone: str) -> Iterator[Record]:
        try:
            rows = self.rows(sql)
        except NotBuilt:
            rows = []
        return (_record(contract, row, key, zone) for row in rows)

    def rows(self, sql: str) -> list[list[Any]]:
        try:
            with closing(self._connect()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute(sql)
                found: list[list[Any]] = cursor.fetchall()
                return found
        except TrinoUserError as error:
            if error.error_name in _NOT_BUILT:
                raise NotBuilt("History is still being built; try again in some minutes.") from error
            _LOG.error("trino_refused", name=error.error_name, reason=str(error.message)[:500])
            raise LakeDown("Trino refused to look for it; its reason is in the log of the API.") from error
        except (Error, requests.RequestException, OSError) as error:
            _LOG.warning("trino_failed", reason=str(error)[:500])
            raise LakeDown("Trino, which reads the lake, does not answer now.") from error


def _processed(contract: Contract, field: str, key: str) -> str:
    names = ", ".join(column(contract, f.name) for f in contract.fields)
    return (
        f"select {names}, arrived_at from lake.processed.{contract.name} where {field} = {literals.text(key)}"  # noqa: S608
        f"{_since_deleted(contract, key)}"
    )


def _since_deleted(contract: Contract, key: str) -> str:
    """An entity may have been deleted after the last build, and its states stay in raw."""
    if not contract.history:
        return ""
    deleted = (
        f"select max(arrived_at) from lake.{contract.raw_table} where value is null and key = {literals.text(key)}"  # noqa: S608
    )
    return f" and coalesce({contract.event_time} > ({deleted}), true)"


def _record(contract: Contract, row: list[Any], key: str, zone: str) -> Record:
    values = dict(zip((f.name for f in contract.fields), row, strict=False))
    at = values[contract.event_time].astimezone(UTC)
    document = {name: _told(value) for name, value in values.items()}
    return Record(contract.name, key, version_of(at), at, row[-1].astimezone(UTC), document, zone)


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, date | Decimal | float) else value
