"""Reads a topic along from a moment in the past, and knows up to when it has seen all there is."""

from __future__ import annotations

import time
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from headrace.settings import Settings

_BATCH = 2000
_LIST_SECONDS = 30.0


class Tail:
    """Assigns partitions itself and commits nothing: what was done with the messages says where to begin."""

    def __init__(self, settings: Settings, topic: str, since: float) -> None:
        self._topic, self._since = topic, since
        self._consumer = Consumer(_config(settings))
        self._next: dict[int, int] = {}
        self._listed = 0.0
        self._goal: dict[int, int] = {}
        self._asked = self._until = 0.0

    def read(self, seconds: float) -> list[bytes]:
        """Waits that long for a first message, then takes what is there. Raises KafkaException."""
        if time.monotonic() - self._listed > _LIST_SECONDS:
            self._find_partitions()
            self._listed = time.monotonic()
        found = self._consumer.consume(1, seconds)
        if found:
            found += self._consumer.consume(_BATCH, 0)
        values, failed = [], None
        for message in found:
            if message.error():
                failed = message.error()
                continue
            self._next[message.partition()] = message.offset() + 1
            if message.value() is not None:
                values.append(message.value())
        if failed and not values:
            raise KafkaException(failed)
        return values

    def seen_until(self) -> float:
        """Everything that was in the topic at this moment (epoch seconds) has been read; 0 before the first time.

        Asks the broker, so that a broker that is away is never taken for silence.
        """
        if not self._goal:
            self._asked = time.time()
            self._goal = {partition: self._ends(partition)[1] for partition in self._next}
        if self._goal and all(self._next[partition] >= end for partition, end in self._goal.items()):
            self._until, self._goal = self._asked, {}
        return self._until

    def close(self) -> None:
        self._consumer.close()

    def _ends(self, partition: int) -> tuple[int, int]:
        low, high = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=5)
        return low, high

    def _find_partitions(self) -> None:
        topic = self._consumer.list_topics(self._topic, timeout=10).topics[self._topic]
        if topic.error is not None:
            raise KafkaException(topic.error)
        if set(topic.partitions) == set(self._next):
            return
        asked = [
            TopicPartition(self._topic, p, int(self._since * 1000)) for p in topic.partitions if p not in self._next
        ]
        for place in self._consumer.offsets_for_times(asked, timeout=10):
            low, high = self._ends(place.partition)
            # Behind the last message Kafka answers with a mark instead of an offset.
            self._next[place.partition] = max(low, place.offset) if place.offset >= 0 else high
        self._consumer.assign([TopicPartition(self._topic, p, offset) for p, offset in self._next.items()])


def _config(settings: Settings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.kafka,
        "group.id": "anomalies",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 500,
        "queued.max.messages.kbytes": 8192,
        "reconnect.backoff.max.ms": 1000,
    }


def whole(settings: Settings, topic: str) -> list[bytes]:
    """Everything that a small topic holds now."""
    tail = Tail(settings, topic, 0)
    try:
        found = tail.read(1.0)
        while not tail.seen_until():
            found += tail.read(1.0)
        return found
    finally:
        tail.close()
