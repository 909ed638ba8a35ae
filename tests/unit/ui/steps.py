"""What a visitor does, for the tests that drive the app in this process."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def sign_in(app: AppTest, password: str = "secret") -> AppTest:
    app.text_input[0].input("admin")
    app.text_input[1].input(password)
    return app.button[0].click().run()
