"""A Vega-Lite chart chosen by the shape of the figures: line over time, bars by category, none for a single number."""

from __future__ import annotations

from typing import Any

from headrace.assistant.plan import ChartKind, Plan
from headrace.assistant.table import Column, Data

_MOST_BARS = 50


def choose(plan: Plan, data: Data) -> ChartKind:
    if plan.chart:
        return plan.chart
    if not data.rows or (not plan.grain and not plan.group_by):
        return "number"
    if plan.grain:
        return "line" if len(data.rows) > 1 else "bar"
    return "bar" if len(data.rows) <= _MOST_BARS else "table"


def charts(plan: Plan, data: Data) -> list[dict[str, Any]]:
    kind = choose(plan, data)
    drawable = kind not in ("table", "number") and data.rows and (plan.grain or plan.group_by)
    return [_spec(kind, plan, data)] if drawable else []


def _spec(kind: ChartKind, plan: Plan, data: Data) -> dict[str, Any]:
    import altair as alt  # seconds to import: `warm` does it beforehand

    columns = {c.name: c for c in data.columns}
    measure = columns[plan.metrics[0]]
    names = [c.name for c in data.columns]
    values = [dict(zip(names, row, strict=True)) for row in data.rows]
    chart = alt.Chart(alt.InlineData(values=values), title=f"{measure.label}, {plan.time.label}")
    tooltip = [alt.Tooltip(f"{c.name}:{_kind(c)}", title=c.label) for c in data.columns]
    encoding = _pie(alt, plan, measure) if kind == "pie" else _axes(alt, plan, columns, measure)
    marks = {"line": chart.mark_line, "area": chart.mark_area, "bar": chart.mark_bar, "pie": chart.mark_arc}
    drawn = marks[kind](point=True) if kind == "line" else marks[kind]()
    spec: dict[str, Any] = drawn.encode(**encoding, tooltip=tooltip).to_dict()
    spec.pop("datasets", None)
    return {**spec, "data": {"values": values}}


def _axes(alt: Any, plan: Plan, columns: dict[str, Column], measure: Column) -> dict[str, Any]:
    names = [*([plan.grain] if plan.grain else []), *plan.group_by]
    first = columns[names[0]]
    if plan.grain:
        x = alt.X(f"{first.name}:T", title=f"{first.label} (UTC)", scale=alt.Scale(type="utc"))
    else:
        x = alt.X(f"{first.name}:N", title=first.label, sort=None)
    found = {"x": x, "y": alt.Y(f"{measure.name}:Q", title=_axis(measure))}
    if len(names) > 1:
        found["color"] = alt.Color(f"{names[1]}:N", title=columns[names[1]].label)
    return found


def _pie(alt: Any, plan: Plan, measure: Column) -> dict[str, Any]:
    field = f"{plan.group_by[-1]}:N" if plan.group_by else f"{plan.grain}:O"
    return {"theta": alt.Theta(f"{measure.name}:Q"), "color": alt.Color(field)}


def _kind(column: Column) -> str:
    return {"timestamp": "T", "string": "N"}.get(column.type, "Q")


def warm() -> None:
    """Pays for the import before the first person waits for it."""
    import altair

    altair.Chart(altair.InlineData(values=[{"a": 1}])).mark_bar().encode(x="a:Q").to_dict()


def _axis(measure: Column) -> str:
    return f"{measure.label} ({measure.unit})" if measure.unit else measure.label
