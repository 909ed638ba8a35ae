"""What comes into each stream a second, and what came and has not landed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec

from headrace.contracts.model import load_contracts
from headrace.settings import Settings
from headrace.streams.admin import admin_client

_SECONDS = 10.0
Offsets = dict[tuple[str, int], int]


class StreamRates:
    """Remembers where the topics ended last, as a rate is a difference."""

    def __init__(self, settings: Settings) -> None:
        self._topics = {contract.name: contract.topic for contract in load_contracts(settings.contracts).values()}
        self._checkpoint = settings.checkpoints / "lake" / "land"
        self._admin = admin_client(settings)
        self._ends: Offsets = {}
        self._at = 0.0

    def look(self) -> Iterator[tuple[str, int | None, float | None]]:
        """Stream, lag, records a second since the last look. Raises KafkaException and TimeoutError."""
        ends, now = self._read(), time.monotonic()
        before, elapsed = self._ends, now - self._at
        self._ends, self._at = ends, now
        landed = _landed(self._checkpoint)
        for name, topic in self._topics.items():
            mine = {place: end for place, end in ends.items() if place[0] == topic}
            came = sum(end - before[place] for place, end in mine.items() if place in before)
            lag = None if landed is None else sum(max(0, end - landed.get(place, 0)) for place, end in mine.items())
            yield name, lag, round(came / elapsed, 2) if before else None

    def _read(self) -> Offsets:
        known: dict[str, Any] = self._admin.list_topics(timeout=_SECONDS).topics
        names = sorted(set(self._topics.values()) & known.keys())
        places = {TopicPartition(name, p): OffsetSpec.latest() for name in names for p in known[name].partitions}
        futures = self._admin.list_offsets(places, request_timeout=_SECONDS) if places else {}
        return {(at.topic, at.partition): future.result(timeout=_SECONDS).offset for at, future in futures.items()}


def _landed(checkpoint: Path) -> Offsets | None:
    """Where the landing query is, from its own checkpoint; None before its first batch or where it is not to be seen."""
    done = [int(path.name) for path in (checkpoint / "commits").glob("[0-9]*")]
    try:
        lines = (checkpoint / "offsets" / str(max(done, default=-1))).read_text().splitlines()
        found = json.loads(lines[-1])
    except (OSError, IndexError, ValueError):
        return None
    return {(topic, int(part)): offset for topic, parts in found.items() for part, offset in parts.items()}
