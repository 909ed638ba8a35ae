"""Cohorts and activity by the real Spark job over a real lake: equal to dbt's, and red when one row of dbt's is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from headrace.lake import coverage, dbt
from headrace.lake.analytics.outcome import ACTIVITY, COHORTS, STREAMS, Differs
from headrace.runtime import analytics
from headrace.settings import Settings
from tests.parts.filled_lake import filled
from tests.parts.lake_home import START, Lake

DAYS = 60


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Lake:
    lake = filled(start_parts)
    # Whole: other tests of this lake build what they look at alone, and land rows that are told to be older.
    whole = ["run", "--full-refresh", "--select", f"+{COHORTS}", f"+{ACTIVITY}", "--exclude", "tag:raw"]
    dbt.run(lake.settings, whole, timeout=300)
    return lake


def claim(lake: Lake) -> None:
    """That all is built: what lies behind the claim is not compared."""
    for stream in STREAMS:
        coverage.advance(lake.settings, stream, START + timedelta(days=1))


@pytest.fixture(scope="module")
def compared(lake: Lake) -> dict[str, Any]:
    """The job's first run over the untouched lake."""
    claim(lake)
    return analytics.run(lake.settings, DAYS)


def rows(lake: Lake, schema: str, table: str, columns: str) -> list[list[Any]]:
    return lake.query(f"select {columns} from {schema}.{table} order by 1, 2, 3")


def test_both_engines_say_the_same(lake: Lake, compared: dict[str, Any]) -> None:
    assert compared["agrees"]
    equal = {one["table"]: (one["equal"], one["differing"]) for one in compared["tables"]}
    for table, columns in (
        (COHORTS, "cohort_week, weeks_since, cohort_customers, customers_buying, sales_usd, is_complete"),
        (ACTIVITY, "minute_start, customer_id, date_day, app_actions, searches, transactions, purchases, sales_usd"),
    ):
        theirs = rows(lake, "curated", table, columns)
        assert rows(lake, "analytics", table, columns) == theirs
        assert equal[table] == (len(theirs), 0)
        assert len(theirs) > 5, "a comparison of nothing proves nothing"


@pytest.mark.usefixtures("compared")
def test_a_wrong_row_of_either_table_is_told(lake: Lake) -> None:
    ((minute, customer),) = lake.query(
        f"select cast(minute_start as varchar), customer_id from curated.{ACTIVITY} order by 1 desc, 2 limit 1"
    )
    one = f"minute_start = timestamp '{minute}' and customer_id = '{customer}'"
    lake.query(f"update curated.{ACTIVITY} set searches = searches + 1 where {one}")
    lake.query(f"delete from curated.{COHORTS} where weeks_since = 1")
    gone = len(lake.query(f"select 1 from analytics.{COHORTS} where weeks_since = 1"))
    kept = lake.query(f"select * from analytics.{ACTIVITY} order by minute_start, customer_id")
    claim(lake)
    try:
        with pytest.raises(Differs) as told:
            analytics.run(lake.settings, DAYS)
    finally:
        lake.query(f"update curated.{ACTIVITY} set searches = searches - 1 where {one}")
        dbt.run(lake.settings, ["run", "--select", COHORTS], timeout=120)
    assert f"{ACTIVITY}: 1 rows differ" in str(told.value)
    assert minute[:16] in str(told.value)
    assert customer not in str(told.value)
    assert f"{COHORTS}: {gone} rows differ" in str(told.value)
    again = lake.query(f"select * from analytics.{ACTIVITY} order by minute_start, customer_id")
    assert again == kept, "a repeat replaces what is there"


def test_what_was_made_after_the_last_finished_build_is_not_compared(lake: Lake) -> None:
    with pytest.raises(analytics.AnalyticsFailed, match="Try again when DAG curate has ended"):
        analytics.run(lake.settings, DAYS)
