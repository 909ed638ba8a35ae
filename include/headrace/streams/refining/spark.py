"""Records through the gate: accepted ones typed to `processed_…`, refused ones to `dead_letters` with the reason.

Spark's Kafka sink may write a batch twice. Both topics are keyed so that a repeat overwrites itself: by the event's
identity, and by topic, partition and offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.contracts.model import Contract
from headrace.settings import Settings
from headrace.streams.spark import gated, kafka_options
from headrace.streams.topics import DEAD_LETTERS

_FORMAT = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "ignoreNullFields": "false"}
_SINK = {"kafka.compression.type": "lz4", "kafka.linger.ms": "5", "kafka.max.request.size": str(4 * 1_048_576)}


class Refine:
    """One batch of records of any contracts."""

    def __init__(self, contracts: Mapping[str, Contract], settings: Settings) -> None:
        self._by_topic = {contract.topic: contract for contract in contracts.values()}
        self._settings = settings

    def __call__(self, batch: DataFrame, _: int) -> None:
        held = batch.persist()
        try:
            topics = [row["topic"] for row in held.select("topic").distinct().collect()]
            present = [self._by_topic[topic] for topic in topics if topic in self._by_topic]
            if present:
                parts = [refined(held, contract, self._settings) for contract in present]
                rows = reduce(DataFrame.unionByName, parts)
                rows.write.format("kafka").options(**kafka_options(self._settings), **_SINK).save()
        finally:
            held.unpersist()


def refined(records: DataFrame, contract: Contract, settings: Settings) -> DataFrame:
    """Rows (topic, key, value, headers) for Kafka."""
    judged = gated(records.where(F.col("topic") == contract.topic), contract, settings.future_minutes)
    refused = F.col("refusal").isNotNull()
    return judged.select(
        F.when(refused, F.lit(DEAD_LETTERS)).otherwise(F.lit(contract.processed_topic)).alias("topic"),
        F.when(refused, _place()).otherwise(_identity(contract)).alias("key"),
        F.when(refused, _dead_letter(contract)).otherwise(_event(contract, settings)).alias("value"),
        F.col("headers"),
    )


def _place() -> Column:
    return F.concat_ws(":", "topic", F.col("partition").cast("string"), F.col("offset").cast("string"))


def _identity(contract: Contract) -> Column:
    return F.concat_ws("\x1f", *(F.col(name).cast("string") for name in contract.identity))


def _header_map() -> Column:
    return F.expr("map_from_entries(transform(headers, h -> struct(h.key, CAST(h.value AS STRING))))")


def _event(contract: Contract, settings: Settings) -> Column:
    late = F.expr(f"arrived_at > {contract.event_time} + INTERVAL {settings.lateness_minutes} MINUTES")
    quality = F.struct(
        late.alias("late"),
        F.col("arrived_at"),
        F.col("topic"),
        F.col("partition"),
        F.col("offset"),
        F.lit(contract.version).alias("contract_version"),
    ).alias("quality")
    return F.to_json(F.struct(*(field.name for field in contract.fields), quality), _FORMAT)


def _dead_letter(contract: Contract) -> Column:
    letter = F.struct(
        F.lit(contract.name).alias("stream"),
        F.col("refusal").alias("rule"),
        F.col("reason"),
        F.base64("value").alias("value"),
        F.col("key").cast("string").alias("key"),
        F.base64("key").alias("key_bytes"),
        _header_map().alias("headers"),
        _header_map()["correlation_id"].alias("correlation_id"),
        F.col("topic"),
        F.col("partition"),
        F.col("offset"),
        F.col("arrived_at"),
        F.current_timestamp().alias("refused_at"),
    )
    return F.to_json(letter, _FORMAT)
