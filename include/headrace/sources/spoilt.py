"""Records that break their contract, sent straight to Kafka because the REST service refuses them.

They stand for the producer that writes to Kafka by itself; each kind must end among the dead letters with its reason.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from confluent_kafka import KafkaError, Producer

from headrace.contracts.model import Contract
from headrace.log import new_correlation_id
from headrace.settings import Settings
from headrace.sources.world import utc_now
from headrace.streams.topics import producer_config

_SECONDS = 30.0
_encode = msgspec.json.Encoder(decimal_format="number").encode
Spoil = Callable[[dict[str, Any], Contract], bytes]


def _changed(**values: Any) -> Spoil:
    return lambda event, _: _encode({**event, **values})


def _without_time(event: dict[str, Any], contract: Contract) -> bytes:
    return _encode({name: value for name, value in event.items() if name != contract.event_time})


def _ahead(event: dict[str, Any], contract: Contract) -> bytes:
    return _encode({**event, contract.event_time: utc_now() + timedelta(hours=6)})


def _cut(event: dict[str, Any], _: Contract) -> bytes:
    return _encode(event)[:-7]


SPOILERS: dict[str, Spoil] = {
    "not json": _cut,
    "not utf-8": lambda event, _: _encode(event).replace(b'"region"', b'"reg\xffon"'),
    "missing field": _without_time,
    "null field": _changed(user_id=None),
    "unknown value": _changed(region="atlantis"),
    "too long": _changed(user_id="u" * 65),
    "wrong type": _changed(event_id=12345678),
    "in the future": _ahead,
}
_ABOUT = {"not utf-8": "region", "null field": "user_id", "unknown value": "region", "too long": "user_id"}
"""Kinds that need a field which not every stream has."""
AMOUNT_SPOILERS: dict[str, Spoil] = {
    "negative amount": _changed(amount=-5),
    "too many places": lambda event, _: _encode({**event, "amount": msgspec.Raw(b"10.005")}),
    "amount as words": _changed(amount="ten"),
}


def spoil(rng: random.Random, event: dict[str, Any], contract: Contract) -> tuple[str, bytes]:
    """The kind of fault, and the record's bytes."""
    kinds = {kind: made for kind, made in SPOILERS.items() if _ABOUT.get(kind, contract.event_time) in event}
    kinds |= AMOUNT_SPOILERS if "amount" in event else {}
    kind = rng.choice(list(kinds))
    return kind, kinds[kind](event, contract)


class DirectSender:
    """A producer that skips the service."""

    def __init__(self, settings: Settings) -> None:
        self._producer = Producer(producer_config(settings))
        self._failed: list[str] = []

    def send(self, contract: Contract, key: str, value: bytes) -> None:
        headers = {
            "correlation_id": new_correlation_id(),
            "contract_version": contract.version,
            "producer": "simulate-direct",
            "received_at": utc_now().isoformat(),
        }
        self._producer.produce(contract.topic, value, key, headers=list(headers.items()), on_delivery=self._delivered)
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, _: Any) -> None:
        if error is not None:
            self._failed.append(error.str())

    def close(self) -> None:
        """Every record is in Kafka, or an error says that not."""
        left = self._producer.flush(_SECONDS)
        if left or self._failed:
            raise ConnectionError(f"Kafka did not take {left + len(self._failed)} bad events: {self._failed[:1]}")
