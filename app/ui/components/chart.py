"""Charts come from the API as Vega-Lite; here they get the theme, the width of the page and readable names."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.ui.words import readable

HEIGHT = 260
DROPPED = ("width", "height", "config", "background", "title")


def chart(spec: dict[str, Any], key: str, alt: str) -> None:
    st.vega_lite_chart(spec=fitted(spec), width="stretch", height=HEIGHT, key=key, alt=alt)


def fitted(spec: dict[str, Any]) -> dict[str, Any]:
    """Without fixed sizes and colours: the theme's are readable, light and dark, on a phone and on a desk.

    The title goes too: the answer's sentence stands right above. Only data inside the specification is drawn: a chart
    never makes the browser fetch from anywhere.
    """
    kept = {name: part for name, part in spec.items() if name not in DROPPED}
    rows = (spec.get("data") or {}).get("values") or []
    kept["data"] = {"values": [_readable(row) for row in rows]}
    kept["encoding"] = _lying(spec)
    return kept


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    return {name: readable(value) if isinstance(value, str) else value for name, value in row.items()}


def _lying(spec: dict[str, Any]) -> dict[str, Any]:
    """Bars of names lie down, so that long names can be read without turning the head."""
    encoding = dict(spec.get("encoding") or {})
    mark = spec.get("mark")
    kind = mark.get("type") if isinstance(mark, dict) else mark
    if kind == "bar" and encoding.get("x", {}).get("type") == "nominal" and "y" in encoding:
        names = {**encoding["x"], "title": None, "axis": {"labelLimit": 140}}
        encoding |= {"x": encoding["y"], "y": names}
    return encoding
