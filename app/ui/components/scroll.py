"""Brings the newest question to the top of the screen, so that its answer is read from its beginning.

Streamlit follows a conversation only while the reader is at its very end (an opened piece of evidence ends that), and
then past the beginning of a long answer. Charts draw late, so the place is kept until the reader does something.
"""

from __future__ import annotations

import streamlit as st

# A fixed script: the only thing put into it is a number of our own.
_SCRIPT = """<script>
(() => {
  const show = () => {
    const question = document.querySelector(".st-key-question_NUMBER");
    if (!question) return;
    question.style.scrollMarginTop = "4.5rem";
    question.scrollIntoView({block: "start"});
  };
  const again = setInterval(show, 200);
  const leave = () => clearInterval(again);
  setTimeout(leave, 3000);
  for (const deed of ["wheel", "touchmove", "keydown", "pointerdown"])
    window.addEventListener(deed, leave, {once: true, passive: true});
})();
</script>"""


def to_question(number: int, step: str) -> None:
    """Runs once for each step: when the question is shown, and when its answer is."""
    with st.container(key=f"scroll_{step}_{number}"):
        st.html(_SCRIPT.replace("NUMBER", str(int(number))), unsafe_allow_javascript=True)
