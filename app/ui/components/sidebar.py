"""Beside every page: who is signed in, the way out, and the platform's other doors."""

from __future__ import annotations

import streamlit as st

from app.ui import session
from app.ui.models import Token
from app.ui.words import plain
from headrace.settings import Settings, get_settings


def doors(settings: Settings) -> list[tuple[str, str, str]]:
    return [
        ("Airflow", settings.airflow_url, ":material/air:"),
        ("Data model", settings.docs_url, ":material/schema:"),
        ("API", f"{settings.api_url}/docs", ":material/api:"),
    ]


def sidebar(held: Token) -> None:
    with st.sidebar:
        st.caption("The platform behind it")
        with st.container(gap=None):
            for label, url, icon in doors(get_settings()):
                st.page_link(url, label=label, icon=icon)
        st.space("small")
        roles = ", ".join(role for role in held.roles if role != held.user)
        st.caption(f"Signed in as {plain(held.user)}" + (f" ({plain(roles)})" if roles else ""))
        st.button("Sign out", icon=":material/logout:", on_click=session.sign_out, width="stretch")
