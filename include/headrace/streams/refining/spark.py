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
from headrace.streams.refining.firsts import Conflict, Firsts, Version
from headrace.streams.spark import gated, kafka_options
from headrace.streams.topics import DEAD_LETTERS

CONFLICT = "conflict"
_PLACE = ("topic", "partition", "offset")
_RECORD = (*_PLACE, "arrived_at", "key", "value", "headers")
_FORMAT = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "ignoreNullFields": "false"}
_SINK = {"kafka.compression.type": "lz4", "kafka.linger.ms": "5", "kafka.max.request.size": str(4 * 1_048_576)}


class Refine:
    """One batch of records of any contracts."""

    def __init__(self, contracts: Mapping[str, Contract], settings: Settings) -> None:
        self._by_topic = {contract.topic: contract for contract in contracts.values()}
        self._settings = settings
        self._firsts = Firsts(settings.checkpoints / "lake" / "firsts.sqlite", settings.conflict_ids)

    def __call__(self, batch: DataFrame, _: int) -> None:
        held = batch.persist()
        try:
            present = [self._by_topic[row["topic"]] for row in held.select("topic").distinct().collect()]
            if present:
                parts = [judged(held, contract, self._settings) for contract in present]
                self._send(reduce(DataFrame.unionByName, parts).persist())
        finally:
            held.unpersist()

    def _send(self, rows: DataFrame) -> None:
        try:
            found = self._firsts.conflicts(_versions(rows))
            sent = outgoing(_refused(rows, found) if found else rows)
            sent.write.format("kafka").options(**kafka_options(self._settings), **_SINK).save()
        finally:
            rows.unpersist()


def judged(records: DataFrame, contract: Contract, settings: Settings) -> DataFrame:
    """The contract's records in the shape that all contracts share: verdict, identity, and the event as it is sent on."""
    rows = gated(records.where(F.col("topic") == contract.topic), contract, settings.future_minutes)
    return rows.select(
        *_RECORD,
        F.lit(contract.name).alias("stream"),
        F.lit(contract.processed_topic).alias("processed_topic"),
        "refusal",
        "reason",
        F.concat_ws("\x1f", *(F.col(name).cast("string") for name in contract.identity)).alias("identity"),
        F.lit(_memory(contract)).alias("memory"),
        _says(contract).alias("says"),
        _event(contract, settings).alias("event"),
    )


def _memory(contract: Contract) -> str | None:
    """Versions are compared under one set of fields and types: a changed contract begins anew."""
    told = ", ".join(f"{name} {contract.field(name).type}" for name in contract.version_fields)
    return f"{contract.name}: {told}" if told else None


def _says(contract: Contract) -> Column:
    told = (
        F.concat(F.lit(f"{name} "), F.coalesce(F.col(name).cast("string"), F.lit("nothing")))
        for name in contract.version_fields
    )
    return F.concat_ws(", ", *told)


def _versions(rows: DataFrame) -> list[Version]:
    """Accepted events in the order in which the lake decides which of two is the first."""
    compared = rows.where("refusal IS NULL AND memory IS NOT NULL")
    found = compared.select("arrived_at", *_PLACE, "memory", "identity", "says").collect()
    return [
        Version(row["memory"], row["identity"], row["says"], row["topic"], row["partition"], row["offset"])
        for row in sorted(found)
    ]


def _refused(rows: DataFrame, conflicts: list[Conflict]) -> DataFrame:
    listed = [(found.other.topic, found.other.partition, found.other.offset, found.reason) for found in conflicts]
    schema = "topic string, partition int, offset bigint, conflict string"
    joined = rows.join(F.broadcast(rows.sparkSession.createDataFrame(listed, schema)), list(_PLACE), "left")
    refusal = F.when(F.col("conflict").isNotNull(), F.lit(CONFLICT)).otherwise(F.col("refusal"))
    return joined.withColumns({"refusal": refusal, "reason": F.coalesce("conflict", "reason")})


def outgoing(rows: DataFrame) -> DataFrame:
    """Rows (topic, key, value, headers) for Kafka."""
    refused = F.col("refusal").isNotNull()
    place = F.concat_ws(":", "topic", F.col("partition").cast("string"), F.col("offset").cast("string"))
    return rows.select(
        F.when(refused, F.lit(DEAD_LETTERS)).otherwise(F.col("processed_topic")).alias("topic"),
        F.when(refused, place).otherwise(F.col("identity")).alias("key"),
        F.when(refused, _dead_letter()).otherwise(F.col("event")).alias("value"),
        F.col("headers"),
    )


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
        F.col("corrected"),
    ).alias("quality")
    return F.to_json(F.struct(*(field.name for field in contract.fields), quality), _FORMAT)


def _dead_letter() -> Column:
    letter = F.struct(
        F.col("stream"),
        F.col("refusal").alias("rule"),
        F.col("reason"),
        F.base64("value").alias("value"),
        F.col("key").cast("string").alias("key"),
        _header_map().alias("headers"),
        _header_map()["correlation_id"].alias("correlation_id"),
        *_PLACE,
        F.col("arrived_at"),
        F.current_timestamp().alias("refused_at"),
    )
    return F.to_json(letter, _FORMAT)
