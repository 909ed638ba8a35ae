"""Reads the dead letters that are there at the start of the reading, each once, in the order of their topic.

Letters that come in the meantime wait for the next reading: a replay that fails again must not feed itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from headrace.settings import Settings
from headrace.streams.deadletters.letter import DeadLetter, parse
from headrace.streams.deadletters.selection import Selection
from headrace.streams.topics import DEAD_LETTERS

_SECONDS = 10.0
_CLOCKS_DIFFER = timedelta(minutes=2)


class NoSuchLetter(LookupError):
    """The name is that of no dead letter."""


def select(settings: Settings, selection: Selection) -> Iterator[DeadLetter]:
    """Every letter that the selection takes, each name once."""
    seen: set[str] = set()
    names = {name.encode() for name in selection.letters}
    for message in records(settings, DEAD_LETTERS, selection.since):
        if message.value() is None or (names and not _named(message, names)):
            continue
        letter = parse(message)
        if selection.takes(letter) and letter.name not in seen:
            seen.add(letter.name)
            yield letter


def one(settings: Settings, name: str) -> DeadLetter:
    """The letter of this name, or NoSuchLetter."""
    for letter in select(settings, Selection.of([name])):
        return letter
    raise NoSuchLetter(f"There is no dead letter {name}. Next: ./headrace dlq list")


def _named(message: Message, names: set[bytes]) -> bool:
    """Judged before parsing, which costs far more; an unreadable letter is named by its own place."""
    own = f"{DEAD_LETTERS}:{message.partition()}:{message.offset()}".encode()
    return message.key() in names or own in names


def records(
    settings: Settings, topic: str, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Message]:
    """The records of a topic up to its present end; ConnectionError where Kafka stays silent."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": "headrace-dead-letters-reader",
            "enable.auto.commit": False,
            # Where the oldest records went while we read, the reading goes on with those that are left.
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    try:
        yield from _read(consumer, _places(consumer, topic, since), until)
    except KafkaException as error:
        raise ConnectionError(f"Kafka at {settings.kafka}: {error.args[0].str()}. See `./headrace status`.") from error
    finally:
        consumer.close()


def _places(consumer: Consumer, topic: str, since: datetime | None) -> dict[int, tuple[int, int]]:
    """First offset to read and the present end of each partition."""
    found = consumer.list_topics(topic, timeout=_SECONDS).topics[topic]
    if found.error is not None:
        return {}
    partitions = [TopicPartition(topic, number) for number in found.partitions]
    ends = {p.partition: consumer.get_watermark_offsets(p, timeout=_SECONDS) for p in partitions}
    if since is not None:
        # A letter is written after its original arrived, so none of those wanted lies before.
        moment = int((since - _CLOCKS_DIFFER).timestamp() * 1000)
        asked = [TopicPartition(topic, p.partition, moment) for p in partitions]
        for p in consumer.offsets_for_times(asked, timeout=_SECONDS):
            low, high = ends[p.partition]
            ends[p.partition] = (max(low, p.offset) if p.offset >= 0 else high, high)
    consumer.assign([TopicPartition(topic, number, low) for number, (low, high) in ends.items() if high > low])
    return {number: place for number, place in ends.items() if place[1] > place[0]}


def _read(consumer: Consumer, places: dict[int, tuple[int, int]], until: datetime | None) -> Iterator[Message]:
    unread = set(places)
    last = until.timestamp() * 1000 if until else None
    while unread:
        message = consumer.poll(_SECONDS)
        if message is None:
            raise ConnectionError("Kafka was too slow to read the dead letters: try again, or see `./headrace status`.")
        number = message.partition()
        if (error := message.error()) is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            unread.discard(number)
        elif number in unread:
            end = places[number][1]
            wanted = message.offset() < end and (last is None or message.timestamp()[1] <= last)
            if wanted:
                yield message
            if not wanted or message.offset() >= end - 1:
                unread.discard(number)
