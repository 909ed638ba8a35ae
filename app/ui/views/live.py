"""Figures that move by themselves: the last minutes, straight from the live windows."""

from __future__ import annotations

import streamlit as st

from app.ui import session
from app.ui.client import ApiError, SignedOut
from app.ui.components.live_figures import coverage, has_figures, notes, numbers, splits, trends
from app.ui.components.problem import problem
from app.ui.models import LiveSummary
from app.ui.words import age, clock, plain

EVERY_SECONDS = 2
MINUTES = (15, 30, 60)


def show() -> None:
    st.title("Live", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        minutes = st.segmented_control(
            "Period",
            MINUTES,
            default=MINUTES[1],
            required=True,
            format_func=lambda m: f"{m} min",
            label_visibility="collapsed",
            key="live_minutes",
        )
        paused = st.toggle("Pause", key="live_paused")
    # The part below runs alone, on its own clock: the rest of the page stays still.
    moving = st.fragment(_figures, run_every=None if paused else EVERY_SECONDS)
    moving(int(minutes or MINUTES[1]), paused)


def _figures(minutes: int, paused: bool) -> None:
    summary = _fetch(minutes, paused)
    if summary is None:
        return
    if not has_figures(summary):
        _teach()
        return
    _state(summary, paused)
    notes(summary)
    numbers(summary)
    trends(summary)
    splits(summary)
    coverage(summary)


def _state(summary: LiveSummary, paused: bool) -> None:
    newest = f"Newest minute {clock(summary.newest_window)}, it began {age(summary.newest_window)}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if paused:
            st.badge("Paused", icon=":material/pause:", color="gray")
        else:
            st.badge("Live", icon=":material/sensors:", color="green")
        st.caption(plain(newest), width="content")


def _fetch(minutes: int, paused: bool) -> LiveSummary | None:
    """The newest figures; when they cannot be had, the last ones, and it is said."""
    held: tuple[int, LiveSummary] | None = st.session_state.get("live")
    if paused and held and held[0] == minutes:
        return held[1]
    try:
        summary = session.client().live_summary(minutes)
    except SignedOut:
        session.sign_out(session.ENDED)
        st.rerun(scope="app")
    except ApiError as error:
        problem(error)
        if held is None:
            return None
        st.caption(f"These are the last figures that came, {plain(age(held[1].as_of))}. New ones come by themselves.")
        return held[1]
    st.session_state.live = (minutes, summary)
    return summary


def _teach() -> None:
    st.info(
        "No events in this period yet. This page fills by itself as soon as some arrive.",
        icon=":material/hourglass_empty:",
    )
    st.markdown("Send sample traffic for a minute, then watch:")
    st.code("./headrace simulate", language="bash")
