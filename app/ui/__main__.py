"""`python -m app.ui`: becomes Streamlit's own process, so that a supervisor watches that one."""

from __future__ import annotations

import os

from headrace.settings import get_settings

from app.ui.serve import command

if __name__ == "__main__":
    arguments = command(get_settings())
    os.execv(arguments[0], arguments)  # noqa: S606 - a list of our own, and no shell is wanted
