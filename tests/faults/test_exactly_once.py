"""Every acknowledged event counts once, whatever is killed: kill -9 of every process on the way, at seeded moments.

A thousand events a second and more flow meanwhile. In a round each process is killed once: odd rounds at random moments,
even ones in a failpoint, every fourth of a job with the newest entry of its commit log lost. What was hit is printed. One
ledger goes over a few rounds, as starting and settling take longer than a kill.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition

from headrace.runtime import jobs
from headrace.semantics import live_specs
from headrace.settings import Settings
from headrace.streams import published
from headrace.streams.spec import save_live_specs
from tests.faults.failpoints import FAILPOINTS, Failpoint, unnoted
from tests.faults.keeping import Keeping
from tests.journeys.ledger import Ledger
from tests.processes import await_new_process, await_true, kill_with_children, part_of

STREAM, TOPIC = "transactions", "processed_transactions"
ROUNDS = 2
"""Kills of each process under one ledger."""
RATE = 1000
_TRIES = 20
MISSED = "missed"


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
    if "rounds" in metafunc.fixturenames:
        kills = metafunc.config.getoption("kills")
        lots = [range(first, min(first + ROUNDS, kills)) for first in range(0, kills, ROUNDS)]
        metafunc.parametrize("rounds", lots, ids=[f"from{lot.start}" for lot in lots])


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Iterator[Settings]:
    with pytest.MonkeyPatch.context() as patch:
        # Short, so that many kills fall on a boundary.
        patch.setenv("HEADRACE_LIVE_BATCH_SECONDS", "10")
        settings = start_parts("kafka", "postgres", "valkey", "registry", "ingest", "projector", "trino")
        # What else could be counted would only take the cores from those who are killed.
        counted = tuple(spec for spec in live_specs.publish(settings) if spec.stream == STREAM)
        save_live_specs(published.live_specs_path(settings), counted)
        yield settings


@pytest.fixture(scope="module")
def keeping(settings: Settings) -> Iterator[Keeping]:
    keeping = Keeping(settings)
    try:
        keeping.await_both()
        yield keeping
    finally:
        keeping.end()


@pytest.fixture(scope="module")
def processed(settings: Settings, keeping: Keeping) -> Processed:
    return Processed(settings)


def test_every_acknowledged_event_counts_once(
    settings: Settings,
    keeping: Keeping,
    processed: Processed,
    rounds: range,
    request: pytest.FixtureRequest,
    capfd: pytest.CaptureFixture[str],
) -> None:
    seed = request.config.getoption("seed")

    def tell(line: str) -> None:
        """Also of a run that passes."""
        with capfd.disabled():
            print(f"\n{line}", end="", flush=True)

    ledger = Ledger(settings, batch=500, repeated=10, pause=0.5)
    ledger.send_meanwhile(senders=3)
    told_of_points: list[list[str]] = []
    for number in rounds:
        for process, points in FAILPOINTS.items():
            chance = random.Random(f"{seed}:{process}:{number}")
            point = points[number // 2 % len(points)] if number % 2 == 0 else None
            began = time.monotonic()
            told = _kill(settings, keeping, ledger, process, point, chance)
            if point:
                told_of_points.append(told)
            tell(f"kill {number} of {process}: {'; '.join(told)}; {time.monotonic() - began:.0f} s")
    missed = [told for told in told_of_points if MISSED in told]
    assert len(missed) <= len(told_of_points) / 2, f"most kills came too late to prove anything: {missed}"
    ledger.finish()
    keeping.await_both()
    began = time.monotonic()
    ledger.await_exact(seconds=300)
    _await_processed(processed, ledger)
    took = time.monotonic() - began
    tell(f"{len(ledger.acknowledged)} acknowledged events, each counted once; seen after {took:.0f} s")
    tell(f"batches whose commit entry was lost and not written again: {unnoted(settings) or 'none'}")


def _kill(
    settings: Settings,
    keeping: Keeping,
    ledger: Ledger,
    process: str,
    point: Failpoint | None,
    chance: random.Random,
) -> list[str]:
    """What is told of it."""
    for name in (process, *(point.needs if point else ())):
        await_true(lambda name=name: part_of(settings, name).healthy, 240, f"{name} does not work")
    pid = part_of(settings, process).pid
    assert pid
    with keeping.still(process):
        rate = _flowing(ledger, chance, lambda: point.reach(settings, ledger) if point else None)
        ledger.unanswered = 0
        kill_with_children(pid)
        told = [f"{rate:.0f} events/s", point.name if point else "at a random moment"]
        if point:
            told.append(point.hit(settings, ledger) or MISSED)
    if process not in jobs.JOBS:
        # A job takes long to come back: others are killed meanwhile.
        await_new_process(settings, process, pid)
    return told


def _flowing(ledger: Ledger, chance: random.Random, reach: Callable[[], None]) -> float:
    """Waits for a seeded time and for the moment; how many events a second were acknowledged until then."""
    for _ in range(_TRIES):
        began, before = time.monotonic(), len(ledger.acknowledged)
        time.sleep(chance.uniform(0.5, 2.5))
        reach()
        rate = (len(ledger.acknowledged) - before) / (time.monotonic() - began)
        if rate >= RATE:
            return rate
    raise AssertionError(f"fewer than {RATE} events a second flow")


def _await_processed(processed: Processed, ledger: Ledger, seconds: float = 600) -> None:
    """The lake job may have all of the run before it: it was killed and judges while everything else takes the cores."""
    deadline = time.monotonic() + seconds
    while (found := processed.ids(ledger.merchant)) != set(ledger.acknowledged):
        missing, strange = len(set(ledger.acknowledged) - found), len(found - set(ledger.acknowledged))
        assert time.monotonic() < deadline, f"{missing} acknowledged events are not processed, {strange} others are"
        time.sleep(2)
