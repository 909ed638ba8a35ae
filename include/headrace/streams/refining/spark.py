"""Records through the gate: accepted ones typed to `processed_…`, refused ones to `dead_letters` with the reason.

Spark's Kafka sink may write a batch twice. Both topics are keyed so that a repeat overwrites itself: by the event's
identity, and by topic, partition and offset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from headrace.contracts.model import Contract
from headrace.settings import Settings
from headrace.streams.landing.table import table_of
from headrace.streams.refining.firsts import Firsts, Version
from headrace.streams.refining.known import Known, unresolved
from headrace.streams.spark import gated, kafka_options, worked_out
from headrace.streams.topics import DEAD_LETTERS

CONFLICT = "conflict"
_PLACE = ("topic", "partition", "offset")
_RECORD = (*_PLACE, "arrived_at", "key", "value", "headers")
_FORMAT = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "ignoreNullFields": "false"}
_LETTER_BYTES, _KEY_BYTES, _HEADERS, _NAME, _HEADER_BYTES = 1_048_577, 16_384, 64, 128, 4_096
"""What leaves, as compression hides how large a record is: beyond this the beginning is sent on, and raw has all of it."""
_FEW = 2_000
"""Records that one task judges: a second one would write the code of every gate once more."""
_SINK = {"kafka.compression.type": "lz4", "kafka.linger.ms": "5", "kafka.max.request.size": str(4 * 1_048_576)}


class Refine:
    """One batch of records of any contracts."""

    def __init__(self, spark: SparkSession, contracts: Mapping[str, Contract], settings: Settings) -> None:
        self._spark, self._contracts, self._settings = spark, contracts, settings
        self._by_topic = {contract.topic: contract for contract in contracts.values()}
        folder = settings.checkpoints / "lake"
        self._firsts = Firsts(folder / "firsts.sqlite", settings.conflict_ids)
        self._known = Known(folder / "known.sqlite", self._keys_in_raw)

    def __call__(self, batch: DataFrame, _: int) -> None:
        with worked_out(batch) as held:
            counts = {row["topic"]: row["count"] for row in held.groupBy("topic").count().collect()}
            present = [self._by_topic[topic] for topic in counts if topic in self._by_topic]
            if present:
                records = held.coalesce(1) if sum(counts.values()) < _FEW else held
                parts = [judged(records, contract, self._settings) for contract in present]
                with worked_out(reduce(DataFrame.unionByName, parts)) as rows:
                    self._send(rows)

    def _send(self, rows: DataFrame) -> None:
        sent = outgoing(annotated(rows, self._notes(rows)))
        sent.write.format("kafka").options(**kafka_options(self._settings), **_SINK).save()

    def _notes(self, rows: DataFrame) -> list[tuple[Any, ...]]:
        """What other records tell of an accepted one: its place, the conflict or None, its unresolved fields."""
        told = ("arrived_at", *_PLACE, "stream", "memory", "identity", "says", "entity_key", "named")
        # In the order in which the lake decides which of two events is the first.
        accepted = sorted(rows.where("refusal IS NULL").select(*told).collect(), key=lambda row: row[:4])
        compared = (Version(r["memory"], r["identity"], r["says"], *_place(r)) for r in accepted if r["memory"])
        conflicts = {_place_of(found.other): found.reason for found in self._firsts.conflicts(compared)}
        self._known.note((r["stream"], r["entity_key"]) for r in accepted if r["entity_key"] is not None)
        missing = self._known.missing(named for r in accepted for named in self._named(r))
        notes = [
            (*_place(r), conflicts.get(_place(r)), unresolved(self._references(r), r["named"], missing))
            for r in accepted
        ]
        return [note for note in notes if note[3] or note[4]]

    def _keys_in_raw(self, entity: str, since: datetime) -> list[str]:
        """The keys of an entity's accepted records that landed since then; those of files came by no topic."""
        contract = self._contracts[entity]
        landed = self._spark.table(table_of(contract)).where(F.col("landed_at") >= F.lit(since))
        records = landed.select("value", "arrived_at")
        # Chosen here: as a condition of Spark's, the whole gate is more than the JVM takes for one method.
        judged_keys = gated(records, contract, self._settings.future_minutes).select(contract.key, "refusal").distinct()
        return [row[0] for row in judged_keys.collect() if row["refusal"] is None]

    def _references(self, row: Row) -> dict[str, str]:
        return self._contracts[row["stream"]].references

    def _named(self, row: Row) -> Iterable[tuple[str, str]]:
        named = zip(self._references(row).values(), row["named"], strict=True)
        return ((entity, key) for entity, key in named if key is not None)


