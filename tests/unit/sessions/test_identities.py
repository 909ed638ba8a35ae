"""Every identity of the last minutes is known, in few bytes, in whatever order they arrive."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from headrace.sessions.identities import SPAN, Identities

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)


def test_as_a_set_would_know_them() -> None:
    random_, known, plain = random.Random(3), Identities(), set()
    for _ in range(60_000):
        identity = f"event-{random_.randrange(40_000)}"
        assert known.add(identity, NOW + random_.random() * 5 * SPAN) == (identity not in plain)
        plain.add(identity)


def test_what_arrived_before_is_forgotten_and_nothing_else() -> None:
    known = Identities()
    assert known.add("late", NOW + SPAN) and known.add("early", NOW)
    known.forget(NOW + SPAN - timedelta(microseconds=1))
    assert not known.add("early", NOW)
    known.forget(NOW + SPAN)
    assert not known.add("late", NOW)
    assert known.add("early", NOW)


def test_an_identity_takes_at_most_24_bytes_and_a_new_table_is_as_large_as_the_last() -> None:
    known = Identities()
    for number in range(50_000):
        known.add(f"a rather long identity of an event, number {number}", NOW)
    (first,) = known._spans.values()
    assert first.slots.itemsize * len(first.slots) <= 24 * first.count
    known.add("another", NOW + SPAN)
    _, second = known._spans.values()
    assert len(second.slots) == len(first.slots)
