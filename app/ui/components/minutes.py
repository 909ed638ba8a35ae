"""One bar a minute. The minute that is still running is paler: it is not a fall, it has only begun."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from app.ui.words import decimal, utc


def minutes(series: list[dict[str, Any]], measure: str, style: str, height: int) -> None:
    rows = _rows(series, measure)
    if rows:
        st.vega_lite_chart(
            rows, _spec(style), width="stretch", height=height, key=f"minutes_{measure}", alt=f"{measure} per minute"
        )


def _rows(series: list[dict[str, Any]], measure: str) -> list[dict[str, Any]]:
    running = datetime.now(UTC) - timedelta(minutes=1)
    rows = []
    for row in series:
        value = decimal(row.get(measure))
        if value is not None and row.get("minute"):
            start = utc(datetime.fromisoformat(str(row["minute"])))
            rows.append({"minute": start, "value": float(value), "state": "running" if start > running else "closed"})
    return rows


def _spec(style: str) -> dict[str, Any]:
    minute = {"field": "minute", "type": "temporal", "timeUnit": "utcyearmonthdatehoursminutes"}
    return {
        "mark": {"type": "bar", "cornerRadiusEnd": 2, "width": {"band": 0.7}},
        "encoding": {
            "x": {
                **minute,
                "title": None,
                "axis": {"format": "%H:%M", "tickCount": 6, "grid": False},
            },
            "y": {"field": "value", "type": "quantitative", "title": None, "axis": {"format": ",.4~s", "tickCount": 3}},
            "opacity": {
                "field": "state",
                "type": "nominal",
                "scale": {"domain": ["closed", "running"], "range": [1, 0.45]},
                "legend": None,
            },
            "tooltip": [
                {**minute, "format": "%H:%M", "title": "Minute (UTC)"},
                {"field": "value", "type": "quantitative", "format": style, "title": "In this minute"},
                {"field": "state", "type": "nominal", "title": "Minute is"},
            ],
        },
    }
