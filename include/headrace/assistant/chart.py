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
    import altair as alt  # slow to import; only answers with a chart pay for it

    columns = {c.name: c for c in data.columns}
    measure = columns[plan.metrics[0]]
    axes = [*([plan.grain] if plan.grain else []), *plan.group_by]
    names = [c.name for c in data.columns]
    values = [dict(zip(names, row, strict=True)) for row in data.rows]
    chart = alt.Chart(alt.InlineData(values=values), title=_title(measure, plan))
    y = alt.Y(f"{measure.name}:Q", title=_axis(measure))
    encoded = _pie(alt, chart, axes, measure) if kind == "pie" else _marked(alt, chart, kind, plan, axes, columns, y)
    spec: dict[str, Any] = encoded.to_dict()
    return spec


def _marked(
    alt: Any, chart: Any, kind: ChartKind, plan: Plan, axes: list[str], columns: dict[str, Column], y: Any
) -> Any:
    drawn = {"line": chart.mark_line(point=True), "area": chart.mark_area(), "bar": chart.mark_bar()}[kind]
    first = axes[0]
    if plan.grain:
        x = alt.X(f"{first}:T", title=f"{columns[first].label} (UTC)", scale=alt.Scale(type="utc"))
    else:
        x = alt.X(f"{first}:N", title=columns[first].label, sort=None)
    encoding: dict[str, Any] = {"x": x, "y": y, "tooltip": [*axes, *(f"{m}:Q" for m in plan.metrics)]}
    if len(axes) > 1:
        encoding["color"] = alt.Color(f"{axes[1]}:N", title=columns[axes[1]].label)
    return drawn.encode(**encoding)


def _pie(alt: Any, chart: Any, axes: list[str], measure: Column) -> Any:
    field = axes[-1]
    kind = "N"
    return chart.mark_arc().encode(
        theta=alt.Theta(f"{measure.name}:Q"), color=alt.Color(f"{field}:{kind}"), tooltip=[field, f"{measure.name}:Q"]
    )


def _axis(measure: Column) -> str:
    return f"{measure.label} ({measure.unit})" if measure.unit else measure.label


def _title(measure: Column, plan: Plan) -> str:
    return f"{measure.label}, {plan.time.label}"
