"""What a page shows that has one thing to fetch: the thing, or the problem and the way out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from app.ui import session
from app.ui.client import ApiClient, ApiError, SignedOut
from app.ui.components.problem import problem

T = TypeVar("T")


def fetched(ask: Callable[[ApiClient], T]) -> T | None:
    try:
        return ask(session.client())
    except SignedOut:
        session.sign_out(session.ENDED)
        st.rerun(scope="app")
    except ApiError as error:
        problem(error)
    return None
