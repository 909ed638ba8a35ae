"""Each reader in Python leaves aside what is no message of its topic, whatever it is, and goes on with the next."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.ingest.requests import Refusal
from app.ingest.requests import read as read_request
from headrace.anomalies.arrivals import People, put_rows
from headrace.anomalies.ring import Ring
from headrace.anomalies.users import Users
from headrace.contracts.explain import example
from headrace.contracts.model import load_contracts
from headrace.contracts.structs import EventCodec
from headrace.live.projector import _rows
from headrace.sessions.arrivals import REFUSED, Arrivals, Record
from headrace.settings import Settings
from headrace.sinks.events import by_topic, events_of
from headrace.sinks.windows import newest_windows
from tests.faults.poison import Poison, poisons

NOW = datetime.now(UTC)
SETTINGS = Settings()
CONTRACTS = load_contracts(SETTINGS.contracts)
CODEC = EventCodec(CONTRACTS["app_events"], future=timedelta(minutes=1))
GOOD = example(CODEC, NOW)
POISONS = poisons(GOOD, "user_id")
ROW = {
    "spec": "transactions_1m", "window_start": 60, "late": False, "keys": {"merchant_id": "m"}, "generation": 1, "n": 1,
    "values": {"sum_amount": "1.00", "max_amount": "1.00"},
}  # fmt: skip


@dataclass
class Message:
    """What the readers ask of a record."""

    body: bytes | None
    name: bytes | None
    place: str

    def value(self) -> bytes | None:
        return self.body

    def key(self) -> bytes | None:
        return self.name

    def topic(self) -> str:
        return self.place

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 0

    def error(self) -> None:
        return None


def _spoilt_rows() -> list[bytes]:
    """Almost live windows: one member is what nobody expects."""
    odd: list[tuple[str, Any]] = [
        ("window_start", 1e400), ("window_start", "x"), ("n", -(10**40)), ("keys", None), ("last_arrived_ms", "now"),
        ("values", {"sum_amount": "twelve", "max_amount": []}), ("window_start", 10**14), ("n", 3 * 10**9),
        ("last_arrived_ms", None), ("generation", 10**30), ("values", None), ("spec", "\0"), ("keys", {"\0": "m"}),
    ]  # fmt: skip
    return [json.dumps(ROW | {name: value}).replace("Infinity", "1e400").encode() for name, value in odd]


@pytest.mark.parametrize("one", POISONS, ids=lambda one: one.name)
def test_a_session_is_made_of_none_of_them(one: Poison) -> None:
    arrivals = Arrivals(CONTRACTS["app_events"], SETTINGS)
    arrivals.take(Record("app_events", 0, 0, NOW, one.value or b""))
    assert arrivals.counted == {REFUSED: 1}


@pytest.mark.parametrize("one", POISONS, ids=lambda one: one.name)
def test_ingest_refuses_each_with_a_reason(one: Poison) -> None:
    with pytest.raises(Refusal):
        read_request(CODEC, one.value or b"", NOW)


def test_readers_of_live_windows_leave_them_aside() -> None:
    values = [*(one.value for one in POISONS), *_spoilt_rows(), json.dumps(ROW).encode()]
    messages: Any = [Message(value, b"\xff", "metrics_realtime") for value in values]
    assert [row.start for row in _rows(messages)][-1] == 60
    assert [window.n for window in newest_windows(messages)] == [1]
    ring = Ring()
    put_rows(ring, [value for value in values if value is not None], time.time())
    assert ring.n.sum() == 1
    minute = json.dumps(ROW | {"n": 3 * 10**9, "window_start": int(time.time())}).encode()
    assert put_rows(ring, [minute], time.time()) == 0, "more than its arrays hold"


def test_readers_of_accepted_events_leave_them_aside() -> None:
    contract = CONTRACTS["app_events"]
    values = [*(one.value for one in POISONS), json.dumps(GOOD).encode()]
    messages: Any = [
        Message(value, one.key, contract.processed_topic)
        for value, one in zip(values, [*POISONS, POISONS[0]], strict=True)
    ]
    events = events_of(messages, by_topic(CONTRACTS))
    assert GOOD["event_id"] in {str(event.document.get("event_id")) for event in events}
    People(Users()).put([value for value in values if value is not None], time.time())
