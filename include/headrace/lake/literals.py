"""Values as Trino's SQL writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def moment(value: datetime) -> str:
    fraction = ".%f" if value.microsecond else ""
    return f"timestamp '{value.astimezone(UTC):%Y-%m-%d %H:%M:%S{fraction}} UTC'"
