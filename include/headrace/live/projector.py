"""Projects `metrics_realtime` into Valkey: started with `python -m headrace.live.projector`.

The store may vanish at any time. Offsets are committed after the rows are written, so a killed projector repeats some
rows, which changes nothing. A store without our mark, or with one of an earlier life of the server (whose last second
may be lost), is filled again from the beginning of the topic, without the windows that the lake has taken over.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import redis
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from headrace.contracts.correct import UNREADABLE
from headrace.live.client import valkey
from headrace.live.countings import Countings
from headrace.live.freed import Freed
from headrace.live.layout import FILLING, RUN, WRITE
from headrace.live.rows import Row, newest, row_of
from headrace.log import configure, get_logger
from headrace.settings import Settings, get_settings
from headrace.streams.job import stop_signal
from headrace.streams.topics import METRICS, consumer_config

log = get_logger(__name__)
GROUP = "projector"
_BATCH = 2000
_CHUNK = 500
_CHECK_SECONDS = 1.0
_PARTITIONS_SECONDS = 30.0


def _config(settings: Settings) -> dict[str, Any]:
    at_once = consumer_config(settings, GROUP, patient=False)
    return at_once | {"enable.partition.eof": True, "socket.nagle.disable": True}


class Projector:
    """Assigns partitions itself: a group would make a restart wait for the session of the one that was killed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer = Consumer(_config(settings))
        self._store = valkey(settings)
        self._write = self._store.register_script(WRITE)
        self._countings, self._freed = Countings(self._store), Freed(settings)
        self._positions: dict[int, int] = {}
        self._assigned: set[int] = set()
        self._at_end: set[int] = set()
        self._checked = self._listed = 0.0

    def step(self) -> int:
        """One look at the topic; how many messages it brought. Raises when Kafka or Valkey cannot be reached."""
        now = time.monotonic()
        if now - self._listed > _PARTITIONS_SECONDS or not self._assigned:
            self._find_partitions()
            self._listed = now
        if now - self._checked > _CHECK_SECONDS:
            self._check_store()
            self._commit()
            self._checked = now
        messages = self._messages()
        self._project(messages)
        return len(messages)

    def close(self) -> None:
        self._commit()
        self._consumer.close()

    def lost_connection(self) -> None:
        """Positions in memory may be ahead of the store: begin again from what is committed."""
        self._assigned.clear()
        self._positions.clear()
        self._checked = 0.0

    def _messages(self) -> list[Message]:
        found: list[Message] = self._consumer.consume(1, 0.2)
        if found:
            found += self._consumer.consume(_BATCH, 0)
        return found

    def _project(self, messages: list[Message]) -> None:
        rows = self._freed.kept(newest(_rows(messages)))
        for begin in range(0, len(rows), _CHUNK):
            arguments = [item for row in rows[begin : begin + _CHUNK] for item in row.arguments()]
            self._write(args=arguments)
        self._countings.saw(rows)
        for message in messages:
            if message.error():
                self._at_end.add(message.partition())
            else:
                self._positions[message.partition()] = message.offset() + 1

    def _commit(self) -> None:
        if self._positions:
            offsets = [TopicPartition(METRICS, p, offset) for p, offset in self._positions.items()]
            self._consumer.commit(offsets=offsets, asynchronous=False)
            self._positions.clear()

    def _find_partitions(self) -> None:
        topic = self._consumer.list_topics(METRICS, timeout=10).topics[METRICS]
        if topic.error is not None or not topic.partitions:
            raise KafkaException(topic.error)
        found = set(topic.partitions)
        if found == self._assigned:
            return
        self._commit()
        committed = self._consumer.committed([TopicPartition(METRICS, p) for p in sorted(found)], timeout=10)
        for place in committed:
            place.offset = OFFSET_BEGINNING if place.offset == OFFSET_INVALID else place.offset
        self._assign(committed)
        self._assigned = found

    def _assign(self, places: list[TopicPartition]) -> None:
        self._consumer.assign(places)
        self._at_end.clear()

    def _check_store(self) -> None:
        server = self._store.info("server")["run_id"]
        mark = self._store.get(RUN)
        filling = mark == FILLING + server
        if mark != server and not filling:
            because = "no mark" if mark is None else "the server restarted"
            log.info("live store is filled from the beginning", because=because)
            self._freed.look(now=True)
            # First the offsets, then the mark: killed in between, the next start comes here again.
            self._begin_again()
            self._store.set(RUN, FILLING + server)
            return
        self._freed.look()
        whole = filling and self._at_end >= self._assigned
        if whole or not filling:
            self._countings.settle(whole=whole)
        if whole:
            self._store.set(RUN, server)
            log.info("live store is filled")

    def _begin_again(self) -> None:
        beginning = [self._first_offset(partition) for partition in sorted(self._assigned)]
        self._positions.clear()
        self._consumer.commit(offsets=beginning, asynchronous=False)
        self._assign(beginning)

    def _first_offset(self, partition: int) -> TopicPartition:
        low, _ = self._consumer.get_watermark_offsets(TopicPartition(METRICS, partition), timeout=10)
        return TopicPartition(METRICS, partition, low)


def _rows(messages: list[Message]) -> Iterator[Row]:
    for message in messages:
        if error := message.error():
            if error.code() == KafkaError._PARTITION_EOF:
                continue
            raise KafkaException(error)
        value = message.value()
        if value is None:
            continue
        try:
            yield row_of(value)
        except UNREADABLE as error:
            place = f"{message.partition()}:{message.offset()}"
            log.error("not a metric message; left out", place=place, error=str(error))


def touch_alive(settings: Settings, last: float, part: str = "projector") -> float:
    """For the health check, once a second is enough."""
    now = time.monotonic()
    if now - last < 1:
        return last
    path = settings.run / f"{part}.alive"
    path.touch()
    os.utime(path)
    return now


def main() -> int:
    settings = get_settings()
    configure("projector")
    stop = stop_signal()
    projector = Projector(settings)
    settings.run.mkdir(parents=True, exist_ok=True)
    log.info("projector begins", topic=METRICS)
    alive, wait = 0.0, 0.1
    while not stop.is_set():
        try:
            projector.step()
            alive, wait = touch_alive(settings, alive), 0.1
        except (KafkaException, redis.RedisError) as error:
            log.warning("Kafka or Valkey cannot be reached; trying again", error=str(error), seconds=wait)
            projector.lost_connection()
            stop.wait(wait)
            wait = min(wait * 2, 5.0)
    try:
        projector.close()
    except KafkaException as error:
        log.warning("the last offsets were not committed; some rows are written again", error=str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
