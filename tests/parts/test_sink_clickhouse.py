"""The sink of ClickHouse on real Kafka and ClickHouse's own engine: repeats, a store that is down, layout and expiry."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from headrace.assistant.catalogue import vocabulary
from headrace.assistant.filled import FilledStore
from headrace.assistant.livepart import NO_RATES
from headrace.assistant.lookups import Lookups
from headrace.assistant.plan import Filter, Plan, TimeRange
from headrace.assistant.run import Runner
from headrace.contracts.model import load_contracts
from headrace.keys.clickhouse import ClickHouseWindows
from headrace.keys.clickhouse_sessions import ClickHouseSessions
from headrace.live.client import valkey
from headrace.live.layout import field_of
from headrace.live.store import LiveStore
from headrace.policy import Identity
from headrace.semantics.catalogue import build
from headrace.semantics.manifest import as_written
from headrace.semantics.measures import specs
from headrace.sessions.book import session_id
from headrace.settings import Settings, get_settings
from headrace.sinks.clickhouse import ClickHouse, statements
from headrace.sinks.progress import SinkState, states
from headrace.streams.spec import LiveSpec
from tests.parts.clickhouse_local import ClickHouseLocal
from tests.parts.live_rows import rows as oracle
from tests.parts.own_process import OwnProcess
from tests.parts.raw_rows import event
from tests.parts.windows_of_sinks import Windows
from tests.unit.semantics.declared import raw_manifest

SECONDS = 90
PART = "headrace.runtime.sinks"
_MADE = "select create_table_query as made from system.tables where database = 'headrace' and name = 'events'"


@pytest.fixture(scope="module")
def parts(start_parts: Callable[..., Settings]) -> Settings:
    return start_parts("kafka", "postgres")


@pytest.fixture(scope="module")
def store(parts: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseLocal]:
    store = ClickHouseLocal(tmp_path_factory.mktemp("clickhouse"))
    store.start()
    yield store
    store.stop()


@pytest.fixture(scope="module")
def settings(parts: Settings, store: ClickHouseLocal) -> Iterator[Settings]:
    chosen = {"HEADRACE_SINKS": "clickhouse", "HEADRACE_CLICKHOUSE_URL": store.url}
    os.environ.update(chosen)
    get_settings.cache_clear()
    yield get_settings()
    for name in chosen:
        del os.environ[name]
    get_settings.cache_clear()


@pytest.fixture(scope="module")
def part(settings: Settings) -> Iterator[list[OwnProcess]]:
    """The part as it runs now: a test that kills it puts another one there."""
    running = [OwnProcess(settings, PART)]
    yield running
    running[0].stop()


@pytest.fixture(scope="module")
def windows(settings: Settings, part: list[OwnProcess]) -> Windows:
    return Windows(settings)


def _await(question: Callable[[], Any], wanted: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while (found := question()) != wanted:
        assert time.monotonic() < deadline, f"{found} instead of {wanted}"
        time.sleep(0.3)


def _activity(store: ClickHouseLocal, user: str) -> int:
    """What the view says of one user; 0 as long as the sink has not made it."""
    if not store.rows("select 1 from system.tables where database = 'headrace' and name = 'user_activity_1min'"):
        return 0
    command = f"select toInt32(sum(events)) as n from headrace.user_activity_1min where user_id = '{user}'"
    return int(store.rows(command)[0]["n"])


def _state(settings: Settings) -> SinkState | None:
    return next((state for state in states(settings) if state.name == "clickhouse"), None)


def test_an_event_counts_once_however_often_it_is_written(windows: Windows, store: ClickHouseLocal) -> None:
    for _ in range(3):
        for number in range(5):
            windows.accepted("u1", f"event-{number:08d}", "12.50")
        windows.flush()
        time.sleep(1.5)
    windows.accepted("u1", "event-00000009", "7.25")
    windows.flush()
    _await(lambda: _activity(store, "u1"), 6)
    (row,) = store.rows(
        "select event_type, late, JSONExtractString(document, 'currency') as currency, JSONExtractFloat(document, 'amount') as"
        " amount, written_at > event_time as later from headrace.events final where event_id = 'event-00000009'"
    )
    assert row == {"event_type": "transactions", "late": False, "currency": "EUR", "amount": 7.25, "later": 1}


def store_row(text: bytes) -> tuple[Any, ...]:
    """A live window as the oracle writes it, in the shape that readers get."""
    made = json.loads(text)
    values = {name: Decimal(value) for name, value in made["values"].items()}
    return datetime.fromtimestamp(made["window_start"], UTC), tuple(made["keys"].values()), made["n"], values


def _specs(settings: Settings) -> tuple[LiveSpec, ...]:
    return specs(as_written(raw_manifest()), load_contracts(settings.contracts))


def _second(settings: Settings) -> ClickHouseWindows:
    contracts = load_contracts(settings.contracts)
    return ClickHouseWindows(
        ClickHouse(settings), settings.clickhouse_database, lambda: _specs(settings), lambda: contracts
    )


def test_live_windows_that_the_live_store_cannot_tell_are_the_same_from_here(
    settings: Settings, windows: Windows, store: ClickHouseLocal
) -> None:
    """By the oracle of the live job, late events apart; and as an answer, which says where it came from."""
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    start = end - timedelta(minutes=20)
    events = [(event(n, start + n * timedelta(seconds=37), user_id="serve"), n % 9 == 0) for n in range(30)]
    for one, late in events * 2:
        windows.sold(one, late)
    windows.flush()
    _await(lambda: _activity(store, "serve"), 30)
    second = _second(settings)
    for spec in _specs(settings):
        if spec.stream != "transactions":
            continue
        found = [
            (window.window_start, tuple(window.keys.values()), window.n, window.values)
            for late in (False, True)
            for window in second.windows(spec.name, start, end, late=late)
            if spec.name != "transactions_by_user" or window.keys["user_id"] == "serve"
        ]
        made = [store_row(row) for row in oracle(spec, events)]
        for place in made:
            assert place in found, spec.name
        if spec.name == "transactions_by_user":
            assert len(found) == len(made)

    contracts = load_contracts(settings.contracts)
    words = vocabulary(build(as_written(raw_manifest()), contracts), Lookups(), _specs(settings))
    client = valkey(settings, seconds=1)
    runner = Runner(
        FilledStore(LiveStore(client), client),
        cast("Any", None),
        lambda: NO_RATES,
        lambda: None,
        seconds=30,
        second=second,
    )
    only = Filter(dimension="user_id", values=("serve",))
    time = TimeRange(start=start, end=end, label="now")
    plan = Plan(metrics=("purchases",), filters=(only,), time=time)
    result, _ = runner.run(Identity("admin", ("admin",)), plan, words)
    runner.close()
    purchases = sum(one["transaction_type"] == "purchase" for one, _ in events)
    assert result.part[None, ()]["purchases"] == purchases
    assert [one.source for one in result.freshness] == ["clickhouse:transactions_by_user"]
    assert result.late_events == sum(late and one["transaction_type"] == "purchase" for one, late in events)
    field = field_of(False, ["serve", "purchase", "USD", "north_america"])
    rows = second.rows("transactions_by_user", [field], start, end)
    assert sum(row.n for row in rows) == sum(
        not late and one["transaction_type"] == "purchase" and one["currency"] == "USD" for one, late in events
    )


def test_what_a_person_did_is_told_from_here_by_the_rule_of_the_sessions(
    settings: Settings, windows: Windows, store: ClickHouseLocal
) -> None:
    now = datetime.now(UTC)
    for identity, seconds, kind in [
        ("a1", 900, "page_view"),
        ("a2", 880, "click"),
        ("a3", 60, "search"),
        ("a4", 50, "search"),
    ]:
        windows.action("it's me", f"action-{identity}", now - timedelta(seconds=seconds), kind)
    windows.flush()
    command = "select toInt32(count()) as n from headrace.events final where event_type = 'app_events'"
    _await(lambda: store.rows(command)[0]["n"], 4)
    contracts = load_contracts(settings.contracts)
    sessions = ClickHouseSessions(ClickHouse(settings), "headrace", lambda: contracts, settings.lateness_minutes)
    first, last = sessions.of("it's me", now)
    assert (first["state"], first["events"], first["by_type"]) == ("closed", 2, {"click": 1, "page_view": 1})
    assert (last["state"], last["by_type"]) == ("ended", {"search": 2})
    assert first["session_id"] == session_id("app_events", "action-a1")
    assert sessions.of("nobody", now) == []
    (spec,) = [spec for spec in _specs(settings) if spec.name == "app_events_1m"]
    found = _second(settings).windows(spec.name, now - timedelta(minutes=20), now)
    assert sum(window.n for window in found if window.keys["event_type"] == "search") == 2


def test_the_table_is_laid_out_by_user_and_time_and_expires(settings: Settings, store: ClickHouseLocal) -> None:
    (table,) = store.rows(
        "select engine, partition_key, sorting_key, create_table_query from system.tables"
        " where database = 'headrace' and name = 'events'"
    )
    assert table["engine"] == "ReplacingMergeTree"
    assert table["partition_key"] == "toYYYYMM(event_time)"
    assert table["sorting_key"].startswith("user_id, event_time")
    assert settings.sinks_days == 90
    assert "toIntervalDay(90)" in table["create_table_query"]


def test_old_events_are_removed(store: ClickHouseLocal) -> None:
    old = "insert into headrace.events (event_type, user_id, event_time, event_id, late, document) values"
    store.rows(f"{old} ('transactions', 'old', now() - interval 91 day, 'e', false, '')")
    store.rows("optimize table headrace.events final")
    assert store.rows("select 1 from headrace.events where user_id = 'old'") == []


def test_other_days_change_the_table_that_is_there(store: ClickHouseLocal) -> None:
    for days in (30, 90):
        for statement in statements("headrace", days):
            store.rows(statement)
        (table,) = store.rows(_MADE)
        assert f"toIntervalDay({days})" in table["made"]


def test_a_store_that_is_down_is_shown_and_gets_everything_later(
    settings: Settings, windows: Windows, store: ClickHouseLocal
) -> None:
    store.stop()
    for number in range(50):
        windows.accepted("u2", f"down-{number:08d}", "1.00")
    windows.flush()
    _await(lambda: (s := _state(settings)) is not None and "ClickHouse" in (s.error or "") and s.lag, 50)
    store.start()
    _await(lambda: _activity(store, "u2"), 50)
    _await(lambda: (s := _state(settings)) is not None and s.healthy and s.lag, 0)


def test_a_killed_sink_goes_on_where_it_had_written(
    settings: Settings, windows: Windows, store: ClickHouseLocal, part: list[OwnProcess]
) -> None:
    for number in range(200):
        windows.accepted("u3", f"killed-{number:08d}", "1.00")
    windows.flush()
    part[0].kill()
    for number in range(100, 300):
        windows.accepted("u3", f"killed-{number:08d}", "1.00")
    windows.flush()
    part[0] = OwnProcess(settings, PART)
    _await(lambda: _activity(store, "u3"), 300)
