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

_PATIENCE = 60.0
_POLL = 0.005


@dataclass(frozen=True)
class Failpoint:
    name: str
    reach: Callable[[Settings, Ledger], None]
    """Returns in the moment."""
    hit: Callable[[Settings, Ledger], str | None]
    """Asked after the kill: what was done and not noted, or None when the kill came too late."""


def _newest(folder: Path) -> int:
    return max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=-1)


def _unfinished(settings: Settings, query: str) -> str | None:
    """A batch whose beginning is in the checkpoint and whose end is not."""
    folder = settings.checkpoints / query
    began, ended = _newest(folder / "offsets"), _newest(folder / "commits")
    return f"batch {began} of {query} began, {ended} was the last to be noted" if began > ended else None


def _until(changed: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not changed():
        assert time.monotonic() < deadline, "the moment did not come"
        time.sleep(_POLL)


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


def _batch_began(settings: Settings, _: Ledger) -> None:
    """Real-Time Mode writes the batch's offsets when it is over, then what its state needs, then that it is done."""
    folder = settings.checkpoints / "live" / "transactions" / "offsets"
    before = _newest(folder)
    _until(lambda: _newest(folder) > before)


def _row_readable(settings: Settings, ledger: Ledger) -> None:
    listening = valkey(settings).pubsub(ignore_subscribe_messages=True)
    listening.subscribe(UPDATES)
    wanted = ledger.merchant.encode()

    def told() -> bool:
        message = listening.get_message(timeout=1)
        return bool(message and wanted in message["data"])

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


def _unanswered(settings: Settings, ledger: Ledger) -> str | None:
    return f"{ledger.unanswered} calls were not acknowledged" if ledger.unanswered else None


def _streaming(query: str, reach: Callable[[Settings, Ledger], None], name: str) -> Failpoint:
    return Failpoint(name, reach, lambda settings, _: _unfinished(settings, query))


FAILPOINTS: dict[str, tuple[Failpoint, ...]] = {
    "ingest": (Failpoint("between Kafka's answer and ours", _call_under_way, _unanswered),),
    "kafka": (Failpoint("while calls wait for it", _call_under_way, _unanswered),),
    "projector": (Failpoint("between the store's write and the committed offset", _row_readable, _uncommitted),),
    "valkey": (Failpoint("just after a row was written", _row_readable, _uncommitted),),
    "postgres": (_streaming("lake/land", _raw_committed, "just after a table's commit"),),
    "live": (_streaming("live/transactions", _batch_began, "between the sink and the commit log"),),
    "lake": (
        _streaming("lake/land", _raw_committed, "between a table's commit and the commit log"),
        _streaming("lake/refine", _processed_sent, "between the topic and the commit log"),
    ),
}
"""By process, in the order of an event's way."""

CHECKPOINTS = {"live": "live/transactions", "lake": "lake/land"}


def forget_last_commit(settings: Settings, process: str) -> str:
    """Takes the newest entry out of the commit log, as if the disk had lost it; says which."""
    folder = settings.checkpoints / CHECKPOINTS[process] / "commits"
    newest = _newest(folder)
    for name in (str(newest), f".{newest}.crc"):
        (folder / name).unlink(missing_ok=True)
    return f"commit {newest} of {CHECKPOINTS[process]} was taken away"
