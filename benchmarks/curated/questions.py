"""Twenty questions that people and dashboards ask of the curated tables, in SQL that all three engines understand.

`{name}` is a table. Each has an order, so that results are compared row by row. Averages and shares are left to the
reader: engines differ in the type of a division, and none of them in a sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from headrace.semantics import Request

TABLES = (
    "transactions_by_day", "merchant_day", "region_day", "customer_day", "running_totals", "customer_lifetime",
    "transactions_by_minute", "fct_transactions", "dim_merchants",
)  # fmt: skip


class Question(NamedTuple):
    name: str
    sql: str

    def on(self, prefix: str) -> str:
        """With the tables' names as an engine knows them."""
        return self.sql.format(**{table: f"{prefix}{table}" for table in TABLES})


_SALES = "sum(case when transaction_type = 'purchase' then amount * usd_rate else 0 end)"
_SQL = {
    "sales of a day": "select sum(amount_usd) from {transactions_by_day} where transaction_type = 'purchase' and ON1",
    "sales by day, 7 days": "select date_day, sum(sales_usd), sum(purchases) from {region_day} where ON7 group by date_day order by date_day",
    "sales by day, 30 days": "select date_day, sum(sales_usd), sum(purchases) from {region_day} where ON30 group by date_day order by date_day",
    "sales by region, a day": "select region, sum(sales_usd) from {region_day} where ON1 group by region order by region",
    "sales by region and day, 7 days": "select date_day, region, sales_usd from {region_day} where ON7 order by date_day, region",
    "amounts by currency and type, 30 days": "select currency, transaction_type, sum(amount), sum(transactions) from {transactions_by_day} where ON30 "
    "group by currency, transaction_type order by currency, transaction_type",
    "refunds by day, 30 days": "select date_day, sum(refunds_usd), sum(sales_usd) from {region_day} where ON30 group by date_day order by date_day",
    "ten best merchants, a day": "select merchant_id, sum(sales_usd) as sales from {merchant_day} where ON1 group by merchant_id "
    "order by sales desc, merchant_id limit 10",
    "ten best merchants, 7 days": "select merchant_id, sum(sales_usd) as sales from {merchant_day} where ON7 group by merchant_id "
    "order by sales desc, merchant_id limit 10",
    "ten best merchants, 30 days": "select merchant_id, sum(sales_usd) as sales from {merchant_day} where ON30 group by merchant_id "
    "order by sales desc, merchant_id limit 10",
    "one merchant by day, 30 days": "select date_day, sales_usd, refunds_usd from {merchant_day} where merchant_id = 'merchant-7' and ON30 order by date_day",
    "sales by category, 30 days": "select m.category, sum(d.sales_usd), sum(d.purchases) from {merchant_day} as d "
    "inner join {dim_merchants} as m on m.merchant_id = d.merchant_id where ON30 group by m.category order by m.category",
    "active customers by region, 7 days": "select date_day, region, active_customers from {region_day} where ON7 order by date_day, region",
    "customers by how much they bought": "select purchases, count(*), sum(sales_usd) from {customer_lifetime} group by purchases order by purchases",
    "month to date by day, 30 days": "select date_day, sales_month_to_date_usd, sales_last_7_days_usd from {running_totals} where ON30 order by date_day",
    "transactions by hour, a day": "select extract(hour from window_start) as hour_of_day, sum(n) from {transactions_by_minute} where WINDOW1 "
    "group by extract(hour from window_start) order by hour_of_day",
    "largest purchase by region and currency, 7 days": "select region, currency, max(max_amount) from {transactions_by_minute} "
    "where transaction_type = 'purchase' and WINDOW7 group by region, currency order by region, currency",
    "sales by region from the events, a day": f"select region, {_SALES}, count(*) from {{fct_transactions}} where EVENT1 group by region order by region",
    "sales by day from the events, 7 days": f"select event_date, {_SALES}, count(*) from {{fct_transactions}} where EVENT7 group by event_date order by event_date",
    "different customers by region, 30 days": "select region, count(distinct user_id) from {fct_transactions} where transaction_type = 'purchase' and EVENT30 "
    "group by region order by region",
}


def questions(last: date) -> list[Question]:
    """About the days that end with the last complete one."""
    return [Question(name, _dated(sql, last)) for name, sql in _SQL.items()]


def _dated(sql: str, last: date) -> str:
    for days in (30, 7, 1):
        since = f"date '{last - timedelta(days=days - 1)}' and date '{last}'"
        for word, column in (("ON", "date_day"), ("WINDOW", "cast(window_start as date)"), ("EVENT", "event_date")):
            sql = sql.replace(f"{word}{days}", f"{column} between {since}")
    return sql


def asked_by_metric(last: date) -> Iterator[tuple[str, Request]]:
    """Five questions as the assistant asks them: compiled from the metrics' definitions, for Trino alone."""
    end = datetime.combine(last + timedelta(days=1), time(), UTC)
    day, week, month = (end - timedelta(days=days) for days in (1, 7, 30))
    yield "metric sales, a day", Request(("sales",), start=day, end=end)
    yield "metric sales by day, 7 days", Request(("sales",), start=week, end=end, grain="day", order=("metric_time",))
    yield (
        "metric sales by region, 7 days",
        Request(("sales",), ("transaction__region",), start=week, end=end, order=("-sales",)),
    )
    yield (
        "metric refund_rate by day, 30 days",
        Request(("refund_rate",), start=month, end=end, grain="day", order=("metric_time",)),
    )
    yield (
        "metric sales, ten best merchants, 30 days",
        Request(("sales",), ("transaction__merchant_id",), start=month, end=end, order=("-sales",), limit=10),
    )
