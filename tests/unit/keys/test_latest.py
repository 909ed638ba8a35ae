"""Latest metrics from the windows: what is written, what is left out, and what it would cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from headrace.assistant.rates import RatesUnknown
from headrace.keys import latest
from headrace.keys.latest import LatestMetrics
from tests.unit.assistant.world import NOW, RATES, VOCABULARY, Event, FakeStore


class Sizes:
    def __init__(self, size: int) -> None:
        self.size = size

    def sizes(self, spec: str, start: datetime, end: datetime) -> Mapping[datetime, int]:
        return {start: self.size, end - timedelta(minutes=5): 1}


def _no_rates() -> Any:
    raise RatesUnknown("none yet")


EVENTS = [
    Event(NOW, Decimal(10)),
    Event(NOW - timedelta(minutes=2), Decimal(8), currency="EUR", region="asia", user="u-2"),
    Event(NOW - timedelta(minutes=2), Decimal(5), late=True),
    Event(NOW - timedelta(minutes=10), Decimal(3), "refund", user="u-3"),
    Event(NOW - timedelta(minutes=40), Decimal(7)),
]


def made(size: int = 1, rates: Any = lambda: RATES) -> dict[str, dict[str, Any]]:
    store = FakeStore(EVENTS)
    return dict(LatestMetrics(None, store, Sizes(size), lambda: VOCABULARY, rates).documents(NOW))  # type: ignore[arg-type]


def test_each_metric_over_each_length_late_events_among_them() -> None:
    found = made()
    assert found["metric:sales:5m"]["value"] == 24.0
    assert found["metric:sales:60m"]["value"] == 31.0
    assert found["metric:net_sales:15m"]["value"] == 21.0
    assert found["metric:active_customers:15m"]["value"] == 3
    assert found["metric:sales:5m:region"]["values"] == {"asia": 9.0, "europe": 15.0}
    assert found["metric:sales:5m"]["end"] == NOW.replace(second=0, microsecond=0) + timedelta(minutes=1)
    assert found["metric:sales:5m"]["as_of"] == NOW and NOW.tzinfo is UTC


def test_money_waits_for_rates_and_counts_do_not() -> None:
    found = made(rates=_no_rates)
    assert "metric:sales:5m" not in found
    assert found["metric:transactions:5m"]["value"] == 3


def test_more_rows_than_a_fold_may_read_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "MOST_ROWS", 10)
    found = made(size=11)
    assert "metric:sales:60m" not in found
    assert found["metric:sales:5m"]["value"] == 24.0
