"""Answers by the real API over real stores: a figure that spans the coverage point equals hand-written SQL over raw."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from headrace.assistant.catalogue import Catalogue
from headrace.assistant.client import ask, post
from headrace.keys.latest import LatestMetrics
from headrace.lake import coverage, trino
from headrace.live.client import valkey
from headrace.live.layout import RUN
from headrace.live.store import LiveStore
from headrace.policy import Identity
from headrace.policy.tokens import issue
from headrace.policy.users import save_user
from headrace.semantics import live_specs
from headrace.settings import Settings
from tests.conftest import headrace
from tests.parts.filled_lake import filled
from tests.parts.lake_home import BY_HAND, Lake, merchant, rate
from tests.parts.live_rows import project
from tests.parts.metrics_by_hand import BEGIN as FIRST_DAY
from tests.parts.metrics_by_hand import BY_HAND as METRICS
from tests.parts.metrics_by_hand import END as LAST_DAY
from tests.parts.raw_rows import Landed, event, landed

_TODAY = timedelta(minutes=10), timedelta(hours=23, minutes=54)
"""Between these a day has begun well enough to be asked about, and lasts until everything is asked."""
_FIRST_SEED = 500_000
_LOOKED_AT = 1.5
"""How long a reader may take the live store for filled without another look, and some more."""


@dataclass
class World:
    lake: Lake
    settings: Settings
    now: datetime
    """The minute that was running when the events were made."""

    @property
    def begin(self) -> datetime:
        return max(self.now.replace(hour=0, minute=0), self.now - timedelta(minutes=200))

    @property
    def covered(self) -> datetime:
        return (self.begin + (self.now - self.begin) // 2).replace(second=0, microsecond=0)

    def ask(self, text: str, **who: Any) -> dict[str, Any]:
        return ask(self.settings, text, **who)

    def by_hand(self, figures: str, where: str = "true", group: str = "") -> list[list[Any]]:
        """Over raw: valid, each event id once, each amount at the rate of its day."""
        period = f"event_time >= timestamp '{self.now:%Y-%m-%d} 00:00:00 UTC'"
        keys = f"group by {group} order by {group}" if group else ""
        return self.lake.query(f"{BY_HAND} select {figures} from valued where {period} and {where} {keys}")


def _now() -> datetime:
    """Where it is about midnight, "today" is waited for."""
    while (
        not _TODAY[0]
        <= (now := datetime.now(UTC)) - now.replace(hour=0, minute=0, second=0, microsecond=0)
        <= _TODAY[1]
    ):
        time.sleep(5)
    return now.replace(second=0, microsecond=0)


def _events(world: World) -> list[dict[str, Any]]:
    """One each half minute since the begin, up to the minute that is running."""
    count = int((world.now - world.begin) / timedelta(seconds=30)) + 1
    return [event(_FIRST_SEED + n, world.begin + n * timedelta(seconds=30)) for n in range(count)]


def _land(world: World, events: list[dict[str, Any]]) -> None:
    """All of them as they came: some late, some twice, some broken."""
    records = [landed(e, timedelta(minutes=7) if n % 25 == 0 else timedelta(seconds=1)) for n, e in enumerate(events)]
    repeated = [landed(events[n], timedelta(minutes=3), partition=1) for n in range(0, len(events), 40)]
    broken = [Landed(b"{not json", world.now, world.now), landed(event(_FIRST_SEED - 1, world.now, amount=-1))]
    world.lake.land("transactions", [*records, *repeated, *broken])


@pytest.fixture(scope="module")
def world(start_parts: Callable[..., Settings]) -> World:
    lake = filled(start_parts)
    settings = start_parts("trino", "valkey", "api")
    world = World(lake, settings, _now())
    events = _events(world)
    _land(world, events)
    # With the cohorts: on a Monday the events of today make last week one that is over.
    lake.build("--select", "transactions", "fct_transactions", "customer_day", "retention_cohorts")
    coverage.advance(settings, "transactions", world.covered)
    client = valkey(settings)
    lately = [
        (e, n % 25 == 0) for n, e in enumerate(events) if datetime.fromisoformat(e["event_time"]) >= world.covered
    ]
    project(client, [s for s in live_specs.publish(settings) if s.stream == "transactions"], lately)
    client.set(RUN, client.info("server")["run_id"])
    return world


def test_sales_today_including_the_last_minute_equals_hand_written_sql(world: World) -> None:
    answer = world.ask("sales today including the last minute")
    assert answer["status"] == "answered", answer
    assert answer["plan"]["source"] == "both"
    (expected,) = world.by_hand("sum(usd)", "transaction_type = 'purchase'")
    assert Decimal(str(answer["data"]["rows"][0][0])) == round(expected[0], 2)
    parts = {f["part"]: datetime.fromisoformat(f["through"]) for f in answer["freshness"]}
    assert parts["historical"] == world.covered <= parts["live"]


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
    minutes = int((world.now - world.covered) / timedelta(minutes=1)) - 2
    since = f"event_time >= timestamp '{world.now - timedelta(minutes=minutes):%Y-%m-%d %H:%M} UTC'"
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
    ((expected,),) = world.by_hand(
        "count(distinct user_id)", f"event_time < timestamp '{world.covered:%Y-%m-%d %H:%M} UTC'"
    )
    assert answer["data"]["rows"] == [[expected]]
    assert f"complete through {world.covered:%Y-%m-%d %H:%M} UTC" in answer["text"]


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


def _get(world: World, path: str, **who: str) -> tuple[int, dict[str, Any]]:
    name = who.get("user", "admin")
    token = issue(world.settings, Identity(name, ())).access_token
    reply = httpx.get(f"{world.settings.api_url}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    return reply.status_code, reply.json()


def test_latest_metrics_are_kept_as_hand_written_sql_says_and_read_without_them_too(world: World) -> None:
    client = valkey(world.settings)
    _, folded = _get(world, "/metrics/transactions/latest?minutes=60")
    since = f"event_time >= {_at(datetime.fromisoformat(folded['start']))}"
    ((by_hand, sales),) = world.by_hand("count(*), sum(if(transaction_type = 'purchase', usd))", since)
    assert (folded["source"] in ("windows", "curated and windows"), folded["value"]) == (True, by_hand)
    catalogue = Catalogue(world.settings, partial(trino.read, world.settings))
    catalogue.rates()
    store = LiveStore(client)
    started = datetime.fromisoformat(folded["start"])
    LatestMetrics(client, store, store, catalogue.vocabulary, catalogue.rates).step(datetime.now(UTC))
    _, kept = _get(world, "/metrics/sales/latest?minutes=60")
    assert kept["source"] == "live" and 590 < client.ttl("metric:sales:60m") <= 600
    if started >= world.covered and kept["start"] == folded["start"]:
        assert Decimal(str(kept["value"])) == round(sales, 2)
    _, regions = _get(world, "/metrics/transactions/latest?minutes=60&by=region")
    assert regions["source"] == "live" and set(regions["values"]) == {"asia", "europe", "north_america"}
    # A store that is not filled is no answer: curated is, through where it is complete.
    mark = client.get(RUN)
    client.delete(RUN)
    client.delete("metric:transactions:15m")
    time.sleep(_LOOKED_AT)
    try:
        _, past = _get(world, "/metrics/transactions/latest?minutes=15")
    finally:
        client.set(RUN, str(mark))
        time.sleep(_LOOKED_AT)
    ((curated,),) = world.by_hand(
        "count(*)",
        f"event_time >= timestamp '{world.covered - timedelta(minutes=15):%Y-%m-%d %H:%M} UTC'"
        f" and event_time < timestamp '{world.covered:%Y-%m-%d %H:%M} UTC'",
    )
    assert (past["source"], past["value"], past["end"]) == (
        "curated",
        curated,
        world.covered.isoformat().replace("+00:00", "Z"),
    )


def test_an_event_is_read_through_and_kept_also_one_that_is_in_raw_only(world: World) -> None:
    client = valkey(world.settings)
    known = event(_FIRST_SEED, world.begin)
    code, first = _get(world, f"/events/{known['event_id']}")
    assert (code, first["stream"], first["source"]) == (200, "transactions", "processed")
    assert Decimal(first["document"]["amount"]) == Decimal(str(known["amount"])).quantize(Decimal("0.01"))
    again = _get(world, f"/events/{known['event_id']}")[1]
    assert (again["source"], again["document"]) == ("live", first["document"])
    assert 0 < client.ttl(f"cache:event:{known['event_id']}") <= world.settings.cache_event_seconds
    fresh = event(_FIRST_SEED + 90_000, world.now)
    world.lake.land("transactions", [landed(fresh), landed(fresh | {"amount": 1.0}, timedelta(seconds=9))])
    found = _get(world, f"/events/{fresh['event_id']}")[1]
    assert (found["source"], Decimal(found["document"]["amount"])) == ("raw", Decimal(str(fresh["amount"])))
    assert _get(world, "/events/nobody-knows-this")[0] == 404
    save_user(world.settings, "anna", "a long password", ("analyst",))
    masked = _get(world, f"/events/{known['event_id']}", user="anna")[1]["document"]["user_id"]
    ((by_trino,),) = world.lake.query(
        f"select user_id from processed.transactions where event_id = '{known['event_id']}'", as_user="anna"
    )
    assert masked == by_trino != known["user_id"]


def test_reference_data_is_read_through_and_a_newer_version_stays(world: World) -> None:
    client = valkey(world.settings)
    code, found = _get(world, "/reference/merchants/merchant-1")
    assert (code, found["source"], found["document"]["name"]) == (200, "processed", "Shop 1")
    assert 86_000 < client.ttl("reference:merchants:merchant-1") <= 86_400
    newer = merchant("merchant-1", 9) | {"updated_at": world.now.isoformat()}
    world.lake.land("merchants", [Landed(newer, world.now, world.now)])
    client.delete("reference:merchants:merchant-1")
    found = _get(world, "/reference/merchants/merchant-1")[1]
    assert (found["source"], found["document"]["name"]) == ("raw", "Shop 9")
    assert _get(world, "/reference/merchants/merchant-1")[1]["source"] == "live"
    assert _get(world, "/reference/customers/user-1", user="anna")[0] == 403
    with psycopg.connect(world.settings.postgres_dsn("headrace"), connect_timeout=5) as connection:
        rows = connection.execute(
            "select allowed from audit_logs where action = 'read' and subject = 'merchants merchant-1'"
        ).fetchall()
    assert rows == [(True,)] * 3
    world.lake.land("merchants", [Landed(None, world.now, world.now, key="merchant-2")])
    assert _get(world, "/reference/merchants/merchant-2")[0] == 404, "deleted since the last build"


_FEATURES = (
    "count_if(transaction_type = 'purchase'), sum(if(transaction_type = 'purchase', usd)), "
    "max(if(transaction_type = 'purchase', usd)), sum(if(transaction_type = 'refund', usd))"
)


def _by_hand_features(world: World, where: str) -> dict[str, Any]:
    ((purchases, sales, largest, refunds),) = world.by_hand(_FEATURES, where)
    return {
        "purchases_60m": purchases,
        "sales_60m": float(round(sales or 0, 2)),
        "refunds_60m": float(round(refunds or 0, 2)),
        "largest_purchase_60m": None if largest is None else float(round(largest, 2)),
    }


def _at(moment: datetime) -> str:
    return f"timestamp '{moment:%Y-%m-%d %H:%M:%S.%f} UTC'"


def _as_of(world: World, asked: list[tuple[str, datetime]], entity: str = "customer") -> list[dict[str, Any]]:
    body = {"rows": [{"id": id_, "at": at.isoformat()} for id_, at in asked]}
    answer = post(world.settings, f"/features/{entity}/as-of", body, seconds=120)
    return list(answer["rows"])


def test_live_features_equal_hand_written_sql(world: World) -> None:
    code, found = _get(world, "/features/customer/user-1")
    assert (code, found["source"]) == (200, "live"), found
    start = datetime.fromisoformat(found["as_of"]).replace(second=0, microsecond=0) - timedelta(minutes=59)
    by_hand = _by_hand_features(world, f"user_id = 'user-1' and event_time >= {_at(max(start, world.covered))}")
    assert {name: found["features"][name] for name in by_hand} == by_hand
    assert found["features"]["searches_60m"] == 0
    assert _get(world, "/features/merchant/merchant-1")[1]["features"]["purchases_60m"] > 0
    assert _get(world, "/features/customer/user-1", user="anna")[0] == 403
    assert _get(world, "/features/merchant/merchant-1", user="anna")[0] == 200
    assert _get(world, "/features/nobody/x")[0] == 404


def test_features_as_of_a_moment_equal_hand_written_sql_and_know_nothing_of_the_future(
    world: World, tmp_path: Path
) -> None:
    # 40 s after an event that arrives 7 minutes late, when it had not arrived, and 8 minutes after it, when it had.
    late_at = world.begin
    late_user = event(_FIRST_SEED, late_at)["user_id"]
    asked = [
        (late_user, late_at + timedelta(seconds=40)),
        (late_user, late_at + timedelta(minutes=8)),
        *((f"user-{n}", world.begin + n * (world.now - world.begin) / 8 + timedelta(seconds=13)) for n in range(7)),
    ]
    before = _as_of(world, asked)
    for (user, at), row in zip(asked, before, strict=True):
        through = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
        known = (
            f"user_id = '{user}' and event_time >= {_at(through - timedelta(minutes=60))} and event_time < {_at(through)}"
            f" and arrived_at <= {_at(at)}"
        )
        by_hand = _by_hand_features(world, known)
        assert {name: row["features"][name] for name in by_hand} == by_hand, (user, at)
    assert [row["features"] for row in _as_of(world, list(reversed(asked)))] == [
        r["features"] for r in reversed(before)
    ]
    in_time, later = (
        f"user_id = '{late_user}' and event_time = {_at(late_at)} and arrived_at <= {_at(at)}" for _, at in asked[:2]
    )
    assert (world.by_hand("count(*)", in_time), world.by_hand("count(*)", later)) == ([[0]], [[1]])

    # The future: an event that arrives now and belongs to then, another version of a known one, a corrected rate.
    belated = event(
        _FIRST_SEED + 70_000, asked[0][1] - timedelta(minutes=1), user_id=late_user, transaction_type="purchase"
    )
    again = event(_FIRST_SEED, world.begin, amount=9_999.0)
    lake, now = world.lake, datetime.now(UTC)
    lake.land(
        "transactions", [landed(belated, arrived_at=now, landed_at=now), landed(again, arrived_at=now, landed_at=now)]
    )
    corrected = rate(1, "EUR", "9.5") | {"updated_at": now.isoformat()}
    lake.land("exchange_rates", [Landed(corrected, now, now)])
    lake.build("--select", "+fct_transactions")
    assert _as_of(world, asked) == before

    file = tmp_path / "labels.csv"
    file.write_text("id,at\n" + "".join(f"{user},{at.isoformat()}\n" for user, at in asked))
    printed = headrace("features", "--entity", "customer", "--at", str(file), home=world.settings.home).stdout
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert [float(row["sales_60m"]) for row in rows] == [row["features"]["sales_60m"] for row in before]
