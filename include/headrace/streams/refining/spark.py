"""Records through the gate: accepted ones typed to `processed_…`, refused ones to `dead_letters` with the reason.

Spark's Kafka sink may write a batch twice. Both topics are keyed so that a repeat overwrites itself: by the event's
identity, and by topic, partition and offset.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.contracts.model import Contract
from headrace.settings import Settings
from headrace.streams.dialect import MOST_BYTES
from headrace.streams.landing.table import table_of
from headrace.streams.refining.arrow import RECORD, TOLD, FirstLook
from headrace.streams.refining.firsts import Firsts
from headrace.streams.refining.known import Known
from headrace.streams.refining.notes import ASKED, Note, Notes
from headrace.streams.refining.plain import NOTHING, memory_of
from headrace.streams.spark import few_tasks, gated, kafka_options, worked_out
from headrace.streams.topics import DEAD_LETTERS

CONFLICT = "conflict"
_PLACE = ("topic", "partition", "offset")
RECORD_COLUMNS = (*_PLACE, "arrived_at", "key", "value", "headers")
_FORMAT = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "ignoreNullFields": "false"}
_LETTER_BYTES, _KEY_BYTES, _HEADERS, _NAME, _HEADER_BYTES = MOST_BYTES + 1, 16_384, 64, 128, 4_096
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
        known = Known(folder / "known.sqlite", self._keys_in_raw)
        self._notes = Notes(contracts, Firsts(folder / "firsts.sqlite", settings.conflict_ids), known)

    def __call__(self, batch: DataFrame, _: int) -> None:
        with worked_out(looked_at(batch, self._by_topic, self._settings)) as records:
            told = asked(records)
            plain = [record for record in told if record["stream"]]
            doubtful = Counter(record["topic"] for record in told if not record["stream"])
            parts = self._judged(records, doubtful)
            if not parts:
                self._send(plainly_right(records), plain)
                return
            with worked_out(reduce(DataFrame.unionByName, parts)) as rows:
                accepted = asked(rows.where("refusal IS NULL"))
                # Each was judged by itself, and of two records of one key the later has to be sent later.
                both = plainly_right(records).unionByName(rows)
                self._send(both.coalesce(1).sortWithinPartitions(*_PLACE), plain + accepted)

    def _judged(self, records: DataFrame, doubtful: Counter[str]) -> list[DataFrame]:
        """What is left to the gate, by contract; a record of a topic without one is left aside."""
        left = records.where("stream IS NULL").select(*RECORD_COLUMNS)
        if doubtful.total() < _FEW:
            left = left.coalesce(1)
        contracts = [self._by_topic[topic] for topic in doubtful if topic in self._by_topic]
        return [judged(of_topic(left, contract), contract, self._settings) for contract in contracts]

    def _send(self, rows: DataFrame, accepted: list[dict[str, Any]]) -> None:
        send(outgoing(annotated(rows, self._notes.of(accepted))), self._settings)

    def _keys_in_raw(self, entity: str, since: datetime) -> list[str]:
        """The keys of an entity's accepted records that landed since then; those of files came by no topic."""
        contract = self._contracts[entity]
        landed = self._spark.table(table_of(contract)).where(F.col("landed_at") >= F.lit(since))
        records = landed.select("value", "arrived_at")
        # Chosen here: as a condition of Spark's, the whole gate is more than the JVM takes for one method.
        judged_keys = gated(records, contract, self._settings.future_minutes).select(contract.key, "refusal").distinct()
        return [row[0] for row in judged_keys.collect() if row["refusal"] is None]


def looked_at(batch: DataFrame, contracts: Mapping[str, Contract], settings: Settings) -> DataFrame:
    """Records with what is told of those that are plainly right; `stream` is null where the gate has to judge."""
    future, lateness = timedelta(minutes=settings.future_minutes), timedelta(minutes=settings.lateness_minutes)
    look = FirstLook(contracts, future=future, lateness=lateness)
    return few_tasks(batch).withColumns(_bounded()).select(*RECORD_COLUMNS).mapInArrow(look, f"{RECORD}, {TOLD}")


def asked(rows: DataFrame) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rows.select(*ASKED).toArrow().to_pylist()
    return found


def plainly_right(records: DataFrame) -> DataFrame:
    """In the shape that `judged` gives."""
    nothing = F.lit(None).cast("string")
    added = {"refusal": nothing, "reason": nothing, "corrected": F.array().cast("array<string>")}
    return records.where("stream IS NOT NULL").withColumns(added)


