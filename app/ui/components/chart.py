"""Charts come from the API as Vega-Lite; here they only get the theme and the width of the page."""

from __future__ import annotations

from typing import Any

import streamlit as st

HEIGHT = 260


def chart(spec: dict[str, Any], key: str, alt: str) -> None:
    st.vega_lite_chart(spec=fitted(spec), width="stretch", height=HEIGHT, key=key, alt=alt)


def fitted(spec: dict[str, Any]) -> dict[str, Any]:
    """Without fixed sizes and colours: the theme's are readable, light and dark, on a phone and on a desk.

    Only data inside the specification is drawn: a chart never makes the browser fetch from anywhere.
    """
    kept = {name: part for name, part in spec.items() if name not in ("width", "height", "config", "background")}
    if "url" in (kept.get("data") or {}):
        kept["data"] = {"values": []}
    return kept
