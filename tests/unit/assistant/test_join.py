"""Wherever a period is cut between history and live windows, the figures are those of the whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.assistant.figures import NotAdditive, combine, evaluate, join
from headrace.assistant.livepart import as_live, total
from headrace.assistant.periods import GRAINS, floor
from headrace.assistant.plan import Plan, TimeRange
from headrace.assistant.table import rows_of
from headrace.streams.spec import LiveMeasure, LiveSpec
from tests.unit.assistant.world import NOW, RATES, VOCABULARY, Event, windows_of

START = NOW.replace(hour=0, minute=0, second=0)
NAMES = ("sales", "refunds", "net_sales", "transactions", "average_purchase", "largest_purchase")
EVENTS = st.lists(
    st.builds(
        Event,
        at=st.integers(0, 300).map(lambda m: START + timedelta(minutes=m)),
        amount=st.integers(0, 100_000_000).map(lambda c: Decimal(c) / 100),
        type=st.sampled_from(["purchase", "refund", "fee"]),
        currency=st.sampled_from(["USD", "EUR"]),
        region=st.sampled_from(["europe", "asia"]),
    ),
    max_size=40,
)


def figures(parts: list[list[Event]], grain: str | None, by: tuple[str, ...]) -> list[tuple[object, ...]]:
    components = VOCABULARY.components(NAMES)
    requests = as_live(components, by, (), grain, VOCABULARY)  # type: ignore[arg-type]
    assert requests is not None
    [request] = requests
    assert request.spec == "transactions_1m"
    joined = join([total(windows_of(events), request, RATES) for events in parts], components)
    time = TimeRange(start=START, end=NOW, label="today")
    plan = Plan(metrics=NAMES, group_by=by, grain=grain, time=time)  # type: ignore[arg-type]
    return [(r.bucket, r.keys, dict(r.values)) for r in rows_of(plan, joined, VOCABULARY)]


@settings(max_examples=60)
@given(
    EVENTS,
    st.integers(0, 301),
    st.sampled_from([None, *GRAINS]),
    st.sampled_from([(), ("region",), ("region", "currency")]),
)
def test_cut_anywhere_equals_the_whole(
    events: list[Event], minute: int, grain: str | None, by: tuple[str, ...]
) -> None:
    cut = START + timedelta(minutes=minute)
    before, after = [e for e in events if e.at < cut], [e for e in events if e.at >= cut]
    assert figures([before, after], grain, by) == figures([events], grain, by)


def test_a_ratio_is_made_after_the_join_never_averaged() -> None:
    many = [Event(START, Decimal(10)) for _ in range(9)]
    one = [Event(START + timedelta(hours=1), Decimal(110))]
    ((_, _, values),) = figures([many, one], None, ())
    assert values["average_purchase"] == Decimal(20)  # type: ignore[index]


def test_amounts_take_the_rate_of_their_own_day() -> None:
    events = [
        Event(START, Decimal(100), currency="EUR"),
        Event(START - timedelta(days=1), Decimal(100), currency="EUR"),
    ]
    ((_, _, values),) = figures([events], None, ())
    assert values["sales"] == Decimal("222.5")  # type: ignore[index]


def test_nothing_to_add_up_is_zero_and_nothing_to_divide_by_is_no_figure() -> None:
    ((_, _, values),) = figures([[]], None, ())
    assert values["sales"] == 0  # type: ignore[index]
    assert values["average_purchase"] is None  # type: ignore[index]
    assert values["largest_purchase"] is None  # type: ignore[index]


def test_a_distinct_count_is_never_added_up() -> None:
    with pytest.raises(NotAdditive):
        combine(None, Decimal(1), Decimal(1))
    assert combine(None, None, Decimal(1)) == 1


def test_an_expression_holds_arithmetic_only() -> None:
    bad = VOCABULARY.metrics["net_sales"].__class__("x", "X", inputs=(("a", "sales"),), expr="__import__('os')")
    vocabulary = VOCABULARY.__class__({**VOCABULARY.metrics, "x": bad}, {})
    with pytest.raises(ValueError, match="may not hold"):
        evaluate("x", {"sales": Decimal(1)}, vocabulary)


@pytest.mark.parametrize("grain", GRAINS)
def test_buckets_start_where_trino_starts_them(grain: str) -> None:
    starts = {
        "minute": datetime(2026, 11, 21, 10, 37), "hour": datetime(2026, 11, 21, 10), "day": datetime(2026, 11, 21),
        "week": datetime(2026, 11, 16), "month": datetime(2026, 11, 1), "quarter": datetime(2026, 10, 1),
        "year": datetime(2026, 1, 1),
    }  # fmt: skip
    assert floor(NOW, grain) == starts[grain].replace(tzinfo=NOW.tzinfo)  # type: ignore[arg-type]


def test_windows_that_are_not_split_by_what_is_asked_are_left_to_the_lake() -> None:
    [sales], clicks_1m = VOCABULARY.components(("sales",)), LiveSpec("clicks_1m", "clicks", 60, ("currency",), ())
    clicks = replace(sales, name="clicks", live=LiveMeasure("clicks", "count", "count"))
    known = replace(VOCABULARY, windows=(*VOCABULARY.windows, clicks_1m))
    assert as_live((sales,), ("region",), (), None, known) is not None
    assert as_live((clicks,), ("currency",), (), None, known) is not None
    assert as_live((clicks,), ("region",), (), None, known) is None
    assert as_live((sales, clicks), ("region",), (), None, known) is None
    assert [r.spec for r in as_live((sales, clicks), ("currency",), (), None, known) or ()] == [
        "transactions_1m",
        "clicks_1m",
    ]


def test_rows_of_an_earlier_counting_stop_no_answer() -> None:
    """It had no currency, so it does not say what money is worth; how many there were it does say."""
    components = VOCABULARY.components(("sales", "transactions"))
    [request] = as_live(components, (), (), None, VOCABULARY) or ()
    [window] = windows_of([Event(at=START, amount=Decimal(5), type="purchase", currency="EUR", region="asia")])
    older = replace(window, keys={name: key for name, key in window.keys.items() if name != "currency"})
    counts = {name: cell for cells in total([older], request, RATES).values() for name, cell in cells.items()}
    assert counts == {"transactions": 1}
