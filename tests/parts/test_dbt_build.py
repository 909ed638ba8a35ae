"""The lake as dbt builds it, against what the raw rows say by hand: first build, belated rows, repeats, a new rate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from headrace.lake import dbt
from headrace.lake.trino import connect
from headrace.settings import Settings
from tests.parts.filled_lake import filled
from tests.parts.lake_home import BY_HAND, EVENTS, START, Lake, customer, merchant, rate
from tests.parts.marketplace import FIRST, order_step
from tests.parts.raw_rows import Landed, event, land, landed

_FIGURES = "count(*), count_if(is_late), sum(amount), count(distinct user_id)"


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Lake:
    return filled(start_parts)


def assert_equals_hand_written(lake: Lake) -> None:
    """Of the events of START and later: those of the marketplace are weighed metric by metric elsewhere."""
    since = f"timestamp '{START:%Y-%m-%d %H:%M:%S} UTC'"
    by_hand = lake.query(
        f"{BY_HAND} select transaction_type, {_FIGURES}, sum(usd) from valued where event_time >= {since}"
        " group by 1 order by 1"
    )
    built = lake.query(
        f"select transaction_type, {_FIGURES}, sum(amount * usd_rate) from curated.fct_transactions"
        f" where event_time >= {since} group by 1 order by 1"
    )
    minutes = lake.query(
        "select transaction_type, sum(n), sum(if(is_late, n, 0)), sum(sum_amount) from curated.transactions_by_minute"
        f" where window_start >= {since} group by 1 order by 1"
    )
    days = lake.query(
        "select transaction_type, sum(amount_usd) from curated.transactions_by_day"
        f" where date_day >= date '{START:%Y-%m-%d}' group by 1 order by 1"
    )
    assert built == by_hand
    assert minutes == [row[:4] for row in by_hand]
    assert days == [[row[0], row[5]] for row in by_hand]


def test_the_first_build_equals_hand_written_sql(lake: Lake) -> None:
    assert_equals_hand_written(lake)
    refused = lake.query(
        "select count(*) from processed.transactions where event_id in ('hand-00009000', 'hand-00009001')"
    )
    assert refused == [[0]]
    late = lake.query("select count(*) from curated.fct_transactions where is_late and event_id like 'hand-%'")
    assert late == [[len(range(0, EVENTS, 50))]]


def test_the_unit_tests_of_the_project_pass(lake: Lake) -> None:
    assert "PASS=11 " in dbt.unit_tests(lake.settings)


def test_belated_rows_repeats_and_a_new_rate_are_merged(lake: Lake) -> None:
    soon = START + timedelta(hours=5)
    first_seen_later = landed(
        event(20, START + timedelta(minutes=20), amount=777.77), timedelta(milliseconds=10), landed_at=soon
    )
    lake.land(
        "transactions",
        [
            landed(event(20_000, START + timedelta(minutes=30)), timedelta(hours=3), landed_at=soon),
            landed(event(20_001, START + timedelta(minutes=31), transaction_type="refund"), landed_at=soon),
            landed(event(7, START + timedelta(minutes=7), amount=1.0), timedelta(hours=4), landed_at=soon),
            first_seen_later,
            # Another version of a known event, with a time of the day before: the first counts.
            landed(event(8, START - timedelta(days=1), amount=5.0), timedelta(days=1, hours=1), landed_at=soon),
        ],
    )
    lake.land("exchange_rates", [Landed(rate(0, "EUR", "1.25"), soon, soon, "file")])
    lake.build("--select", "+transactions_by_day", "+merchant_day")
    assert_equals_hand_written(lake)
    earlier = lake.query("select amount from curated.fct_transactions where event_id = 'hand-00000020'")
    assert str(earlier[0][0]) == "777.77", "of two records of one event the first arrival counts, whenever it landed"
    assert lake.query("select count(*) from curated.fct_transactions where event_id = 'hand-00000008'") == [[1]]
    revalued = lake.query(
        f"select distinct usd_rate from curated.fct_transactions where currency = 'EUR' and event_date = date '{START:%Y-%m-%d}'"
    )
    assert [str(row[0]) for row in revalued] == ["1.25000000"]


def test_a_build_without_news_writes_no_rows(lake: Lake) -> None:
    files = [f'select count(*), sum(record_count) from {table}' for table in
             ('processed."transactions$files"', 'curated."fct_transactions$files"')]  # fmt: skip
    before = [lake.query(sql) for sql in files]
    lake.build("--select", "transactions", "fct_transactions")
    assert [lake.query(sql) for sql in files] == before


AGGREGATES = (
    "fct_order_steps", "fct_orders", "transactions_by_day", "merchant_day", "region_day", "product_day", "customer_day",
    "customer_lifetime", "retention_cohorts", "funnel_day", "user_activity_by_minute", "running_totals",
)  # fmt: skip


FOREVER = ("transactions_by_day", "customer_day")


def everything(lake: Lake, table: str) -> str:
    named = lake.query(
        f"select column_name from lake.information_schema.columns where table_schema = 'curated' and table_name = '{table}'"
        " and column_name <> 'landed_at' order by ordinal_position"
    )
    places = ", ".join(str(place) for place in range(1, len(named) + 1))
    return f"select {', '.join(name for (name,) in named)} from curated.{table} order by {places}"


def states(lake: Lake, customer_id: str) -> list[list[object]]:
    return lake.query(
        "select segment, is_deleted, date_diff('hour', valid_from, valid_to), is_current from processed.customers_history"
        f" where customer_id = '{customer_id}' order by valid_from"
    )


def test_states_that_come_late_or_again_and_deletions_find_their_place_in_history(lake: Lake) -> None:
    def told(hours: int, landed_after: int, **changes: object) -> Landed:
        began, landed_at = START + timedelta(hours=hours), START + timedelta(hours=landed_after)
        return Landed(customer("changing", updated_at=began.isoformat(), **changes), began, landed_at)

    def deleted(hours: int, landed_after: int) -> Landed:
        return Landed(None, START + timedelta(hours=hours), START + timedelta(hours=landed_after), key="changing")

    def build() -> list[list[object]]:
        lake.build("--select", "customers_history", "dim_customers")
        return lake.query("select segment from curated.dim_customers where customer_id = 'changing'")

    lake.land("customers", [told(1, 7, segment="new"), told(5, 7, segment="loyal"), told(1, 7, segment="new")])
    assert build() == [["loyal"]]
    assert states(lake, "changing") == [["new", False, 4, False], ["loyal", False, None, True]]
    # One that began between the two, told after them; and a deletion.
    lake.land("customers", [told(3, 8, segment="regular"), deleted(6, 8)])
    assert build() == []
    lake.land("customers", [deleted(6, 9), told(4, 9, segment="business")])
    assert build() == []
    assert states(lake, "changing") == [
        ["new", False, 2, False],
        ["regular", False, 1, False],
        ["business", False, 1, False],
        ["loyal", False, 1, False],
        [None, True, None, True],
    ]
    lake.land("customers", [told(8, 10, segment="new")])
    assert build() == [["new"]], "who is told of again is there again"
    assert states(lake, "changing")[-2:] == [[None, True, 2, False], ["new", False, None, True]]


def test_aggregates_follow_what_changed_and_equal_a_full_build(lake: Lake) -> None:
    """Belated events of several days, some of new customers, an order that goes on, and a rate of long ago."""
    soon = START + timedelta(hours=11)
    paid = [
        event(40_000 + n, FIRST + timedelta(days=3 * n), user_id=f"buyer-{20 + n}", product_id="product-2")
        for n in range(4)
    ]
    lake.land("transactions", [Landed(one, soon, soon, "file") for one in paid])
    lake.land(
        "exchange_rates",
        [
            Landed(
                rate(0, "USD", "1") | {"currency": "JPY", "usd_rate": 0.0071, "rate_date": f"{FIRST:%Y-%m-%d}"},
                soon,
                soon,
                "file",
            )
        ],
    )
    lake.land("orders", [Landed(order_step(16, 2, "delivered"), soon, soon, "file")])
    sources = (
        "exchange_rates",
        "daily_exchange_rates",
        "transactions",
        "fct_transactions",
        "transactions_by_minute",
        "orders",
    )
    # A day of which less is kept than was counted stays as it was.
    before = (
        f"select * from curated.{table} where date_day = date '{FIRST:%Y-%m-%d}' order by 2, 3, 4" for table in FOREVER
    )
    counted = {sql: lake.query(sql) for sql in before}
    closed = {"HEADRACE_DAYS_SINCE": f"{FIRST + timedelta(days=1):%Y-%m-%d}"}
    dbt.run(lake.settings, ["run", "--select", *sources, *FOREVER], timeout=600, **closed)
    assert all(rows and lake.query(sql) == rows for sql, rows in counted.items())
    lake.build("--select", *sources, *AGGREGATES)
    assert all(lake.query(sql) != rows for sql, rows in counted.items())
    built = {table: lake.query(everything(lake, table)) for table in AGGREGATES}
    dbt.run(lake.settings, ["run", "--full-refresh", "--select", *AGGREGATES], timeout=600)
    for table in AGGREGATES:
        assert built[table], table
        assert lake.query(everything(lake, table)) == built[table], table


SLICED = (
    "processed.transactions", "processed.orders", "processed.customers_history", "curated.fct_orders",
    "curated.fct_sessions", "curated.transactions_by_minute",
)  # fmt: skip


def contents(lake: Lake, table: str) -> list[list[object]]:
    schema, name = table.split(".")
    named = lake.query(
        f"select column_name from lake.information_schema.columns where table_schema = '{schema}' and table_name = '{name}'"
        " order by ordinal_position"
    )
    columns = ", ".join(f'"{column}"' for (column,) in named)
    return lake.query(f"select count(*), to_hex(checksum(row({columns}))) from {table}")


def snapshots(lake: Lake, table: str) -> int:
    """Each statement that writes leaves one."""
    schema, name = table.split(".")
    return int(lake.query(f'select count(*) from {schema}."{name}$snapshots"')[0][0])


def test_a_table_that_is_made_of_slices_is_the_same(lake: Lake) -> None:
    """Beside what a build that was ended left, and while the lake job goes on landing."""
    refresh = ["run", "--full-refresh", "--select", *(table.split(".")[1] for table in SLICED)]
    dbt.run(lake.settings, refresh, timeout=600)
    at_once = {table: contents(lake, table) for table in SLICED}
    writes = {table: snapshots(lake, table) for table in SLICED}
    lake.query("create table processed.transactions__slices as select 1 as left_by_another")
    lake.query("insert into curated.fct_transactions select * from curated.fct_transactions limit 1")
    grain = ["test", "--select", "fct_transactions", "--vars", "whole_tables: true"]
    with pytest.raises(dbt.DbtFailed, match="one_row_per_fct_transactions"):
        dbt.run(lake.settings, grain, timeout=600, HEADRACE_SLICE_ROWS="25")
    soon = datetime.now(UTC) + timedelta(hours=1)
    with connect(lake.settings, service="dbt") as connection:
        land(connection.cursor(), lake.contracts["transactions"], [Landed(event(50_000, START), START, soon)])
    try:
        dbt.run(lake.settings, [*refresh, "fct_transactions"], timeout=600, HEADRACE_SLICE_ROWS="25")
        dbt.run(lake.settings, grain, timeout=600, HEADRACE_SLICE_ROWS="25")
    finally:
        lake.query("delete from raw.transactions where landed_at > current_timestamp")
    assert {table: contents(lake, table) for table in SLICED} == at_once
    for table in SLICED:
        assert at_once[table][0][0], table
        assert snapshots(lake, table) > writes[table], f"{table} was made at once"
    assert lake.query("show tables from processed like '%slices'") == []


def test_corrections_are_marked_and_unknown_entities_counted_until_they_come(lake: Lake) -> None:
    soon = START + timedelta(hours=6)
    action = {
        "event_id": "action-00000001", "event_time": soon.isoformat(), "user_id": "user-1", "session_id": "s1",
        "event_type": "search", "platform": "web", "country": "DE", "region": "europe", "merchant_id": "merchant-unknown",
    }  # fmt: skip
    untidy = {"event_id": "action-00000002", "platform": "iOS ", "event_time": int(soon.timestamp())}
    named_gone = {"event_id": "action-00000003", "merchant_id": "merchant-gone"}
    lake.land(
        "app_events",
        [landed(action), Landed(action | untidy, soon + timedelta(seconds=1), soon), landed(action | named_gone)],
    )
    gone_at = soon + timedelta(minutes=1)
    lake.land(
        "merchants",
        [Landed(merchant("merchant-gone"), soon, soon), Landed(None, gone_at, gone_at, key="merchant-gone")],
    )
    lake.build("--select", "+corrections", "+unresolved")
    rows = lake.query(
        "select event_id, platform, event_time, corrected from processed.app_events where event_id in ('action-00000001', 'action-00000002') order by 1"
    )
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("action-00000001", "web", []),
        ("action-00000002", "ios", ["event_time:epoch time", "platform:spaces", "platform:letter case"]),
    ]
    assert rows[0][2] == rows[1][2]
    counted = "select correction, events from processed.corrections where stream = 'app_events' order by 1"
    assert lake.query(counted) == [["event_time:epoch time", 1], ["platform:letter case", 1], ["platform:spaces", 1]]

    named = "select field, events, unknown_keys from processed.unresolved where stream = 'app_events'"
    assert lake.query(named) == [["merchant_id", 2, 1]], "of one that was deleted somebody had told"
    gone = "select count(*) from processed.merchants where merchant_id = 'merchant-gone'"
    assert lake.query(gone) == [[0]]
    later = soon + timedelta(minutes=2)
    earlier = merchant("merchant-gone", 1) | {"updated_at": (START + timedelta(hours=1)).isoformat()}
    lake.land("merchants", [Landed(merchant("merchant-unknown"), later, later, "file"), Landed(earlier, later, later)])
    lake.build("--select", "+merchants", "+belated_entities")
    assert lake.query(named) == []
    assert lake.query(gone) == [[0]], "a state that came late, of before the deletion, brings nobody back"
    late = "select field, events, late_keys from processed.belated_entities where stream = 'app_events'"
    assert lake.query(late) == [["merchant_id", 2, 1]]
