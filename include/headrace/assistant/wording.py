"""Figures in words: exact to the cent, with their unit, readable at a glance."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from headrace.assistant.periods import Grain
from headrace.assistant.vocabulary import Metric

_CENT = Decimal("0.01")
_FORMATS: dict[Grain, str] = {"minute": "%Y-%m-%d %H:%M", "hour": "%Y-%m-%d %H:00", "month": "%B %Y", "year": "%Y"}


def figure(value: Decimal | None, metric: Metric) -> str:
    if value is None:
        return "no figure"
    if metric.money:
        return f"{rounded(value, metric):,.2f} {metric.unit}".strip()
    if metric.unit == "share":
        return f"{value * 100:,.2f} %"
    text = f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.4f}".rstrip("0").rstrip(".")
    return text if metric.unit == "count" else f"{text} {metric.unit}".strip()


def rounded(value: Decimal, metric: Metric) -> Decimal:
    """Money to the cent, half to even; everything else as it is."""
    return value.quantize(_CENT, ROUND_HALF_EVEN) if metric.money else value


def number(value: Decimal | None, metric: Metric) -> int | float | None:
    """For JSON: whole numbers stay whole."""
    if value is None:
        return None
    value = rounded(value, metric)
    return int(value) if not metric.money and value == value.to_integral_value() else float(value)


def percent(part: Decimal, whole: Decimal) -> str:
    return f"{part / whole * 100:,.1f} %"


def moment(value: datetime, grain: Grain) -> str:
    if grain == "quarter":
        return f"Q{(value.month + 2) // 3} {value:%Y}"
    return value.strftime(_FORMATS.get(grain, "%Y-%m-%d"))


def name(value: str | None) -> str:
    """south_america -> South America; an id with a digit in it stays as it is."""
    if value is None:
        return "(none)"
    return value if any(c.isdigit() for c in value) or value.isupper() else value.replace("_", " ").title()
