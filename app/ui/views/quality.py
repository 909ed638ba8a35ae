"""How good each table is: five figures a day, with the counts that they are made of, and how they went."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.ui.components.fetching import fetched
from app.ui.models import BothSides, Figure, QualityDays, TableDay
from app.ui.words import age, plain
from app.ui.words import figure as shown

DAYS = 14
_COLOURS = {"passed": "green", "failed": "red", "empty": "gray"}
_WORDS = {"passed": "as asked for", "failed": "too low", "empty": "nothing to measure"}


def show() -> None:
    st.title("Quality", anchor=False)
    found = fetched(lambda client: client.quality(DAYS))
    if found is None:
        return
    if not found.days:
        st.info(
            "Nothing was measured yet. It comes by itself after the first build of the lake.",
            icon=":material/hourglass_empty:",
        )
        st.code("./headrace quality --measure", language="bash")
        return
    newest = _newest(found)
    failed = [day for day in newest if day.state == "failed"]
    st.markdown(
        f"**{len(newest) - len(failed)} of {len(newest)} tables** are as good as asked for, on the newest day of each."
    )
    for day in failed:
        st.warning(plain(day.sentence), icon=":material/rule:")
    chosen = st.selectbox("Table", [day.table for day in newest], key="quality_table")
    _table(found, str(chosen))
    _both_sides(found.live_and_lake)
    st.caption(f"Counted {age(found.as_of)}. Days are those of arrival, in UTC. Also: `./headrace quality`")


def _newest(found: QualityDays) -> list[TableDay]:
    """Days come newest first."""
    kept: dict[str, TableDay] = {}
    for day in found.days:
        kept.setdefault(day.table, day)
    return list(kept.values())


def _table(found: QualityDays, table: str) -> None:
    days = [day for day in found.days if day.table == table]
    for figure in days[0].figures:
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.markdown(f"**{plain(figure.figure.capitalize())}**", width="content")
                st.badge(_WORDS.get(figure.state, figure.state), color=_COLOURS.get(figure.state, "gray"))  # type: ignore[arg-type]
            st.markdown(plain(_said(figure)))
            st.caption(plain(found.meaning.get(figure.figure, "")))
            _history(days, figure.figure)


def _both_sides(found: list[BothSides]) -> None:
    """What live windows and the lake said of the same minutes; what came late is in the lake alone."""
    if not found:
        return
    wrong = [one.metric for one in found if one.state != "equal"]
    with st.expander(f"Live and lake: {len(found) - len(wrong)} of {len(found)} metrics agree", expanded=bool(wrong)):
        st.dataframe([_row(one) for one in found], hide_index=True, width="stretch")
        st.caption("Compared hourly, over closed windows. Also: `./headrace reconciliation`")


def _row(one: BothSides) -> dict[str, str]:
    figures = {name: shown(getattr(one, name)) for name in ("live", "lake", "difference", "late")}
    share = "–" if one.relative is None else f"{one.relative:.3%}"
    agrees = "yes" if one.state == "equal" else "no"
    return {"metric": one.metric.replace("_", " "), **figures, "relative": share, "agree but for late": agrees}


def _said(figure: Figure) -> str:
    if figure.percent is None:
        return "Nothing to measure that day"
    counts = f"{figure.good:,} of {figure.counted:,} {figure.unit}"
    return f"{figure.percent} % ({counts}); asked for: {figure.threshold} %"


def _history(days: list[TableDay], name: str) -> None:
    """A bar a day of how many fell short: shares near a hundred would all look alike."""
    rows = [
        {"day": day.day, "short": figure.counted - figure.good, "state": figure.state}
        for day in days
        for figure in day.figures
        if figure.figure == name and figure.percent is not None
    ]
    if len(rows) > 1:
        st.vega_lite_chart(
            rows, _SPEC, width="stretch", height=70, key=f"quality_{name}", alt=f"Rows short of {name} by day"
        )


_SPEC: dict[str, Any] = {
    "mark": {"type": "bar", "cornerRadiusEnd": 2},
    "encoding": {
        "x": {"field": "day", "type": "ordinal", "title": None, "axis": {"labels": False, "ticks": False}},
        "y": {"field": "short", "type": "quantitative", "title": None, "axis": {"tickCount": 2, "grid": False}},
        "color": {
            "field": "state", "type": "nominal", "legend": None,
            "scale": {"domain": ["passed", "failed"], "range": ["#3b9c6b", "#d1495b"]},
        },
        "tooltip": [{"field": "day", "title": "Day"}, {"field": "short", "title": "Fell short"}],
    },
}  # fmt: skip
