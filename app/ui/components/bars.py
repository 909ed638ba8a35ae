"""A short ranked list: name, figure and a bar, readable where a chart with axes would be too much."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import streamlit as st

from app.ui.words import decimal, plain, readable, short

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
    """The API puts a row's names first, the friendliest before its id; one that is not known yet is null."""
    value = decimal(row.get(measure))
    name = next((word for word in row.values() if isinstance(word, str) and word), "unknown")
    return (readable(name), value) if value is not None else None
