"""Reads change topics from given offsets on, and knows up to which broker time it has seen everything.

While it is behind, the newest record of each partition says so; at the end, the broker is asked for the end, so that a
broker that is away is never taken for silence.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec

from headrace.contracts.model import Contract
from headrace.sessions.arrivals import Record
from headrace.settings import Settings
from headrace.streams.admin import admin_client
from headrace.streams.landing.through import MARGIN
from headrace.streams.topics import consumer_config

_BATCH = 5000
_LIST_SECONDS = 30.0
_SECONDS = 10.0
Place = tuple[str, int]
"""Stream and partition."""


class Changes:
    """Assigns partitions itself and commits nothing: what is kept beside the sessions says where to begin."""

    def __init__(
        self, settings: Settings, contracts: Iterable[Contract], begin: Mapping[Place, int], since: datetime | None
    ) -> None:
        """`begin` holds the first offset that is not done; reading starts earlier where `since` lies before it."""
        self._streams = {contract.topic: contract.name for contract in contracts}
        self._begin, self._since = begin, since
        self._consumer = Consumer(consumer_config(settings, "sessions") | {"enable.partition.eof": True})
        self._admin = admin_client(settings)
        self._reached: dict[TopicPartition, int] = {}
        self._proven: dict[TopicPartition, datetime] = {}
        self._goal: dict[TopicPartition, int] = {}
        self._asked = datetime.min.replace(tzinfo=UTC)
        self._listed = 0.0

    def read(self, seconds: float) -> list[Record]:
        """Waits that long for a first record, then takes what is there. Raises KafkaException."""
        if time.monotonic() - self._listed > _LIST_SECONDS or not self._reached:
            self._find_partitions()
            self._listed = time.monotonic()
        found = self._consumer.consume(1, seconds)
        if found:
            found += self._consumer.consume(_BATCH, 0)
        return [record for message in found if (record := self._record(message)) is not None]

    def through(self, stream: str) -> datetime | None:
        """Every record of the stream with an earlier broker time has been read; None before that is known."""
        places = [place for place in self._reached if self._streams[place.topic] == stream]
        if not places or any(place not in self._proven for place in places):
            return None
        return min(self._proven[place] for place in places)

    def recalls(self, stream: str) -> bool:
        """Whether records of the stream that are done already are still to be read once more."""
        reached = {(self._streams[place.topic], place.partition): offset for place, offset in self._reached.items()}
        return any(reached.get(place, 0) < done for place, done in self._begin.items() if place[0] == stream)

    def prove(self) -> None:
        """Asks for the ends when the former ones are reached."""
        if all(self._reached.get(place, 0) >= end for place, end in self._goal.items()):
            for place in self._goal:
                self._prove(place, self._asked - MARGIN)
            self._asked = datetime.now(UTC)
            self._goal = self._offsets(list(self._reached), OffsetSpec.latest())

    def close(self) -> None:
        self._consumer.close()

    def _prove(self, place: TopicPartition, moment: datetime) -> None:
        self._proven[place] = max(moment, self._proven.get(place, moment))

    def _record(self, message: Message) -> Record | None:
        place = TopicPartition(message.topic(), message.partition())
        if (error := message.error()) is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            # The end may lie behind marks of transactions, which are no records.
            self._reached[place] = max(self._reached.get(place, 0), message.offset())
            return None
        self._reached[place] = message.offset() + 1
        arrived_at = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
        self._prove(place, arrived_at)
        stream = self._streams[place.topic]
        return Record(stream, place.partition, message.offset(), arrived_at, message.value() or b"")

    def _offsets(self, places: list[TopicPartition], spec: OffsetSpec) -> dict[TopicPartition, int]:
        """By a connection of their own: the consumer's waits for messages with its requests."""
        futures = self._admin.list_offsets(dict.fromkeys(places, spec), request_timeout=_SECONDS) if places else {}
        found = {place: future.result(timeout=2 * _SECONDS).offset for place, future in futures.items()}
        return {place: found[place] for place in places}

    def _find_partitions(self) -> None:
        known = self._consumer.list_topics(timeout=_SECONDS).topics
        fresh = []
        for topic in self._streams:
            if topic not in known or known[topic].error is not None:
                raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"there is no topic {topic} yet"))
            fresh += [
                place for n in known[topic].partitions if (place := TopicPartition(topic, n)) not in self._reached
            ]
        if fresh:
            begin = self._beginnings(fresh)
            places = [
                TopicPartition(p.topic, p.partition, begin.get(p, at)) for p, at in (self._reached | begin).items()
            ]
            self._reached |= {place: max(offset, 0) for place, offset in begin.items()}
            self._consumer.assign(places)

    def _beginnings(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Where nothing is known, all that is there; else not later than what is not done yet."""
        done = {place: self._begin.get((self._streams[place.topic], place.partition)) for place in places}
        begin = {place: OFFSET_BEGINNING if offset is None else offset for place, offset in done.items()}
        if self._since is None:
            return begin
        known = [place for place, offset in done.items() if offset is not None]
        recent = self._offsets(known, OffsetSpec.for_timestamp(int(self._since.timestamp() * 1000)))
        # Where nothing is that young Kafka answers with a mark instead of an offset.
        return begin | {place: min(offset, begin[place]) for place, offset in recent.items() if offset >= 0}
