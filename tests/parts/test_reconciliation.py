"""Live windows against the lake on real Valkey, PostgreSQL and Trino: equal to the cent, and red when one event is gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import redis

from headrace.assistant import reconciled as by_metric
from headrace.lake import coverage
from headrace.live.client import valkey
from headrace.live.layout import RUN
from headrace.runtime import reconciling
from headrace.semantics import live_specs
from headrace.semantics.reconcile import Summary
from headrace.settings import Settings
from headrace.streams.spec import LiveSpec
from tests.parts.filled_lake import filled
from tests.parts.lake_home import START, Lake
from tests.parts.live_rows import project
from tests.parts.raw_rows import event, landed

LATE = timedelta(minutes=5)
THROUGH = START + timedelta(hours=4)
ACTIONS = [
    {
        "event_id": f"acted-{n:03}", "event_time": (THROUGH - timedelta(minutes=n % 50 + 1, seconds=n)).isoformat(),
        "user_id": f"user-{n % 7}", "session_id": f"s{n % 9}", "event_type": ("search", "page_view")[n % 2],
        "platform": "web", "country": "DE", "region": ("europe", "asia")[n % 2],
    }
    for n in range(60)
]  # fmt: skip


@pytest.fixture(scope="module")
def lake(start_parts: Callable[..., Settings]) -> Lake:
    lake = filled(start_parts, "valkey")
    soon = START + timedelta(hours=6)
    minute = START + timedelta(minutes=90)
    refunds = [event(30_000 + n, minute + timedelta(seconds=7 * n), transaction_type="refund") for n in range(20)]
    belated = [event(31_000 + n, minute, amount=12.34) for n in range(3)]
    lake.land(
        "transactions",
        [
            *(landed(made, landed_at=soon) for made in refunds),
            *(landed(made, timedelta(seconds=50), landed_at=soon, partition=1) for made in refunds[:5]),
            *(landed(made, timedelta(minutes=25), landed_at=soon) for made in belated),
        ],
    )
    lake.land("app_events", [landed(made, landed_at=soon) for made in ACTIONS])
    # Whole: other tests of this lake have landed rows that are told to be newer.
    models = ("transactions", "fct_transactions", "transactions_by_minute", "app_events", "fct_app_events")
    lake.build("--full-refresh", "--select", *models)
    coverage.advance(lake.settings, "transactions", THROUGH)
    return lake


@pytest.fixture
def store(lake: Lake) -> redis.Redis:
    """Filled, as the projector would say, with nothing; and nothing was compared before."""
    client = valkey(lake.settings)
    empty(client)
    client.set(RUN, client.info("server")["run_id"])
    with psycopg.connect(lake.settings.postgres_dsn("headrace")) as connection:
        connection.execute("delete from live_since")
        connection.execute("delete from reconciliation")
        connection.execute("delete from anomalies where scope = 'live'")
    return client


def empty(client: redis.Redis) -> None:
    keys = list(client.scan_iter("window*"))
    if keys:
        client.delete(*keys)


@pytest.fixture(scope="module")
def specs(lake: Lake) -> list[LiveSpec]:
    return [spec for spec in live_specs.publish(lake.settings) if spec.stream == "transactions"]


def reconciled(lake: Lake, specs: list[LiveSpec]) -> list[Summary]:
    names = {spec.name for spec in specs}
    return [summary for summary in reconciling.run(lake.settings) if summary.spec in names]


def first_arrivals(lake: Lake) -> list[tuple[dict[str, Any], bool]]:
    """Each valid event as it first came, and whether it was late."""
    found: dict[str, tuple[dict[str, Any], bool]] = {}
    streamed = [r for r in lake.landed["transactions"] if r.origin == "stream" and isinstance(r.event, dict)]
    for record in sorted(streamed, key=lambda r: (r.arrived_at, r.partition, r.offset)):
        made = dict(record.event) if isinstance(record.event, dict) else {}
        if made["amount"] >= 0 and made["currency"] != "XXX":
            at = datetime.fromisoformat(made["event_time"])
            found.setdefault(made["event_id"], (made, record.arrived_at > at + LATE))
    return list(found.values())


def written(lake: Lake) -> list[tuple[Any, ...]]:
    sql = (
        "select state, measure, keys, live, lake, late from reconciliation"
        " where run_at = (select max(run_at) from reconciliation) and state <> 'begun'"
    )
    with psycopg.connect(lake.settings.postgres_dsn("headrace")) as connection:
        return connection.execute(sql).fetchall()


def test_windows_with_repeats_late_events_and_refunds_agree_to_the_cent(
    lake: Lake, specs: list[LiveSpec], store: redis.Redis
) -> None:
    events = first_arrivals(lake)
    project(store, specs, events)
    summaries = reconciled(lake, specs)
    assert [s.spec for s in summaries] == ["transactions_1m", "transactions_by_user", "transaction_amounts"]
    assert all(s.agrees and s.windows >= 200 for s in summaries)
    first = min(made["event_time"] for made, is_late in events if not is_late)
    late = [made for made, is_late in events if is_late and made["event_time"] >= first]
    assert all(s.late_events == len(late) > 3 for s in summaries)
    rows = written(lake)
    assert {row[0] for row in rows} == {"equal"}
    assert sum(row[3] for row in rows) == 3 * sum(not is_late for _, is_late in events)
    assert sum(row[5] for row in rows) == 3 * len(late)


def test_windows_that_the_lake_answers_for_are_freed(lake: Lake, specs: list[LiveSpec], store: redis.Redis) -> None:
    project(store, specs, first_arrivals(lake))
    assert all(summary.pruned > 0 for summary in reconciled(lake, specs))
    with psycopg.connect(lake.settings.postgres_dsn("headrace")) as connection:
        since = dict(connection.execute("select spec, since from live_since").fetchall())
    for spec in specs:
        assert since[spec.name] == THROUGH - timedelta(minutes=70 if spec.person else 120)
        oldest = min(int(start) for start in store.zrange(f"windows:{spec.name}", 0, -1))
        kept = timedelta(minutes=70 if spec.person else 120)
        assert timedelta(0) <= datetime.fromtimestamp(oldest, UTC) - (THROUGH - kept) < timedelta(minutes=5)


def test_one_live_event_taken_away_turns_it_red(lake: Lake, specs: list[LiveSpec], store: redis.Redis) -> None:
    events = first_arrivals(lake)
    # Of a minute that has others: where live has nothing of a whole window, one row says so.
    gone = next(made for made, _ in events if made["event_id"] == "hand-00030000")
    project(store, specs, [pair for pair in events if pair[0] is not gone])
    with pytest.raises(reconciling.Differs, match=r"transactions_1m.*transactions_by_user.*transaction_amounts"):
        reconciling.run(lake.settings)
    wrong = [row for row in written(lake) if row[0] != "equal" and "merchant_id" in row[2]]
    assert {row[0] for row in wrong} <= {"differs", "missing_live"}
    sums = next(row for row in wrong if row[1] == "sum_amount")
    assert sums[4] - (sums[3] or 0) == Decimal(str(gone["amount"])).quantize(Decimal("0.01"))
    assert {"n", "count", "sum_amount"} <= {row[1] for row in wrong}


def test_an_event_that_only_live_knows_is_found(lake: Lake, specs: list[LiveSpec], store: redis.Redis) -> None:
    events = first_arrivals(lake)
    project(store, specs, [*events, (event(40_000, START + timedelta(minutes=5)), False)])
    with pytest.raises(reconciling.Differs):
        reconciling.run(lake.settings)
    states = {row[0] for row in written(lake)}
    assert states & {"differs", "missing_lake"}


def incidents(lake: Lake) -> list[tuple[Any, ...]]:
    with psycopg.connect(lake.settings.postgres_dsn("headrace")) as connection:
        return connection.execute(
            "select subject, state, alerted, sentence from anomalies where scope = 'live' order by opened_at"
        ).fetchall()


def test_a_store_that_lost_its_windows_is_red_and_told_once(
    lake: Lake, specs: list[LiveSpec], store: redis.Redis
) -> None:
    project(store, specs, first_arrivals(lake))
    reconciling.run(lake.settings)
    assert incidents(lake) == []
    empty(store)
    for _ in range(2):
        with pytest.raises(reconciling.Differs, match="missing_live"):
            reconciling.run(lake.settings)
    ((subject, state, alerted, sentence),) = incidents(lake)
    assert (subject, state, alerted) == ("transactions", "open", False), "the part `anomalies` sends it on"
    assert "transactions_by_user" in sentence
    project(store, specs, first_arrivals(lake))
    reconciling.run(lake.settings)
    assert [row[1] for row in incidents(lake)] == ["closed"]


def test_a_store_that_is_being_filled_is_not_compared(lake: Lake, specs: list[LiveSpec], store: redis.Redis) -> None:
    project(store, specs, first_arrivals(lake))
    store.set(RUN, f"filling:{store.info('server')['run_id']}")
    with pytest.raises(reconciling.NotCompared, match="transactions_1m: filling"):
        reconciling.run(lake.settings)
    assert {row[0] for row in written(lake)} == {"filling"}
    assert store.zcard("windows:transactions_1m") > 200, "nothing is freed that was not compared"


def test_each_metric_is_what_the_lake_says_and_late_events_explain_the_rest(
    lake: Lake, specs: list[LiveSpec], store: redis.Redis
) -> None:
    project(store, specs, first_arrivals(lake))
    reconciling.run(lake.settings)
    found = {row.metric: row for row in by_metric.newest(lake.settings)}
    assert {"sales", "transactions", "active_customers", "average_purchase"} <= set(found)
    assert {row.state for row in found.values()} == {"equal"}
    assert all(row.difference == row.late for row in found.values())
    sales = found["sales"]
    period = f"event_time >= timestamp '{sales.since:%F %T} UTC' and event_time < timestamp '{sales.through:%F %T} UTC'"
    ((value, late),) = lake.query(
        "select sum(amount * usd_rate), sum(if(is_late, amount * usd_rate, 0)) from curated.fct_transactions"
        f" where origin = 'stream' and transaction_type = 'purchase' and {period}"
    )
    assert (sales.lake, sales.late) == (value, late)
    assert value > late > 0


def test_windows_of_another_stream_are_compared_too(lake: Lake, store: redis.Redis) -> None:
    specs = [spec for spec in live_specs.publish(lake.settings) if spec.stream == "app_events"]
    coverage.advance(lake.settings, "app_events", THROUGH)
    try:
        project(store, specs, [(made, False) for made in ACTIONS])
        summaries = reconciled(lake, specs)
        assert [s.spec for s in summaries] == ["app_events_1m", "app_events_by_user"]
        assert all(s.agrees and s.windows > 40 for s in summaries)
        empty(store)
        project(store, specs, [(made, False) for made in ACTIONS[1:]])
        with pytest.raises(reconciling.Differs, match=r"app_events_1m.*app_events_by_user"):
            reconciling.run(lake.settings)
    finally:
        with psycopg.connect(lake.settings.postgres_dsn("headrace")) as connection:
            connection.execute("delete from coverage where stream = 'app_events'")
