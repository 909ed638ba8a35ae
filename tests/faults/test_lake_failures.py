"""What fails under a build of the lake ends in a retry or a clear state: whatever stopped it, no curated row is wrong.

The filled lake, one start. Each test lands news, breaks something while they are built, looks at every table, mends it, builds
again and compares with SQL over raw that was written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlparse

import psutil
import pytest
import trino.exceptions

from headrace.lake import coverage, keeping
from headrace.lake.clock import Clock
from headrace.settings import Settings
from tests.faults.lake_breaking import (
    RATES,
    Location,
    assert_each_old_or_new,
    build,
    failed,
    leftovers,
    meanwhile,
    news,
    no_room,
    of_tomorrow,
    states,
)
from tests.parts.filled_lake import filled
from tests.parts.lake_home import START, Lake, rate
from tests.parts.raw_rows import Landed, event, landed
from tests.parts.test_dbt_build import assert_equals_hand_written
from tests.processes import await_new_process, kill_with_children, part_of


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Lake:
    lake = filled(start_parts)
    news(lake)
    build(lake)
    assert_equals_hand_written(lake)
    return lake


def test_a_failed_model_leaves_what_is_made_of_it_as_it_was(lake: Lake) -> None:
    news(lake)
    before = states(lake)
    lake.query("alter table curated.exchange_rates rename to curated.rates_away")
    try:
        said = failed(lambda: lake.build("--select", "transactions", "fct_transactions+"))
    finally:
        lake.query("alter table curated.rates_away rename to curated.exchange_rates")
    assert "fct_transactions" in said and "SKIP" in said, said
    after = states(lake)
    changed = [table for table in after if after[table] != before[table]]
    assert changed == ["processed.transactions"], "only what does not need the failed model is built"
    build(lake)
    assert_equals_hand_written(lake)


@pytest.mark.parametrize("table", ["curated.transactions_by_minute", "curated.transactions_by_day"])
def test_trino_dies_just_after_a_commit_and_no_table_is_half_made(lake: Lake, table: str) -> None:
    """Where a table was written by two statements, this is the moment between them."""
    news(lake)
    old, place = states(lake), Location(lake.settings, table)
    since = place.now()
    pid = part_of(lake.settings, "trino").pid
    assert pid
    with meanwhile(lambda: build(lake)) as said:
        place.await_commit(since)
        kill_with_children(pid)
    assert len(said) == 1 and said[0].startswith("DbtFailed"), said
    await_new_process(lake.settings, "trino", pid)
    seen = states(lake)
    build(lake)
    assert_equals_hand_written(lake)
    assert_each_old_or_new(seen, old, states(lake))
    assert leftovers(lake) == [], "what the dead build had put aside is gone"


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="only Linux limits the files of a running process")
@pytest.mark.parametrize("size", [1_000, 12_000], ids=["for nothing", "for small files only"])
def test_a_full_disk_fails_the_build_and_changes_nothing_by_half(lake: Lake, size: int) -> None:
    news(lake)
    old = states(lake)
    with no_room(lake.settings, "trino", size):
        said = failed(lambda: build(lake))
    assert "ERROR" in said
    seen = states(lake)
    build(lake)
    assert_equals_hand_written(lake)
    assert_each_old_or_new(seen, old, states(lake))


def test_builds_and_a_compaction_at_once_leave_each_row_once(lake: Lake) -> None:
    """Airflow gives them one slot; a person at a terminal asks nobody. Who loses a race for a commit says so."""
    news(lake)
    lake.land("exchange_rates", [Landed(rate(0, "EUR", "1.5"), *[datetime.now(UTC)] * 2, "file")])
    with meanwhile(
        lambda: build(lake, *RATES), lambda: build(lake, *RATES), lambda: keeping.compact(lake.settings)
    ) as said:
        pass
    assert all(
        one.startswith(("DbtFailed", "TrinoQueryError", "TrinoExternalError", "TrinoUserError")) for one in said
    ), said
    build(lake, *RATES)
    assert_equals_hand_written(lake)
    twice = "select count(*) - count(distinct event_id) from processed.transactions"
    assert lake.query(twice) == [[0]]


def test_a_source_that_changes_its_shape_is_refused_or_read_never_misread(lake: Lake) -> None:
    first, now = 90_000, datetime.now(UTC)
    good = event(first, START, newcomer={"nested": [1, 2]})
    as_text = event(first + 1, START, amount="12.50")
    renamed = {"sum" if name == "amount" else name: value for name, value in event(first + 2, START).items()}
    another_type = event(first + 3, START, amount={"value": 5, "currency": "EUR"})
    another_word = event(first + 4, START, currency="DEM")
    lake.query("alter table raw.transactions add column newcomer varchar")
    made = (good, as_text, renamed, another_type, another_word)
    lake.land("transactions", [landed(one, landed_at=now) for one in made])
    build(lake)
    known = "select event_id, amount from curated.fct_transactions where event_id between 'hand-00090000' and 'hand-00090009' order by 1"
    assert [row[0] for row in lake.query(known)] == [good["event_id"], as_text["event_id"]]
    assert str(lake.query(known)[1][1]) == "12.50"
    rules = lake.query(
        "select json_extract_scalar(from_utf8(value), '$.event_id'), count(*) from raw.transactions"
        " where json_extract_scalar(from_utf8(value), '$.event_id') >= 'hand-00090002' and landed_at >= "
        f"timestamp '{now:%Y-%m-%d %H:%M:%S} UTC' group by 1"
    )
    assert len(rules) == 3, "what was refused is still in raw"


def test_what_lands_after_a_clock_that_was_ahead_is_built(lake: Lake) -> None:
    """Stamps do not go back (headrace.streams.landing.stamps), so the increments of a day with one moment find all of them."""
    ahead = datetime.now(UTC) + timedelta(hours=20)
    lake.land("transactions", [landed(event(91_000, START), landed_at=ahead)])
    build(lake)
    lake.land("transactions", [landed(event(91_001, START), landed_at=ahead)])
    lake.land("exchange_rates", [Landed(rate(0, "EUR", "1.75"), datetime.now(UTC), ahead, "file")])
    build(lake, *RATES)
    assert_equals_hand_written(lake)


def test_claims_of_a_clock_that_was_ahead_are_taken_back(lake: Lake) -> None:
    now = datetime.now(UTC)
    honest, ahead = now - timedelta(hours=1), now + timedelta(days=1)
    coverage.advance(lake.settings, "payouts", honest)
    coverage.advance(lake.settings, "orders", ahead)
    assert Clock(lake.settings, ahead).went_back(now)
    assert coverage.through(lake.settings, "payouts") == honest
    taken_back = coverage.through(lake.settings, "orders")
    assert taken_back and now - timedelta(minutes=7) < taken_back <= now - timedelta(minutes=5)


def test_a_table_that_a_clock_ahead_wrote_takes_no_commit_until_then(lake: Lake) -> None:
    """Iceberg keeps its states in order of time: what is refused stays in Kafka or in raw, and is tried again."""
    lake.query("create table curated.written_tomorrow as select 1 as n")
    place = Location(lake.settings, "curated.written_tomorrow")
    here = Path(urlparse(place.now()).path)
    place.move(of_tomorrow(here, timedelta(days=1)))
    with pytest.raises(trino.exceptions.TrinoQueryError):
        lake.query("insert into curated.written_tomorrow values 2")
    assert lake.query("select n from curated.written_tomorrow") == [[1]]
    place.move(of_tomorrow(here, timedelta(0)))
    lake.query("insert into curated.written_tomorrow values 2")
    assert lake.query("select sum(n) from curated.written_tomorrow") == [[3]]
    assert json.loads(here.read_text())["snapshots"]
    lake.query("drop table curated.written_tomorrow")
