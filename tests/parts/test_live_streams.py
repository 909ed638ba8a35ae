"""The live windows that the metrics declare, all of them at once: orders and app events are counted beside transactions."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from confluent_kafka import Producer

from headrace.contracts.model import load_contracts
from headrace.live.client import valkey
from headrace.live.store import LiveStore
from headrace.runtime import jobs
from headrace.semantics import live_specs
from headrace.settings import Settings
from headrace.streams.topics import producer_config
from tests.parts.own_process import OwnProcess

EVENTS = 60
SECONDS = 180


@dataclass(frozen=True)
class Sent:
    store: LiveStore
    app_events: list[dict[str, Any]]
    orders: list[dict[str, Any]]


@pytest.fixture(scope="module")
def sent(start_parts: Callable[..., Settings]) -> Iterator[Sent]:
    settings = start_parts("kafka", "postgres", "valkey")
    live_specs.publish(settings)
    projector = OwnProcess(settings, "headrace.live.projector")
    jobs.start("live", settings=settings)
    made = Sent(LiveStore(valkey(settings)), _app_events(), _orders())
    _send(settings, "app_events", made.app_events)
    _send(settings, "orders", made.orders)
    yield made
    jobs.stop("live", settings=settings)
    projector.stop()


def _made(number: int, **fields: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(seconds=number)
    return {"event_id": f"made-{number:08d}", "event_time": at.isoformat(), "user_id": f"u{number % 7}"} | fields


def _app_events() -> list[dict[str, Any]]:
    return [
        _made(n, session_id=f"s{n % 9}", event_type=("page_view", "search")[n % 2], platform=("web", "ios", "android")[n % 3],
              country="DE", region=("europe", "asia")[n % 2])
        for n in range(EVENTS)
    ]  # fmt: skip


def _orders() -> list[dict[str, Any]]:
    return [
        _made(n, order_id=f"o{n}", merchant_id=f"m{n % 3}", product_id="p", order_status=("placed", "shipped")[n % 2],
              quantity=1, amount=n / 4, currency=("EUR", "USD")[n % 2], region="europe")
        for n in range(EVENTS)
    ]  # fmt: skip


def _send(settings: Settings, stream: str, events: list[dict[str, Any]]) -> None:
    """Every event twice."""
    contract = load_contracts(settings.contracts)[stream]
    producer = Producer(producer_config(settings))
    for event in [*events, *events]:
        producer.produce(contract.topic, json.dumps(event).encode(), key=event["user_id"])
    assert producer.flush(30) == 0


def _counted(store: LiveStore, spec: str, events: list[dict[str, Any]], keys: tuple[str, ...]) -> None:
    wanted = Counter(tuple(event[key] for key in keys) for event in events)
    deadline = time.monotonic() + SECONDS
    end = datetime.now(UTC) + timedelta(minutes=5)
    while True:
        found: Counter[tuple[str | None, ...]] = Counter()
        for row in store.windows(spec, end - timedelta(hours=1), end):
            found[tuple(row.keys[key] for key in keys)] += row.n
        if found == wanted:
            return
        assert time.monotonic() < deadline, f"{spec}: {found} is not {wanted}"
        time.sleep(0.3)


def test_app_events_are_counted_by_action_and_by_person(sent: Sent) -> None:
    _counted(sent.store, "app_events_1m", sent.app_events, ("event_type", "platform", "region"))
    _counted(sent.store, "app_events_by_user", sent.app_events, ("user_id", "event_type"))


def test_steps_of_orders_are_counted_and_their_value_is_added_up(sent: Sent) -> None:
    _counted(sent.store, "order_steps_1m", sent.orders, ("merchant_id", "order_status", "currency"))
    end = datetime.now(UTC) + timedelta(minutes=5)
    rows = sent.store.windows("order_steps_1m", end - timedelta(hours=1), end)
    assert sum(row.values["sum_amount"] for row in rows) == sum(Decimal(str(event["amount"])) for event in sent.orders)
