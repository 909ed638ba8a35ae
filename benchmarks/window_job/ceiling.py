"""How fast the topic can be read at all: a consumer that does nothing with what it gets."""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import Consumer

from benchmarks.window_job.results import assigned, consumer
from headrace.settings import Settings

_BATCH = 10_000


def _one_by_one(reader: Consumer) -> int:
    return reader.poll(2.0) is not None


def _in_batches(reader: Consumer) -> int:
    return len(reader.consume(_BATCH, timeout=2.0))


def read(settings: Settings, topic: str, take: Callable[[Consumer], int]) -> float:
    """Seconds from the first record to the last offset."""
    reader = consumer(settings)
    try:
        left = assigned(reader, topic)
        left -= take(reader)
        began = time.monotonic()
        while left > 0:
            got = take(reader)
            if not got:
                raise TimeoutError(f"{left} records of {topic} did not come within two seconds.")
            left -= got
        return time.monotonic() - began
    finally:
        reader.close()


CEILINGS = {"consumer, one by one": _one_by_one, "consumer, in batches": _in_batches}
