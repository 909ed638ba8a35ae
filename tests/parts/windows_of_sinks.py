"""Live windows as the live job writes them, and events as the ingest does, for tests of the sinks."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Producer

from headrace.contracts.model import load_contracts
from headrace.settings import Settings
from headrace.streams.topics import METRICS, producer_config


class Windows:
    def __init__(self, settings: Settings) -> None:
        self._producer = Producer(producer_config(settings))
        self._change = load_contracts(settings.contracts)["transactions"].topic
        self._minute = int(time.time() // 60) * 60

    def send(
        self,
        spec: str,
        merchant: str,
        n: int,
        *,
        generation: int = 1,
        age_hours: int = 0,
        arrived: int = 0,
        **more: str,
    ) -> None:
        keys = {"merchant_id": merchant} | more
        row = {
            "spec": spec, "window_start": self._minute - age_hours * 3600, "late": False, "keys": keys,
            "generation": generation, "n": n, "values": {"count": n, "sum_amount": f"{n * 10}.00"},
            "last_arrived_ms": arrived * 1000,
        }  # fmt: skip
        self._producer.produce(METRICS, json.dumps(row), key=f"{spec}-{merchant}")
        self._producer.poll(0)

    def accepted(self, user: str, identity: str, amount: str, *, topic: str = "processed_transactions") -> None:
        """As the refine job writes it; `amount` as text, since a decimal is a number there."""
        moment = datetime.fromtimestamp(self._minute, UTC).isoformat(timespec="microseconds")
        event = {
            "event_id": identity, "event_time": moment, "user_id": user, "merchant_id": "m1", "transaction_type": "purchase",
            "amount": "AMOUNT", "currency": "EUR", "region": "europe",
            "quality": {"late": False, "topic": "t", "partition": 0, "offset": 1},
        }  # fmt: skip
        self._producer.produce(topic, json.dumps(event).replace('"AMOUNT"', amount), key=identity)
        self._producer.poll(0)

    def sold(self, event: dict[str, Any], late: bool) -> None:
        """An accepted transaction of any fields."""
        body = json.dumps(event | {"quality": {"late": late}})
        self._producer.produce("processed_transactions", body, key=event["event_id"])
        self._producer.poll(0)

    def action(self, user: str, identity: str, at: datetime, kind: str) -> None:
        event = {
            "event_id": identity, "event_time": at.isoformat(timespec="microseconds"), "user_id": user, "event_type": kind,
            "platform": "web", "region": "asia", "quality": {"late": False},
        }  # fmt: skip
        self._producer.produce("processed_app_events", json.dumps(event), key=identity)
        self._producer.poll(0)

    def entity(self, merchant: str, name: str, updated_at: str) -> None:
        """A version of a merchant, as the refine job writes it."""
        event = {"merchant_id": merchant, "updated_at": updated_at, "name": name, "quality": {"arrived_at": updated_at}}
        self._producer.produce("processed_merchants", json.dumps(event), key=f"{merchant}\x1f{updated_at}")
        self._producer.poll(0)

    def raw(self, body: bytes) -> None:
        self._producer.produce(self._change, body, key="k")
        self._producer.poll(0)

    def event(self, number: int) -> None:
        self._producer.produce(self._change, json.dumps({"event_id": f"event-{number:04d}"}), key=str(number))

    def flush(self) -> None:
        assert self._producer.flush(30) == 0
