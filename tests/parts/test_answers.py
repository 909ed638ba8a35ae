"""Answers by the real API over real stores: a figure that spans the coverage point equals hand-written SQL over raw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

import psycopg
import pytest

from headrace.assistant.client import ask
from headrace.lake import coverage
from headrace.live.client import valkey
from headrace.live.layout import RUN
from headrace.policy.users import save_user
from headrace.semantics import live_specs
from headrace.settings import Settings
from tests.parts.lake_home import BY_HAND, Lake, filled
from tests.parts.live_rows import project
from tests.parts.marketplace import fill_marketplace
from tests.parts.metrics_by_hand import BEGIN as FIRST_DAY
from tests.parts.metrics_by_hand import BY_HAND as METRICS
from tests.parts.metrics_by_hand import END as LAST_DAY
from tests.parts.raw_rows import Landed, event, landed

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
BEGIN = max(NOW.replace(hour=0, minute=0), NOW - timedelta(minutes=200))
COVERED = (BEGIN + (NOW - BEGIN) // 2).replace(second=0, microsecond=0)
_FIRST_SEED = 500_000


@dataclass
class World:
    lake: Lake
    settings: Settings

    def ask(self, text: str, **who: Any) -> dict[str, Any]:
        return ask(self.settings, text, **who)

    def by_hand(self, figures: str, where: str = "true", group: str = "") -> list[list[Any]]:
        """Over raw: valid, each event id once, each amount at the rate of its day."""
        period = f"event_time >= timestamp '{NOW:%Y-%m-%d} 00:00:00 UTC'"
        keys = f"group by {group} order by {group}" if group else ""
        return self.lake.query(f"{BY_HAND} select {figures} from valued where {period} and {where} {keys}")


def _events() -> list[dict[str, Any]]:
    """One each half minute since BEGIN, up to the minute that is running."""
    count = int((NOW - BEGIN) / timedelta(seconds=30)) + 1
    return [event(_FIRST_SEED + n, BEGIN + n * timedelta(seconds=30)) for n in range(count)]


def _land(lake: Lake, events: list[dict[str, Any]]) -> None:
    """All of them as they came: some late, some twice, some broken."""
    records = [landed(e, timedelta(minutes=7) if n % 25 == 0 else timedelta(seconds=1)) for n, e in enumerate(events)]
    repeated = [landed(events[n], timedelta(minutes=3), partition=1) for n in range(0, len(events), 40)]
    broken = [Landed(b"{not json", NOW, NOW), landed(event(_FIRST_SEED - 1, NOW, amount=-1))]
    lake.land("transactions", [*records, *repeated, *broken])


@pytest.fixture(scope="module")
def world(start_parts: Callable[..., Settings]) -> World:
    lake = filled(start_parts, more=fill_marketplace)
    settings = start_parts("trino", "valkey", "api")
    events = _events()
    _land(lake, events)
    lake.build("--select", "transactions", "fct_transactions")
    coverage.advance(settings, "transactions", COVERED)
    client = valkey(settings)
    lately = [(e, n % 25 == 0) for n, e in enumerate(events) if datetime.fromisoformat(e["event_time"]) >= COVERED]
    project(client, [s for s in live_specs.publish(settings) if s.stream == "transactions"], lately)
    client.set(RUN, client.info("server")["run_id"])
    return World(lake, settings)


def test_sales_today_including_the_last_minute_equals_hand_written_sql(world: World) -> None:
    answer = world.ask("sales today including the last minute")
    assert answer["status"] == "answered", answer
    assert answer["plan"]["source"] == "both"
    (expected,) = world.by_hand("sum(usd)", "transaction_type = 'purchase'")
    assert Decimal(str(answer["data"]["rows"][0][0])) == round(expected[0], 2)
    parts = {f["part"]: datetime.fromisoformat(f["through"]) for f in answer["freshness"]}
    assert parts["historical"] == COVERED <= parts["live"]


def test_several_figures_by_region_equal_hand_written_sql(world: World) -> None:
    answer = world.ask("net sales and transactions and largest purchase and average purchase by region today")
    assert answer["status"] == "answered", answer
    usd = "if(transaction_type = '{}', usd)"
    names = [c["name"] for c in answer["data"]["columns"]]
    assert names == ["region", "net_sales", "transactions", "largest_purchase", "average_purchase"]
    by_currency = {"north_america": "USD", "europe": "EUR", "asia": "JPY"}
    for region, net, count, largest, average in answer["data"]["rows"]:
        figures = (
            f"sum({usd.format('purchase')}) - sum({usd.format('refund')}), count(*), max({usd.format('purchase')}), "
            f"sum({usd.format('purchase')}), count_if(transaction_type = 'purchase')"
        )
        ((by_net, by_count, by_largest, by_sales, purchases),) = world.by_hand(
            figures, f"currency = '{by_currency[region]}'"
        )
        assert Decimal(str(net)) == round(by_net, 2)
        assert count == by_count
        assert Decimal(str(largest)) == round(by_largest, 2)
        assert abs(Decimal(str(average)) - by_sales / purchases) <= Decimal("0.01")


def test_minutes_on_both_sides_of_the_coverage_point(world: World) -> None:
    answer = world.ask("transactions by hour today")
    found = {row[0]: row[1] for row in answer["data"]["rows"]}
    by_hand = world.by_hand("date_trunc('hour', event_time), count(*)", group="1")
    assert found == {moment.astimezone(UTC).isoformat(): n for moment, n in by_hand}


def test_percentiles_over_both_sides_are_within_one_percent(world: World) -> None:
    answer = world.ask("median purchase and 95th percentile purchase today")
    assert (answer["status"], answer["plan"]["source"]) == ("answered", "both"), answer
    assert "within 1% of the exact figure" in answer["text"]
    values = sorted(row[0] for row in world.by_hand("usd", "transaction_type = 'purchase'"))
    for found, share in zip(answer["data"]["rows"][0], ("0.5", "0.95"), strict=True):
        exact = values[ceil(Decimal(share) * len(values)) - 1]
        assert abs(Decimal(str(found)) - exact) <= exact / 100 + Decimal("0.005")


def test_customers_and_percentiles_of_the_last_minutes_need_no_history(world: World) -> None:
    minutes = int((NOW - COVERED) / timedelta(minutes=1)) - 2
    since = f"event_time >= timestamp '{NOW - timedelta(minutes=minutes):%Y-%m-%d %H:%M} UTC'"
    for text, figures in [
        (f"how many active customers in the last {minutes} minutes", "count(distinct user_id)"),
        (f"transactions in the last {minutes} minutes", "count(*)"),
    ]:
        answer = world.ask(text)
        assert (answer["status"], answer["plan"]["source"]) == ("answered", "live"), answer
        start = datetime.fromisoformat(answer["plan"]["time"]["start"])
        since = f"event_time >= timestamp '{start.astimezone(UTC):%Y-%m-%d %H:%M} UTC'"
        assert answer["data"]["rows"] == [world.by_hand(figures, since)[0]]
    answer = world.ask(f"top 5 customers by sales in the last {minutes} minutes")
    by_hand = world.by_hand("user_id, sum(usd)", f"transaction_type = 'purchase' and {since}", "user_id")
    highest = sorted(by_hand, key=lambda row: -row[1])[:5]
    assert answer["data"]["rows"] == [[user, float(round(usd, 2))] for user, usd in highest]


def test_what_is_not_kept_live_stops_at_the_coverage_point_and_says_so(world: World) -> None:
    answer = world.ask("active customers today")
    assert "cannot be added up from history and live windows" in answer["text"]
    ((expected,),) = world.by_hand("count(distinct user_id)", f"event_time < timestamp '{COVERED:%Y-%m-%d %H:%M} UTC'")
    assert answer["data"]["rows"] == [[expected]]
    assert f"complete through {COVERED:%Y-%m-%d %H:%M} UTC" in answer["text"]


@pytest.mark.parametrize(
    ("words", "metric"),
    [
        ("funnel conversion", "funnel_conversion"),
        ("average session length", "average_session_length"),
        ("cumulative sales", "cumulative_sales"),
        ("retention rate", "retention_rate"),
        ("search conversion rate", "search_to_purchase_rate"),
        ("week over week sales", "sales_growth_from_week_before"),
    ],
)
def test_figures_of_the_lake_alone_are_answered_by_their_words(world: World, words: str, metric: str) -> None:
    last = LAST_DAY - timedelta(days=1)
    answer = world.ask(f"{words} from {FIRST_DAY:%Y-%m-%d} to {last:%Y-%m-%d}")
    assert (answer["status"], answer["plan"]["metrics"]) == ("answered", [metric]), answer
    ((expected,),) = world.lake.query(METRICS[metric])
    row = answer["data"]["rows"][1 if answer["plan"]["grain"] else 0]
    assert row[-1] == pytest.approx(
        float(expected), rel=1e-3 if answer["data"]["columns"][-1]["unit"] == "USD" else 1e-9
    )


def test_a_viewer_reads_as_themselves_and_sees_no_persons(world: World) -> None:
    save_user(world.settings, "vera", "a long password", ("viewer",))
    who = {"user": "vera", "password": "a long password"}
    assert world.ask("sales today", **who)["data"] == world.ask("sales today")["data"]
    assert world.ask("sales by merchant country today", **who)["status"] == "answered"
    refused = world.ask("sales by customer country today", **who)
    assert refused["status"] == "declined" and not refused["data"]["rows"]


def test_questions_and_refusals_are_in_the_audit_log(world: World) -> None:
    world.ask("sales yesterday")
    with psycopg.connect(world.settings.postgres_dsn("headrace"), connect_timeout=5) as connection:
        row = connection.execute(
            "select actor, allowed, detail->'plan'->>'metrics' from audit_logs where subject = 'sales yesterday'"
        ).fetchone()
    assert row == ("admin", True, '["sales"]')
