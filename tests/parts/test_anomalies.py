"""The part on real Kafka, PostgreSQL and Valkey: a burst is told once in each, through kill -9 and a crash between two marks."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from confluent_kafka import Producer

from headrace.anomalies.arrivals import SPEC
from headrace.anomalies.layout import LIVE_KEY
from headrace.anomalies.tail import whole
from headrace.contracts.model import load_contracts
from headrace.live.client import valkey
from headrace.settings import Settings
from headrace.streams.topics import ALERTS, METRICS, producer_config
from tests.parts.own_process import OwnProcess

SECONDS = 120
USUAL = 6
MERCHANTS = [f"m{number:02d}" for number in range(24)]


class Sender:
    """Live windows as the live job writes them, and accepted transactions as the lake job does."""

    def __init__(self, settings: Settings) -> None:
        self._producer = Producer(producer_config(settings))
        self._processed = load_contracts(settings.contracts)["transactions"].processed_topic
        self._offset = 0

    def row(self, merchant: str, minute: int, n: int) -> None:
        keys = {"merchant_id": merchant, "transaction_type": "purchase", "currency": "EUR", "region": "europe"}
        values = {"count": n, "sum_amount": f"{n * 10}.00", "max_amount": "12.00", "min_amount": "8.00"}
        row = {
            "spec": SPEC,
            "window_start": minute * 60,
            "late": False,
            "keys": keys,
            "generation": 1,
            "n": n,
            "values": values,
        }
        self._producer.produce(METRICS, json.dumps(row), key=f"{merchant}-{minute}")
        self._producer.poll(0)

    def event(self, user: str, moment: float, offset: int | None = None) -> None:
        """With an offset of before it is a repeat."""
        self._offset += offset is None
        quality = {"late": False, "topic": "t", "partition": 0, "offset": self._offset if offset is None else offset}
        event = {
            "event_id": f"e-{self._offset}", "event_time": datetime.fromtimestamp(moment, UTC).isoformat(), "user_id": user,
            "merchant_id": "m00", "transaction_type": "purchase", "region": "europe", "quality": quality,
        }  # fmt: skip
        self._producer.produce(self._processed, json.dumps(event), key=f"e-{quality['offset']}")
        self._producer.poll(0)

    def flush(self) -> None:
        assert self._producer.flush(30) == 0


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Settings:
    return start_parts("kafka", "postgres", "valkey")


@pytest.fixture(scope="module")
def sender(settings: Settings) -> Sender:
    """An hour in which nothing is unusual."""
    sender, now, rng = Sender(settings), time.time(), random.Random(1)
    for minute in range(int(now // 60) - 55, int(now // 60)):
        for merchant in MERCHANTS:
            sender.row(merchant, minute, USUAL + rng.choice((-2, -1, 0, 0, 1, 2)))
    for number in range(600):
        sender.event(f"u{rng.randrange(60):02d}", now - 1800 + 3 * number)
    sender.flush()
    return sender


@pytest.fixture
def part(settings: Settings) -> Iterator[Callable[[], OwnProcess]]:
    started: list[OwnProcess] = []

    def start() -> OwnProcess:
        started.append(OwnProcess(settings, "headrace.anomalies.part"))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


def _rows(settings: Settings, subject: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        sql = "select id, state, alerted, sentence from anomalies where subject = %s"
        return connection.execute(sql, [subject]).fetchall()


def _alerts(settings: Settings, subject: str) -> list[dict[str, Any]]:
    found = [json.loads(value) for value in whole(settings, ALERTS)]
    return [alert for alert in found if alert["subject"] == subject]


def _told(settings: Settings, subject: str) -> tuple[int, list[bool], bool]:
    """(alerts in the topic, marks of the rows, whether the live store shows it)"""
    rows = _rows(settings, subject)
    live = valkey(settings).hkeys(LIVE_KEY)
    return (
        len(_alerts(settings, subject)),
        [row[2] for row in rows],
        bool(rows) and {row[0] for row in rows} <= set(live),
    )


def _subjects(settings: Settings) -> set[str]:
    return {json.loads(value)["subject"] for value in whole(settings, ALERTS)}


def _until(seen: Callable[[], object], wanted: object) -> None:
    deadline = time.monotonic() + SECONDS
    while (found := seen()) != wanted:
        assert time.monotonic() < deadline, f"after {SECONDS} s: {found}\nwanted: {wanted}"
        time.sleep(0.5)


ONCE = (1, [True], True)


def test_a_burst_is_told_once_through_kills(settings: Settings, sender: Sender, part: Callable[[], OwnProcess]) -> None:
    first = part()
    sender.row("m07", int(time.time() // 60), 10 * USUAL)
    sender.flush()
    _until(lambda: _told(settings, "m07"), ONCE)
    alert = _alerts(settings, "m07")[0]
    assert (alert["kind"], alert["measure"], alert["state"]) == ("anomaly", "purchases", "open")
    assert alert["low"] <= alert["expected"] <= alert["high"] < alert["seen"]
    assert alert["contributors"][0]["keys"]["merchant"] == "m07"
    assert alert["sentence"].startswith("Merchant m07: ")
    first.kill()
    # As if it had died after the alert left and before that was marked; and something happens while nobody looks.
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        connection.execute("update anomalies set alerted = false")
    valkey(settings).delete(LIVE_KEY)
    sender.row("m11", int(time.time() // 60), 12 * USUAL)
    sender.flush()
    part()
    _until(lambda: _told(settings, "m11"), ONCE)
    _until(lambda: _told(settings, "m07"), ONCE)


def test_a_silent_platform_is_told_once_and_not_of_each_merchant(
    settings: Settings, sender: Sender, part: Callable[[], OwnProcess]
) -> None:
    part()
    sender.row("m03", int(time.time() // 60), 1)
    sender.flush()
    _until(lambda: _told(settings, "*"), ONCE)
    time.sleep(10)
    assert _subjects(settings) == {"m07", "m11", "*"}


def test_a_persons_burst_is_told_and_a_repeated_write_is_not(
    settings: Settings, sender: Sender, part: Callable[[], OwnProcess]
) -> None:
    now = time.time()
    for number in range(600):
        sender.event("u01", now - 1800 + 3 * number, offset=number + 1)
    for _ in range(40):
        sender.event("u59", now)
    sender.flush()
    part()
    _until(lambda: _told(settings, "u59"), ONCE)
    assert _told(settings, "u01") == (0, [], False)
    assert "transactions in" in _rows(settings, "u59")[0][3]
