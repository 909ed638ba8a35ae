"""The moments in which a kill hurts most: between an effect and the note of it. Seen from outside, so that the code
under test is the code that runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from confluent_kafka import Consumer, TopicPartition

from headrace.live.client import valkey
from headrace.live.layout import UPDATES
from headrace.settings import Settings
from headrace.streams.topics import METRICS
from tests.journeys.ledger import Ledger
from tests.processes import await_true

_PATIENCE = 120.0
_POLL = 0.005


@dataclass(frozen=True)
class Failpoint:
    name: str
    reach: Callable[[Settings, Ledger], None]
    """Returns in the moment."""
    hit: Callable[[Settings, Ledger], str | None]
    """Asked while it is dead: what was done and not noted, or None when the kill came too late."""
    needs: tuple[str, ...] = ()
    """What has to work for the moment to come."""


def _newest(folder: Path) -> int:
    return max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=-1)


def _unfinished(settings: Settings, query: str) -> str | None:
    """A batch whose beginning is in the checkpoint and whose end is not."""
    folder = settings.checkpoints / query
    began, ended = _newest(folder / "offsets"), _newest(folder / "commits")
    return f"batch {began} of {query} began, {ended} was the last to be noted" if began > ended else None


def _until(changed: Callable[[], bool]) -> None:
    await_true(changed, _PATIENCE, "the moment did not come", pause=_POLL)


def _raw_committed(settings: Settings, _: Ledger) -> None:
    """A batch has just become visible in raw, and its checkpoint does not know."""
    query = "select metadata_location from iceberg_tables where table_namespace = 'raw' and table_name = 'transactions'"
    with psycopg.connect(settings.postgres_dsn("iceberg"), autocommit=True) as connection:

        def location() -> object:
            return connection.execute(query).fetchone()

        before = location()
        _until(lambda: location() != before)


def _ends(settings: Settings, topic: str) -> int:
    """How many records the topic has been given."""
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": "failpoints", "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        return sum(consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in partitions)
    finally:
        consumer.close()


def _processed_sent(settings: Settings, _: Ledger) -> None:
    topic = "processed_transactions"
    before = _ends(settings, topic)
    _until(lambda: _ends(settings, topic) > before)


def _batch_ended(settings: Settings, _: Ledger) -> None:
    """Real-Time Mode writes the batch's offsets when it is over, then what its state needs, then that it is done."""
    _grows(settings.checkpoints / "live" / "transactions" / "offsets")


def _grows(log: Path) -> None:
    before = _newest(log)
    _until(lambda: _newest(log) > before)


def _row_readable(settings: Settings, ledger: Ledger) -> None:
    listening = valkey(settings).pubsub(ignore_subscribe_messages=True)
    listening.subscribe(UPDATES)

    def told() -> bool:
        message = listening.get_message(timeout=1)
        return bool(message and ledger.merchant in message["data"])

    _until(told)
    listening.close()


def _uncommitted(settings: Settings, _: Ledger) -> str | None:
    """Rows in the store whose offsets the projector had not yet committed."""
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": "projector", "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(METRICS, timeout=10).topics[METRICS].partitions
        places = consumer.committed([TopicPartition(METRICS, p) for p in partitions], timeout=10)
        behind = _ends(settings, METRICS) - sum(max(place.offset, 0) for place in places)
    finally:
        consumer.close()
    return f"{behind} rows were sent and not yet committed by the projector" if behind > 0 else None


def _call_under_way(settings: Settings, ledger: Ledger) -> None:
    before = len(ledger.acknowledged)
    _until(lambda: len(ledger.acknowledged) > before)


def _unanswered(_: Settings, ledger: Ledger) -> str | None:
    deadline = time.monotonic() + 5
    while not ledger.unanswered and time.monotonic() < deadline:
        time.sleep(_POLL)
    return f"{ledger.unanswered} calls were not acknowledged" if ledger.unanswered else None


def _waiting(_: Settings, ledger: Ledger) -> str | None:
    before = len(ledger.acknowledged)
    time.sleep(0.5)
    return None if len(ledger.acknowledged) > before else "calls wait, none is acknowledged"


def _streaming(
    query: str, reach: Callable[[Settings, Ledger], None], name: str, needs: tuple[str, ...] = ()
) -> Failpoint:
    return Failpoint(name, reach, lambda settings, _: _unfinished(settings, query), needs)


def _forgotten(query: str) -> Failpoint:
    """A batch is over, its effects are seen, its state is saved; and the disk has lost the note of it."""

    def noted(settings: Settings, _: Ledger) -> None:
        _grows(settings.checkpoints / query / "commits")

    def forget(settings: Settings, _: Ledger) -> str:
        folder = settings.checkpoints / query
        began, ended = _newest(folder / "offsets"), _newest(folder / "commits")
        for name in (str(ended), f".{ended}.crc"):
            (folder / "commits" / name).unlink(missing_ok=True)
        then = "is to be run again" if began == ended else f"had been followed by the beginning of {began}"
        return f"the note that batch {ended} of {query} was done is taken away, which {then}"

    return Failpoint("just after a batch, its commit entry then lost", noted, forget)


def unnoted(settings: Settings) -> dict[str, list[int]]:
    """Batches between the oldest and the newest of a commit log that it does not hold: what was lost and not run again."""
    found = {}
    for query in ("live/transactions", "lake/land", "lake/refine"):
        held = {int(path.name) for path in (settings.checkpoints / query / "commits").iterdir() if path.name.isdigit()}
        found[query] = sorted(set(range(min(held), max(held))) - held)
    return {query: batches for query, batches in found.items() if batches}


FAILPOINTS: dict[str, tuple[Failpoint, ...]] = {
    "live": (
        _streaming("live/transactions", _batch_ended, "between the sink and the commit log"),
        _forgotten("live/transactions"),
    ),
    "ingest": (Failpoint("between Kafka's answer and ours", _call_under_way, _unanswered),),
    "postgres": (_streaming("lake/land", _raw_committed, "just after a table's commit", needs=("lake",)),),
    "kafka": (Failpoint("while calls wait for it", _call_under_way, _waiting),),
    "projector": (
        Failpoint("between the store's write and the committed offset", _row_readable, _uncommitted, needs=("live",)),
    ),
    "valkey": (Failpoint("just after a row was written", _row_readable, _uncommitted, needs=("live",)),),
    "lake": (
        _streaming("lake/land", _raw_committed, "between a table's commit and the commit log"),
        _forgotten("lake/land"),
        _streaming("lake/refine", _processed_sent, "between the topic and the commit log"),
        _forgotten("lake/refine"),
    ),
}
"""By process, in the order of a round: while a job comes back, those are killed that do not need it."""
