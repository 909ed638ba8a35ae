"""The window job on Quix Streams: the same gate, count of an id, and windows, in plain Python; run in the `bench` environment.

Python uses one core a process, so there is one process for each core, and they share the topic as one consumer group.
Each is a whole application: state in RocksDB with a changelog topic, and what it read, passed on and kept is committed as
one transaction. Its shuffle is a topic, of which nothing is seen before it is committed: so it commits every second.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from confluent_kafka import Producer
from quixstreams import Application
from quixstreams.dataframe.windows.aggregations import Count, Max, Min, Sum
from quixstreams.sinks.base import BaseSink

COMMIT_SECONDS = 1.0
SILENT_SECONDS = 8.0
"""An application has no end: it stops when nothing came for so long. This is not counted."""
_MARK = "\x1f"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Reference = Annotated[str, msgspec.Meta(max_length=64)] | None


class Transaction(msgspec.Struct):
    """What the contract asks of an event."""

    event_id: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
    event_time: datetime
    user_id: Name
    merchant_id: Name
    transaction_type: Literal["purchase", "refund", "fee", "payout"]
    amount: Decimal
    currency: Literal["USD", "EUR", "GBP", "JPY", "BRL", "INR"]
    region: Literal["north_america", "south_america", "europe", "asia"]
    product_id: Reference = None
    order_id: Reference = None
    refund_of: Reference = None


_decode = msgspec.json.Decoder(Transaction).decode


class Gate:
    """Bytes to what is counted, or None where the event is refused."""

    def __init__(self, lateness_minutes: int, future_minutes: int) -> None:
        self._late_ms, self._future_ms = lateness_minutes * 60_000, future_minutes * 60_000

    def __call__(self, value: bytes, _key: Any, arrived: int, _headers: Any) -> dict[str, Any] | None:
        try:
            event = _decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        cents = event.amount * 100
        moment = round(event.event_time.replace(tzinfo=event.event_time.tzinfo or UTC).timestamp() * 1000)
        most = 50_000_000 if event.currency in ("USD", "EUR", "GBP") else 100_000_000
        if not 0 <= cents <= most or cents % 1 or moment > arrived + self._future_ms:
            return None
        late = "late" if arrived > moment + self._late_ms else ""
        place = _MARK.join((late, event.merchant_id, event.transaction_type, event.currency, event.region))
        return {"id": event.event_id, "moment": moment, "place": place, "cents": int(cents)}


class Newest(BaseSink):
    """Keeps the newest row of each window until the state is committed, then writes it: at least once, as the others do."""

    def __init__(self, kafka: str, topic: str) -> None:
        super().__init__()
        self._producer = Producer({"bootstrap.servers": kafka, "compression.type": "lz4", "linger.ms": 20})
        self._topic = topic
        self._rows: dict[tuple[str, int], dict[str, Any]] = {}
        self.last = 0.0
        self.checkpoints = 0

    def add(self, value: Any, key: Any, timestamp: int, headers: Any, topic: str, partition: int, offset: int) -> None:
        self._rows[key, timestamp] = value

    def flush(self) -> None:
        if not self._rows:
            return
        for (place, start), row in self._rows.items():
            self._producer.produce(self._topic, _message(place, start, row), f"{place}{_MARK}{start}")
        if left := self._producer.flush(60):
            raise ConnectionError(f"Kafka did not take {left} windows.")
        self._rows.clear()
        self.checkpoints += 1
        self.last = time.time()


def _message(place: str, start: int, row: dict[str, Any]) -> bytes:
    late, *keys = place.split(_MARK)
    names = ("merchant_id", "transaction_type", "currency", "region")
    sums = {f"amount_{name}": str(Decimal(row[name]).scaleb(-2)) for name in ("sum", "min", "max")}
    return msgspec.json.encode(
        {"spec": "transactions_1m", "window_start": start // 1000, "window_seconds": 60, "late": bool(late),
         "keys": dict(zip(names, keys, strict=True)), "n": row["n"], "values": {"transactions": row["n"], **sums}}
    )  # fmt: skip


def work(given: dict[str, Any], number: int, said: Any) -> None:
    kept = timedelta(minutes=given["live_state_minutes"])
    application = Application(
        broker_address=given["kafka"], consumer_group=given["output"], auto_offset_reset="earliest", loglevel="WARNING",
        state_dir=Path(given["state"]) / str(number), commit_interval=COMMIT_SECONDS, processing_guarantee="exactly-once",
        producer_extra_config={"compression.type": "lz4"},
    )  # fmt: skip
    sink = Newest(given["kafka"], given["output"])
    rows = application.dataframe(
        application.topic(given["topic"], value_deserializer="bytes", key_deserializer="bytes")
    )
    rows = rows.apply(Gate(given["lateness_minutes"], given["future_minutes"]), metadata=True)
    rows = rows.filter(lambda event: event is not None)
    rows = rows.set_timestamp(lambda event, *_: event["moment"])
    if given["dedupe"]:
        rows = rows.filter(lambda event, state: _first(event["id"], state, kept), stateful=True)
    rows = rows.apply(lambda event: {"place": event["place"], "cents": event["cents"]})
    rows = rows.group_by(lambda event: event["place"], name="place", key_serializer="string", key_deserializer="string")
    # The clock of a window is the newest event of its key, whichever partition of the backlog it was read from.
    windows = rows.tumbling_window(timedelta(minutes=1), grace_ms=kept + timedelta(minutes=given["span_minutes"])).agg(
        n=Count(), sum=Sum("cents"), min=Min("cents"), max=Max("cents")
    )
    windows.current().sink(sink)
    began = time.time()
    application.run(timeout=SILENT_SECONDS, collect=False)
    said.put({"began": began, "last": sink.last, "checkpoints": sink.checkpoints})


def _first(event_id: str, state: Any, kept: timedelta) -> bool:
    if state.get_bytes(event_id) is not None:
        return False
    state.set_bytes(event_id, b"", ttl=kept)
    return True


def main() -> None:
    given = json.loads(sys.argv[1])
    context = multiprocessing.get_context("spawn")
    said = context.Queue()
    workers = [context.Process(target=work, args=(given, number, said)) for number in range(given["cores"])]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        sys.exit("A worker failed; its words are above.")
    found = [said.get(timeout=10) for _ in workers]
    report = {
        "began": min(each["began"] for each in found),
        "last": max(each["last"] for each in found),
        "checkpoints": max(each["checkpoints"] for each in found),
    }
    Path(given["report"]).write_text(json.dumps(report))


if __name__ == "__main__":
    main()
