"""How long an event takes from its REST call until it can be read in Valkey, for every event of an open loop.

Events leave by the clock, whether or not earlier ones came back, and each is timed from the moment when it was due: a
stall counts for all that wait behind it. Events of one probe merchant share a key and so keep their order; the k-th of
a window is readable once the window's row says n >= k. The probes are fees of 0.00, which change no sum of money.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import queue
import threading
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from typing import Any

import msgspec

from headrace.live.client import valkey
from headrace.live.layout import field_of, window_key
from headrace.settings import Settings, get_settings

SPEC = "transactions_1m"
MERCHANTS = 40
WORKERS = 24
WARM_SECONDS = 5.0
_KEYS = ("fee", "EUR", "europe")
Row = tuple[int, str]
Seen = tuple[int, str, int, float, int, int]
"""(window, merchant, n, when it was read, last_arrived_ms, emitted_ms)"""


@dataclass(frozen=True)
class Sent:
    row: Row
    due: float
    acknowledged: float


def probe(merchant: str, now: float) -> dict[str, Any]:
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event = {
        "event_id": f"bench-{uuid.uuid4().hex}",
        "event_time": moment,
        "user_id": merchant,
        "merchant_id": merchant,
    }
    return event | {"transaction_type": "fee", "amount": 0, "currency": "EUR", "region": "europe"}


class Load:
    """Worker threads that each keep one connection to ingest."""

    def __init__(self, settings: Settings, merchants: list[str]) -> None:
        self._settings, self._merchants = settings, merchants
        self._due: queue.SimpleQueue[tuple[int, float] | None] = queue.SimpleQueue()
        self.sent: list[Sent] = []
        self.failed = 0
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]

    def run(self, rate: float, seconds: float) -> None:
        for thread in self._threads:
            thread.start()
        began = time.time()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (early := due - time.time()) > 0:
                time.sleep(early)
            self._due.put((number, due))
        for _ in self._threads:
            self._due.put(None)
        for thread in self._threads:
            thread.join(60)

    def _work(self) -> None:
        connection = http.client.HTTPConnection(self._settings.hosts.ingest, self._settings.ports.ingest, timeout=30)
        headers = {"X-API-Key": self._settings.secret("ingest_api_key"), "Content-Type": "application/json"}
        while (item := self._due.get()) is not None:
            number, due = item
            merchant = self._merchants[number % len(self._merchants)]
            now = time.time()
            connection.request("POST", "/events/transactions", msgspec.json.encode(probe(merchant, now)), headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status >= 300:
                self.failed += 1
                continue
            # The event carries milliseconds, and so does its window.
            self.sent.append(Sent((int(int(now * 1000) / 60_000) * 60, merchant), due, time.time()))
        connection.close()


def watch(merchants: list[str], stop: Event, seen: Any) -> None:
    """Reads the probes' rows again and again, and notes every change with its time; runs as a process of its own."""
    client = valkey(get_settings())
    fields = [field_of(False, (merchant, *_KEYS)) for merchant in merchants]
    last: dict[Row, int] = {}
    found: list[Seen] = []
    while not stop.is_set():
        window = int(time.time() // 60) * 60
        pipeline = client.pipeline(transaction=False)
        for start in (window - 60, window):
            pipeline.hmget(window_key(SPEC, start), fields)
        answers = pipeline.execute()
        now = time.time()
        for start, rows in zip((window - 60, window), answers, strict=True):
            for merchant, text in zip(merchants, rows, strict=True):
                if text is None:
                    continue
                body = msgspec.json.decode(text)
                if last.get((start, merchant)) != body["n"]:
                    last[start, merchant] = body["n"]
                    found.append((start, merchant, body["n"], now, body["last_arrived_ms"], body["emitted_ms"]))
    seen.put(found)


def measure(settings: Settings, rate: float, seconds: float) -> dict[str, Any]:
    run = uuid.uuid4().hex[:6]
    merchants = [f"bench-{run}-{number}" for number in range(MERCHANTS)]
    context = multiprocessing.get_context("spawn")
    stop, answers = context.Event(), context.Queue()
    watcher = context.Process(target=watch, args=(merchants, stop, answers), daemon=True)
    watcher.start()
    time.sleep(1.0)
    load = Load(settings, merchants)
    load.run(rate, WARM_SECONDS + seconds)
    time.sleep(3.0)
    stop.set()
    seen: list[Seen] = answers.get(timeout=30)
    watcher.join(10)
    return summary(rate, load, seen)


def summary(rate: float, load: Load, seen: list[Seen]) -> dict[str, Any]:
    """Matches the k-th acknowledged event of a row with the first look that saw n >= k."""
    looks: dict[Row, list[tuple[int, float]]] = defaultdict(list)
    for window, merchant, n, at, _, _ in seen:
        looks[window, merchant].append((n, at))
    begin = min(sent.due for sent in load.sent) + WARM_SECONDS
    whole, rest, after, missing = [], [], [], 0
    rows: dict[Row, list[Sent]] = defaultdict(list)
    for sent in sorted(load.sent, key=lambda item: item.due):
        rows[sent.row].append(sent)
    for row, events in rows.items():
        for k, sent in enumerate(events, start=1):
            at = next((moment for n, moment in looks[row] if n >= k), None)
            if sent.due < begin:
                continue
            if at is None:
                missing += 1
                continue
            whole.append(at - sent.due)
            rest.append(sent.acknowledged - sent.due)
            after.append(max(0.0, at - sent.acknowledged))
    fresh = [look for look in seen if look[3] > begin]
    hops = {
        "rest_to_acknowledged": figures(rest),
        "acknowledged_to_readable": figures(after),
        "broker_to_emitted": figures([(emitted - arrived) / 1000 for *_, arrived, emitted in fresh]),
        "emitted_to_readable": figures([at - emitted / 1000 for _, _, _, at, _, emitted in fresh]),
    }
    return {
        "rate": rate,
        "events": len(whole),
        "missing": missing,
        "failed": load.failed,
        **figures(whole),
        "hops": hops,
    }


def figures(values: list[float]) -> dict[str, float | None]:
    ordered = sorted(values)

    def at(share: float) -> float | None:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1) if ordered else None

    return {"p50_ms": at(0.5), "p90_ms": at(0.9), "p99_ms": at(0.99), "max_ms": at(1.0)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", default="500", help="events a second, several with commas")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    given = parser.parse_args()
    settings = get_settings()
    results = [measure(settings, float(rate), given.seconds) for rate in given.rates.split(",")]
    raw = settings.run / "bench" / f"latency-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.write_text(json.dumps(results, indent=2))
    if given.json:
        print(json.dumps(results))
        return 0 if all(not r["missing"] and not r["failed"] for r in results) else 1
    print(
        f"{'rate/s':>8} {'events':>8} {'p50 ms':>8} {'p90 ms':>8} {'p99 ms':>8} {'max ms':>8}  REST call → readable in Valkey"
    )
    for result in results:
        cells = (result[name] for name in ("p50_ms", "p90_ms", "p99_ms", "max_ms"))
        print(f"{result['rate']:>8.0f} {result['events']:>8}", *(f"{cell!s:>8}" for cell in cells))
        if result["missing"] or result["failed"]:
            print(
                f"{result['missing']} events never became readable and {result['failed']} were not acknowledged: see `./headrace status`."
            )
        for hop, found in result["hops"].items():
            print(f"{hop:>32}: p50 {found['p50_ms']}, p99 {found['p99_ms']} ms")
    print(f"Raw results: {raw}")
    return 0 if all(not r["missing"] and not r["failed"] for r in results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
