"""Entry of the web app: who is not signed in sees the sign-in, everybody else the pages."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).resolve().parent
# Streamlit runs this file as a script: its own folder is on the path, the repository is not.
if str(FOLDER.parents[1]) not in sys.path:
    sys.path.append(str(FOLDER.parents[1]))

from app.ui import session  # noqa: E402
from app.ui.components.sidebar import sidebar  # noqa: E402
from app.ui.views import ask, lineage, live, quality, sign_in  # noqa: E402


def pages(signed_in: bool) -> list[st.Page]:
    """Until sign-in the pages keep their addresses, so that a link to one of them still leads there afterwards."""
    known = [
        (ask.show, "Ask", ":material/forum:"),
        (live.show, "Live", ":material/monitoring:"),
        (quality.show, "Quality", ":material/verified:"),
        (lineage.show, "Lineage", ":material/account_tree:"),
    ]
    return [
        st.Page(
            show if signed_in else sign_in.show, title=title, icon=icon, url_path=title.lower(), default=title == "Ask"
        )
        for show, title, icon in known
    ]


def main() -> None:
    st.set_page_config(page_title="Headrace", page_icon=":material/water:", layout="centered")
    held = session.token()
    page = st.navigation(pages(held is not None), position="sidebar" if held else "hidden")
    if held:
        st.logo(FOLDER / "logo.svg", size="large")
        sidebar(held)
    page.run()


main()
