"""Hands records to Kafka and waits until Kafka has acknowledged all of a request's.

Deliveries are polled in a thread of their own, and one future per request tells the event loop, so the cost of waiting
does not grow with the number of events.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from app.ingest.limits import ACK_SECONDS, FLUSH_SECONDS, QUEUE_MESSAGES
from headrace.log import get_logger
from headrace.settings import Settings
from headrace.streams.topics import producer_config

log = get_logger(__name__)


class Unavailable(Exception):
    """Kafka has not taken all of it in time; the sender should repeat the request, which doubles nothing."""


class _Acknowledgements:
    """Counts down a request's deliveries; runs in the polling thread."""

    __slots__ = ("error", "future", "left", "loop")

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self.left = count
        self.loop = loop
        self.future: asyncio.Future[None] = loop.create_future()
        self.error: KafkaError | None = None

    def delivered(self, error: KafkaError | None, _: Any) -> None:
        if error is not None:
            self.error = error
        self.left -= 1
        if self.left == 0 and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(Unavailable(f"Kafka did not take the events: {self.error.str()}"))


class Publisher:
    """One producer of the process, with its polling thread."""

    def __init__(self, settings: Settings) -> None:
        self._producer = Producer(
            {
                **producer_config(settings),
                "queue.buffering.max.messages": QUEUE_MESSAGES,
                "delivery.timeout.ms": int(ACK_SECONDS * 900),
                "client.id": "headrace-ingest",
            },
            logger=_quiet_logger(),
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="kafka-deliveries", daemon=True)
        self._thread.start()

    async def publish(self, topic: str, records: Sequence[tuple[str, bytes]], headers: list[tuple[str, bytes]]) -> None:
        """Returns when every record is acknowledged; raises Unavailable where one is not."""
        waiting = _Acknowledgements(len(records), asyncio.get_running_loop())
        produce, delivered = self._producer.produce, waiting.delivered
        try:
            for key, value in records:
                produce(topic, value, key, on_delivery=delivered, headers=headers)
        except BufferError:
            raise Unavailable("The queue to Kafka is full") from None
        except KafkaException as error:
            raise Unavailable(f"The producer cannot take events: {error.args[0].str()}") from None
        try:
            await asyncio.wait_for(waiting.future, ACK_SECONDS)
        except TimeoutError:
            raise Unavailable(f"Kafka did not acknowledge within {ACK_SECONDS:g} s") from None

    def queued(self) -> int:
        return len(self._producer)

    def topics_seen(self, seconds: float) -> set[str]:
        """Asks a broker; raises KafkaException when none answers in time."""
        return set(self._producer.list_topics(timeout=seconds).topics)

    def close(self) -> int:
        """Gives what is queued a last chance; returns how many records are left behind."""
        left = int(self._producer.flush(FLUSH_SECONDS))
        self._stop.set()
        self._thread.join(timeout=2)
        log.info("publisher closed", unacknowledged=left)
        return left

    def _poll(self) -> None:
        while not self._stop.is_set():
            self._producer.poll(0.2)


def _quiet_logger() -> logging.Logger:
    """Librdkafka repeats each failed connection; the requests that suffer are logged, and health tells."""
    logger = logging.getLogger("librdkafka.ingest")
    logger.setLevel(logging.CRITICAL)
    return logger
