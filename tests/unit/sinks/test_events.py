"""Accepted events as sinks see them, and the lines that ClickHouse is given."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from headrace.contracts.model import load_contracts
from headrace.settings import REPO
from headrace.sinks.clickhouse import rows, statements
from headrace.sinks.events import by_topic, events_of

CONTRACTS = by_topic(load_contracts(REPO / "include" / "contracts"))
TOPIC = "processed_transactions"


class _Message:
    def __init__(self, body: Any, *, key: str = "event-1", topic: str = TOPIC) -> None:
        self._body = body.encode() if isinstance(body, str) else body
        self._key, self._topic = key.encode(), topic

    def key(self) -> bytes:
        return self._key

    def value(self) -> bytes | None:
        return self._body

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 3


def _body(**changed: Any) -> str:
    made = {
        "event_id": "event-1",
        "event_time": "2026-01-31T23:30:00.000001+01:00",
        "user_id": "u1",
        "quality": {"late": True},
    }
    return json.dumps(made | changed)[:-1] + ', "amount": 0.10}'


def test_an_event_is_read_with_exact_numbers() -> None:
    (event,) = events_of([_Message(_body())], CONTRACTS)
    assert (event.identity, event.key, event.person) == ("event-1", "u1", "u1")
    assert event.document["amount"] == Decimal("0.10")


def test_a_repeat_is_the_same_event() -> None:
    assert len(events_of([_Message(_body()), _Message(_body())], CONTRACTS)) == 1
    assert len(events_of([_Message(_body()), _Message(_body(), key="event-2")], CONTRACTS)) == 2


def test_the_newest_state_of_an_entity_is_the_one() -> None:
    def state(day: int, name: str) -> _Message:
        text = json.dumps({"merchant_id": "m1", "updated_at": f"2026-01-{day:02d}T00:00:00+00:00", "name": name})
        return _Message(text, key="m1", topic="processed_merchants")

    contract = CONTRACTS["processed_merchants"]
    assert (contract.key, contract.event_time) == ("merchant_id", "updated_at")
    (event,) = events_of([state(2, "new"), state(1, "old")], CONTRACTS)
    assert event.document["name"] == "new"


def test_what_is_no_event_is_left_out() -> None:
    odd = [_Message(None), _Message("{"), _Message('{"user_id": "u"}'), _Message("7"), _Message(b"\xff")]
    odd += [_Message(_body(), topic="metrics_realtime"), _Message(_body(event_time="soon"))]
    assert events_of(odd, CONTRACTS) == []


def test_clickhouse_gets_times_in_utc() -> None:
    (line,) = rows(events_of([_Message(_body())], CONTRACTS)).splitlines()
    row = json.loads(line)
    assert row["event_time"] == "2026-01-31 22:30:00.000001"
    assert datetime.fromisoformat(row["event_time"]).replace(tzinfo=UTC) < datetime.now(UTC)
    assert (row["user_id"], row["late"]) == ("u1", True)


def test_the_days_are_those_of_the_setting() -> None:
    assert any("interval 30 day" in one for one in statements("mine", 30))
    assert not any("{" in one for one in statements("mine", 30))
