"""Every acknowledged event counts once, whatever is killed: kill -9 of every process on the way, at seeded moments.

A thousand events a second and more flow meanwhile. Odd kills come at a random moment, even ones in a failpoint, and every
fourth kill of a job also loses the newest entry of its commit log. What was hit is printed.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition

from headrace.semantics import live_specs
from headrace.settings import Settings
from tests.faults.failpoints import CHECKPOINTS, FAILPOINTS, forget_last_commit
from tests.faults.keeping import Keeping
from tests.journeys.ledger import Ledger
from tests.processes import await_new_process, kill_with_children, part_of

TOPIC = "processed_transactions"


class Processed:
    """The ids that the processed topic holds, by merchant; reads on from where it was."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": "ledger"})
        partitions = self._consumer.list_topics(TOPIC, timeout=20).topics[TOPIC].partitions
        self._consumer.assign([TopicPartition(TOPIC, partition, 0) for partition in partitions])
        self._ids: dict[str, set[str]] = {}

    def ids(self, merchant: str) -> set[str]:
        while messages := self._consumer.consume(5000, 2.0):
            for event in (json.loads(m.value()) for m in messages if not m.error()):
                self._ids.setdefault(event["merchant_id"], set()).add(event["event_id"])
        return self._ids.get(merchant, set())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", range(metafunc.config.getoption("kills")))


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        # Short, so that many kills fall on a boundary.
        patch.setenv("HEADRACE_LIVE_BATCH_SECONDS", "20")
        settings = start_parts("kafka", "postgres", "valkey", "registry", "ingest", "projector", "trino")
    live_specs.publish(settings)
    return settings


@pytest.fixture(scope="module")
def keeping(settings: Settings) -> Iterator[Keeping]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADRACE_LIVE_BATCH_SECONDS", "20")
        keeping = Keeping(settings)
        try:
            keeping.await_both()
            yield keeping
        finally:
            keeping.end()


@pytest.fixture(scope="module")
def processed(settings: Settings, keeping: Keeping) -> Processed:
    return Processed(settings)


@pytest.mark.parametrize("process", list(FAILPOINTS))
def test_every_acknowledged_event_counts_once(
    settings: Settings,
    keeping: Keeping,
    processed: Processed,
    process: str,
    number: int,
    request: pytest.FixtureRequest,
) -> None:
    chance = random.Random(f"{request.config.getoption('seed')}:{process}:{number}")
    points = FAILPOINTS[process]
    point = points[number // 2 % len(points)] if number % 2 == 0 else None
    ledger = Ledger(settings, batch=100, repeated=10, pause=0.0)
    ledger.send_meanwhile(senders=2)
    began = time.monotonic()
    time.sleep(chance.uniform(1, 6))
    pid = part_of(settings, process).pid
    assert pid
    with keeping.still():
        if point:
            point.reach(settings, ledger)
        rate = len(ledger.acknowledged) / (time.monotonic() - began)
        kill_with_children(pid)
        told = [f"kill {number} of {process} at {rate:.0f} events/s", point.name if point else "at a random moment"]
        if process in CHECKPOINTS and number % 4 == 3:
            told.append(forget_last_commit(settings, process))
        elif point and process in CHECKPOINTS:
            told.append(point.hit(settings, ledger) or "missed")
    await_new_process(settings, process, pid, seconds=300)
    ledger.finish()
    if point and process not in CHECKPOINTS:
        told.append(point.hit(settings, ledger) or "missed")
    told.append(f"{len(ledger.acknowledged)} acknowledged")
    request.config.get_terminal_writer().line(f"\n{'; '.join(told)}")
    ledger.await_exact(seconds=400)
    _await_processed(processed, ledger)


def _await_processed(processed: Processed, ledger: Ledger, seconds: float = 200) -> None:
    deadline = time.monotonic() + seconds
    while (found := processed.ids(ledger.merchant)) != set(ledger.acknowledged):
        missing, strange = len(set(ledger.acknowledged) - found), len(found - set(ledger.acknowledged))
        assert time.monotonic() < deadline, f"{missing} acknowledged events are not processed, {strange} others are"
        time.sleep(2)
