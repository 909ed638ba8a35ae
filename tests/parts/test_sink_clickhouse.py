"""The sink of ClickHouse on real Kafka and ClickHouse's own engine: repeats, a store that is down, layout and expiry."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headrace.settings import Settings, get_settings
from headrace.sinks.clickhouse import statements
from headrace.sinks.progress import SinkState, states
from tests.parts.clickhouse_local import ClickHouseLocal
from tests.parts.own_process import OwnProcess
from tests.parts.windows_of_sinks import Windows

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
