"""Reads topics for one sink: from where it had written to, and committed only after it has written.

Assigns partitions itself: a group would make a restart wait for the session of the one that was killed.
"""

from __future__ import annotations

import time
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import OffsetSpec

from headrace.settings import Settings
from headrace.streams.admin import admin_client
from headrace.streams.topics import consumer_config

_LIST_SECONDS = 30.0
Place = tuple[str, int]


class Reader:
    def __init__(self, settings: Settings, sink: str, topics: tuple[str, ...]) -> None:
        self._topics = topics
        self._consumer = Consumer(consumer_config(settings, f"sink-{sink}"))
        self._admin = admin_client(settings)
        self._next: dict[Place, int] = {}
        """Where each partition goes on after what was read."""
        self._done: dict[Place, int] = {}
        self._listed: float | None = None

    def read(self, seconds: float, most: int) -> list[Message]:
        """What came within that time. Raises KafkaException."""
        if self._listed is None or time.monotonic() - self._listed > _LIST_SECONDS:
            self._find_partitions()
            self._listed = time.monotonic()
        found = self._consumer.consume(most, seconds) if self._next else []
        messages = []
        for message in found:
            if error := message.error():
                if error.code() == KafkaError._PARTITION_EOF:
                    continue
                raise KafkaException(error)
            self._next[message.topic(), message.partition()] = message.offset() + 1
            messages.append(message)
        return messages

    def commit(self) -> None:
        """Everything that was read has been written."""
        fresh = {place: offset for place, offset in self._next.items() if self._done.get(place) != offset}
        offsets = [TopicPartition(*place, offset) for place, offset in fresh.items() if offset >= 0]
        if offsets:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        self._done |= fresh

    def lag(self) -> int:
        """Messages that were not written yet, as the broker counts them."""
        asked = {TopicPartition(*place): OffsetSpec.latest() for place in self._next}
        begins = {TopicPartition(*place): OffsetSpec.earliest() for place, at in self._next.items() if at < 0}
        ends = _offsets(self._admin.list_offsets(asked, request_timeout=5)) if asked else {}
        firsts = _offsets(self._admin.list_offsets(begins, request_timeout=5)) if begins else {}
        written = {
            place: self._done[place] if self._done.get(place, -1) >= 0 else firsts.get(place, 0) for place in ends
        }
        return sum(max(0, end - written[place]) for place, end in ends.items())

    def close(self) -> None:
        self._consumer.close()

    def _find_partitions(self) -> None:
        known = self._consumer.list_topics(timeout=10).topics
        found = {(t, p) for t in self._topics if t in known for p in known[t].partitions}
        if not (fresh := found - self._next.keys()):
            return
        committed = self._consumer.committed([TopicPartition(*place) for place in sorted(fresh)], timeout=10)
        for place in committed:
            if place.error is not None:
                raise KafkaException(place.error)
            at = OFFSET_BEGINNING if place.offset == OFFSET_INVALID else place.offset
            self._next[place.topic, place.partition] = self._done[place.topic, place.partition] = at
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in self._next.items()])


def _offsets(futures: dict[TopicPartition, Any]) -> dict[Place, int]:
    return {(at.topic, at.partition): future.result(timeout=10).offset for at, future in futures.items()}
