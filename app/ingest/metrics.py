"""What Prometheus reads of this service."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest

EVENTS = Counter("headrace_ingest_events", "Events acknowledged by Kafka.", ["stream"])
REQUESTS = Counter("headrace_ingest_requests", "Requests by stream and status.", ["stream", "status"])
SECONDS = Histogram(
    "headrace_ingest_seconds",
    "From request to acknowledgement.",
    ["stream"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
QUEUED = Gauge("headrace_ingest_queued", "Records that wait for Kafka.")


def watch_queue(size: Callable[[], int]) -> None:
    QUEUED.set_function(size)


def text() -> bytes:
    return generate_latest(REGISTRY)
