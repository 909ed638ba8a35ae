"""Sign-in: the API decides, this page only carries user and password to it."""

from __future__ import annotations

import streamlit as st

from app.ui import session
from app.ui.client import ApiError
from app.ui.components.problem import problem

WIDTH = 420


def show() -> None:
    with st.container(horizontal_alignment="center"), st.container(width=WIDTH):
        st.title("Headrace", anchor=False)
        st.write("Ask your data in plain English, from the last second to the last year.")
        if notice := session.notice():
            st.info(notice, icon=":material/schedule:")
        with st.form("sign_in"):
            user = st.text_input("User", autocomplete="username")
            password = st.text_input("Password", type="password", autocomplete="current-password")
            submitted = st.form_submit_button("Sign in", type="primary", width="stretch")
        if submitted:
            _try(user or "", password or "")
        st.caption(
            "First time here? The user is `admin`; `./headrace up` says at its end where the generated password is."
        )


def _try(user: str, password: str) -> None:
    if not user.strip() or not password:
        st.warning("Both a user and a password are needed.", icon=":material/edit:")
        return
    try:
        with st.spinner("Signing in"):
            held = session.client().sign_in(user.strip(), password)
    except ApiError as error:
        problem(error)
        return
    session.sign_in(held)
    st.rerun()
