"""A burst of ten times the rate, and records that nobody should send: nothing is lost or reordered, no process ends.

What was seen is printed: rates, memory, and how far the readers were behind.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from headrace.contracts.explain import example
from headrace.contracts.model import Contract
from headrace.contracts.structs import EventCodec
from headrace.runtime import jobs
from headrace.runtime.stream_rates import StreamRates
from headrace.semantics import live_specs
from headrace.settings import Settings
from headrace.streams import heartbeat, published
from headrace.streams.deadletters import reading
from headrace.streams.deadletters.selection import Selection
from headrace.streams.topics import METRICS
from tests.conftest import headrace
from tests.faults.poison import poisons, send
from tests.journeys.ledger import Ledger
from tests.processes import await_true, part_of

PARTS = ("ingest", "projector", "sessions", "sinks", "anomalies")
STREAM = "transactions"
STEADY_SECONDS, BURST_SECONDS = 15, 20
BOUND_MB = {"live": 500, "projector": 150, "ingest": 150}
"""What a burst may add to the memory of a process."""


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Iterator[Settings]:
    settings = start_parts("kafka", "postgres", "valkey", "registry", "trino", *PARTS)
    live_specs.publish(settings)
    for job in jobs.JOBS:
        jobs.start(job, settings)
    first = Ledger(settings)
    first.send(100)
    first.await_exact(seconds=300)
    yield settings
    for job in jobs.JOBS:
        jobs.stop(job, settings=settings)


@pytest.fixture
def untouched(settings: Settings) -> Iterator[None]:
    """No process ended, and every one is well in the end."""
    before = {name: part_of(settings, name).pid for name in (*PARTS, *jobs.JOBS)}
    yield
    for name, pid in before.items():
        await_true(lambda name=name: part_of(settings, name).healthy, 60, f"{name} is not well")
        assert part_of(settings, name).pid == pid, f"{name} ended meanwhile"
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        await_true(lambda: _errors(connection) == [], 60, f"a sink is stopped: {_errors(connection)}")


def _errors(connection: psycopg.Connection[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return connection.execute("select name, error from sinks where error is not null").fetchall()


class Gauge:
    """Looks once a second at memory and at how far the readers are behind."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._stop = settings, threading.Event()
        self.memory: dict[str, list[int]] = defaultdict(list)
        self.lag: dict[str, list[int]] = defaultdict(list)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        from headrace.runtime.status import memory

        rates = StreamRates(self._settings)
        pids = {name: part_of(self._settings, name).pid for name in BOUND_MB}
        while not self._stop.wait(1):
            for name, pid in pids.items():
                self.memory[name].append(memory(pid))
            for job in jobs.JOBS:
                beat = heartbeat.read(self._settings, job)
                self.lag[job].append(beat.lag or 0 if beat else 0)
            self.lag["raw"].append(next(lag for name, lag, _ in rates.look() if name == STREAM) or 0)

    def end(self) -> None:
        self._stop.set()
        self._thread.join(30)


def _shown(settings: Settings) -> dict[str, int | None]:
    """The lag that a person sees of each job."""
    said = headrace("status", "--json", home=settings.home, check=False)
    return {part["name"]: part["lag"] for part in json.loads(said.stdout)["parts"] if part["name"] in jobs.JOBS}


def test_a_burst_is_taken_in_order_and_in_bounded_memory(
    settings: Settings, untouched: None, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, gauge = Ledger(settings, batch=30, pause=0.25, repeated=1000), Gauge(settings)
    ledger.send_meanwhile()
    time.sleep(STEADY_SECONDS)
    steady = len(ledger.acknowledged) / STEADY_SECONDS
    calm = {name: max(seen) for name, seen in gauge.memory.items()}
    burst = Ledger(settings, ledger.merchant, batch=500, repeated=1000, pause=0.05, acknowledged=ledger.acknowledged)
    before = len(ledger.acknowledged)
    burst.send_meanwhile(senders=4)
    time.sleep(BURST_SECONDS)
    burst.finish()
    rate = (len(ledger.acknowledged) - before) / BURST_SECONDS
    shown = _shown(settings)
    ledger.finish()
    ledger.await_exact(seconds=240)
    await_true(lambda: not any(seen[-1] for seen in gauge.lag.values()), 120, "somebody stays behind")
    gauge.end()
    grown = {name: max(seen) - calm[name] for name, seen in gauge.memory.items()}
    peaks = {name: max(seen) for name, seen in gauge.lag.items()}
    with capsys.disabled():
        print(f"\n{steady:.0f} events/s, then {rate:.0f}; memory {calm} MB and at most {grown} more;", end=" ")
        print(f"records behind: at most {peaks}, shown {shown}; {len(ledger.acknowledged)} events")
    assert rate >= 10 * steady
    assert max(peaks.values()) > 0
    assert None not in shown.values()
    assert all(grown[name] <= bound for name, bound in BOUND_MB.items()), grown
    _in_order(settings, ledger)


def _in_order(settings: Settings, ledger: Ledger) -> None:
    """Of each key, events lie in its topic in the order in which they were sent."""
    contract = published.read(settings)[STREAM]
    seen: dict[tuple[str, bytes], str] = {}
    ids: set[str] = set()
    for message in reading.records(settings, contract.topic):
        event = json.loads(message.value())
        if event["merchant_id"] != ledger.merchant or event["event_id"] in ids:
            continue
        ids.add(event["event_id"])
        place = event["user_id"], message.key()
        assert event["event_time"] >= seen.get(place, ""), f"{place} is out of order"
        seen[place] = event["event_time"]
    assert ids == set(ledger.acknowledged)


def _good(contract: Contract) -> dict[str, object]:
    return example(EventCodec(contract, future=timedelta()), datetime.now(UTC))


def test_a_record_that_nobody_should_send_stops_nobody(
    settings: Settings, untouched: None, capsys: pytest.CaptureFixture[str]
) -> None:
    contracts = published.read(settings)
    ledger, placed = Ledger(settings, batch=50, pause=0.1), {}
    ledger.send_meanwhile()
    for stream, text in ((STREAM, "user_id"), ("app_events", "user_id"), ("merchants", "merchant_id")):
        contract = contracts[stream]
        bad = poisons(_good(contract), text)
        if contract.history:
            # It deletes the entity of its key.
            bad = [one for one in bad if one.value is not None or one.key is None]
        placed |= send(settings, contract.topic, bad)
        # What only the platform writes may be written by others too.
        for topic in (contract.processed_topic, METRICS):
            send(settings, topic, [one for one in bad if one.value is not None or one.key is not None])
    time.sleep(10)
    ledger.finish()
    found: dict[str, str] = {}

    def all_told() -> bool:
        found.update({letter.name: letter.rule for letter in reading.select(settings, Selection.of(placed))})
        return len(found) == len(placed)

    deadline = time.monotonic() + 240
    while not all_told() and time.monotonic() < deadline:
        time.sleep(2)
    assert {name: placed[name] for name in placed.keys() - found.keys()} == {}, "no dead letter was written of these"
    wrong = {one.name: found[name] for name, one in placed.items() if one.rule and found[name] != one.rule}
    with capsys.disabled():
        print(
            f"\n{len(placed)} records refused, by {len(set(found.values()))} rules; {len(ledger.acknowledged)} good events"
        )
    assert wrong == {}
    ledger.await_exact(seconds=240)
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        command = "select coalesce(sum(refused), 0) from session_streams where stream = 'app_events'"
        expected = len([name for name in placed if name.startswith(contracts["app_events"].topic)])
        await_true(lambda: connection.execute(command).fetchone() == (expected,), 60, "sessions passed some by")
