"""Each metric from both sides: what late events add is explained, and nothing else may be left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from headrace.assistant.rates import RatesUnknown
from headrace.assistant.reconciled import Metrics, Reconciled
from headrace.semantics.reconcile import Sides, Summary
from headrace.streams.spec import LiveSpec
from tests.unit.assistant.world import AMOUNTS, BY_USER, NOW, RATES, SPEC, VOCABULARY, Event, windows_of

SINCE = NOW - timedelta(hours=1)
AT = NOW - timedelta(minutes=30)
EVENTS = [
    Event(AT, Decimal("10.00")),
    Event(AT, Decimal("8.00"), currency="EUR", user="u-2"),
    Event(AT, Decimal("2.50"), "refund", user="u-3"),
]
LATE = [Event(AT, Decimal("5.00"), late=True, user="u-9")]


def _side(spec: LiveSpec, events: Iterable[Event]) -> dict[Any, Any]:
    return {
        (w.window_start, tuple(w.keys[key] for key in spec.keys)): {"n": Decimal(w.n), **w.values}
        for w in windows_of(events, spec.keys)
    }


def _compared(live: list[Event], *, rates: Any = lambda: RATES, by_user: Any = SINCE) -> dict[str, Reconciled]:
    metrics = Metrics(VOCABULARY, rates)
    for spec, since in ((SPEC, SINCE), (BY_USER, by_user), (AMOUNTS, SINCE)):
        sides = Sides(_side(spec, live), _side(spec, EVENTS), _side(spec, LATE))
        metrics.add(spec, Summary(spec.name, NOW, since=since, sides=sides))
    return {row.metric: row for row in metrics.rows()}


def test_both_sides_agree_and_late_events_explain_the_difference() -> None:
    found = _compared(EVENTS)
    assert set(found) == set(VOCABULARY.metrics), "ratios, distinct counts and percentiles too"
    assert {row.state for row in found.values()} == {"equal"}
    assert all(row.difference == row.late for row in found.values())
    sales, customers = found["sales"], found["active_customers"]
    assert (sales.live, sales.lake, sales.late) == (Decimal("19.00"), Decimal("24.00"), Decimal("5.00"))
    assert sales.relative is not None and abs(sales.relative - 5 / 24) < 1e-12
    assert (customers.live, customers.lake, customers.late) == (3, 4, 1)
    assert found["average_purchase"].lake == Decimal(8)
    assert (sales.since, sales.through) == (SINCE, NOW)


def test_an_event_that_live_lacks_is_not_explained_by_late_ones() -> None:
    found = _compared(EVENTS[1:])
    assert found["sales"].state == found["purchases"].state == found["active_customers"].state == "differs"
    assert (found["sales"].difference, found["sales"].late) == (Decimal("15.00"), Decimal("5.00"))
    assert found["refunds"].state == "equal"


def test_nothing_to_compare_with_is_no_share() -> None:
    refunds = next(row for row in _compared([]).values() if row.metric == "largest_purchase")
    assert (refunds.live, refunds.difference, refunds.relative, refunds.state) == (None, None, None, "differs")


def test_without_rates_amounts_are_left_out() -> None:
    def unknown() -> Any:
        raise RatesUnknown("not yet")

    found = _compared(EVENTS, rates=unknown)
    assert {"purchases", "active_customers"} <= set(found) and not {"sales", "average_purchase"} & set(found)


def test_a_metric_of_two_stretches_is_left_out() -> None:
    mixed = replace(
        VOCABULARY,
        metrics={
            **VOCABULARY.metrics,
            "sales_a_head": replace(
                VOCABULARY.metrics["average_purchase"],
                name="sales_a_head",
                inputs=(("numerator", "sales"), ("denominator", "active_customers")),
            ),
        },
    )
    assert {m.name for m in mixed.components(["sales_a_head"])} == {"sales", "active_customers"}
    metrics = Metrics(mixed, lambda: RATES)
    for spec, since in ((SPEC, SINCE), (BY_USER, AT)):
        sides = Sides(_side(spec, EVENTS), _side(spec, EVENTS), {})
        metrics.add(spec, Summary(spec.name, NOW, since=since, sides=sides))
    names = {row.metric for row in metrics.rows()}
    assert {"sales", "active_customers"} <= names and "sales_a_head" not in names
