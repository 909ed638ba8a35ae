"""One turn of the conversation: the question, and what came of it."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.ui import session
from app.ui.components.chart import chart
from app.ui.components.evidence import evidence
from app.ui.components.figures import figures
from app.ui.components.problem import problem
from app.ui.models import Answer
from app.ui.session import Turn
from app.ui.words import plain, sentence_case


def show_question(question: str, number: int) -> None:
    with st.container(key=f"question_{number}"), st.chat_message("user", avatar=":material/person:"):
        st.markdown(plain(question))


def answer_box() -> DeltaGenerator:
    return st.chat_message("assistant", avatar=":material/water:")


def show_turn(turn: Turn, number: int, *, active: bool) -> None:
    """Only the newest turn offers buttons: an older one's would answer a question that is past."""
    show_question(turn.question, number)
    with answer_box(), st.container(key=f"answer_{number}"):
        if turn.error is not None:
            problem(turn.error)
            _offer("Ask again", [turn.question], number, active)
        elif turn.answer is not None:
            _SHOW[turn.answer.status](turn.answer, number, active)


def _answered(answer: Answer, number: int, active: bool) -> None:
    st.markdown(plain(answer.text))
    figures(answer.data, f"figures_{number}")
    for place, spec in enumerate(answer.charts):
        chart(spec, f"chart_{number}_{place}", answer.text)
    if answer.insights:
        st.markdown("\n".join(f"- {plain(line)}" for line in answer.insights))
    evidence(answer)
    _offer("Go on with", answer.suggestions, number, active)


def _asked(answer: Answer, number: int, active: bool) -> None:
    st.markdown(plain(answer.text))
    _offer("Choose one, or say it in your own words", answer.suggestions, number, active)
    evidence(answer)


def _declined(answer: Answer, number: int, active: bool) -> None:
    st.warning(plain(answer.text), icon=":material/block:")
    _offer("What can be asked instead", answer.suggestions, number, active)
    evidence(answer)


def _offer(label: str, questions: list[str], number: int, active: bool) -> None:
    if not (active and questions):
        return
    st.caption(label)
    with st.container(horizontal=True, gap="small"):
        for place, question in enumerate(questions):
            st.button(
                sentence_case(plain(question)),
                key=f"offer_{number}_{place}",
                on_click=session.ask_next,
                args=(question,),
            )


_SHOW = {"answered": _answered, "asked": _asked, "declined": _declined}
