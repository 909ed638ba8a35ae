"""What one visitor's session holds: who is signed in, the conversation, and a question that waits to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from app.ui.client import ApiClient, ApiError
from app.ui.models import Answer, Token
from app.ui.words import utc
from headrace.settings import get_settings

ENDED = "Your sign-in has ended. Sign in again and go on where you were."


@dataclass(frozen=True)
class Turn:
    question: str
    answer: Answer | None = None
    error: ApiError | None = None


def token() -> Token | None:
    """The valid token, or None; one that is over is thrown away here."""
    held: Token | None = st.session_state.get("token")
    if held and utc(held.expires_at) <= datetime.now(UTC):
        sign_out(ENDED)
        return None
    return held


def sign_in(held: Token) -> None:
    """Another person than before starts with an empty page; the same person goes on."""
    if st.session_state.get("last_user") not in (None, held.user):
        forget()
    st.session_state.token = held
    st.session_state.last_user = held.user
    st.session_state.pop("notice", None)


def sign_out(notice: str = "") -> None:
    st.session_state.pop("token", None)
    if notice:
        st.session_state.notice = notice
    else:
        forget()
        st.session_state.pop("last_user", None)


def forget() -> None:
    """An empty conversation."""
    for key in ("turns", "pending", "conversation_id", "live", "examples"):
        st.session_state.pop(key, None)


def notice() -> str:
    return str(st.session_state.get("notice", ""))


def client() -> ApiClient:
    settings = get_settings()
    held = token()
    # The API bounds a question by query_seconds; the rest is for understanding it and for the way.
    return ApiClient(settings.api_url, held.access_token if held else None, settings.query_seconds + 15)


def turns() -> list[Turn]:
    return list(st.session_state.setdefault("turns", []))


def add(turn: Turn) -> None:
    st.session_state.turns = [*turns(), turn]
    if turn.answer and turn.answer.conversation_id:
        st.session_state.conversation_id = turn.answer.conversation_id


def conversation_id() -> str | None:
    value = st.session_state.get("conversation_id")
    return str(value) if value else None


def ask_next(question: str) -> None:
    """For buttons: the question is asked when the page runs again."""
    st.session_state.pending = question


def pending() -> str | None:
    value = st.session_state.get("pending")
    return str(value) if value else None


def asked() -> None:
    st.session_state.pop("pending", None)
