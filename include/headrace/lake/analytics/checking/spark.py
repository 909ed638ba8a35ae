"""Keeps both tables of figures and compares what was kept with dbt's, row by row."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import DataFrame, DataFrameWriterV2, SparkSession
from pyspark.sql import functions as F

from headrace.lake.analytics import spark as figures
from headrace.lake.analytics.outcome import ACTIVITY, COHORTS, SCHEMA, Compared, NotComparable, Scope, whole_from
from headrace.streams.landing.table import CATALOGUE, PROPERTIES

_SCHEMA = f"{CATALOGUE}.{SCHEMA}"


def run(spark: SparkSession, scope: Scope, since: datetime | None) -> list[Compared]:
    """Works both tables out, keeps them, and compares; `since` is the moment before which no event is kept."""
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {_SCHEMA}")
    built = figures.Built(spark, scope.built_at)
    return [_cohorts(spark, built, since), _activity(spark, built, scope)]


def _cohorts(spark: SparkSession, built: figures.Built, since: datetime | None) -> Compared:
    first, newest = figures.first_day(built), figures.newest_day(built)
    if first is None or newest is None:
        raise NotComparable("There is not one transaction in processed: there is nothing to work out yet.")
    made = figures.cohorts(figures.purchases(built, whole_from(first, since)), newest)
    _writer(made, COHORTS).createOrReplace()
    return compare(
        COHORTS, spark.table(f"{_SCHEMA}.{COHORTS}"), _of_dbt(built, COHORTS), ["cohort_week", "weeks_since"]
    )


def _activity(spark: SparkSession, built: figures.Built, scope: Scope) -> Compared:
    made = figures.activity(built, scope.start, scope.through)
    name, moment = f"{_SCHEMA}.{ACTIVITY}", F.col("minute_start")
    if not spark.catalog.tableExists(name):
        _writer(made, ACTIVITY).partitionedBy(F.partitioning.days("minute_start")).create()
    else:
        made.writeTo(name).overwrite((moment >= scope.start) & (moment < scope.end_of_days))
    compared = (moment >= scope.start) & (moment < scope.through)
    kept, theirs = spark.table(name).where(compared), _of_dbt(built, ACTIVITY).where(compared)
    return compare(ACTIVITY, kept, theirs, ["minute_start", "customer_id"])


def _of_dbt(built: figures.Built, name: str) -> DataFrame:
    return built.table(f"curated.{name}")


def _writer(rows: DataFrame, name: str) -> DataFrameWriterV2:
    writer = rows.writeTo(f"{_SCHEMA}.{name}").using("iceberg")
    for key, value in PROPERTIES.items():
        writer = writer.tableProperty(key, value)
    return writer


def compare(name: str, ours: DataFrame, theirs: DataFrame, keys: list[str]) -> Compared:
    """Every column that we have, and how often: a row that is there twice is another one than a row that is there once."""
    columns = ours.columns
    values = F.struct(*(c for c in columns if c not in keys), "count")

    def by_key(rows: DataFrame, alias: str) -> DataFrame:
        return rows.groupBy(*columns).count().select(*keys, values.alias(alias))

    both = by_key(ours, "ours").join(by_key(theirs, "theirs"), keys, "full")
    same = F.col("ours").eqNullSafe(F.col("theirs"))
    found = both.agg(
        F.count_if(same).alias("equal"),
        F.count_if(~same).alias("differing"),
        F.min(F.when(~same, F.col(keys[0]))).cast("string").alias("first"),
    ).first()
    assert found is not None
    return Compared(name, found["equal"], found["differing"], found["first"])
