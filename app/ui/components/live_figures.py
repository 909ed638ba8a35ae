"""The parts of the live page, each from one field of the summary."""

from __future__ import annotations

import streamlit as st

from app.ui.components.bars import bars
from app.ui.components.minutes import minutes
from app.ui.models import LiveSummary
from app.ui.words import age, clock, decimal, figure, plain, short

BIG = (("sales", "Sales"), ("transactions", "Transactions"), ("refunds", "Refunds"))
MONEY = {"sales", "refunds"}


def notes(summary: LiveSummary) -> None:
    """What is missing from the figures is said before them."""
    for note in summary.notes:
        st.warning(plain(note), icon=":material/info:")


def numbers(summary: LiveSummary) -> None:
    """Three that fit side by side on a desk and below each other on a phone."""
    for column, (name, label) in zip(st.columns(len(BIG)), BIG, strict=True):
        unit = summary.currency if name in MONEY else ""
        value = summary.totals.get(name, 0)
        exact = figure(value, unit)
        column.metric(label, shown := short(value, unit), border=True, help=plain(exact) if exact != shown else None)


def trends(summary: LiveSummary) -> None:
    st.markdown(f"**Sales per minute**, {plain(summary.currency)}")
    minutes(summary.series, "sales", ",.2f", height=190)
    st.markdown("**Transactions per minute**")
    minutes(summary.series, "transactions", ",", height=110)


def splits(summary: LiveSummary) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        bars("Sales by region", summary.by_region, "sales", summary.currency)
        st.space("small")
        bars("Amounts by type", summary.by_type, "amount", summary.currency)
    with right:
        bars("Top merchants", summary.top_merchants, "sales", summary.currency)


def coverage(summary: LiveSummary) -> None:
    history = f"History is complete through {clock(summary.coverage_through)}" if summary.coverage_through else ""
    read = f"Read {age(summary.as_of)}" if summary.as_of else ""
    late = f"{summary.late_events:,} events came late" if summary.late_events else ""
    parts = (history, late, read, "All times are UTC")
    st.caption(" · ".join(plain(part) for part in parts if part))


def has_figures(summary: LiveSummary) -> bool:
    return summary.newest_window is not None or bool(decimal(summary.totals.get("transactions")))
