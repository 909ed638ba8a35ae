"""The live query as a DataFrame: gate, late mark, one count an identity, windows, one message a window and key."""

from __future__ import annotations

import json

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.contracts.model import Contract
from headrace.settings import Settings
from headrace.streams.spark import gated
from headrace.streams.spec import Accumulator, LiveSpec

LATE = "_late"
WINDOW = "_window"


CONF = {
    "spark.sql.streaming.stateStore.providerClass": "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    "spark.sql.streaming.stateStore.rocksdb.boundedMemoryUsage": "true",
    "spark.sql.streaming.stateStore.rocksdb.maxMemoryUsageMB": "128",
}
"""How the state of the windows is kept: on disk, within a bound of memory, saved as what changed."""


def live_query(
    records: DataFrame, spec: LiveSpec, contract: Contract, settings: Settings, generation: int
) -> DataFrame:
    """Messages (key, value) for `metrics_realtime` from records of the contract's change topic."""
    return messages(windows(once(marked(records, contract, settings), contract), spec, contract), spec, generation)


def marked(records: DataFrame, contract: Contract, settings: Settings) -> DataFrame:
    """What passes the gate, each with whether it is late, and how far behind the newest the state reaches."""
    accepted = gated(records, contract, settings.future_minutes).where("refusal IS NULL")
    late = f"arrived_at > {contract.event_time} + INTERVAL {settings.lateness_minutes} MINUTES"
    return accepted.withColumn(LATE, F.expr(late)).withWatermark(
        contract.event_time, f"{settings.live_state_minutes} minutes"
    )


def once(events: DataFrame, contract: Contract) -> DataFrame:
    return events.dropDuplicatesWithinWatermark(list(contract.identity))


def windows(events: DataFrame, spec: LiveSpec, contract: Contract) -> DataFrame:
    """Late events keep to a row of their own, so that the others equal the lake's figure without them."""
    window = F.window(contract.event_time, f"{spec.window_seconds} seconds").alias(WINDOW)
    folded = [F.count(F.lit(1)).alias("n"), F.max(F.unix_millis(contract.event_time)).alias("last_event_ms")]
    folded += [F.max(F.unix_millis("arrived_at")).alias("last_arrived_ms")]
    folded += [_fold(item) for item in spec.accumulators]
    return events.groupBy(window, LATE, *spec.keys).agg(*folded)


def _fold(item: Accumulator) -> Column:
    return F.expr(f"CAST({item.agg}({item.expr}) AS {item.type})").alias(f"_acc_{item.name}")


def messages(rows: DataFrame, spec: LiveSpec, generation: int) -> DataFrame:
    start = F.unix_seconds(F.col(f"{WINDOW}.start"))
    values = [_shown(item) for item in spec.accumulators]
    value = F.struct(
        F.lit(spec.name).alias("spec"),
        start.alias("window_start"),
        F.lit(spec.window_seconds).alias("window_seconds"),
        F.col(LATE).alias("late"),
        F.struct(*spec.keys).alias("keys"),
        F.lit(generation).alias("generation"),
        F.col("n"),
        F.struct(*values).alias("values"),
        F.col("last_event_ms"),
        F.col("last_arrived_ms"),
        # Not current_timestamp: that is the moment the batch began, minutes ago.
        F.expr("CAST(reflect('java.lang.System', 'currentTimeMillis') AS bigint)").alias("emitted_ms"),
    )
    return rows.select(_key(spec, start).alias("key"), F.to_json(value, {"ignoreNullFields": "false"}).alias("value"))


def _shown(item: Accumulator) -> Column:
    """Decimals travel as text: a JSON number is a double to most readers."""
    column = F.col(f"_acc_{item.name}")
    whole = item.type.lower() in ("bigint", "int", "integer")
    return (column if whole else column.cast("string")).alias(item.name)


def _key(spec: LiveSpec, start: Column) -> Column:
    """A JSON array of mixed types, which Spark has no array for."""
    name = F.lit(f"[{json.dumps(spec.name)},")
    keys = F.to_json(F.array(*(F.col(key).cast("string") for key in spec.keys)))
    late = F.when(F.col(LATE), F.lit("true")).otherwise(F.lit("false"))
    rest = F.concat(F.lit(","), F.substring(keys, 2, 1_000_000)) if spec.keys else F.lit("]")
    return F.concat(name, start.cast("string"), F.lit(","), late, rest)
