"""Figures and moments in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.ui.components.chart import fitted
from app.ui.components.plan_words import in_words
from app.ui.models import Answer
from app.ui.words import age, code, commands, figure, plain, readable, short

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        ("48213.57", "USD", "$48,213.57"),
        ("1234.5", "EUR", "€1,234.50"),
        ("1234", "JPY", "¥1,234"),
        ("-3.1", "USD", "-$3.10"),
        (1234567, "", "1,234,567"),
        ("12.34", "%", "12.3%"),
        ("0.123", "ratio", "12.3%"),
        (3, "orders", "3 orders"),
        (None, "USD", "–"),
        ("many", "", "many"),
        ("9007199254740993.01", "USD", "$9,007,199,254,740,993.01"),
    ],
)
def test_figures_carry_their_unit_and_stay_exact(value: Any, unit: str, said: str) -> None:
    assert figure(value, unit) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [("12.34", "$12.34"), ("48213.57", "$48,214"), ("12345678", "$12.35M"), ("-48213.57", "-$48,214")],
)
def test_big_numbers_are_short(value: str, said: str) -> None:
    assert short(value, "USD") == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s ago"), (119, "119 s ago"), (120, "2 min ago"), (7300, "2 h ago")]
)
def test_ages(seconds: int, said: str) -> None:
    assert age(NOON - timedelta(seconds=seconds), NOON) == said


def test_text_of_others_is_never_formatting() -> None:
    assert plain("$5 and $6 **[x](y)**") == r"\$5 and \$6 \*\*\[x\]\(y\)\*\*"
    assert code("a`b") == "`ab`"
    assert commands("See `./headrace status`.") == r"See `./headrace status`\."
    assert commands("one ` only") == r"one \` only"


def test_a_chart_gets_no_address_to_fetch_from() -> None:
    spec = {"mark": "bar", "width": 900, "data": {"url": "http://example.com/x.json"}, "config": {}}
    assert fitted(spec) == {"mark": "bar", "data": {"values": []}, "encoding": {}}


def test_bars_of_names_lie_down_with_readable_names() -> None:
    spec = {
        "mark": {"type": "bar"},
        "data": {"values": [{"region": "north_america", "sales": 1.5}]},
        "encoding": {"x": {"field": "region", "type": "nominal"}, "y": {"field": "sales", "type": "quantitative"}},
    }
    made = fitted(spec)
    assert made["encoding"]["y"]["field"] == "region" and made["encoding"]["x"]["field"] == "sales"
    assert made["data"]["values"] == [{"region": "North America", "sales": 1.5}]


def test_ids_stay_and_names_become_readable() -> None:
    assert readable("south_america") == "South America" and readable("m-0001") == "m-0001"
    assert readable("McCoy & Sons") == "McCoy & Sons" and readable("USD") == "USD"


def test_a_plan_in_words() -> None:
    plan = {
        "metrics": ["sales"],
        "group_by": ["transaction__region"],
        "filters": [{"dimension": "region", "values": ["europe", "asia"], "negated": True}],
        "time": {"start": "2026-05-01T00:00:00Z", "end": "2026-05-02T00:00:00Z", "label": "1 May"},
        "order": {"by": "sales", "descending": True},
        "limit": 5,
        "source": "both",
        "compare": None,
    }
    assert dict(in_words(plan)) == {
        "Metrics": "sales",
        "Split by": "region",
        "Only": "region not europe or asia",
        "Period": "1 May (2026-05-01 00:00 UTC to 2026-05-02 00:00 UTC)",
        "Order": "highest sales first",
        "At most": "5",
        "Read from": "live windows and history",
    }


def test_an_answer_may_leave_out_or_null_what_it_does_not_have() -> None:
    answer = Answer.model_validate(
        {"status": "declined", "text": "No.", "data": None, "charts": None, "confidence": None}
    )
    assert answer.data.rows == [] and answer.charts == [] and answer.confidence.level == ""
