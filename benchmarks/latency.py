"""How long an event takes from its REST call until its figure can be read in Valkey, for every event of an open loop.

Calls leave by the clock, whether or not earlier ones came back, and each event is timed from the moment when its call was
due: a stall counts for all that wait behind it. A merchant's events leave over one connection and share a key, so they
keep their order; the k-th of a window is readable once the window's row says n >= k, and the store tells of every row
in the moment it is written. The probes are fees of 0.00, which change no sum of money.

Every planned event is counted: it was measured, or left in the warm-up, or failed (not acknowledged), or is missing
(acknowledged and never readable). If any failed or is missing, the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import queue
import socket
import sys
import threading
import time
import uuid
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from typing import Any

import msgspec

from benchmarks.cores import Cores
from benchmarks.results import raw_file
from headrace.live.client import valkey
from headrace.live.layout import UPDATES
from headrace.settings import Settings, get_settings

SPEC = "transactions_1m"
WORKERS = 16
CALLS = 250
"""Calls a second at most; above it a call carries several events, as a busy producer's does."""
EVENTS, AFTER_BATCH_SECONDS = 100_000, 20
"""If nothing else is asked, a rate lasts for so many events, and so long after the live job ended a batch."""
JOIN_SECONDS = 120.0
"""After the last call was due, answers are awaited at most so long; what is left then has failed."""
DRAIN_SECONDS, PATIENCE_SECONDS = 3.0, 90.0
"""After the last call the rows are watched until none has come for so long, at most so long."""
QUANTILES = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "p99_9_ms": 0.999, "max_ms": 1.0}
Row = tuple[int, str]
"""Window and merchant."""


class Update(msgspec.Struct):
    """The part of a row that tells which events are in it, and when it passed which hop."""

    spec: str
    window_start: int
    keys: dict[str, Any]
    n: int
    last_arrived_ms: int
    emitted_ms: int


@dataclass(frozen=True, slots=True)
class Look:
    row: Row
    n: int
    readable: float
    arrived: float
    emitted: float


@dataclass(frozen=True, slots=True)
class Sent:
    row: Row
    due: float
    acknowledged: float


@dataclass(frozen=True)
class Load:
    """What was to be sent, and what was acknowledged, row by row in the order in which it was."""

    began: float
    planned: int
    sent: list[Sent]
    reasons: tuple[str, ...] = ()
    """Why events failed, as far as it is known."""


