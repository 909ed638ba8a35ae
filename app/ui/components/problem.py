"""One way to say that something went wrong: what, what to do next, and the id that finds it in the logs."""

from __future__ import annotations

import streamlit as st

from app.ui.client import ApiError
from app.ui.words import code, commands


def problem(error: ApiError) -> None:
    st.error(f"{commands(error)}  \n{commands(error.next_step)}", icon=":material/error:")
    if error.correlation_id:
        st.caption(f"Correlation id {code(error.correlation_id)}")
