"""The rows of a curated table's day, as others take them: text, numbers, nothing about persons."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from headrace.lake.trino import connect
from headrace.policy import load_policy
from headrace.settings import Settings

_SECONDS = 300.0
_BETWEEN = "\x1f"


class NotForExport(ValueError):
    """The table is none that may leave the platform."""


@dataclass(frozen=True)
class Day:
    table: str
    day: date
    rows: tuple[dict[str, Any], ...]
    types: dict[str, str]
    """Trino's type of each column."""

    @property
    def path(self) -> str:
        """Hive's way to name a partition, which Athena reads; the same for the same day, so a repeat replaces it."""
        return f"{self.table}/date_day={self.day}/rows.jsonl"

    @property
    def lines(self) -> str:
        return "".join(json.dumps(row, default=str) + "\n" for row in self.rows)

    @property
    def items(self) -> list[dict[str, Any]]:
        """With an id made of what is no figure."""
        return [
            {"id": _BETWEEN.join(v for v in row.values() if isinstance(v, str)), **_numbers(row)} for row in self.rows
        ]


def read(settings: Settings, table: str, day: date) -> Day:
    if table not in settings.export_tables:
        raise NotForExport(f"{table} is not among export_tables: {', '.join(settings.export_tables)}.")
    with connect(settings, timeout=_SECONDS) as connection:
        cursor = connection.cursor()
        cursor.execute(f'select * from lake.curated."{table}" where date_day = ? order by 1, 2', [day])  # noqa: S608
        rows = cursor.fetchall()
        types = {column[0]: column[1] for column in cursor.description}
    if persons := sorted(types.keys() & {column for role in load_policy().roles.values() for column in role.masks}):
        raise NotForExport(f"{table} names persons ({', '.join(persons)}): it may not leave the platform.")
    return Day(table, day, tuple(dict(zip(types, map(_plain, row), strict=True)) for row in rows), types)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | Decimal | bool) else str(value)


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    """DynamoDB takes decimals and no floats."""
    return {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in row.items()}
