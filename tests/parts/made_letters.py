"""Dead letters as the refine job writes them, for tests that need no Spark to refuse something."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime

from confluent_kafka import Producer

from headrace.settings import Settings
from headrace.streams.topics import DEAD_LETTERS, producer_config

TOPIC = "rest.marketplace.transactions.insert"
_FAR = 1_000_000
"""Offsets that no record of a test has."""


def put_letters(settings: Settings, rule: str, values: Iterable[bytes]) -> list[str]:
    """One letter a value; their names."""
    producer = Producer(producer_config(settings, compression="lz4"))
    first = _FAR + int(datetime.now(UTC).timestamp() * 1000)
    names = []
    for offset, value in enumerate(values, start=first):
        names.append(f"{TOPIC}:0:{offset}")
        letter = {
            "stream": "transactions", "topic": TOPIC, "partition": 0, "offset": offset, "rule": rule, "reason": "It is odd.",
            "value": base64.b64encode(value).decode(), "arrived_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        producer.produce(DEAD_LETTERS, json.dumps(letter), names[-1], headers=[("correlation_id", b"c")])
    assert producer.flush(30) == 0
    return names
