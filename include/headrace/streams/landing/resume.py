"""Asks raw and Kafka where landing should begin, when there is no checkpoint that knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from headrace.contracts.model import Contract
from headrace.settings import Settings
from headrace.streams.landing.offsets import Place, starting_offsets
from headrace.streams.landing.table import table_of

_SECONDS = 20.0


def start_of(spark: Any, checkpoint: Path, contracts: Mapping[str, Contract], settings: Settings) -> str:
    """Spark's `startingOffsets`; it reads them only for a checkpoint without any."""
    if any((checkpoint / "offsets").glob("[0-9]*")):
        return "earliest"
    landed = {place: last for contract in contracts.values() for place, last in _landed(spark, contract).items()}
    return starting_offsets(landed, _present(settings, contracts)) if landed else "earliest"


def held_topics(checkpoint: Path, batches: Literal["offsets", "commits"] = "offsets") -> set[str]:
    """The topics whose offsets a query's checkpoint holds: of the newest batch that began, or that ended."""
    numbers = [int(path.name) for path in (checkpoint / batches).glob("[0-9]*") if path.name.isdigit()]
    if not numbers:
        return set()
    # Spark's offset log: a version, the batch's metadata, then one line a source.
    newest = (checkpoint / "offsets" / str(max(numbers))).read_text().splitlines()
    return set(json.loads(newest[2])) if len(newest) > 2 else set()


def cut_topics(checkpoint: Path, contracts: Mapping[str, Contract], settings: Settings) -> set[str]:
    """Topics that are new to a checkpoint and lost their first records before: Spark would take that for its own loss."""
    # A first batch that began and was ended is made again with the topics it began with.
    held = held_topics(checkpoint, "commits") or held_topics(checkpoint)
    new = {name: contract for name, contract in contracts.items() if held and contract.topic not in held}
    return {topic for (topic, _), (low, _) in _present(settings, new).items() if low > 0} if new else set()


def _landed(spark: Any, contract: Contract) -> dict[Place, int]:
    streamed = spark.table(table_of(contract)).where("origin = 'stream'")
    newest = streamed.groupBy("topic", "partition").agg({"offset": "max"})
    return {(row[0], row[1]): row[2] for row in newest.collect()}


def _present(settings: Settings, contracts: Mapping[str, Contract]) -> dict[Place, tuple[int, int]]:
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": "landing-resume"})
    try:
        found: dict[Place, tuple[int, int]] = {}
        for contract in contracts.values():
            for partition in consumer.list_topics(contract.topic, timeout=_SECONDS).topics[contract.topic].partitions:
                place = TopicPartition(contract.topic, partition)
                found[contract.topic, partition] = consumer.get_watermark_offsets(place, timeout=_SECONDS)
        return found
    finally:
        consumer.close()
