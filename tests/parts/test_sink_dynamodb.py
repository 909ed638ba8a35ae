"""The sink of DynamoDB on real Kafka and Amazon's local server: versions, repeats, a store that is down, kill -9."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Key

from headrace.settings import Settings, get_settings
from headrace.sinks.progress import SinkState, states
from tests.parts.dynamodb_local import DynamoLocal
from tests.parts.own_process import OwnProcess
from tests.parts.windows_of_sinks import Windows

SECONDS = 90
PART = "headrace.runtime.sinks"
pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="DynamoDB Local's SQLite is built for x86 alone"
)


@pytest.fixture(scope="module")
def parts(start_parts: Callable[..., Settings]) -> Settings:
    return start_parts("kafka", "postgres")


@pytest.fixture(scope="module")
def store(parts: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DynamoLocal]:
    store = DynamoLocal(parts, tmp_path_factory.mktemp("dynamodb"))
    store.start()
    yield store
    store.stop()


@pytest.fixture(scope="module")
def settings(parts: Settings, store: DynamoLocal) -> Iterator[Settings]:
    chosen = {"HEADRACE_SINKS": "postgres,dynamodb", "HEADRACE_DYNAMODB_URL": store.url}
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


def _windows(store: DynamoLocal, spec: str) -> dict[str, tuple[int, int, str]]:
    try:
        items = store.items("headrace_windows")
    except store.client.exceptions.ResourceNotFoundException:
        return {}
    found = [item for item in items if item["spec"] == spec]
    return {i["keys"]["merchant_id"]: (i["generation"], i["n"], i["figures"]["sum_amount"]) for i in found}


def _state(settings: Settings, name: str) -> SinkState | None:
    return next((state for state in states(settings) if state.name == name), None)


def test_an_older_version_never_overwrites_a_newer_one(windows: Windows, store: DynamoLocal) -> None:
    windows.send("versions", "m1", 3)
    windows.send("versions", "m2", 5, generation=2)
    windows.flush()
    _await(lambda: _windows(store, "versions"), {"m1": (1, 3, "30.00"), "m2": (2, 5, "50.00")})
    windows.send("versions", "m1", 2)
    windows.send("versions", "m2", 9, generation=1)
    windows.send("versions", "m3", 1)
    windows.flush()
    _await(lambda: _windows(store, "versions").get("m3"), (1, 1, "10.00"))
    assert _windows(store, "versions")["m1"] == (1, 3, "30.00")
    assert _windows(store, "versions")["m2"] == (2, 5, "50.00")


def test_an_event_is_one_item_however_often_it_is_written(windows: Windows, store: DynamoLocal) -> None:
    for _ in range(3):
        windows.accepted("u1", "event-00000001", "12.50")
        windows.flush()
        time.sleep(1.5)
    windows.accepted("u1", "event-00000002", "7.25")
    windows.flush()
    key = Key("subject").eq("transactions\x1fu1")
    table = boto3.resource("dynamodb", region_name="us-east-1", endpoint_url=store.url).Table("headrace_events")

    def found() -> list[tuple[str, Decimal]]:
        items = table.query(KeyConditionExpression=key, ConsistentRead=True)["Items"]
        return [(item["document"]["event_id"], item["document"]["amount"]) for item in items]

    _await(found, [("event-00000001", Decimal("12.5")), ("event-00000002", Decimal("7.25"))])


def test_what_the_store_can_never_hold_does_not_stop_it(windows: Windows, store: DynamoLocal) -> None:
    windows.accepted("u2", "event-00000001", "1e300")
    windows.accepted("u2", "event-00000002", "12345678901234567890123456789012345678901.5")
    windows.accepted("u" * 450_000, "event-00000003", "1")
    windows.accepted("u2", "event-00000004", "1")
    windows.flush()

    def found() -> set[str]:
        items = store.items("headrace_events")
        return {item["document"]["event_id"] for item in items if item["document"]["user_id"].endswith("2")}

    _await(found, {"event-00000004"})


def test_an_entity_is_one_item_in_its_newest_state(windows: Windows, store: DynamoLocal) -> None:
    for minute, name in ((2, "Second"), (1, "First"), (3, "Third"), (2, "Second")):
        windows.entity("m-7", name, f"2026-11-21T10:0{minute}:00+00:00")
        windows.flush()
        time.sleep(1.2)

    def found() -> list[str]:
        return [i["document"]["name"] for i in store.items("headrace_events") if i["subject"] == "merchants\x1fm-7"]

    _await(found, ["Third"])


def test_items_expire(windows: Windows, settings: Settings, store: DynamoLocal) -> None:
    expiry = store.client.describe_time_to_live(TableName="headrace_windows")["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    for item in store.items("headrace_windows"):
        assert item["expires_at"] - item["window_start"] == settings.sinks_days * 86_400


def test_a_store_that_is_down_is_shown_and_stops_nothing_else(
    settings: Settings, windows: Windows, store: DynamoLocal
) -> None:
    store.stop()
    for merchant in range(50):
        windows.send("down", f"m{merchant}", 1)
    windows.flush()
    _await(lambda: (s := _state(settings, "dynamodb")) is not None and "DynamoDB" in (s.error or "") and s.lag, 50)
    _await(lambda: (s := _state(settings, "postgres")) is not None and s.healthy and s.lag, 0)
    store.start()
    _await(lambda: len(_windows(store, "down")), 50)
    _await(lambda: (s := _state(settings, "dynamodb")) is not None and s.healthy and s.lag, 0)


def test_a_killed_sink_goes_on_where_it_had_written(
    settings: Settings, windows: Windows, store: DynamoLocal, part: list[OwnProcess]
) -> None:
    for merchant in range(200):
        windows.send("killed", f"m{merchant}", 1)
    windows.flush()
    part[0].kill()
    for merchant in range(200):
        windows.send("killed", f"m{merchant}", 2)
    windows.flush()
    part[0] = OwnProcess(settings, PART)
    _await(lambda: len(_windows(store, "killed")) == 200 and set(_windows(store, "killed").values()), {(1, 2, "20.00")})
