"""Everything in topics, read to their end by a consumer of no group's."""

from __future__ import annotations

import json
import time
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from headrace.settings import Settings


def records(settings: Settings, *topics: str) -> list[Message]:
    """Everything in the topics."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": "probe",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    places = [TopicPartition(t, p, 0) for t in topics for p in consumer.list_topics(t, timeout=10).topics[t].partitions]
    consumer.assign(places)
    found, ended, deadline = [], 0, time.monotonic() + 60
    while ended < len(places):
        assert time.monotonic() < deadline
        for message in consumer.consume(1000, timeout=1):
            if message.error() is None:
                found.append(message)
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ended += 1
    consumer.close()
    return found


def documents(settings: Settings, topic: str) -> dict[str, dict[str, Any]]:
    """As readers of a compacted topic see it: the newest document of each key."""
    return {message.key().decode(): json.loads(message.value()) for message in records(settings, topic)}
