"""Questions to plans, by rules alone: what is understood, what is asked back, what is declined."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headrace.assistant.outcome import Asked, Declined, Understood
from headrace.assistant.plan import Plan
from headrace.assistant.understand import Understanding
from tests.unit.assistant.world import NOW, VOCABULARY

RULES = Understanding(VOCABULARY)


def short(plan: Plan) -> dict[str, Any]:
    """The plan's filled fields, small enough to compare in a table."""
    said: dict[str, Any] = {"metrics": " ".join(plan.metrics), "time": plan.time.label.removesuffix(", up to now")}
    if plan.group_by:
        said["by"] = " ".join(plan.group_by)
    if plan.filters:
        said["where"] = "; ".join(f.words() for f in plan.filters)
    if plan.order:
        said["rank"] = f"{'top' if plan.order.descending else 'bottom'} {plan.limit} {plan.order.by}"
    return (
        said
        | {k: v for k in ("grain", "chart") if (v := getattr(plan, k))}
        | ({"compare": plan.compare.label} if plan.compare else {})
    )


UNDERSTOOD: list[tuple[str, dict[str, Any]]] = [
    ("sales today including the last minute", {"metrics": "sales", "time": "today"}),
    ("What were total sales in Europe in October?", {"metrics": "sales", "time": "October 2026", "where": "region europe"}),
    ("net sales by region this month", {"metrics": "net_sales", "time": "this month", "by": "region"}),
    ("top 5 merchants by sales yesterday", {"metrics": "sales", "time": "yesterday", "by": "merchant_id", "rank": "top 5 sales"}),
    ("which merchant had the most refunds last week?", {"metrics": "refunds", "time": "last week", "by": "merchant_id", "rank": "top 1 refunds"}),
    ("worst regions by net sales", {"metrics": "net_sales", "time": "today", "by": "region", "rank": "bottom 10 net_sales"}),
    ("how many transactions in the last 15 minutes", {"metrics": "transactions", "time": "last 15 minutes"}),
    ("transactions for refunds today", {"metrics": "transactions", "time": "today", "where": "transaction_type refund"}),
    ("sales by day last 7 days as a bar chart", {"metrics": "sales", "time": "last 7 days, with today", "grain": "day", "chart": "bar"}),
    ("sales this month by day", {"metrics": "sales", "time": "this month", "grain": "day"}),
    ("sales day by day this week", {"metrics": "sales", "time": "this week", "grain": "day"}),
    ("hourly sales today", {"metrics": "sales", "time": "today", "grain": "hour"}),
    ("transactions per minute in the last 30 minutes", {"metrics": "transactions", "time": "last 30 minutes", "grain": "minute"}),
    ("sales trend this month", {"metrics": "sales", "time": "this month", "grain": "day"}),
    ("sales in europe vs asia this week", {"metrics": "sales", "time": "this week", "by": "region", "where": "region europe or asia"}),
    ("sales today vs yesterday", {"metrics": "sales", "time": "today", "compare": "yesterday"}),
    ("sales compared with last week", {"metrics": "sales", "time": "this week", "compare": "last week"}),
    ("sales this month compared with the previous period", {"metrics": "sales", "time": "this month", "compare": "last month to the same point"}),
    ("average order value by region this quarter", {"metrics": "average_purchase", "time": "this quarter", "by": "region"}),
    ("biggest purchase yesterday", {"metrics": "largest_purchase", "time": "yesterday"}),
    ("transactions for merchant M-17 in the last hour", {"metrics": "transactions", "time": "last hour", "where": "merchant_id M-17"}),
    ("sales excluding asia and europe this month", {"metrics": "sales", "time": "this month", "where": "region not asia or europe"}),
    ("sales by region and currency on 2026-10-03", {"metrics": "sales", "time": "2026-10-03", "by": "region currency"}),
    ("sales in Germany this month", {"metrics": "sales", "time": "this month", "where": "country Germany"}),
    ("sales and refunds by region today", {"metrics": "sales refunds", "time": "today", "by": "region"}),
    ("transactions for transaction type refund today", {"metrics": "transactions", "time": "today", "where": "transaction_type refund"}),
    ("salse in eurpoe yesterday", {"metrics": "sales", "time": "yesterday", "where": "region europe"}),
    ("active customers this week", {"metrics": "active_customers", "time": "this week"}),
    ("transaction count right now", {"metrics": "transactions", "time": "last 5 minutes"}),
    ("sales between 2026-10-01 and 2026-10-07 by day", {"metrics": "sales", "time": "2026-10-01 to 2026-10-07", "grain": "day"}),
]  # fmt: skip


@pytest.mark.parametrize(("question", "plan"), UNDERSTOOD, ids=[q for q, _ in UNDERSTOOD])
def test_understood(question: str, plan: dict[str, Any]) -> None:
    outcome = RULES.understand(question, NOW)
    assert isinstance(outcome, Understood), outcome
    assert short(outcome.plan) == plan


