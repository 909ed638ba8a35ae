"""Brings the newest question to the top of the screen, so that its answer is read from its beginning.

Streamlit follows a conversation only while the reader is at its very end; an opened piece of evidence ends that.
"""

from __future__ import annotations

import streamlit as st

# A fixed script: the only thing put into it is a number of our own.
_SCRIPT = """<script>
setTimeout(() => {
  const question = document.querySelector(".st-key-question_%d");
  if (!question) return;
  question.style.scrollMarginTop = "4.5rem";
  question.scrollIntoView({block: "start"});
}, 150);
</script>"""


def to_question(number: int, step: str) -> None:
    """Runs once for each step: when the question is shown, and when its answer is."""
    with st.container(key=f"scroll_{step}_{number}"):
        st.html(_SCRIPT % number, unsafe_allow_javascript=True)
