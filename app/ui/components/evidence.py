"""Why an answer can be believed: what was understood, what was run, how fresh each part is, how sure it is."""

from __future__ import annotations

import streamlit as st

from app.ui.components.plan_words import in_words
from app.ui.models import Answer, Confidence, Freshness, Metric, Quality, Sql
from app.ui.words import age, clock, code, plain

ENGINES = {"trino": "Trino, over the lake", "live": "Live windows", "valkey": "Live windows"}
COLOURS = {"high": "green", "medium": "orange", "low": "red"}


def evidence(answer: Answer) -> None:
    if not (answer.plan or answer.sql or answer.freshness or answer.confidence.level):
        _footer(answer)
        return
    with st.expander("Evidence"), st.container(gap="xsmall"):
        _plan(in_words(answer.plan))
        _metrics(answer.metrics)
        _freshness(answer.freshness)
        _quality(answer.quality)
        _confidence(answer.confidence)
        _sql(answer.sql)
        _footer(answer)


def _plan(words: list[tuple[str, str]]) -> None:
    if words:
        st.markdown("**What was understood**")
        st.markdown("\n".join(f"- {plain(title)}: {plain(said)}" if title else plain(said) for title, said in words))


def _metrics(metrics: list[Metric]) -> None:
    said = [f"- {plain(m.label or m.name)}: {plain(m.description)}" for m in metrics if m.description]
    if said:
        st.markdown("**What it means**")
        st.markdown("\n".join(said))


def _freshness(parts: list[Freshness]) -> None:
    if parts:
        st.markdown("**How fresh**")
        st.markdown("\n".join(f"- {plain(_fresh(part))}" for part in parts))


def _fresh(part: Freshness) -> str:
    source = f" ({part.source})" if part.source and part.source != part.part else ""
    through = f"through {clock(part.through)}" if part.through else ""
    read = f"as of {clock(part.as_of)}, {age(part.as_of)}" if part.as_of else ""
    return f"{part.part.capitalize()}{source}: " + (", ".join(filter(None, (through, read))) or "unknown")


def _quality(verdicts: list[Quality]) -> None:
    if verdicts:
        st.markdown("**How good the data is**")
        st.markdown("\n".join(f"- {plain(verdict.sentence)}" for verdict in verdicts))


def _confidence(confidence: Confidence) -> None:
    if not confidence.level:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Confidence**", width="content")
        st.badge(plain(confidence.level), color=COLOURS.get(confidence.level.lower(), "gray"))  # type: ignore[arg-type]
    if confidence.reasons:
        st.markdown("\n".join(f"- {plain(reason)}" for reason in confidence.reasons))


def _sql(statements: list[Sql]) -> None:
    for statement in statements:
        st.markdown(f"**{plain(ENGINES.get(statement.engine.lower(), statement.engine) or 'SQL')}**")
        st.code(statement.sql, language="sql", wrap_lines=True)


def _footer(answer: Answer) -> None:
    took = f"Answered in {answer.elapsed_ms:,.0f} ms" if answer.elapsed_ms is not None else ""
    sought = f"correlation id {code(answer.correlation_id)}" if answer.correlation_id else ""
    st.caption(" · ".join(filter(None, (took, sought))))
