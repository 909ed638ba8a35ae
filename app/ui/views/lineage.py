"""Where things come from: a picture from top to bottom, so that it can be read on a phone, of one thing at a time."""

from __future__ import annotations

import streamlit as st

from app.ui.components.fetching import fetched
from app.ui.models import Lineage, Place
from app.ui.words import plain
from headrace.settings import get_settings

START = "curated.fct_transactions"
_SHAPES = {"topic": "cds", "table": "box", "key": "hexagon", "metric": "ellipse", "report": "note"}
_COLOURS = {"topic": "#8ecae6", "table": "#95d5b2", "key": "#cdb4db", "metric": "#ffd166", "report": "#f4a261"}
_LONG = 24
_MOST = 12
"""Metrics side by side that can still be told apart; of more, their number is shown."""


def show() -> None:
    st.title("Lineage", anchor=False)
    everything = fetched(lambda client: client.lineage())
    if everything is None:
        return
    if not everything.nodes:
        st.info(
            "Nothing was told yet. It comes by itself after the first build of the lake.",
            icon=":material/hourglass_empty:",
        )
        st.code("./headrace lineage --collect", language="bash")
        return
    names = sorted({place.name for place in everything.nodes})
    kinds = {place.name: place.kind for place in everything.nodes}
    first = names.index(START) if START in names else 0
    chosen = str(
        st.selectbox("What", names, index=first, format_func=lambda n: f"{n} ({kinds[n]})", key="lineage_name")
    )
    found = fetched(lambda client: client.lineage(chosen))
    if found is None:
        return
    st.graphviz_chart(picture(found, chosen), width="stretch")
    _words(found, chosen)
    st.page_link(get_settings().docs_url, label="Columns, tests and SQL: dbt's documentation", icon=":material/schema:")


def picture(found: Lineage, about: str) -> str:
    """In Graphviz' language. Names are quoted, so that nothing in one of them is read as a command."""
    shown = _shown(found, about)
    lines = ["digraph {", 'rankdir=TB; bgcolor="transparent"; nodesep=0.15; ranksep=0.3;',
             'node [style=filled, fontname="sans-serif", fontsize=11, margin="0.08,0.04"]; edge [color="#888888", arrowsize=0.6];']  # fmt: skip
    for place in shown:
        width = 3 if place.name == about else 1
        label = place.name.replace(".", ".\n", 1) if len(place.name) > _LONG else place.name
        look = f'shape={_SHAPES.get(place.kind, "box")}, fillcolor="{_COLOURS.get(place.kind, "#dddddd")}", penwidth={width}'
        lines.append(f"{_quoted(place.name)} [{look}, label={_quoted(label)}];")
    names = {place.name for place in shown}
    lines += [f"{_quoted(s.source)} -> {_quoted(s.target)};" for s in found.edges if {s.source, s.target} <= names]
    return "\n".join([*lines, "}"])


def _shown(found: Lineage, about: str) -> list[Place]:
    """Very many metrics would be a wall: then only those that were asked for are drawn, the words below have all."""
    metrics = [place for place in found.nodes if place.kind == "metric"]
    if len(metrics) <= _MOST:
        return found.nodes
    return [place for place in found.nodes if place.kind != "metric" or place.name == about]


def _words(found: Lineage, about: str) -> None:
    above = sorted({step.source for step in found.edges if step.target == about})
    below = sorted({step.target for step in found.edges if step.source == about})
    for title, names in (("Made directly of", above), ("Read directly by", below)):
        if names:
            st.markdown(f"**{title}** {plain(', '.join(names))}")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
