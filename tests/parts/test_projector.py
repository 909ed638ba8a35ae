"""The projector and the live store on real Kafka, PostgreSQL and Valkey: what is freed stays freed, countings never mix."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer

from headrace.lake import coverage
from headrace.live.client import valkey
from headrace.live.layout import RUN
from headrace.live.projector import Projector
from headrace.live.store import LiveStore
from headrace.semantics import comparisons
from headrace.settings import Settings
from headrace.streams.topics import METRICS, producer_config

SECONDS = 60
MINUTE = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
OLD, NEW = 1_000_000, 1_000_100
"""Two countings, as their rows name them: by the second of their beginning."""


class Topic:
    """Writes rows as the live job does, and lets the projector read them."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._producer = settings, Producer(producer_config(settings))
        self.client = valkey(settings)
        self.store = LiveStore(self.client)
        self._projector: Projector | None = None

    def send(self, spec: str, n: int, generation: int = OLD, *, minute: int = 0, late: bool = False, arrived: int = 0,
             **keys: str) -> None:  # fmt: skip
        row = {
            "spec": spec, "window_start": int(MINUTE.timestamp()) + 60 * minute, "late": late, "keys": keys, "n": n,
            "generation": generation, "values": {"count": n}, "last_arrived_ms": arrived * 1000,
        }  # fmt: skip
        self.put(json.dumps(row).encode(), json.dumps([spec, minute, late, *keys.values()]))

    def put(self, value: bytes, key: str) -> None:
        self._producer.produce(METRICS, value, key=key)
        assert self._producer.flush(30) == 0

    def read(self, seen: Callable[[], Any], wanted: Any) -> None:
        self._projector = self._projector or Projector(self._settings)
        deadline = time.monotonic() + SECONDS
        while (found := seen()) != wanted:
            assert time.monotonic() < deadline, f"{found} instead of {wanted}"
            try:
                self._projector.step()
            except KafkaException:
                # As the part itself does: a broker that has just started knows no coordinator yet.
                self._projector.lost_connection()
                time.sleep(0.2)

    def begin_anew(self) -> None:
        """A store that lost everything, and a projector that knows nothing."""
        self.close()
        self.client.flushall()
        self.read(lambda: self.client.get(RUN), self.client.info("server")["run_id"])

    def close(self) -> None:
        if self._projector is not None:
            self._projector.close()
            self._projector = None

    def rows(self, spec: str) -> dict[tuple[int, bool, tuple[Any, ...]], int]:
        """(minute, late, keys) -> n."""
        return {
            (int((row.window_start - MINUTE).total_seconds() // 60), late, tuple(row.keys.values())): row.n
            for late in (False, True)
            for row in self.store.windows(spec, MINUTE - timedelta(days=9), MINUTE + timedelta(hours=9), late=late)
        }

    def counts(self, spec: str) -> dict[int, int]:
        """Events by minute, whatever their keys: what no reader may see fall or double."""
        found: dict[int, int] = {}
        for (minute, _, _), n in self.rows(spec).items():
            found[minute] = found.get(minute, 0) + n
        return found


@pytest.fixture
def topic(start_parts: Callable[..., Settings]) -> Iterator[Topic]:
    topic = Topic(start_parts("kafka", "postgres", "valkey"))
    yield topic
    topic.close()


def test_what_was_freed_is_not_brought_back(topic: Topic) -> None:
    settings = topic._settings
    for minute in range(-3, 1):
        topic.send("freed", 2, minute=minute, key="a")
    topic.send("freed", 1, minute=-3, late=True, key="a")
    topic.read(lambda: topic.counts("freed"), {-3: 3, -2: 2, -1: 2, 0: 2})
    through = MINUTE - timedelta(minutes=1)
    comparisons.write(settings, "freed", through, [], held_since=through)
    assert topic.store.prune("freed", through) == 2
    topic.begin_anew()
    assert topic.counts("freed") == {-1: 2, 0: 2}
    assert topic.store.since("freed") == through
    comparisons.write(settings, "freed", through, [], held_since=through - timedelta(hours=1))
    topic.send("freed", 2, minute=-2, late=True, key="b")
    topic.send("freed", 3, key="a")
    topic.read(lambda: topic.counts("freed"), {-1: 2, 0: 3})
    coverage.withdraw(settings, MINUTE - timedelta(minutes=2))
    topic.begin_anew()
    assert topic.counts("freed") == {-2: 4, -1: 2, 0: 3}, "a claim that was taken back frees nothing"


def test_a_counting_of_other_keys_takes_over_whole(topic: Topic) -> None:
    def seen() -> dict[int, int]:
        return topic.counts("keys")

    topic.begin_anew()
    for key in ("a", "b"):
        topic.send("keys", 5, key=key)
    topic.send("keys", 2, late=True, key="a")
    topic.read(seen, {0: 12})
    # The new one counts by two keys, and what was late is in time for it.
    topic.send("keys", 4, NEW, key="a", other="x")
    topic.send("keys", 1, NEW, minute=1, key="a", other="x")
    topic.read(seen, {0: 12, 1: 1})
    assert {keys for _, _, keys in topic.rows("keys")} == {("a",), ("b",), ("a", "x")}, "a window shows one counting"
    topic.send("keys", 8, NEW, key="a", other="x")
    topic.send("keys", 6, NEW, key="b", other="y")
    topic.send("keys", 2, NEW, minute=1, key="a", other="x", arrived=NEW)
    lowest: list[int] = []

    def done() -> bool:
        lowest.append(sum(seen().values()))
        return topic.rows("keys").keys() == {(0, False, ("a", "x")), (0, False, ("b", "y")), (1, False, ("a", "x"))}

    topic.read(done, True)
    assert seen() == {0: 14, 1: 2}
    assert lowest == sorted(lowest), "figures went back, or were doubled for a while"
    topic.send("keys", 9, OLD, key="b")
    topic.send("keys", 3, NEW, minute=1, key="a", other="x", arrived=NEW)
    topic.read(seen, {0: 14, 1: 3})
    assert not list(topic.client.scan_iter("window*keys*@*"))


def test_a_store_that_is_filled_again_shows_what_it_showed(topic: Topic) -> None:
    for spec, arrived in (("midst", 0), ("after", NEW)):
        # Whichever partition is read first, an older counting or a newer one.
        for number in range(8):
            topic.send(spec, 5, OLD, key=f"{number}", arrived=OLD)
            topic.send(spec, 1, NEW, key=f"{number}", other="x", arrived=arrived)
    topic.begin_anew()
    assert topic.rows("midst") == {(0, False, (str(number),)): 5 for number in range(8)}
    assert topic.rows("after") == {(0, False, (str(number), "x")): 1 for number in range(8)}
    topic.send("midst", 9, NEW, key="0", other="x", arrived=NEW)
    topic.read(lambda: topic.counts("midst"), {0: 16})


def test_a_smaller_version_never_overwrites(topic: Topic) -> None:
    topic.begin_anew()
    for n in (3, 2, 4, 1):
        topic.send("versions", n, key="k")
        topic.send("sign", n, minute=n, key="k")
        topic.read(lambda n=n: topic.counts("sign").get(n), n)  # type: ignore[misc]
    assert topic.counts("versions") == {0: 4}


def test_no_row_stops_the_projector_or_its_readers(topic: Topic) -> None:
    topic.begin_anew()
    good = {
        "spec": "poison", "window_start": int(MINUTE.timestamp()), "late": False, "keys": {"key": "a"}, "n": 1,
        "generation": OLD, "values": {"count": 1},
    }  # fmt: skip
    for odd in (
        {"last_arrived_ms": None}, {"window_start": 10**14}, {"n": 3 * 10**9}, {"values": {"count": "x"}}, {"values": None},
        {"generation": 10**30}, {"keys": {"key": {}}},
    ):  # fmt: skip
        topic.put(json.dumps(good | odd).encode(), "k")
    deep = b"[" * 600 + b"]" * 600
    topic.put(json.dumps(good).encode()[:-1] + b', "more": ' + deep + b', "odd": "\xff"}', "k")
    topic.put(json.dumps(good | {"n": 2, "values": {"count": 2}}).encode(), "k")
    topic.read(lambda: topic.counts("poison"), {0: 2})
    assert topic.store.newest("poison") == MINUTE