class Connection:
    """As little of HTTP as the load needs: a client library's parsing would take as much of a core as ingest itself."""

    def __init__(self, settings: Settings) -> None:
        host, port = settings.hosts.ingest, settings.ports.ingest
        self._socket = socket.create_connection((host, port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")
        self._head = (
            f"POST /events/transactions HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            f"X-API-Key: {settings.secret('ingest_api_key')}\r\nContent-Length: "
        )

    def post(self, body: bytes) -> int:
        """The status of the answer, which is read to its end."""
        self._socket.sendall(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
        status = int(self._line().split()[1])
        length = 0
        while (line := self._line().lower()) != b"\r\n":
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self._answers.read(length)
        return status

    def _line(self) -> bytes:
        line = self._answers.readline()
        if not line:
            raise ConnectionError("ingest closed the connection")
        return line

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


class Worker(threading.Thread):
    """Keeps one connection to ingest, for merchants that nobody else sends for; a new one where a call failed."""

    def __init__(self, settings: Settings, merchants: list[str]) -> None:
        super().__init__(daemon=True)
        self._settings, self._merchants, self._next = settings, merchants, 0
        self._connection: Connection | None = None
        self.due: queue.SimpleQueue[tuple[int, float] | None] = queue.SimpleQueue()
        self.sent: list[Sent] = []
        self.reasons: set[str] = set()

    def run(self) -> None:
        while (item := self.due.get()) is not None:
            try:
                self._send(*item)
            except (OSError, ValueError, IndexError) as error:
                # The connection is gone, or what came over it was no answer.
                self.reasons.add(str(error) or type(error).__name__)
                self._close()
        self._close()

    def _send(self, count: int, due: float) -> None:
        now = time.time()
        merchants = [self._merchants[(self._next + i) % len(self._merchants)] for i in range(count)]
        self._next += count
        body = {"events": [probe(merchant, now) for merchant in merchants]}
        self._connection = self._connection or Connection(self._settings)
        if (status := self._connection.post(msgspec.json.encode(body))) >= 300:
            self.reasons.add(f"ingest answered {status}")
            return
        # The event carries milliseconds, and so does its window.
        window = int(int(now * 1000) / 60_000) * 60
        self.sent += [Sent((window, merchant), due, time.time()) for merchant in merchants]

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None


def probe(merchant: str, now: float) -> dict[str, Any]:
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event = {
        "event_id": f"bench-{uuid.uuid4().hex}",
        "event_time": moment,
        "user_id": merchant,
        "merchant_id": merchant,
    }
    return event | {"transaction_type": "fee", "amount": 0, "currency": "EUR", "region": "europe"}


def send(settings: Settings, merchants: list[str], rate: float, seconds: float) -> Load:
    workers = [Worker(settings, merchants[number::WORKERS]) for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    count = max(1, round(rate / CALLS)) if rate > 2 * CALLS else 1
    calls = int(rate * seconds / count)
    began = time.time()
    for number in range(calls):
        due = began + number * count / rate
        if (early := due - time.time()) > 0:
            time.sleep(early)
        workers[number % WORKERS].due.put((count, due))
    for worker in workers:
        worker.due.put(None)
    until = time.monotonic() + JOIN_SECONDS
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
    reasons = {reason for worker in workers for reason in list(worker.reasons)}
    if any(worker.is_alive() for worker in workers):
        reasons.add(f"no answer within {JOIN_SECONDS:.0f} s after the last call was due")
    sent = [one for worker in workers for one in list(worker.sent)]
    return Load(began, calls * count, sent, tuple(sorted(reasons)))


def watch(run: str, stop: Event, ready: Event, looks: Any) -> None:
    """Notes every row of this run in the moment it became readable; a process of its own."""
    listening = valkey(get_settings()).pubsub(ignore_subscribe_messages=True)
    listening.subscribe(UPDATES)
    listening.get_message(timeout=5)
    ready.set()
    decode = msgspec.json.Decoder(list[Update]).decode
    found: list[Look] = []
    last = time.time()
    while not stop.is_set() or time.time() - last < DRAIN_SECONDS:
        if (message := listening.get_message(timeout=0.5)) is None:
            continue
        now = time.time()
        for row in decode(message["data"]):
            if row.spec == SPEC and row.keys["merchant_id"].startswith(run):
                last = now
                place = row.window_start, row.keys["merchant_id"]
                found.append(Look(place, row.n, now, row.last_arrived_ms / 1000, row.emitted_ms / 1000))
    looks.put(found)


def measure(settings: Settings, rate: float, seconds: float, warm: float, merchants: int) -> dict[str, Any]:
    run = f"bench-{uuid.uuid4().hex[:6]}"
    context = multiprocessing.get_context("spawn")
    stop, ready, answers = context.Event(), context.Event(), context.Queue()
    watcher = context.Process(target=watch, args=(run, stop, ready, answers), daemon=True)
    watcher.start()
    if not ready.wait(30):
        raise SystemExit("Valkey does not answer: see `./headrace status`.")
    cores = Cores(settings)
    load = send(settings, [f"{run}-{number}" for number in range(merchants)], rate, warm + seconds)
    taken = cores.by_part()
    stop.set()
    try:
        looks: list[Look] = answers.get(timeout=PATIENCE_SECONDS)
    except queue.Empty:
        raise SystemExit(
            f"Who watched Valkey has told nothing {PATIENCE_SECONDS:.0f} s after the last call: see `./headrace status`."
        ) from None
    watcher.join(10)
    return {"rate": rate, "merchants": merchants, "cores": taken} | summary(load, looks, warm)


def matched(sent: Iterable[Sent], looks: Iterable[Look]) -> Iterator[tuple[Sent, Look | None]]:
    """The k-th acknowledged event of a row, with the first look at it that saw n >= k; None if there was no such look."""
    seen: dict[Row, list[Look]] = defaultdict(list)
    for look in looks:
        seen[look.row].append(look)
    counted: dict[Row, int] = defaultdict(int)
    for one in sent:
        counted[one.row] += 1
        row = seen[one.row]
        first = bisect_left(row, counted[one.row], key=lambda look: look.n)
        yield one, row[first] if first < len(row) else None


def summary(load: Load, looks: list[Look], warm: float) -> dict[str, Any]:
    """What was never acknowledged is what is left of the plan, so that no way to fail can be forgotten."""
    begin = load.began + warm
    whole, rest, after, missing = [], [], [], 0
    for sent, look in matched(load.sent, looks):
        if look is None:
            missing += 1
        elif sent.due >= begin:
            whole.append(look.readable - sent.due)
            rest.append(sent.acknowledged - sent.due)
            after.append(max(0.0, look.readable - sent.acknowledged))
    fresh = [look for look in looks if look.readable > begin]
    hops = {
        "rest_to_acknowledged": figures(rest),
        "acknowledged_to_readable": figures(after),
        "broker_to_emitted": figures([look.emitted - look.arrived for look in fresh]),
        "emitted_to_readable": figures([look.readable - look.emitted for look in fresh]),
    }
    counts = {"planned": load.planned, "sent": len(load.sent), "failed": load.planned - len(load.sent)}
    told = {"events": len(whole), "missing": missing, "reasons": load.reasons, "hops": hops}
    return counts | told | figures(whole)


def losses(result: dict[str, Any]) -> str | None:
    """A sentence for a person if an event is not accounted for."""
    if not result["failed"] and not result["missing"]:
        return None
    why = f" ({'; '.join(result['reasons'])})" if result["reasons"] else ""
    return (
        f"At {result['rate']:.0f} a second, of {result['planned']} events {result['failed']} were not acknowledged{why} and "
        f"{result['missing']} never became readable, so its times are not to be relied on. Next: ./headrace status"
    )


def figures(values: list[float]) -> dict[str, float | None]:
    ordered = sorted(values)

    def at(share: float) -> float | None:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1) if ordered else None

    return {name: at(share) for name, share in QUANTILES.items()}


def show(results: list[dict[str, Any]]) -> None:
    print("From the REST call to a figure that can be read in Valkey.")
    print(
        f"{'rate/s':>8} {'events':>8}",
        *(f"{name.removesuffix('_ms').replace('_', '.'):>8}" for name in QUANTILES),
        "ms",
    )
    for result in results:
        print(f"{result['rate']:>8.0f} {result['events']:>8}", *(f"{result[name]!s:>8}" for name in QUANTILES))
        for hop, found in result["hops"].items():
            print(
                f"{hop.replace('_', ' '):>40}: p50 {found['p50_ms']}, p99 {found['p99_ms']}, max {found['max_ms']} ms"
            )
        shares = ", ".join(f"{part} {share:.2f}" for part, share in result["cores"].items())
        print(f"{'cores taken':>40}: {shares}")


def lasting(settings: Settings, rate: float) -> float:
    """Seconds of a whole measurement: enough events, and at least one end of a batch, which is the slowest moment."""
    return max(EVENTS / rate, settings.live_batch_seconds + AFTER_BATCH_SECONDS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="500", help="events a second, several with commas")
    parser.add_argument(
        "--seconds",
        type=float,
        help=f"of each rate; otherwise as long as {EVENTS:,} events take and a batch of the live job, so that one ends "
        "meanwhile: 320 at 500 a second. 30 is a quick look, 960 sees three batches end",
    )
    parser.add_argument("--warm", type=float, default=20, help="seconds at the rate before the first event counts")
    parser.add_argument("--merchants", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    given = parser.parse_args()
    settings = get_settings()
    results = [
        measure(settings, rate, given.seconds or lasting(settings, rate), given.warm, given.merchants)
        for rate in map(float, given.rates.split(","))
    ]
    raw = raw_file(settings, "latency")
    raw.write_text(json.dumps(results, indent=2))
    if given.json:
        print(json.dumps(results))
    else:
        show(results)
        print(f"Raw results: {raw}")
    told = [sentence for result in results if (sentence := losses(result))]
    for sentence in told:
        print(sentence, file=sys.stderr)
    return 1 if told else 0


if __name__ == "__main__":
    raise SystemExit(main())