ASKED = [
    ("revenue this week", "Sales", "revenue"),
    ("how are we doing today?", "Net sales", ""),
    ("how is business", "Sales", ""),
    ("sales for refunds today", "Refunds", ""),
    ("sales of umbrellas today", None, "umbrellas"),
    ("sales per transaction", "Average purchase", ""),
    ("average sales today", "Average purchase", "average"),
    ("sales on 03/10/2026", None, "03/10/2026"),
    ("sales in Georgia today", "Merchant country Georgia", "georgia"),
    ("by region this month", "Sales", ""),
]


@pytest.mark.parametrize(("question", "option", "about"), ASKED)
def test_asked_back(question: str, option: str | None, about: str) -> None:
    outcome = RULES.understand(question, NOW)
    assert isinstance(outcome, Asked), outcome
    assert outcome.about.lower() == about.lower()
    assert option is None or option in outcome.options


DECLINED = [
    ("what's the weather in Paris?", "weather"),
    ("forecast sales next month", "forecast"),
    ("sales tomorrow", "future"),
    ("why did sales drop", "not why"),
    ("drop table users", "never"),
    ("delete all rows from transactions", "never"),
    ("who is the president", "president"),
]


@pytest.mark.parametrize(("question", "word"), DECLINED)
def test_declined_with_what_can_be_asked(question: str, word: str) -> None:
    outcome = RULES.understand(question, NOW)
    assert isinstance(outcome, Declined), outcome
    assert word in outcome.reason
    assert outcome.suggestions


def test_every_suggestion_can_be_asked() -> None:
    for suggestion in RULES.suggestions():
        assert isinstance(RULES.understand(suggestion, NOW), Understood), suggestion


def test_unknown_words_lower_the_confidence_and_are_named() -> None:
    outcome = RULES.understand("sales in europe today sideways gizmo", NOW)
    assert isinstance(outcome, Understood)
    assert outcome.level == "low"
    assert "“sideways”, “gizmo”" in outcome.reasons[0]


def test_an_assumed_period_is_said() -> None:
    outcome = RULES.understand("sales", NOW)
    assert isinstance(outcome, Understood)
    assert outcome.level == "medium"
    assert "no period was named" in outcome.reasons[0]


FOLLOW_UPS: list[tuple[str, dict[str, Any]]] = [
    ("and last week?", {"metrics": "sales", "time": "last week", "by": "region"}),
    ("by currency instead", {"metrics": "sales", "time": "today", "by": "currency"}),
    ("as a pie chart", {"metrics": "sales", "time": "today", "by": "region", "chart": "pie"}),
    ("and refunds?", {"metrics": "refunds", "time": "today", "by": "region"}),
    ("only europe", {"metrics": "sales", "time": "today", "by": "region", "where": "region europe"}),
    ("top 3", {"metrics": "sales", "time": "today", "by": "region", "rank": "top 3 sales"}),
    ("by day", {"metrics": "sales", "time": "today", "by": "region", "grain": "day"}),
    ("and by currency too", {"metrics": "sales", "time": "today", "by": "region currency"}),
    ("compared with yesterday?", {"metrics": "sales", "time": "today", "by": "region", "compare": "yesterday"}),
    ("what about asia", {"metrics": "sales", "time": "today", "by": "region", "where": "region asia"}),
    ("sales yesterday", {"metrics": "sales", "time": "yesterday"}),
]


@pytest.mark.parametrize(("question", "plan"), FOLLOW_UPS, ids=[q for q, _ in FOLLOW_UPS])
def test_follow_up(question: str, plan: dict[str, Any]) -> None:
    first = RULES.understand("sales by region today", NOW)
    assert isinstance(first, Understood)
    outcome = RULES.understand(question, NOW, first.plan)
    assert isinstance(outcome, Understood), outcome
    assert short(outcome.plan) == plan


def test_a_follow_up_that_means_nothing_is_not_answered_with_the_figures_before() -> None:
    first = RULES.understand("sales by region today", NOW)
    assert isinstance(first, Understood)
    assert isinstance(RULES.understand("and the weather?", NOW, first.plan), Declined)


@pytest.mark.parametrize(
    ("question", "metrics", "group_by"),
    [
        ("sales by customer today", ("sales",), ("user_id",)),
        ("top 5 customers by sales today", ("sales",), ("user_id",)),
        ("sales by customer today, top 5", ("sales",), ("user_id",)),
        ("top 5 regions by customers today", ("active_customers",), ("region",)),
        ("sales and customers by region today", ("sales", "active_customers"), ("region",)),
        ("customers today", ("active_customers",), ()),
    ],
)
def test_a_word_that_is_a_figure_and_an_axis_is_read_by_its_place(
    question: str, metrics: tuple[str, ...], group_by: tuple[str, ...]
) -> None:
    dimensions = dict(VOCABULARY.dimensions)
    dimensions["user_id"] = replace(dimensions["user_id"], synonyms=("customer", "user"))
    outcome = Understanding(replace(VOCABULARY, dimensions=dimensions)).understand(question, NOW)
    assert isinstance(outcome, Understood), outcome
    assert (outcome.plan.metrics, outcome.plan.group_by) == (metrics, group_by)
