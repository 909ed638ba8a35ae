"""The REST service on a real broker: what it acknowledges is in Kafka, and what it refuses is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from confluent_kafka import Message

from headrace.contracts.model import load_contracts
from headrace.settings import REPO, Settings
from headrace.sources.simulate import STREAMS, run
from tests.parts.topic_reader import records

TOPIC = "rest.marketplace.transactions.insert"


class Ingest:
    """The service as a process of the test, which may kill it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = os.environ | {"PYTHONPATH": f"{REPO}{os.pathsep}{REPO / 'include'}", "HEADRACE_PART": "ingest"}
        self.process = subprocess.Popen([sys.executable, "-m", "app.ingest"], cwd=REPO, env=environment)
        deadline = time.monotonic() + 30
        while not self.healthy():
            assert self.process.poll() is None, "the service ended while starting"
            assert time.monotonic() < deadline, "the service is not healthy after 30 s"
            time.sleep(0.1)

    def healthy(self) -> bool:
        try:
            return httpx.get(f"{self.settings.ingest_url}/health", timeout=5).is_success
        except httpx.TransportError:
            return False

    def end(self, kind: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(kind)
            self.process.wait(20)
            self.process = None


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Settings:
    return start_parts("kafka")


@pytest.fixture(scope="module")
def ingest(settings: Settings) -> Iterator[Ingest]:
    found = Ingest(settings)
    found.start()
    yield found
    found.end(signal.SIGTERM)


@pytest.fixture
def client(settings: Settings, ingest: Ingest) -> Iterator[httpx.Client]:
    key = {"X-API-Key": settings.secret("ingest_api_key")}
    with httpx.Client(base_url=settings.ingest_url, headers=key, timeout=30) as found:
        yield found


def event(**changed: Any) -> dict[str, Any]:
    made = {
        "event_id": uuid.uuid4().hex,
        "event_time": datetime.now(UTC).isoformat(),
        "user_id": "u00001",
        "merchant_id": "m0001",
        "transaction_type": "purchase",
        "amount": 12.5,
        "currency": "EUR",
        "region": "europe",
    }
    return {**made, **changed}


def ids(messages: list[Message]) -> Counter[str]:
    return Counter(json.loads(message.value())["event_id"] for message in messages)


def test_an_event_reaches_kafka_with_what_is_known_about_it(settings: Settings, client: httpx.Client) -> None:
    sent = event()
    correlation = uuid.uuid4().hex
    response = client.post("/events/transactions", json=sent, headers={"X-Correlation-Id": correlation})
    assert (response.status_code, response.json()) == (202, {"accepted": 1, "correlation_id": correlation})
    assert response.headers["x-correlation-id"] == correlation
    (record,) = [m for m in records(settings, TOPIC) if json.loads(m.value())["event_id"] == sent["event_id"]]
    headers = dict(record.headers())
    assert (headers["correlation_id"], headers["contract_version"]) == (correlation.encode(), b"1.0.0")
    assert headers["producer"] == b"ingest-key"
    assert datetime.now(UTC) - datetime.fromisoformat(headers["received_at"].decode()) < timedelta(minutes=1)
    assert record.key() == b"u00001"
    assert b'"amount":12.5,' in record.value()


def test_a_batch_is_taken_as_a_whole_or_not_at_all(settings: Settings, client: httpx.Client) -> None:
    good, bad = [event() for _ in range(300)], [event(), event(currency="CHF")]
    assert client.post("/events/transactions", json={"events": good}).json()["accepted"] == 300
    response = client.post("/events/transactions", json={"events": bad})
    assert response.status_code == 422
    assert [(error["index"], error["field"]) for error in response.json()["errors"]] == [(1, "currency")]
    found = ids(records(settings, TOPIC))
    assert all(found[one["event_id"]] == 1 for one in good)
    assert not any(found[one["event_id"]] for one in bad)


def test_nothing_passes_without_the_key(settings: Settings, client: httpx.Client) -> None:
    sent = event()
    for headers in ({"X-API-Key": ""}, {"X-API-Key": "wrong"}, {"X-API-Key": "schlüssel".encode()}):
        assert client.post("/events/transactions", json=sent, headers=headers).status_code == 401
    assert not ids(records(settings, TOPIC))[sent["event_id"]]


def test_a_request_that_is_too_large_is_refused(client: httpx.Client) -> None:
    assert client.post("/events/transactions", content=b" " * 5_000_000).status_code == 413
    assert client.post("/events/transactions", content=iter([b" " * 100_000] * 50)).status_code == 413


def test_pages_for_people_and_machines(client: httpx.Client) -> None:
    streams = {stream["name"]: stream for stream in client.get("/").json()["streams"]}
    assert client.post("/events/customers", json=streams["customers"]["example"]).status_code == 202
    assert client.get("/health").json()["status"] == "ok"
    assert 'headrace_ingest_events_total{stream="customers"}' in client.get("/metrics").text
    assert client.get("/nothing").status_code == 404
    assert client.post("/events/nothing", json={}).status_code == 404


def test_many_senders_at_once_lose_nothing(settings: Settings, client: httpx.Client) -> None:
    sent = [event(user_id=f"u{n:05d}") for n in range(600)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: client.post("/events/transactions", json=one).status_code, sent))
    assert set(answers) == {202}
    found = ids(records(settings, TOPIC))
    assert all(found[one["event_id"]] == 1 for one in sent)


def test_no_answer_from_kafka_is_an_honest_503(settings: Settings, client: httpx.Client) -> None:
    broker = _broker(settings)
    sent = event()
    broker.suspend()
    try:
        response = client.post("/events/transactions", json=sent)
        health = client.get("/health")
    finally:
        broker.resume()
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert (health.status_code, health.json()["status"]) == (503, "down")
    assert client.post("/events/transactions", json=sent).status_code == 202


def _broker(settings: Settings) -> psutil.Process:
    port = settings.ports.kafka
    listening = (c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr.port == port)
    return psutil.Process(next(connection.pid for connection in listening if connection.pid))


def test_killing_the_service_loses_nothing_that_was_acknowledged(
    settings: Settings, ingest: Ingest, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    with ThreadPoolExecutor(1) as pool:
        traffic = pool.submit(
            run, settings, rate=200, seconds=8, entities="never", duplicate_share=0.05, bad_share=0.05, ledger=ledger
        )
        time.sleep(2)
        ingest.end(signal.SIGKILL)
        assert not ingest.healthy(), "something still answers on the port of the killed service"
        time.sleep(1)
        ingest.start()
        report = traffic.result(timeout=60)
    assert report["retries"] > 0
    assert report["bad"] > 0
    noted = Counter(json.loads(line)["event_id"] for line in ledger.read_text().splitlines())
    contracts = load_contracts(settings.contracts)
    messages = records(settings, *(contracts[stream].topic for stream in STREAMS))
    found = ids([message for message in messages if dict(message.headers() or [])["producer"] == b"ingest-key"])
    assert report["acknowledged"] == sum(noted.values()) > 500
    assert all(found[event_id] >= times for event_id, times in noted.items())
