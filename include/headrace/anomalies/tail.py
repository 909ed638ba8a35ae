"""Reads a topic along from a moment in the past, and knows up to when it has seen all there is."""

from __future__ import annotations

import time
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from headrace.settings import Settings
from headrace.streams.admin import admin_client
from headrace.streams.topics import consumer_config

_BATCH = 2000
_LIST_SECONDS = 30.0
_WHOLE_SECONDS = 60.0


class Tail:
    """Assigns partitions itself and commits nothing: what was done with the messages says where to begin."""

    def __init__(self, settings: Settings, topic: str, since: float | None) -> None:
        self._topic, self._since = topic, since
        """From this moment on; None: from the beginning."""
        self._consumer, self._admin = Consumer(consumer_config(settings, "anomalies")), admin_client(settings)
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
            self._goal = self._offsets(self._next, OffsetSpec.latest())
        if self._goal and all(self._next[partition] >= end for partition, end in self._goal.items()):
            self._until, self._goal = self._asked, {}
        return self._until

    def close(self) -> None:
        self._consumer.close()

    def _offsets(self, partitions: Iterable[int], spec: OffsetSpec) -> dict[int, int]:
        """By a connection of their own: the consumer's waits for messages with its requests."""
        asked = {TopicPartition(self._topic, partition): spec for partition in partitions}
        futures = self._admin.list_offsets(asked, request_timeout=5) if asked else {}
        return {place.partition: future.result(timeout=10).offset for place, future in futures.items()}

    def _find_partitions(self) -> None:
        topic = self._consumer.list_topics(self._topic, timeout=10).topics[self._topic]
        if topic.error is not None:
            raise KafkaException(topic.error)
        fresh = [partition for partition in topic.partitions if partition not in self._next]
        if not fresh:
            return
        since = OffsetSpec.earliest() if self._since is None else OffsetSpec.for_timestamp(int(self._since * 1000))
        begin, end = self._offsets(fresh, since), self._offsets(fresh, OffsetSpec.latest())
        # Where nothing is that young Kafka answers with a mark instead of an offset.
        self._next |= {partition: offset if offset >= 0 else end[partition] for partition, offset in begin.items()}
        self._consumer.assign([TopicPartition(self._topic, p, offset) for p, offset in self._next.items()])


def whole(settings: Settings, topic: str) -> list[bytes]:
    """Everything that a small topic holds now."""
    tail = Tail(settings, topic, None)
    try:
        found, deadline = tail.read(1.0), time.monotonic() + _WHOLE_SECONDS
        while not tail.seen_until():
            if time.monotonic() > deadline:
                raise TimeoutError(f"topic {topic} could not be read within {_WHOLE_SECONDS:.0f} s")
            found += tail.read(1.0)
        return found
    finally:
        tail.close()
