"""What a visitor does, for the tests that drive the app in this process."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

RUN_SECONDS = 60
"""A busy machine may take long to run a page: only one that never ends is wrong."""


def sign_in(app: AppTest, password: str = "secret") -> AppTest:
    app.text_input[0].input("admin")
    app.text_input[1].input(password)
    return app.button[0].click().run()
