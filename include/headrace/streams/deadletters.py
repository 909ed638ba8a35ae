"""Reads the newest dead letters: what was refused, why, where it came from and its original bytes.

Each is keyed by where the record lies, so a refine job that repeats itself overwrites its own letters; the reader shows
one of them. The value is a JSON document with the members of `DeadLetter`; `value` is Base64, as the bytes may be
anything.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from headrace.settings import Settings
from headrace.streams.topics import DEAD_LETTERS

_SECONDS = 10.0


@dataclass(frozen=True)
class DeadLetter:
    topic: str
    partition: int
    offset: int
    rule: str
    reason: str
    value: bytes
    refused_at: datetime
    key: str | None = None
    correlation_id: str | None = None
    arrived_at: str | None = None

    @property
    def place(self) -> tuple[str, int, int]:
        return self.topic, self.partition, self.offset

    @property
    def text(self) -> str:
        """The original as far as it is text."""
        return self.value.decode("utf-8", "backslashreplace")


def newest(settings: Settings, number: int = 20, *, seconds: float = _SECONDS) -> list[DeadLetter]:
    """The newest dead letters, newest first; ConnectionError where Kafka does not answer in time."""
    deadline = time.monotonic() + seconds
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": "headrace-dead-letters-reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    try:
        places = _assignment(consumer, number, deadline)
        found = [parse(message) for message in _read(consumer, places, deadline)]
    except KafkaException as error:
        raise ConnectionError(f"Kafka at {settings.kafka}: {error.args[0].str()}. See `./headrace status`.") from error
    finally:
        consumer.close()
    latest = {letter.place: letter for letter in sorted(found, key=lambda letter: letter.refused_at)}
    return sorted(latest.values(), key=lambda letter: letter.refused_at, reverse=True)[:number]


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise ConnectionError("Kafka was too slow to read the dead letters: try again, or see `./headrace status`.")
    return left


def _assignment(consumer: Consumer, number: int, deadline: float) -> list[TopicPartition]:
    """The last `number` records of every partition, as each may hold all of the newest."""
    topic = consumer.list_topics(DEAD_LETTERS, timeout=_left(deadline)).topics[DEAD_LETTERS]
    if topic.error is not None:
        return []
    places = []
    for partition in topic.partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(DEAD_LETTERS, partition), timeout=_left(deadline))
        if high > low:
            places.append(TopicPartition(DEAD_LETTERS, partition, max(low, high - number)))
    return places


def _read(consumer: Consumer, places: list[TopicPartition], deadline: float) -> Iterator[Message]:
    if not places:
        return
    consumer.assign(places)
    open_partitions = {place.partition for place in places}
    while open_partitions:
        message = consumer.poll(min(1.0, _left(deadline)))
        if message is None:
            continue
        error = message.error()
        if error is None:
            if message.value() is not None:
                yield message
        elif error.code() == KafkaError._PARTITION_EOF:
            open_partitions.discard(message.partition())
        else:
            raise KafkaException(error)


def parse(message: Message) -> DeadLetter:
    """A letter that cannot be read is shown as it is, rather than hidden."""
    raw = message.value() or b""
    written = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
    try:
        body: dict[str, Any] = json.loads(raw)
        return DeadLetter(
            topic=str(body["topic"]),
            partition=int(body["partition"]),
            offset=int(body["offset"]),
            rule=str(body.get("rule", "")),
            reason=str(body.get("reason", "")),
            value=base64.b64decode(body.get("value") or ""),
            refused_at=written,
            key=body.get("key"),
            correlation_id=body.get("correlation_id"),
            arrived_at=body.get("arrived_at"),
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        place = DEAD_LETTERS, message.partition() or 0, message.offset() or 0
        return DeadLetter(*place, "unreadable", f"This dead letter is not in the known form: {error!r}", raw, written)
