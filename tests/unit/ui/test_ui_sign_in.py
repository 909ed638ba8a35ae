"""Who may enter, and what happens to a conversation when a sign-in ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from steps import sign_in
from streamlit.testing.v1 import AppTest
from stub_api import Stub, problem


def test_a_visitor_sees_only_the_sign_in(app: AppTest) -> None:
    assert [field.label for field in app.text_input] == ["User", "Password"]
    assert not app.chat_input and not app.exception


def test_the_right_password_opens_the_pages(signed_in: AppTest) -> None:
    assert signed_in.chat_input and not signed_in.text_input
    assert "Signed in as admin" in signed_in.sidebar.caption[-1].value


def test_a_wrong_password_says_so_and_stays(app: AppTest) -> None:
    sign_in(app, "wrong")
    assert "User or password is wrong" in app.error[0].value and app.text_input


def test_an_empty_form_asks_for_both(app: AppTest) -> None:
    app.button[0].click().run()
    assert "Both a user and a password" in app.warning[0].value


def test_an_api_that_is_away_gives_the_next_step(app: AppTest, stub: Stub) -> None:
    stub.shutdown()
    stub.server_close()
    sign_in(app)
    assert "headrace" in app.error[0].value and "status" in app.error[0].value


def test_sign_out_forgets_token_and_conversation(signed_in: AppTest) -> None:
    signed_in.chat_input[0].set_value("What were sales today?").run()
    next(b for b in signed_in.button if b.label == "Sign out").click().run()
    assert signed_in.text_input and "token" not in signed_in.session_state and "turns" not in signed_in.session_state


def test_an_expired_token_asks_to_sign_in_again(signed_in: AppTest) -> None:
    held = signed_in.session_state["token"]
    signed_in.session_state["token"] = held.model_copy(update={"expires_at": datetime.now(UTC) - timedelta(seconds=1)})
    signed_in.run()
    assert "has ended" in signed_in.info[0].value and signed_in.text_input


def test_a_question_survives_a_sign_in_that_the_api_ended(signed_in: AppTest, stub: Stub) -> None:
    stub.fail_with = (401, problem("Token is over.", "Sign in."))
    signed_in.chat_input[0].set_value("What were sales today?").run()
    assert signed_in.text_input
    stub.fail_with = None
    sign_in(signed_in)
    assert [asked["query"] for asked in stub.asked] == ["What were sales today?"]
    assert signed_in.metric[0].value == "$48,213.57"


def test_another_person_does_not_see_the_conversation(signed_in: AppTest) -> None:
    signed_in.chat_input[0].set_value("What were sales today?").run()
    signed_in.session_state["last_user"] = "somebody else"
    signed_in.session_state["token"] = None
    signed_in.run()
    sign_in(signed_in)
    assert not signed_in.metric
