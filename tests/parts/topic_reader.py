"""Everything in a topic, as readers of a compacted topic see it: the newest document of each key."""

from __future__ import annotations

import json
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from headrace.settings import Settings


def documents(settings: Settings, topic: str) -> dict[str, dict[str, Any]]:
    consumer = Consumer({
        "bootstrap.servers": settings.kafka, "group.id": "probe", "enable.auto.commit": False, "enable.partition.eof": True,
    })  # fmt: skip
    places = [TopicPartition(topic, p, 0) for p in consumer.list_topics(topic, timeout=10).topics[topic].partitions]
    consumer.assign(places)
    found: dict[str, dict[str, Any]] = {}
    ended = 0
    while ended < len(places):
        for message in consumer.consume(1000, timeout=5):
            if message.error() is None:
                found[message.key().decode()] = json.loads(message.value())
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ended += 1
    consumer.close()
    return found
