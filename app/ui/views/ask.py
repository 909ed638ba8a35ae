"""The chat: questions in plain English, answers that carry their evidence."""

from __future__ import annotations

import streamlit as st

from app.ui import session
from app.ui.client import ApiError, SignedOut
from app.ui.components.scroll import to_question
from app.ui.components.turn import answer_box, show_question, show_turn
from app.ui.session import Turn
from app.ui.words import sentence_case

EXAMPLES = (
    "What were sales today?",
    "Sales by region in the last 7 days",
    "Top 5 merchants by sales this month",
)


def show() -> None:
    history = session.turns()
    typed = st.chat_input("Ask, for example: sales yesterday by region", key="question", max_chars=500)
    question = typed or session.pending()
    # Emptied at once when a question is asked, not only when its answer has come.
    with st.empty():
        if not history and not question:
            with st.container():
                _teach()
    last = len(history) - 1
    for number, turn in enumerate(history):
        show_turn(turn, number, active=number == last and not question)
    if question:
        _ask(question, len(history))
    elif history:
        st.button("New conversation", icon=":material/refresh:", type="tertiary", on_click=session.forget)
        to_question(last, "answered")


def _teach() -> None:
    st.title("Ask", anchor=False)
    st.write("Ask about sales, refunds and transactions, live or back through history. Start with one of these:")
    for number, example in enumerate(_examples()):
        st.button(
            sentence_case(example), key=f"example_{number}", on_click=session.ask_next, args=(example,), width="stretch"
        )
    st.caption(
        "Every answer shows how it was made: what was understood, the SQL, and how fresh each part is. "
        "An ambiguous question gets a question back; what the data cannot tell is declined, never guessed."
    )


def _examples() -> list[str]:
    """Ours are about sales; who may not see those gets three of the catalogue's. The page never fails for want of them."""
    if "examples" not in st.session_state:
        try:
            offered = session.client().catalogue()
        except ApiError:
            return list(EXAMPLES)
        ours = not offered.questions or any(metric.name == "sales" for metric in offered.metrics)
        st.session_state.examples = EXAMPLES if ours else offered.questions[:3]
    return list(st.session_state.examples)


def _ask(question: str, number: int) -> None:
    """The question stays pending until it has an answer, so that it survives a sign-in that ended in between."""
    session.ask_next(question)
    show_question(question, number)
    to_question(number, "asked")
    try:
        with answer_box(), st.spinner("Looking it up", show_time=True):
            turn = Turn(question, answer=session.client().ask(question, session.conversation_id()))
    except SignedOut:
        session.sign_out(session.ENDED)
        st.rerun()
    except ApiError as error:
        turn = Turn(question, error=error)
    session.asked()
    session.add(turn)
    st.rerun()