def judged(records: DataFrame, contract: Contract, settings: Settings) -> DataFrame:
    """Records of the contract in the shape that all contracts share: verdict, identity, and the event as it is sent on."""
    rows = gated(_told(records, contract), contract, settings.future_minutes)
    return rows.select(
        *RECORD_COLUMNS,
        F.lit(contract.name).alias("stream"),
        F.lit(contract.processed_topic).alias("processed_topic"),
        "refusal",
        "reason",
        F.concat_ws("\x1f", *(F.col(name).cast("string") for name in contract.identity)).alias("identity"),
        F.lit(memory_of(contract)).cast("string").alias("memory"),
        _says(contract).alias("says"),
        F.expr(contract.key if contract.kind == "entity" else "CAST(NULL AS string)").alias("entity_key"),
        F.array(*contract.references).cast("array<string>").alias("named"),
        F.to_json(F.struct(*(field.name for field in contract.fields)), _FORMAT).alias("event"),
        F.expr(f"arrived_at > {contract.event_time} + INTERVAL {settings.lateness_minutes} MINUTE").alias("late"),
        F.lit(contract.version).alias("contract_version"),
        "corrected",
    )


def of_topic(records: DataFrame, contract: Contract) -> DataFrame:
    return records.where(F.col("topic") == contract.topic)


def _told(records: DataFrame, contract: Contract) -> DataFrame:
    """Without deletions: they are no events to judge, and the history of the lake finds them in raw."""
    return records.where("value IS NOT NULL OR key IS NULL") if contract.history else records


def _bounded() -> dict[str, Column]:
    header = f"struct(substring(h.key, 1, {_NAME}) AS key, substring(h.value, 1, {_HEADER_BYTES}) AS value)"
    return {
        "value": F.substring("value", 1, _LETTER_BYTES),
        "key": F.substring("key", 1, _KEY_BYTES),
        "headers": F.expr(f"transform(slice(headers, 1, {_HEADERS}), h -> {header})"),
    }


def _says(contract: Contract) -> Column:
    told = (
        F.concat(F.lit(f"{name} "), F.coalesce(F.col(name).cast("string"), F.lit(NOTHING)))
        for name in contract.version_fields
    )
    return F.concat_ws(", ", *told)


def annotated(rows: DataFrame, notes: list[Note]) -> DataFrame:
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
    return rows.select(
        F.when(refused, F.lit(DEAD_LETTERS)).otherwise(F.col("processed_topic")).alias("topic"),
        F.when(refused, _place()).otherwise(F.col("identity")).alias("key"),
        F.when(refused, _dead_letter()).otherwise(_event()).alias("value"),
        F.col("headers"),
    )


def send(rows: DataFrame, settings: Settings) -> None:
    rows.write.format("kafka").options(**kafka_options(settings), **_SINK).save()


def send_letters(lines: DataFrame, topics: Iterable[str], contract: Contract, settings: Settings) -> None:
    """Of lines of dropped files those that are refused. Accepted ones are no stream: the lake builds with them."""
    doubtful = (
        looked_at(lines, dict.fromkeys(topics, contract), settings).where("stream IS NULL").select(*RECORD_COLUMNS)
    )
    verdicts = judged(doubtful, contract, settings).select(*RECORD_COLUMNS, "stream", "refusal", "reason")
    with worked_out(verdicts) as found:
        refused = found.where("refusal IS NOT NULL")
        letter = (_place().alias("key"), _dead_letter(contract.topic).alias("value"), "headers")
        send(refused.select(F.lit(DEAD_LETTERS).alias("topic"), *letter), settings)


def _place() -> Column:
    return F.concat_ws(":", "topic", F.col("partition").cast("string"), F.col("offset").cast("string"))


def _header_map() -> Column:
    return F.expr("map_from_entries(transform(headers, h -> struct(h.key, CAST(h.value AS STRING))))")


def _event() -> Column:
    """The contract's fields, and beside them what the platform knows of the event."""
    known = F.struct("late", "arrived_at", *_PLACE, "contract_version", "corrected", "unresolved")
    quality = F.to_json(known, _FORMAT)
    return F.concat(F.expr("substr(event, 1, length(event) - 1)"), F.lit(',"quality":'), quality, F.lit("}"))


def _dead_letter(change_topic: str | None = None) -> Column:
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
        F.lit(change_topic).cast("string").alias("change_topic"),
        F.current_timestamp().alias("refused_at"),
    )
    return F.to_json(letter, _FORMAT)
