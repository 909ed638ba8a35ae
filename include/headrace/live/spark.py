"""The live query as a DataFrame: gate, late mark, one count an identity, windows, one message a window and key.

All specifications of a stream are counted by one query: each event becomes one row a specification, with its keys as a
list of text, so that the rows of the state look alike whatever is declared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.contracts.model import Contract
from headrace.settings import Settings
from headrace.streams.spark import gated
from headrace.streams.spec import Accumulator, LiveSpec, accumulators

LATE = "_late"
WINDOW = "_window"
SPEC = "_spec"
KEYS = "_keys"


CONF = {
    "spark.sql.streaming.stateStore.providerClass": "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    "spark.sql.streaming.stateStore.rocksdb.boundedMemoryUsage": "true",
    "spark.sql.streaming.stateStore.rocksdb.maxMemoryUsageMB": "128",
    "spark.sql.streaming.stateStore.rocksdb.trackTotalNumberOfRows": "false",
    "spark.sql.streaming.checkpoint.fileChecksum.enabled": "false",
}
"""How the state of the windows is kept: on disk, within a bound of memory, saved as what changed."""


def live_query(
    records: DataFrame, specs: Sequence[LiveSpec], contract: Contract, settings: Settings, generation: int
) -> DataFrame:
    """Messages (key, value) for `metrics_realtime` from records of the contract's change topic."""
    counted = once(marked(records, contract, settings), contract)
    return messages(windows(placed(counted, specs), specs, contract), specs, generation)


def marked(records: DataFrame, contract: Contract, settings: Settings) -> DataFrame:
    """What passes the gate, each with whether it is late, and how far behind the newest the state reaches."""
    accepted = gated(records, contract, settings.future_minutes).where("refusal IS NULL")
    late = f"arrived_at > {contract.event_time} + INTERVAL {settings.lateness_minutes} MINUTES"
    return accepted.withColumn(LATE, F.expr(late)).withWatermark(
        contract.event_time, f"{settings.live_state_minutes} minutes"
    )


def once(events: DataFrame, contract: Contract) -> DataFrame:
    return events.dropDuplicatesWithinWatermark(list(contract.identity))


def placed(events: DataFrame, specs: Sequence[LiveSpec]) -> DataFrame:
    """One row for each event and specification."""
    places = F.array(*(F.struct(F.lit(spec.name).alias(SPEC), _keys(spec).alias(KEYS)) for spec in specs))
    return events.select("*", F.inline(places))


def _keys(spec: LiveSpec) -> Column:
    return F.array(*(F.expr(spec.expr(key)).cast("string") for key in spec.keys)).cast("array<string>")


def windows(events: DataFrame, specs: Sequence[LiveSpec], contract: Contract) -> DataFrame:
    """Late events keep to a row of their own, so that the others equal the lake's figure without them."""
    window = F.window(contract.event_time, f"{specs[0].window_seconds} seconds").alias(WINDOW)
    folded = [F.count(F.lit(1)).alias("n"), F.max(F.unix_millis(contract.event_time)).alias("last_event_ms")]
    folded += [F.max(F.unix_millis("arrived_at")).alias("last_arrived_ms")]
    folded += [_fold(item) for item in accumulators(specs)]
    return events.groupBy(window, LATE, SPEC, KEYS).agg(*folded)


def _fold(item: Accumulator) -> Column:
    return F.expr(f"CAST({item.agg}({item.expr}) AS {item.type})").alias(f"_acc_{item.name}")


def messages(rows: DataFrame, specs: Sequence[LiveSpec], generation: int) -> DataFrame:
    start = F.unix_seconds(F.col(f"{WINDOW}.start"))
    value = F.struct(
        F.col(SPEC).alias("spec"),
        start.alias("window_start"),
        F.lit(specs[0].window_seconds).alias("window_seconds"),
        F.col(LATE).alias("late"),
        F.map_from_arrays(_of_spec(specs, _names), F.col(KEYS)).alias("keys"),
        F.lit(generation).alias("generation"),
        F.col("n"),
        F.struct(*(_shown(item) for item in accumulators(specs))).alias("values"),
        F.col("last_event_ms"),
        F.col("last_arrived_ms"),
        # Not current_timestamp: that is the moment the batch began, minutes ago.
        F.expr("CAST(reflect('java.lang.System', 'currentTimeMillis') AS bigint)").alias("emitted_ms"),
    )
    return rows.select(_key(start).alias("key"), F.to_json(value, {"ignoreNullFields": "false"}).alias("value"))


def _of_spec(specs: Sequence[LiveSpec], of: Callable[[LiveSpec], Column]) -> Column:
    found = of(specs[-1])
    for spec in specs[:-1]:
        found = F.when(F.col(SPEC) == spec.name, of(spec)).otherwise(found)
    return found


def _names(spec: LiveSpec) -> Column:
    return F.array(*(F.lit(key) for key in spec.keys)).cast("array<string>")


def _shown(item: Accumulator) -> Column:
    """Decimals travel as text: a JSON number is a double to most readers."""
    column = F.col(f"_acc_{item.name}")
    whole = item.type.lower() in ("bigint", "int", "integer")
    return (column if whole else column.cast("string")).alias(item.name)


def _key(start: Column) -> Column:
    """[spec, start, late, keys…]: a JSON array of mixed types, which Spark has no array for."""
    name = F.concat(F.lit('["'), F.col(SPEC), F.lit('",'))
    late = F.when(F.col(LATE), F.lit("true")).otherwise(F.lit("false"))
    keys = F.to_json(KEYS)
    rest = F.when(F.size(KEYS) > 0, F.concat(F.lit(","), F.substring(keys, 2, 1_000_000))).otherwise(F.lit("]"))
    return F.concat(name, start.cast("string"), F.lit(","), late, rest)
