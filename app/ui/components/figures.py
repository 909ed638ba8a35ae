"""The figures of an answer: one row as big numbers, more as a table, each with its unit."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import streamlit as st

from app.ui.models import Column, Data
from app.ui.words import NUMBERS, decimal, figure, moment, plain, readable

BIG_NUMBERS = 3


def figures(data: Data, key: str) -> None:
    rows = [_record(row, data.columns) for row in data.rows]
    measures = [column for column in data.columns if is_number(column)]
    if not rows:
        return
    if len(rows) == 1 and 0 < len(measures) <= BIG_NUMBERS and len(data.columns) == len(measures):
        _big(rows[0], measures)
    else:
        _table(rows, data.columns, key)


def is_number(column: Column) -> bool:
    return bool(column.unit) or column.type.split("(")[0].lower() in NUMBERS


def _record(row: Any, columns: list[Column]) -> dict[str, Any]:
    """A row comes as a list in the order of the columns, or as an object by their names."""
    if isinstance(row, dict):
        return {column.name: row.get(column.name) for column in columns}
    return {column.name: value for column, value in zip(columns, row, strict=False)}


def _big(row: dict[str, Any], measures: list[Column]) -> None:
    with st.container(horizontal=True):
        for column in measures:
            st.metric(plain(column.label or column.name), figure(row[column.name], column.unit), width="content")


def _table(rows: list[dict[str, Any]], columns: list[Column], key: str) -> None:
    """Shown with units, sorted by the exact value underneath."""
    import pandas as pd

    frame = pd.DataFrame({column.name: [_cell(row[column.name], column) for row in rows] for column in columns})
    shown = {column.name: partial(_text, unit=column.unit) for column in columns if is_number(column)}
    st.dataframe(
        frame.style.format(shown),
        hide_index=True,
        column_config={column.name: column.label or column.name for column in columns},
        key=key,
        alt=", ".join(column.label or column.name for column in columns),
    )


def _cell(value: Any, column: Column) -> Decimal | str | None:
    if value is None or is_number(column):
        return decimal(value)
    return moment(str(value), column.name) if column.type.startswith(("timestamp", "date")) else readable(str(value))


def _text(value: Any, unit: str) -> str:
    missing = value is None or value != value  # noqa: PLR0124 - only a NaN differs from itself
    return figure(None if missing else value, unit)
