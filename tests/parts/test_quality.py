"""The five figures over a lake that was built from rows made by hand, and what a planted defect does to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from headrace.anomalies.ledger import Ledger
from headrace.quality import ledger, measure
from headrace.quality.figures import Figure
from headrace.settings import Settings
from tests.parts.lake_home import START, Lake, filled
from tests.parts.raw_rows import event, landed

TABLES = ("processed.transactions", "curated.fct_transactions", "curated.transactions_by_minute")
Days = dict[tuple[str, str], tuple[int, int]]


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Lake:
    return filled(start_parts, "kafka")


def summed(figures: list[Figure]) -> Days:
    found: Days = {}
    for figure in figures:
        good, counted = found.get((figure.table, figure.name), (0, 0))
        found[figure.table, figure.name] = good + figure.good, counted + figure.counted
    return found


def measured(lake: Lake) -> list[Figure]:
    return measure.run(lake.settings, START.date(), datetime.now(UTC).date(), TABLES)


def test_figures_are_the_counts_that_a_person_would_find(lake: Lake) -> None:
    figures = measured(lake)
    found = summed(figures)
    by_hand = lake.query(
        "select count(*), count_if(origin = 'stream'), count_if(origin = 'stream' and not is_late),"
        " count_if(merchant_id in (select merchant_id from processed.merchants)"
        " and user_id in (select customer_id from processed.customers)) from processed.transactions"
    )[0]
    rows, streamed, timely, known = by_hand
    table = "processed.transactions"
    assert found[table, "completeness"] == (rows, rows + 3), "three records are refused by the gate"
    assert found[table, "uniqueness"] == (rows, rows)
    assert found[table, "timeliness"] == (timely, streamed)
    assert found[table, "accuracy"] == (known, rows)
    assert found[table, "consistency"] == (rows, rows)
    assert found["curated.fct_transactions", "completeness"] == (rows, rows)
    assert found["curated.fct_transactions", "consistency"] == (rows, rows)
    assert found["curated.transactions_by_minute", "uniqueness"] == (1, 1), "of other tables dbt's tests are counted"
    kept = ledger.read(lake.settings, START.date(), datetime.now(UTC).date(), TABLES)
    assert summed(kept) == found, "what is kept is what was measured"
    told = {(i.subject, i.measure) for i in Ledger(lake.settings).recent() if i.scope == "table" and i.state == "open"}
    assert (table, "completeness") in told, "below what is asked for: an incident, which the part `anomalies` sends on"


def test_a_row_that_is_lost_or_changed_on_its_way_is_seen(lake: Lake) -> None:
    before = summed(measured(lake))
    victim, changed = lake.query(
        "select event_id from curated.fct_transactions where event_id like 'hand-%' order by 1 limit 2"
    )
    lake.query(f"delete from curated.fct_transactions where event_id = '{victim[0]}'")
    lake.query(f"update curated.fct_transactions set amount = amount + 1 where event_id = '{changed[0]}'")
    lake.query("delete from processed.transactions where event_id = 'hand-00000005'")
    lake.land("transactions", [landed(event(77_000, START + timedelta(minutes=9), merchant_id="merchant-nobody"))])
    after = summed(measured(lake))

    def gap(table: str, figure: str) -> int:
        good, counted = after[table, figure]
        good_before, counted_before = before[table, figure]
        return (counted - good) - (counted_before - good_before)

    assert gap("processed.transactions", "completeness") == 2, "one is gone, one has not been built"
    assert gap("curated.fct_transactions", "completeness") == 1
    assert gap("curated.fct_transactions", "consistency") == 1
    lake.build("--full-refresh", "--select", "transactions", "fct_transactions")
    healed = summed(measured(lake))
    good, counted = healed["processed.transactions", "accuracy"]
    assert counted - good == 1, "nobody told of merchant-nobody"
