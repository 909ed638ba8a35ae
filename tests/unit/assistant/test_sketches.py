"""Percentiles from buckets are within the error that is stated, distinct counts are exact, however the parts are joined."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil

import pytest

from headrace.assistant.choose import smallest
from headrace.assistant.evidence import Result
from headrace.assistant.figures import NotAdditive, combine, evaluate
from headrace.assistant.plan import Filter, Plan, TimeRange
from headrace.assistant.run import Runner
from headrace.assistant.sketches import Distinct, Histogram, middle
from tests.unit.assistant.world import ADMIN, NOW, RATES, VOCABULARY, Event, FakeHistory, FakeStore, bucket

START = NOW.replace(hour=0, minute=0, second=0)
SHARES = {"median_purchase": 0.5, "p95_purchase": 0.95}


def events_of(chance: random.Random, count: int) -> list[Event]:
    return [
        Event(
            at=START + timedelta(seconds=chance.randrange(8 * 3600)),
            amount=chance.choice(
                [Decimal(0), Decimal(1), Decimal(chance.randrange(1, 10 ** chance.randrange(2, 9))) / 100]
            ),
            type=chance.choice(["purchase", "purchase", "refund"]),
            currency=chance.choice(["USD", "EUR"]),
            region=chance.choice(["europe", "asia"]),
            user=f"u-{chance.randrange(12)}",
            late=chance.random() < 0.1,
        )
        for _ in range(count)
    ]


def run(
    events: list[Event], cut: datetime | None, metrics: tuple[str, ...], *, start: datetime = START,
    kept_since: datetime | None = None, **asked: object,
) -> Result:  # fmt: skip
    store = FakeStore([e for e in events if cut is None or e.at >= (kept_since or cut)], kept_since=kept_since)
    history = FakeHistory([e for e in events if cut and e.at < cut])
    runner = Runner(store, history, lambda: RATES, lambda: cut, seconds=5)
    time = TimeRange(start=start, end=START + timedelta(hours=9), label="today")
    result, _ = runner.run(ADMIN, Plan(metrics=metrics, time=time, **asked), VOCABULARY)  # type: ignore[arg-type]
    runner.close()
    return result


@pytest.mark.parametrize("seed", range(25))
def test_percentiles_are_within_one_percent_wherever_the_period_is_cut(seed: int) -> None:
    chance = random.Random(seed)
    events = events_of(chance, chance.choice([1, 3, 200]))
    cut = chance.choice([None, START + timedelta(minutes=chance.randrange(500))])
    part = run(events, cut, tuple(SHARES), group_by=("region",)).part
    for region in ("europe", "asia"):
        values = sorted(
            e.amount * RATES.rate(e.currency, e.at.date())
            for e in events
            if e.type == "purchase" and e.region == region
        )
        for name, share in SHARES.items():
            found = evaluate(name, part.get((None, (region,)), {}), VOCABULARY)
            if not values:
                assert found is None
                continue
            exact = values[max(ceil(Decimal(str(share)) * len(values)), 1) - 1]
            assert found is not None
            assert abs(found - exact) <= exact * Decimal("0.0100")


@pytest.mark.parametrize("seed", range(10))
def test_joined_in_any_order_and_grouping_percentiles_are_the_same(seed: int) -> None:
    chance = random.Random(seed)
    values = [Decimal(chance.randrange(1, 1000)) for _ in range(60)]
    whole = Histogram(0.95)
    parts = [Histogram(0.95) for _ in range(5)]
    for value in values:
        whole.add(value, 1)
        chance.choice(parts).add(value, 1)
    chance.shuffle(parts)
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.joined(part)
    assert joined.figure() == whole.figure() == sorted(values)[ceil(0.95 * 60) - 1]


@pytest.mark.parametrize("cents", [0, 1, 100, 102, 104, 105, 99_999_999, 100_000_000])
def test_the_middle_of_a_bucket_is_near_everything_in_it(cents: int) -> None:
    value = Decimal(cents) / 100
    assert abs(middle(1.02, bucket(value)) - value) <= value * Decimal("0.0100")


def test_a_distinct_count_is_the_size_of_the_joined_set() -> None:
    joined = combine(None, Distinct(["a", "b"]), Distinct(["b", "c"]))
    assert isinstance(joined, Distinct) and joined.figure() == 3
    with pytest.raises(NotAdditive):
        combine(None, Distinct(["a"]), Decimal(1))


@pytest.mark.parametrize("seed", range(10))
def test_active_customers_are_counted_once_over_minutes_and_late_events(seed: int) -> None:
    events = events_of(random.Random(seed), 80)
    result = run(
        events, START, ("active_customers", "transactions"), filters=(Filter(dimension="region", values=("asia",)),)
    )
    asia = [e for e in events if e.region == "asia"]
    [cells] = result.part.values() or [{}]
    assert evaluate("active_customers", cells, VOCABULARY) == len({e.user for e in asia})
    assert evaluate("transactions", cells, VOCABULARY) == len(asia)
    assert {f.source for f in result.freshness} == {"window:transactions_1m", "window:transactions_by_user"}


def test_a_distinct_count_comes_from_live_windows_that_reach_back_so_far() -> None:
    events = events_of(random.Random(1), 80)
    cut, start = START + timedelta(hours=4), START + timedelta(hours=3)
    result = run(events, cut, ("active_customers",), start=start, kept_since=start)
    [cells] = result.part.values()
    assert evaluate("active_customers", cells, VOCABULARY) == len({e.user for e in events if e.at >= start})
    assert (result.source, result.notes[:0]) == ("live", [])


def test_a_distinct_count_of_two_sides_is_that_of_history_and_says_so() -> None:
    events = events_of(random.Random(2), 80)
    cut = START + timedelta(hours=4)
    result = run(events, cut, ("active_customers",), kept_since=START + timedelta(hours=1))
    assert result.source == "historical"
    assert "complete through" in result.notes[0] and "cannot be added up" in result.notes[0]


@pytest.mark.parametrize(
    ("metric", "keys", "spec"),
    [
        ("sales", (), "transactions_1m"),
        ("sales", ("merchant_id", "region"), "transactions_1m"),
        ("sales", ("user_id",), "transactions_by_user"),
        ("sales", ("user_id", "merchant_id"), None),
        ("active_customers", ("region",), "transactions_by_user"),
        ("active_customers", ("merchant_id",), None),
        ("p95_purchase", ("region",), "transaction_amounts"),
        ("p95_purchase", ("user_id",), None),
        ("largest_purchase", ("currency",), "transactions_1m"),
    ],
)
def test_the_smallest_windows_that_cover_the_question_are_read(
    metric: str, keys: tuple[str, ...], spec: str | None
) -> None:
    found = smallest(VOCABULARY.metrics[metric], keys, VOCABULARY)
    assert (found.name if found else None) == spec
