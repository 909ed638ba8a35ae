"""Retention cohorts and activity by minute as DataFrames: the definitions of dbt's models, without their SQL.

Everything is read as it was when the last claimed build was done, so that a build that goes on meanwhile changes nothing.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from headrace.lake.analytics.outcome import NotComparable
from headrace.streams.landing.table import CATALOGUE

_MONEY = "decimal(38,10)"


class Built:
    """The lake as a build left it."""

    def __init__(self, spark: SparkSession, built_at: datetime) -> None:
        self._spark, self._built_at = spark, built_at
        self.table = cache(self._table)

    def _table(self, name: str) -> DataFrame:
        history = self._spark.table(f"{CATALOGUE}.{name}.history").where(F.col("made_current_at") <= self._built_at)
        newest = history.orderBy(F.desc("made_current_at")).first()
        if newest is None:
            raise NotComparable(
                f"lake.{name} was made anew after the last build that is done ({self._built_at:%F %T} UTC). "
                "Try again when DAG curate has ended."
            )
        return self._spark.read.option("versionAsOf", newest["snapshot_id"]).table(f"{CATALOGUE}.{name}")


def paid(built: Built) -> DataFrame:
    """Transactions with their day and their worth in US dollars, null where their currency has no rate at all."""
    transactions = built.table("processed.transactions").withColumn("date_day", F.to_date("event_time"))
    rate = F.coalesce("usd_rate", F.when(F.col("currency") == "USD", F.lit(1).cast("decimal(18,8)")))
    rated = transactions.join(F.broadcast(_rates(built, transactions)), ["currency", "date_day"], "left")
    return rated.withColumn("usd", (F.col("amount") * rate).cast(_MONEY))


def _rates(built: Built, transactions: DataFrame) -> DataFrame:
    """For each currency and day the newest rate up to it, or the first one there ever was."""
    known = built.table("processed.exchange_rates").select("currency", "rate_date", "usd_rate")
    one = F.struct("rate_date", "usd_rate")
    newest = F.max(F.when(F.col("rate_date") <= F.col("date_day"), one))
    days = transactions.select("currency", "date_day").distinct().join(known, "currency")
    chosen = days.groupBy("currency", "date_day").agg(F.coalesce(newest, F.min(one)).alias("rate"))
    return chosen.select("currency", "date_day", "rate.usd_rate")


def purchases(built: Built, whole_from: date) -> DataFrame:
    """Who bought on which day and for how much; of days whose events are gone, what was made of them remains."""
    made = paid(built).where((F.col("transaction_type") == "purchase") & (F.col("date_day") >= whole_from))
    earlier = built.table("curated.customer_day").where((F.col("purchases") > 0) & (F.col("date_day") < whole_from))
    kept = earlier.select("date_day", "customer_id", F.col("sales_usd").alias("usd"))
    return made.select("date_day", F.col("user_id").alias("customer_id"), "usd").unionByName(kept)


def newest_day(built: Built) -> date | None:
    """The last day on which any customer did anything."""
    placed = built.table("processed.orders").where(F.col("order_status") == "placed")
    seen = [built.table("processed.transactions"), built.table("processed.app_events"), placed]
    days = [rows.agg(F.to_date(F.max("event_time")).alias("day")).first() for rows in seen]
    return max((row["day"] for row in days if row and row["day"]), default=None)


def first_day(built: Built) -> date | None:
    row = built.table("processed.transactions").agg(F.to_date(F.min("event_time")).alias("day")).first()
    return row["day"] if row else None


def cohorts(bought: DataFrame, newest: date) -> DataFrame:
    """Everybody belongs to the week of their first purchase; a cohort has a row for each later week of the data."""
    monday = F.to_date(F.date_trunc("week", "date_day"))
    weekly = bought.groupBy("customer_id", monday.alias("week")).agg(F.sum("usd").alias("usd"))
    member = weekly.withColumn("cohort_week", F.min("week").over(Window.partitionBy("customer_id")))
    returned = member.groupBy("cohort_week", "week").agg(F.count(F.lit(1)).alias("buying"), F.sum("usd").alias("usd"))
    # In its own week a cohort is whole, since that is what made it one.
    sizes = returned.where("week = cohort_week").select("cohort_week", F.col("buying").alias("cohort_customers"))
    grid = sizes.crossJoin(weekly.select("week").distinct()).where("week >= cohort_week")
    return grid.join(returned, ["cohort_week", "week"], "left").select(
        "cohort_week",
        (F.datediff("week", "cohort_week") / 7).cast("bigint").alias("weeks_since"),
        "cohort_customers",
        F.coalesce("buying", F.lit(0)).cast("bigint").alias("customers_buying"),
        _or_nothing(F.col("usd")).alias("sales_usd"),
        (F.date_add("week", 7) <= F.lit(newest)).alias("is_complete"),
    )


def activity(built: Built, start: datetime, end: datetime) -> DataFrame:
    """What each customer did in each minute, in the applications and with money."""
    within = (F.col("event_time") >= start) & (F.col("event_time") < end)
    nothing = F.lit(None)
    did = built.table("processed.app_events").select(
        "event_time", "user_id", "event_type",
        nothing.cast("string").alias("transaction_type"), nothing.cast(_MONEY).alias("usd"),
    )  # fmt: skip
    spent = paid(built).select(
        "event_time", "user_id", nothing.cast("string").alias("event_type"), "transaction_type", "usd"
    )
    minute, customer = F.date_trunc("minute", "event_time"), F.col("user_id").alias("customer_id")
    by_minute = did.unionByName(spent).where(within).groupBy(minute.alias("minute_start"), customer)
    bought = F.col("transaction_type") == "purchase"
    made = by_minute.agg(
        F.count("event_type").alias("app_actions"),
        *(F.count_if(F.col("event_type") == kind).alias(name) for kind, name in _ACTIONS.items()),
        F.count("transaction_type").alias("transactions"),
        F.count_if(bought).alias("purchases"),
        _or_nothing(F.sum(F.when(bought, F.col("usd")))).alias("sales_usd"),
    )
    day = F.to_date("minute_start").alias("date_day")
    return made.select("minute_start", day, "customer_id", *made.columns[2:])


_ACTIONS = {"page_view": "page_views", "search": "searches", "add_to_cart": "add_to_carts"}


def _or_nothing(money: Column) -> Column:
    return F.coalesce(money, F.lit(0)).cast(_MONEY)
