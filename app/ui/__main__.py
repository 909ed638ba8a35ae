"""`python -m app.ui`: becomes Streamlit's own process, so that a supervisor watches that one."""

from __future__ import annotations

import os

from app.ui.serve import command
from headrace.settings import get_settings

if __name__ == "__main__":
    arguments = command(get_settings())
    os.execv(arguments[0], arguments)
