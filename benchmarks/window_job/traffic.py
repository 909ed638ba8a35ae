"""A backlog to work off: an hour of the sample marketplace with repeats, late and bad events, and what must come out.

Every record's time of arrival is written by us, so that an hour can be filled in seconds and still be an hour. What the
windows must be is added up here, in whole cents, while the events are made: no engine is asked.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import msgspec
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from benchmarks.window_job.job import Figures, Place, Windows
from headrace.contracts.model import Contract
from headrace.settings import Settings
from headrace.sources.spoilt import AMOUNT_SPOILERS, SPOILERS
from headrace.sources.traffic import Traffic
from headrace.sources.world import build
from headrace.streams.admin import admin_client
from headrace.streams.topics import producer_config

SPAN = timedelta(minutes=60)
"""Longer than the state is kept, so that every engine has to let go of old windows and ids."""
REPEATED, LATE, BAD = 0.05, 0.03, 0.01
LATENESS_MS = 300_000
"""The platform's default, `lateness_minutes`."""
_SHAPES = 20_000
_RECENT = 5_000
_QUEUED = 100_000
# Flink's JSON format reads a number where text is asked for, and so cannot see this fault.
_FAULTS = [spoil for kind, spoil in (SPOILERS | AMOUNT_SPOILERS).items() if kind != "wrong type"]
_encode = msgspec.json.Encoder(decimal_format="number").encode
# In the range, and yet beyond what the contract calls plausible of this currency.
_FAULTS.append(lambda event, _: _encode({**event, "amount": 750_000, "currency": "USD"}))


@dataclass(frozen=True)
class Shape:
    """A transaction without its id and its time."""

    event: dict[str, Any]
    key: str
    place: tuple[str, ...]
    cents: int
    rest: bytes


@dataclass
class Sums:
    """Windows in the making: [n, total, least, most] of each, in cents."""

    rows: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)

    def add(self, place: tuple[Any, ...], cents: int) -> None:
        row = self.rows.get(place)
        if row is None:
            self.rows[place] = [1, cents, cents, cents]
            return
        row[0] += 1
        row[1] += cents
        if cents < row[2]:
            row[2] = cents
        elif cents > row[3]:
            row[3] = cents

    def windows(self) -> Windows:
        return {
            Place(late, minute * 60, *rest): Figures(row[0], *(Decimal(cents).scaleb(-2) for cents in row[1:]))
            for (late, minute, *rest), row in self.rows.items()
        }


@dataclass
class Backlog:
    """What the topic holds."""

    topic: str
    records: int
    repeated: int
    late: int
    bad: int
    expected: dict[bool, Windows]
    """The windows by whether repeats are left out."""


def shapes(contract: Contract, seed: int) -> list[Shape]:
    """Transactions as the simulator makes them."""
    rng = random.Random(f"{seed}:throughput")
    now = datetime.now(UTC)
    traffic = Traffic(build(seed, now, 30), rng, lambda prefix: f"{prefix}-{rng.getrandbits(64):016x}")
    made = (item.event for _ in iter(int, 1) for item in traffic.transaction(now) if item.stream == contract.name)
    return [_shape(event, contract) for event in islice(made, _SHAPES)]


def _shape(event: dict[str, Any], contract: Contract) -> Shape:
    place = tuple(event[name] for name in ("merchant_id", "transaction_type", "currency", "region"))
    rest = {name: value for name, value in event.items() if name not in ("event_id", "event_time")}
    return Shape(event, event[contract.key], place, int(event["amount"] * 100), _encode(rest)[1:])


def records(
    contract: Contract, events: int, seed: int, began: datetime, backlog: Backlog
) -> Iterator[tuple[str, bytes, int]]:
    """(key, value, moment of arrival in ms) in the order of arrival; counts into the backlog."""
    rng, pool = random.Random(seed), shapes(contract, seed)
    every, once = Sums(), Sums()
    recent: list[tuple[str, bytes, tuple[Any, ...], int, int]] = []
    start_ms, step = int(began.timestamp() * 1000), SPAN.total_seconds() * 1000 / events
    for number in range(events):
        arrived = start_ms + int(number * step)
        draw = rng.random()
        backlog.records += 1
        if draw < REPEATED and recent:
            key, value, place, cents, moment = recent[int(rng.random() * len(recent))]
            backlog.repeated += 1
            # A repeat is late by its own arrival, whatever its first was.
            every.add((arrived > moment + LATENESS_MS, *place[1:]), cents)
            yield key, value, arrived
            continue
        shape = pool[int(rng.random() * _SHAPES)]
        late = draw > 1 - LATE
        moment = arrived - (LATENESS_MS + 60_000 + int(rng.random() * 480_000) if late else int(rng.random() * 2_000))
        event_id = f"tx-{seed}-{number:012d}"
        if REPEATED < draw < REPEATED + BAD:
            backlog.bad += 1
            whole = {**shape.event, "event_id": event_id, "event_time": datetime.fromtimestamp(moment / 1000, UTC)}
            yield shape.key, rng.choice(_FAULTS)(whole, contract), arrived
            continue
        backlog.late += late
        value = b'{"event_id":"%s","event_time":"%s",%s' % (event_id.encode(), _iso(moment), shape.rest)
        place = (late, moment // 60_000, *shape.place)
        every.add(place, shape.cents)
        once.add(place, shape.cents)
        if len(recent) < _RECENT:
            recent.append((shape.key, value, place, shape.cents, moment))
        else:
            recent[number % _RECENT] = (shape.key, value, place, shape.cents, moment)
        yield shape.key, value, arrived
    backlog.expected = {False: every.windows(), True: once.windows()}


_seconds: dict[int, bytes] = {}


def _iso(moment: int) -> bytes:
    second, ms = divmod(moment, 1000)
    text = _seconds.get(second)
    if text is None:
        text = _seconds[second] = f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}".encode()
    return b"%s.%03dZ" % (text, ms)


def fill(settings: Settings, contract: Contract, topic: str, events: int, seed: int) -> Backlog:
    """Makes the topic and writes the backlog into it; every record is acknowledged."""
    backlog = Backlog(topic, 0, 0, 0, 0, {})
    create(settings, topic)
    producer = Producer(producer_config(settings, "throughput") | {"queue.buffering.max.messages": 2 * _QUEUED})
    began = datetime.now(UTC) - SPAN - timedelta(minutes=1)
    for key, value, arrived in records(contract, events, seed, began, backlog):
        # A full queue gets half a minute; then the broker is gone, and nothing is written to whatever takes its place.
        deadline = time.monotonic() + 30
        while len(producer) >= _QUEUED:
            if time.monotonic() > deadline:
                raise ConnectionError("Kafka takes no more records: see `./headrace status`.")
            producer.poll(0.1)
        producer.produce(topic, value, key, timestamp=arrived)
    if left := producer.flush(60):
        raise ConnectionError(f"Kafka did not take {left} records of the backlog: see `./headrace status`.")
    return backlog


def create(settings: Settings, topic: str) -> None:
    config = {"compression.type": "producer", "message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    new = NewTopic(topic, settings.kafka_partitions, settings.kafka_replication, config=config)
    client = admin_client(settings)
    client.create_topics([new])[topic].result(30)


def drop(settings: Settings, stem: str) -> None:
    """The topic, and those that an engine named after it."""
    client = admin_client(settings)
    if topics := [name for name in client.list_topics(timeout=20).topics if stem in name]:
        for future in client.delete_topics(topics).values():
            future.result(30)
