"""A short ranked list: name, figure and a bar, readable where a chart with axes would be too much."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import streamlit as st

from app.ui.words import decimal, plain, short

MOST = 6


def bars(title: str, rows: list[dict[str, Any]], measure: str, unit: str) -> None:
    entries = [entry for row in rows[:MOST] if (entry := _entry(row, measure))]
    if not entries:
        return
    st.markdown(f"**{title}**")
    largest = max(abs(value) for _, value in entries) or Decimal(1)
    for name, value in entries:
        with st.container(gap=None):
            with st.container(horizontal=True, horizontal_alignment="distribute"):
                st.markdown(plain(name), width="content")
                st.markdown(plain(short(value, unit)), width="content")
            st.progress(min(1.0, float(abs(value) / largest)))


def _entry(row: dict[str, Any], measure: str) -> tuple[str, Decimal] | None:
    """The API puts the name first in a row; the figure is the measure, or else the row's first number after it."""
    name, *rest = row.values()
    numbers = [number for item in (row.get(measure), *rest) if (number := decimal(item)) is not None]
    return (readable(str(name or "unknown")), numbers[0]) if numbers else None


def readable(name: str) -> str:
    """south_america is South America; a name with a figure in it is an id and stays as it is."""
    return name if any(character.isdigit() for character in name) else name.replace("_", " ").title()