def _place(row: Row) -> tuple[str, int, int]:
    return row["topic"], row["partition"], row["offset"]


def _place_of(version: Version) -> tuple[str, int, int]:
    return version.topic, version.partition, version.offset


def judged(records: DataFrame, contract: Contract, settings: Settings) -> DataFrame:
    """The contract's records in the shape that all contracts share: verdict, identity, and the event as it is sent on."""
    rows = gated(records.where(F.col("topic") == contract.topic), contract, settings.future_minutes)
    return rows.withColumns(_bounded()).select(
        *_RECORD,
        F.lit(contract.name).alias("stream"),
        F.lit(contract.processed_topic).alias("processed_topic"),
        "refusal",
        "reason",
        F.concat_ws("\x1f", *(F.col(name).cast("string") for name in contract.identity)).alias("identity"),
        F.lit(_memory(contract)).cast("string").alias("memory"),
        _says(contract).alias("says"),
        F.expr(contract.key if contract.kind == "entity" else "CAST(NULL AS string)").alias("entity_key"),
        F.array(*contract.references).cast("array<string>").alias("named"),
        F.to_json(F.struct(*(field.name for field in contract.fields)), _FORMAT).alias("event"),
        _quality(contract, settings).alias("quality"),
    )


def _bounded() -> dict[str, Column]:
    header = f"struct(substring(h.key, 1, {_NAME}) AS key, substring(h.value, 1, {_HEADER_BYTES}) AS value)"
    return {
        "value": F.substring("value", 1, _LETTER_BYTES),
        "key": F.substring("key", 1, _KEY_BYTES),
        "headers": F.expr(f"transform(slice(headers, 1, {_HEADERS}), h -> {header})"),
    }


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


def annotated(rows: DataFrame, notes: list[tuple[Any, ...]]) -> DataFrame:
    """The rows with what other records tell of them."""
    nothing = F.array().cast("array<string>")
    if not notes:
        return rows.withColumn("unresolved", nothing)
    schema = "topic string, partition int, offset bigint, conflict string, unresolved array<string>"
    joined = rows.join(F.broadcast(rows.sparkSession.createDataFrame(notes, schema)), list(_PLACE), "left")
    refusal = F.when(F.col("conflict").isNotNull(), F.lit(CONFLICT)).otherwise(F.col("refusal"))
    return joined.withColumns(
        {
            "refusal": refusal,
            "reason": F.coalesce("conflict", "reason"),
            "unresolved": F.coalesce("unresolved", nothing),
        }
    )


def outgoing(rows: DataFrame) -> DataFrame:
    """Rows (topic, key, value, headers) for Kafka."""
    refused = F.col("refusal").isNotNull()
    place = F.concat_ws(":", "topic", F.col("partition").cast("string"), F.col("offset").cast("string"))
    return rows.select(
        F.when(refused, F.lit(DEAD_LETTERS)).otherwise(F.col("processed_topic")).alias("topic"),
        F.when(refused, place).otherwise(F.col("identity")).alias("key"),
        F.when(refused, _dead_letter()).otherwise(_event()).alias("value"),
        F.col("headers"),
    )


def _header_map() -> Column:
    return F.expr("map_from_entries(transform(headers, h -> struct(h.key, CAST(h.value AS STRING))))")


def _quality(contract: Contract, settings: Settings) -> Column:
    late = F.expr(f"arrived_at > {contract.event_time} + INTERVAL {settings.lateness_minutes} MINUTES")
    return F.struct(
        late.alias("late"),
        F.col("arrived_at"),
        *_PLACE,
        F.lit(contract.version).alias("contract_version"),
        F.col("corrected"),
    )


def _event() -> Column:
    """The contract's fields, and beside them what the platform knows of the event."""
    quality = F.to_json(F.col("quality").withField("unresolved", F.col("unresolved")), _FORMAT)
    return F.concat(F.expr("substr(event, 1, length(event) - 1)"), F.lit(',"quality":'), quality, F.lit("}"))


def _dead_letter() -> Column:
    letter = F.struct(
        F.col("stream"),
        F.col("refusal").alias("rule"),
        F.col("reason"),
        F.base64("value").alias("value"),
        F.col("key").cast("string").alias("key"),
        F.base64("key").alias("key_bytes"),
        _header_map().alias("headers"),
        _header_map()["correlation_id"].alias("correlation_id"),
        *_PLACE,
        F.col("arrived_at"),
        F.current_timestamp().alias("refused_at"),
    )
    return F.to_json(letter, _FORMAT)
