"""The lake as dbt builds it, against what the raw rows say by hand: first build, belated rows, repeats, a new rate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from headrace.lake import dbt
from headrace.settings import Settings
from tests.parts.lake_home import BY_HAND, EVENTS, START, Lake, filled, merchant, rate
from tests.parts.raw_rows import Landed, event, landed

_FIGURES = "count(*), count_if(is_late), sum(amount), count(distinct user_id)"


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Lake:
    return filled(start_parts)


def assert_equals_hand_written(lake: Lake) -> None:
    by_hand = lake.query(f"{BY_HAND} select transaction_type, {_FIGURES}, sum(usd) from valued group by 1 order by 1")
    built = lake.query(
        f"select transaction_type, {_FIGURES}, sum(amount * usd_rate) from curated.fct_transactions group by 1 order by 1"
    )
    minutes = lake.query(
        "select transaction_type, sum(n), sum(if(is_late, n, 0)), sum(sum_amount) from curated.transactions_by_minute"
        " group by 1 order by 1"
    )
    days = lake.query("select transaction_type, sum(amount_usd) from curated.transactions_by_day group by 1 order by 1")
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
    assert "PASS=4 " in dbt.unit_tests(lake.settings)


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
        ],
    )
    lake.land("exchange_rates", [Landed(rate(0, "EUR", "1.25"), soon, soon, "file")])
    lake.build("--select", "+transactions_by_day", "+merchant_day")
    assert_equals_hand_written(lake)
    earlier = lake.query("select amount from curated.fct_transactions where event_id = 'hand-00000020'")
    assert str(earlier[0][0]) == "777.77", "of two records of one event the first arrival counts, whenever it landed"
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


def test_corrections_are_marked_and_unknown_entities_counted_until_they_come(lake: Lake) -> None:
    soon = START + timedelta(hours=6)
    action = {
        "event_id": "action-00000001", "event_time": soon.isoformat(), "user_id": "user-1", "session_id": "s1",
        "event_type": "search", "platform": "web", "country": "DE", "region": "europe", "merchant_id": "merchant-unknown",
    }  # fmt: skip
    untidy = {"event_id": "action-00000002", "platform": "iOS ", "event_time": int(soon.timestamp())}
    lake.land("app_events", [landed(action), Landed(action | untidy, soon + timedelta(seconds=1), soon)])
    lake.build("--select", "+corrections", "+unresolved")
    rows = lake.query("select event_id, platform, event_time, corrected from processed.app_events order by 1")
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("action-00000001", "web", []),
        ("action-00000002", "ios", ["event_time:epoch time", "platform:spaces", "platform:letter case"]),
    ]
    assert rows[0][2] == rows[1][2]
    counted = "select correction, events from processed.corrections where stream = 'app_events' order by 1"
    assert lake.query(counted) == [["event_time:epoch time", 1], ["platform:letter case", 1], ["platform:spaces", 1]]

    named = "select field, events, unknown_keys from processed.unresolved where stream = 'app_events'"
    assert lake.query(named) == [["merchant_id", 2, 1]]
    later = soon + timedelta(minutes=2)
    lake.land("merchants", [Landed(merchant("merchant-unknown"), later, later, "file")])
    lake.build("--select", "+merchants", "+belated_entities")
    assert lake.query(named) == []
    late = "select field, events, late_keys from processed.belated_entities where stream = 'app_events'"
    assert lake.query(late) == [["merchant_id", 2, 1]]
