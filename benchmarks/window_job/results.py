"""Reads what an engine wrote, and compares it with what must be there: row by row, decimals as they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
from confluent_kafka import Consumer, TopicPartition

from benchmarks.window_job.job import Figures, Place, Windows
from headrace.settings import Settings

_BATCH = 10_000


def consumer(settings: Settings) -> Consumer:
    return Consumer(
        {"bootstrap.servers": settings.kafka, "group.id": "bench", "enable.auto.commit": False,
         "enable.partition.eof": False, "auto.offset.reset": "earliest", "queued.max.messages.kbytes": 65_536}
    )  # fmt: skip


def assigned(reader: Consumer, topic: str) -> int:
    """Gives the reader the whole topic, from its beginning; how many offsets that is."""
    partitions = [TopicPartition(topic, number, 0) for number in reader.list_topics(topic, 20).topics[topic].partitions]
    reader.assign(partitions)
    return sum(reader.get_watermark_offsets(partition, 20)[1] for partition in partitions)


def values(settings: Settings, topic: str) -> Iterator[bytes]:
    """Every record of the topic."""
    reader = consumer(settings)
    try:
        left = assigned(reader, topic)
        deadline = time.monotonic() + 120
        while left > 0 and time.monotonic() < deadline:
            for message in reader.consume(min(left, _BATCH), timeout=2.0):
                left -= 1
                yield message.value()
        if left:
            raise TimeoutError(f"{left} records of {topic} could not be read within two minutes.")
    finally:
        reader.close()


def windows(settings: Settings, topic: str) -> tuple[Windows, int]:
    """The newest row of each place (the one with most events folded in), and how many rows were written in all."""
    found: Windows = {}
    rows = 0
    for value in values(settings, topic):
        rows += 1
        place, figures = _row(msgspec.json.decode(value))
        if place not in found or figures.n >= found[place].n:
            found[place] = figures
    return found, rows


def _row(raw: dict[str, Any]) -> tuple[Place, Figures]:
    keys, made = raw["keys"], raw["values"]
    place = Place(
        raw["late"], raw["window_start"], *(keys[name] for name in ("merchant_id", "transaction_type", "currency", "region"))
    )  # fmt: skip
    sums = (Decimal(made[name]) for name in ("amount_sum", "amount_min", "amount_max"))
    return place, Figures(made["transactions"], *sums)


def differences(expected: Windows, found: Windows) -> list[str]:
    """One line for each row that is missing, too many or different."""
    lines = [f"missing {place}: {expected[place]}" for place in expected.keys() - found.keys()]
    lines += [f"too many {place}: {found[place]}" for place in found.keys() - expected.keys()]
    lines += [
        f"{place}: {found[place]} instead of {expected[place]}"
        for place in expected.keys() & found.keys()
        if tuple(map(str, found[place])) != tuple(map(str, expected[place]))
    ]
    return sorted(lines)
